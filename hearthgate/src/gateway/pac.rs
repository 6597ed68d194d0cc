//! The file that tells a browser to use the proxy: `/proxy.pac`, and `/wpad.dat` where it looks for one by itself.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use blocklists::Domain;
use hyper::Method;
use hyper::header::{self, HeaderValue};
use std::net::IpAddr;
use std::sync::Arc;

/// What the file is (the type that every browser knows since 1996; RFC has none).
const CONTENT_TYPE: &str = "application/x-ns-proxy-autoconfig";
const PATHS: [&str; 2] = ["/proxy.pac", "/wpad.dat"];

/// The script: everything goes to the proxy, save the gateway's own pages and what is inside the home. There is no way
/// beside it for when the proxy does not answer.
pub(crate) fn script(own: &Domain, proxy: u16) -> String {
    format!(
        "\
function FindProxyForURL(url, host) {{
  host = host.toLowerCase();
  if (host == \"{own}\" || isPlainHostName(host)) return \"DIRECT\";
  if (dnsDomainIs(host, \".local\") || dnsDomainIs(host, \".home.arpa\")) return \"DIRECT\";
  if (/^(10|127|169\\.254|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))(\\.[0-9]+)+$/.test(host)) return \"DIRECT\";
  return \"PROXY {own}:{proxy}\";
}}
"
    )
}

/// Serves the script beside the pages.
pub(crate) fn beside(router: Router, own: Domain, script: Option<String>) -> Router {
    let Some(script) = script else { return router };
    let (own, script): (_, Arc<str>) = (Arc::new(own), script.into());
    router.layer(from_fn(move |request: Request, next: Next| {
        let (own, script) = (Arc::clone(&own), Arc::clone(&script));
        async move { if is_asked(&request, &own) { response(&script) } else { next.run(request).await } }
    }))
}

/// Whether the script is asked for, and of us: `/wpad.dat` of some site is that site's.
fn is_asked(request: &Request, own: &Domain) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(host).unwrap_or_default();
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let bare = bare.map_or(host, |(bare, _)| bare).trim_matches(['[', ']']).to_ascii_lowercase();
    let ours = bare == own.as_str() || is_search(&bare) || bare.parse::<IpAddr>().is_ok();
    ours && PATHS.contains(&request.uri().path()) && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether a name is where browsers look for a script by themselves, inside a home.
fn is_search(host: &str) -> bool {
    ["wpad", "wpad.home.arpa"].contains(&host)
}

fn response(script: &str) -> Response {
    let mut response = Response::new(Body::from(script.to_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    // Where the proxy is may change with the next reading of gateway.yaml.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_ours_to_give() {
        let own = Domain::parse("hearthgate.home.arpa").expect("a name");
        for (uri, host, asked) in [
            ("/proxy.pac", "hearthgate.home.arpa", true),
            ("/wpad.dat", "Hearthgate.home.arpa:8080", true),
            ("/wpad.dat", "wpad", true),
            ("/wpad.dat", "wpad.home.arpa", true),
            ("/wpad.dat", "192.168.4.1:80", true),
            ("/wpad.dat", "[fd00::1]:80", true),
            ("/wpad.dat", "casino.example", false),
            ("/wpad.dat", "wpad.example", false),
            ("/other", "hearthgate.home.arpa", false),
            ("/wpad.dat", "", false),
        ] {
            let request = Request::get(uri).header("host", host).body(Body::empty()).expect("a request");
            assert_eq!(is_asked(&request, &own), asked, "{uri} of {host}");
        }
    }

    #[test]
    fn nothing_goes_beside_the_proxy() {
        let script = script(&Domain::parse("dns.oakview.example").expect("a name"), 3128);
        assert!(script.contains("return \"PROXY dns.oakview.example:3128\";"), "{script}");
        assert!(!script.contains("; DIRECT"), "a proxy that is away opens no other way");
    }
}
