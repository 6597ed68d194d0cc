//! Who comes in where, and what is not let in at all.

use super::play::{ACCOUNTS, PASSWORD, Page, Play};
use crate::desk::routes;
use axum::body::Body;
use axum::http::{Method, StatusCode, header};

/// What each account finds at each route: manager, staff, visitor, IT, nobody. `y`: it is theirs; `-`: it is not; `>`: to
/// the sign-in page. Written down a second time, so that a slip in the table of routes is seen.
pub(super) const MATRIX: &[(&str, &str, &str)] = &[
    ("GET", "/sign-in", "yyyyy"),
    ("POST", "/sign-in", "yyyyy"),
    ("GET", "/first/{token}", "yyyyy"),
    ("POST", "/first/{token}", "yyyyy"),
    ("GET", "/locked", "yyyyy"),
    ("GET", "/assets/desk.css", "yyyyy"),
    ("GET", "/assets/desk.js", "yyyyy"),
    ("GET", "/live", "yyyy>"),
    ("POST", "/here", "yyyy>"),
    ("GET", "/me", "yyyy>"),
    ("POST", "/me", "yyyy>"),
    ("POST", "/sign-out", "yyyy>"),
    ("GET", "/", "yyyy>"),
    ("GET", "/shift", "yyy->"),
    ("GET", "/shift/sheet", "yyy->"),
    ("POST", "/shift/sign", "yy-->"),
    ("GET", "/month", "yyy->"),
    ("POST", "/episodes/{entry}", "yy-->"),
    ("POST", "/concerns/{entry}", "yy-->"),
    ("GET", "/reports/{entry}", "yy-->"),
    ("POST", "/reports/{entry}", "yy-->"),
    ("POST", "/reports/{entry}/open", "yy-->"),
    ("GET", "/asks", "yy-->"),
    ("POST", "/asks/{entry}/yes", "yy-->"),
    ("POST", "/asks/{entry}/no", "yy-->"),
    ("GET", "/give/{person}", "yy-->"),
    ("POST", "/give/{person}", "yy-->"),
    ("GET", "/grants/{entry}/end", "yy-->"),
    ("POST", "/grants/{entry}/end", "yy-->"),
    ("GET", "/restrictions", "yyy->"),
    ("GET", "/restrictions/new", "y--->"),
    ("POST", "/restrictions/place", "y--->"),
    ("POST", "/restrictions/{entry}/end", "y--->"),
    ("POST", "/restrictions/{entry}/told", "y--->"),
    ("POST", "/restrictions/{entry}/reviewed", "y--->"),
    ("GET", "/people", "yy-->"),
    ("GET", "/people/{person}", "yy-->"),
    ("POST", "/people/{person}/read", "yy-->"),
    ("POST", "/people/{person}/show", "yy-->"),
    ("POST", "/people/{person}/incident", "yy-->"),
    ("POST", "/shows/{entry}", "yy-->"),
    ("POST", "/people/{person}/pin", "yy-->"),
    ("GET", "/people/{person}/charts", "yy-->"),
    ("GET", "/people/{person}/nights", "yy-->"),
    ("GET", "/edit", "y--->"),
    ("GET", "/edit/{*file}", "y--->"),
    ("POST", "/edit/{*file}", "y--->"),
    ("GET", "/devices", "yyyy>"),
    ("POST", "/devices/book", "yy-->"),
    ("GET", "/devices/own", "y--->"),
    ("POST", "/devices/let-in", "yy-->"),
    ("POST", "/devices/let-out", "yy-->"),
    ("GET", "/lists", "yyyy>"),
    ("POST", "/lists/report", "yy-->"),
    ("POST", "/lists/reports/{entry}", "y--y>"),
    ("GET", "/coverage", "yyyy>"),
    ("GET", "/audit", "y--->"),
    ("GET", "/sample", "y--->"),
    ("POST", "/sample", "y--->"),
    ("GET", "/evidence", "y--->"),
    ("POST", "/evidence", "y--->"),
    ("GET", "/accounts", "y--->"),
    ("POST", "/accounts/link", "y--->"),
    ("POST", "/accounts/end", "yyyy>"),
];

/// What the guard said: it lets in, refuses, or leads to the sign-in page.
fn said(page: &Page) -> char {
    match page.status {
        StatusCode::FORBIDDEN if page.words().contains("Your account does not do this") => '-',
        StatusCode::SEE_OTHER if page.location() == "/sign-in" => '>',
        _ => 'y',
    }
}

#[tokio::test]
async fn every_route_for_every_role() {
    let play = Play::new().await;
    let mut checked = 0;
    for (method, path, expected) in MATRIX {
        // `/live` never ends by itself, and signing out leads where nobody may go: what the guard says is all that counts.
        let address = address(path);
        for (account, wanted) in ACCOUNTS.map(Some).into_iter().chain([None]).zip(expected.chars()) {
            let mut browser = match account {
                Some(account) => play.signed_in(account).await,
                None => play.browser(),
            };
            let page = match *method {
                _ if *path == "/live" && wanted == 'y' => continue,
                "GET" => browser.get(&address).await,
                _ => browser.post(&address, &[]).await,
            };
            let let_in = if *path == "/sign-out" && account.is_some() && browser.cookie.is_none() {
                'y'
            } else {
                said(&page)
            };
            assert_eq!(let_in, wanted, "{method} {path} for {account:?}: {}", page.status);
            checked += 1;
        }
    }
    assert_eq!(checked, MATRIX.len() * 5 - 4);
}

/// An address of a route, with something in place of what it names.
fn address(path: &str) -> String {
    path.replace("{token}", "none")
        .replace("{entry}", "1")
        .replace("{person}", "jordan")
        .replace("{*file}", "home.yaml")
}

#[tokio::test]
async fn the_matrix_has_every_route_by_method() {
    let play = Play::new().await;
    let has =
        |method: &Method, path: &str| MATRIX.iter().any(|(m, p, _)| *m == method.as_str() && *p == path);
    let mut closed = 0;
    for (path, _, _) in routes() {
        let methods =
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        assert!(methods.iter().any(|method| has(method, path)), "`{path}` stands in no line of the matrix");
        // What follows never ends, and takes no other method than the matrix says.
        for method in methods.iter().filter(|method| path != "/live" || **method != Method::GET) {
            // Signed in anew, since one of the routes signs out. A manager comes in everywhere but where IT alone does.
            let mut browser = play.signed_in("r.osei").await;
            let mut request = browser.request(method.clone(), &address(path)).body(Body::empty()).unwrap();
            request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
            let status = browser.send(request).await.status;
            let is_route = status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_route, has(method, path), "{method} {path}: {status}");
            closed += usize::from(!is_route);
        }
    }
    assert!(closed > 200, "{closed}");
    for (_, path, _) in MATRIX {
        assert!(routes().iter().any(|(known, _, _)| known == path), "`{path}` is no route");
    }
}

#[tokio::test]
async fn what_a_page_may_not_do_and_what_it_carries() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    let page = browser.get("/").await;
    let carries =
        |name: &str| page.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    assert!(carries("content-security-policy").starts_with("default-src 'none'"), "{:?}", page.headers);
    assert!(!carries("content-security-policy").contains("unsafe"), "{:?}", page.headers);
    assert_eq!(carries("cache-control"), "no-store");
    assert_eq!(carries("x-frame-options"), "DENY");
    for inline in ["<style", "style=", "onclick", "javascript:", "<script>"] {
        assert!(!page.text.contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let play = Play::new().await;
    play.has_password("k.lane").await;
    let mut refused = 0;
    for account in ACCOUNTS.map(Some).into_iter().chain([None]) {
        let mut browser = match account {
            Some(account) => play.signed_in(account).await,
            None => play.browser(),
        };
        let before = play.records.head().await.unwrap().entries;
        for (_, path, _) in MATRIX.iter().filter(|(method, _, _)| *method == "POST") {
            for (name, site, origin) in [
                ("another_site", Some("cross-site"), Some("https://evil.example")),
                ("a_refusal_page_on_another_port", Some("same-site"), Some("http://127.0.0.1:8080")),
                ("no_sign_of_a_browser", None, None),
                ("a_sandbox", None, Some("null")),
            ] {
                let mut request = browser.request(Method::POST, &address(path)).body(Body::empty()).unwrap();
                request.headers_mut().remove("sec-fetch-site");
                request.headers_mut().remove(header::ORIGIN);
                if let Some(site) = site {
                    request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
                }
                if let Some(origin) = origin {
                    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
                }
                let page = browser.send(request).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{account:?} {path}: {name}");
                assert!(
                    page.words().contains("That did not come from the desk"),
                    "{account:?} {path}: {name}: {}",
                    page.words()
                );
                refused += 1;
            }
        }
        assert_eq!(play.records.head().await.unwrap().entries, before, "{account:?}: nothing was done");
        if account.is_some() {
            assert_eq!(browser.get("/").await.status, StatusCode::OK, "{account:?}: still signed in");
            assert_eq!(browser.post("/sign-out", &[]).await.location(), "/sign-in");
        }
        assert_eq!(browser.get("/").await.location(), "/sign-in");
    }
    let posts = MATRIX.iter().filter(|(method, _, _)| *method == "POST").count();
    assert_eq!(refused, posts * 4 * (ACCOUNTS.len() + 1));
}

#[tokio::test]
async fn other_hosts_are_not_ours() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    for (host, status) in [
        ("rebound.example:8443", StatusCode::MISDIRECTED_REQUEST),
        ("", StatusCode::MISDIRECTED_REQUEST),
        ("192.168.4.1:8443", StatusCode::OK),
        ("hearthgate.home.arpa:8443", StatusCode::OK),
    ] {
        let mut request = browser.request(Method::GET, "/").body(Body::empty()).unwrap();
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        assert_eq!(browser.send(request).await.status, status, "`{host}`");
    }
}

#[tokio::test]
async fn oversize_and_broken_forms_are_refused_in_plain_words() {
    let play = Play::new().await;
    let mut browser = play.browser();
    let large = browser.post("/sign-in", &[("account", "x"), ("password", &"y".repeat(200_000))]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let broken = browser.post("/sign-in", &[("nonsense", PASSWORD)]).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    let json = browser.request(Method::POST, "/sign-in").header(header::CONTENT_TYPE, "application/json");
    let json = browser.send(json.body(Body::from("{}")).unwrap()).await;
    for page in [large, broken, json] {
        assert!(page.words().contains("The form could not be read"), "{}", page.text);
        assert!(!page.text.contains(PASSWORD), "a password is never said again");
    }
    let unknown = browser.get("/no/such/page").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.words().contains("There is nothing at this address"));
}
