use super::*;

#[test]
fn paths_are_judged_by_what_they_mean() {
    for (written, meant) in [
        ("/", "/"),
        ("/bitesize", "/bitesize"),
        ("/bitesize/", "/bitesize/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/../../a", "/a"),
        ("/bitesize/%2e%2E/sport", "/sport"),
        ("/bitesize%2f..%2fsport", "/sport"),
        ("/bitesize/..%5csport", "/sport"),
        ("/%67ames", "/games"),
        ("/%2567ames", "/%67ames"),
        ("/a%", "/a%"),
        ("/a%4", "/a%4"),
        ("/a%zz", "/a%zz"),
        ("/a//b", "/a//b"),
        ("/%ff", "/\u{fffd}"),
    ] {
        assert_eq!(meant_path(written), meant, "{written}");
    }
}

#[test]
fn no_spelling_of_a_path_reads_as_another() {
    for (written, furthest) in [
        ("/", None),
        ("/games", None),
        ("/games/", None),
        ("/a//b", Some("/a/b")),
        ("//", Some("/")),
        ("/x//../games/", Some("/games/")),
        ("/a//games", Some("/a/games")),
        ("/x/..;/games", Some("/games")),
        ("/;x/games", Some("/games")),
        ("/games;x", Some("/games")),
        ("/games;x=1/play", Some("/games/play")),
        ("/%2567ames", Some("/games")),
        ("/%25252567ames", Some("/games")),
        ("/games%00", Some("/games")),
        ("/games%20", Some("/games")),
        ("/games.", Some("/games")),
        ("/games./play", Some("/games/play")),
        ("/a/..%3b/games", Some("/games")),
        ("/a.b/c", None),
        ("/100%", None),
    ] {
        assert_eq!(Path::read(written).furthest.as_deref(), furthest, "{written}");
    }
}

#[test]
fn someone_opening_a_page_is_told_from_a_program() {
    type Lines<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Method, Lines<'_>, Evidence)] = &[
        (
            Method::GET,
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            Evidence::Navigation,
        ),
        (
            Method::POST,
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            Evidence::Navigation,
        ),
        (Method::GET, &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], Evidence::Connection),
        (
            Method::GET,
            &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image"), ("accept", "text/html")],
            Evidence::Connection,
        ),
        (Method::GET, &[("accept", "text/html,*/*;q=0.8")], Evidence::Navigation),
        (Method::POST, &[("accept", "text/html")], Evidence::Connection),
        (Method::GET, &[("accept", "*/*")], Evidence::Connection),
        (Method::GET, &[], Evidence::Connection),
    ];
    for (method, lines, meant) in cases {
        let mut request = Request::builder().method(method);
        for (name, value) in *lines {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        assert_eq!(evidence(request.method(), request.headers()), *meant, "{method} {lines:?}");
    }
}
