use super::*;

fn map(lines: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    lines.iter().map(pair).collect()
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut lines: Vec<_> =
        headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_string())).collect();
    lines.sort();
    lines
}

/// What goes on of a request's headers, besides `Host` and `Via`.
fn sent_on(request: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut headers = map(request);
    outgoing(&mut headers, &Target::parse("site.test", Some(80)).unwrap(), Version::HTTP_11, false);
    assert_eq!(headers.remove(header::HOST).unwrap(), "site.test");
    headers.remove(header::VIA).unwrap();
    lines(&headers)
}

#[test]
fn what_is_for_one_connection_stays_on_it() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)]);
    let cases: &[Case<'_>] = &[
        (&[("accept", "*/*")], &[("accept", "*/*")]),
        (&[("connection", "close")], &[]),
        (
            &[("connection", "x-mine, X-Yours"), ("x-mine", "1"), ("x-yours", "2"), ("x-ours", "3")],
            &[("x-ours", "3")],
        ),
        (&[("connection", "x-a"), ("connection", "x-b"), ("x-a", "1"), ("x-b", "2")], &[]),
        (&[("connection", "x-a,, ,x-b"), ("x-a", "1"), ("x-b", "2")], &[]),
        (&[("connection", "cookie"), ("cookie", "a=b")], &[]),
        (&[("connection", "content-length"), ("content-length", "0")], &[("content-length", "0")]),
        (&[("connection", "host")], &[]),
        (&[("keep-alive", "timeout=5")], &[]),
        (&[("proxy-connection", "keep-alive"), ("proxy-authorization", "Basic eDo=")], &[]),
        (&[("te", "gzip")], &[]),
        (&[("te", "gzip;q=0.5, trailers")], &[("connection", "te"), ("te", "trailers")]),
        (&[("te", "Trailers")], &[("connection", "te"), ("te", "trailers")]),
        (&[("trailer", "x-sum")], &[("trailer", "x-sum")]),
        (&[("transfer-encoding", "chunked")], &[]),
        (&[("upgrade", "websocket")], &[]),
        (
            &[("connection", "Upgrade"), ("upgrade", "websocket")],
            &[("connection", "upgrade"), ("upgrade", "websocket")],
        ),
        (
            &[("connection", "upgrade"), ("upgrade", " WebSocket ")],
            &[("connection", "upgrade"), ("upgrade", "websocket")],
        ),
        (&[("connection", "upgrade"), ("upgrade", "chat/2")], &[]),
        (&[("connection", "upgrade"), ("upgrade", "websocket, chat/2")], &[]),
        (&[("connection", "upgrade"), ("upgrade", "websocket/13")], &[]),
        (&[("connection", "upgrade, http2-settings"), ("upgrade", "h2c"), ("http2-settings", "A")], &[]),
        (&[("connection", "upgrade"), ("upgrade", "websocket, h2c")], &[]),
        (&[("connection", "upgrade"), ("upgrade", "TLS/1.0")], &[]),
        (&[("authorization", "Basic x")], &[("authorization", "Basic x")]),
        (&[("proxy-status", "x")], &[("proxy-status", "x")]),
        (&[("expect", "100-continue")], &[("expect", "100-continue")]),
    ];
    for (request, meant) in cases {
        let meant: Vec<_> = meant.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        assert_eq!(sent_on(request), meant, "{request:?}");
    }
}

#[test]
fn host_is_the_uris() {
    for (authority, host) in [
        ("site.test", "site.test"),
        ("SITE.test:80", "site.test"),
        ("site.test:8080", "site.test:8080"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:81", "[2001:db8::1]:81"),
    ] {
        let mut headers = map(&[("host", "other.test")]);
        outgoing(&mut headers, &Target::parse(authority, Some(80)).unwrap(), Version::HTTP_11, false);
        assert_eq!(headers.get_all(header::HOST).iter().collect::<Vec<_>>(), [host], "{authority}");
    }
}

#[test]
fn via_says_that_we_were_here_and_not_who_asked() {
    let mut headers = map(&[("via", "1.1 other")]);
    incoming(&mut headers, Version::HTTP_10);
    assert_eq!(headers.get_all("via").iter().collect::<Vec<_>>(), ["1.1 other", "1.0 hearthgate"]);
    assert!(has_been_here(&headers));
    assert!(headers.get("x-forwarded-for").is_none() && headers.get("forwarded").is_none());
}

#[test]
fn a_loop_is_seen() {
    for (via, meant) in [
        ("1.1 hearthgate", true),
        ("1.0 first, 1.1 Hearthgate (x)", true),
        ("HTTP/1.1 hearthgate", true),
        ("1.1 hearthgate.example", false),
        ("1.1 other (hearthgate)", false),
        ("", false),
    ] {
        assert_eq!(has_been_here(&map(&[("via", via)])), meant, "{via}");
    }
}

#[test]
fn options_is_counted_and_ends_at_nought() {
    for (method, value, meant, after) in [
        (Method::OPTIONS, "5", Hops::Any, "4"),
        (Method::OPTIONS, "0", Hops::EndHere, "0"),
        (Method::OPTIONS, "many", Hops::Any, "many"),
        (Method::GET, "0", Hops::Any, "0"),
    ] {
        let mut headers = map(&[("max-forwards", value)]);
        assert_eq!(count_hop(&method, &mut headers), meant, "{method} {value}");
        assert_eq!(headers["max-forwards"], after, "{method} {value}");
    }
}

#[test]
fn switching_keeps_the_protocol() {
    let mut headers =
        map(&[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "x")]);
    switching(&mut headers, Version::HTTP_11);
    assert_eq!(headers["upgrade"], "websocket");
    assert_eq!(headers["connection"], "upgrade");
    assert_eq!(headers["sec-websocket-accept"], "x");
}
