//! Upstreams over TLS and HTTPS, with a certificate authority of the test's own.

use crate::home::{Home, JORDAN, Setup};
use crate::internet::Server;
use crate::judged::ZONE;
use agreements::Upstream;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const WWW: &str = "NOERROR; www.test 300 A 192.0.2.1";

/// An authority, and a server's configuration with a certificate of its for some names.
pub fn authority(alpn: &[&str], names: &[&str]) -> (CertificateDer<'static>, ServerConfig) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("a root");
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().expect("a key");
    let leaf =
        CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).expect("names");
    let leaf = leaf.signed_by(&leaf_key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(leaf_key.serialize_der()).expect("a key"),
        )
        .expect("a configuration");
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    (root.der().clone(), config)
}

/// Serves a name server over TLS.
async fn dot(server: Arc<Server>, config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), Arc::clone(&server));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    server.converse(stream).await;
                }
            });
        }
    });
    address
}

/// Serves a name server over HTTP/2 at `/dns-query`.
async fn doh(server: Arc<Server>, config: ServerConfig) -> SocketAddr {
    use http_body_util::{BodyExt, Full};
    use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), Arc::clone(&server));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let serve = service_fn(move |request: Request<Incoming>| {
                    let server = Arc::clone(&server);
                    async move {
                        assert_eq!(request.uri().path(), "/dns-query");
                        let query = request.into_body().collect().await.expect("a body").to_bytes();
                        let answer = server.over_https(&query).await.expect("an answer");
                        let response = Response::builder().header("content-type", "application/dns-message");
                        Ok::<_, std::convert::Infallible>(
                            response.body(Full::new(Bytes::from(answer))).unwrap(),
                        )
                    }
                });
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = connection.serve_connection(TokioIo::new(stream), serve).await;
            });
        }
    });
    address
}

async fn home(upstream: Vec<Upstream>, root: Option<CertificateDer<'static>>) -> Home {
    let mut setup = Setup::new(&[]).resolver(move |resolver| resolver.extra_roots.extend(root));
    setup.gateway.upstream = upstream;
    Home::open(setup).await
}

#[tokio::test]
async fn over_tls() {
    let server = Server::start(ZONE).await;
    let (root, config) = authority(&[], &["dns.test"]);
    let at = dot(Arc::clone(&server), config).await;
    let home = home(vec![Upstream::Tls(at, "dns.test".into())], Some(root)).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!(home.ask(JORDAN, "nothere.test A").await, "NXDOMAIN; soa 30");
    assert_eq!(
        home.ask(JORDAN, "svc.test HTTPS").await,
        "NOERROR; svc.test 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"
    );
    assert_eq!(server.udp.load(std::sync::atomic::Ordering::Relaxed), 0, "nothing goes in the clear");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_of_another_name_is_no_upstream() {
    let server = Server::start(ZONE).await;
    let (root, config) = authority(&[], &["dns.test"]);
    let at = dot(Arc::clone(&server), config).await;
    for (name, root) in [("dns.test", None), ("other.test", Some(root))] {
        let home = home(vec![Upstream::Tls(at, name.into())], root).await;
        assert_eq!(home.ask(JORDAN, "www.test A +edns").await, "SERVFAIL; ede 22", "{name}");
    }
    assert_eq!(server.asked(), 0, "no question was told to a stranger");
}

#[tokio::test]
async fn over_https_by_address_and_by_name() {
    let server = Server::start(&format!("{ZONE}\ndns.test 300 A 127.0.0.1")).await;
    let (root, config) = authority(&["h2"], &["dns.test"]);
    let at = doh(Arc::clone(&server), config).await;
    let https = |address| Upstream::Https {
        host: "dns.test".into(),
        port: at.port(),
        path: "/dns-query".into(),
        address,
    };
    let by_address = home(vec![https(Some(at.ip()))], Some(root.clone())).await;
    assert_eq!(by_address.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!(server.udp.load(std::sync::atomic::Ordering::Relaxed), 0);
    let by_name = home(vec![https(None), Upstream::Udp(server.address)], Some(root)).await;
    assert_eq!(by_name.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!(
        server.udp.load(std::sync::atomic::Ordering::Relaxed),
        1,
        "its address was looked up, nothing else"
    );
}
