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
        assert_eq!(judged_path(written), meant, "{written}");
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
