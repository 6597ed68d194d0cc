//! Origins: a web server whose pages do what a test needs, and a server that gives back every byte.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A web server.
pub struct Origin {
    pub address: SocketAddr,
    /// Connections taken so far.
    pub connections: Arc<AtomicUsize>,
    /// Connections open now.
    pub open: Arc<AtomicUsize>,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (connections, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, now_open) = (connections.clone(), open.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                now_open.fetch_add(1, Ordering::SeqCst);
                let now_open = now_open.clone();
                tokio::spawn(async move {
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(page));
                    let _ = connection.with_upgrades().await;
                    now_open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, connections, open }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://host:port`.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port())
    }
}

async fn page(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(match request.uri().path() {
        "/drip" => Response::new(drip()),
        "/never" => std::future::pending().await,
        "/ws" => upgrade(request),
        "/trailers" => trailers(),
        "/big" => Response::new(full(vec![b'x'; 4 << 20])),
        "/empty" => status(StatusCode::NO_CONTENT),
        "/407" => status(StatusCode::PROXY_AUTHENTICATION_REQUIRED),
        "/hops" => hops(),
        "/count" => count(request).await,
        _ => echo(request).await,
    })
}

fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).boxed_unsync()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}

/// What arrived, in words.
async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let collected = body.collect().await.expect("a whole body");
    let mut lines: Vec<String> =
        parts.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap_or("?"))).collect();
    lines.sort();
    let mut text = format!("{} {}\n{}\n\n", parts.method, parts.uri, lines.join("\n"));
    let trailers = collected.trailers().cloned().unwrap_or_default();
    text.push_str(&String::from_utf8_lossy(&collected.to_bytes()));
    for (name, value) in &trailers {
        text.push_str(&format!("--{name}: {}", value.to_str().unwrap_or("?")));
    }
    Response::new(full(text))
}

async fn count(request: Request<Incoming>) -> Response<Body> {
    match request.into_body().collect().await {
        Ok(body) => Response::new(full(body.to_bytes().len().to_string())),
        Err(_) => status(StatusCode::BAD_REQUEST),
    }
}

/// A body that never ends: a kilobyte every few milliseconds.
fn drip() -> Body {
    let stream = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok(Frame::data(Bytes::from_static(&[b'd'; 1024]))), ()))
    });
    BodyExt::boxed_unsync(StreamBody::new(stream))
}

fn trailers() -> Response<Body> {
    let mut sum = HeaderMap::new();
    sum.insert("x-sum", HeaderValue::from_static("42"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"summed\n"))), Ok(Frame::trailers(sum))];
    let mut response =
        Response::new(BodyExt::boxed_unsync(StreamBody::new(futures_util::stream::iter(frames))));
    response.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
    response
}

fn hops() -> Response<Body> {
    let mut response = Response::new(full("hops"));
    for (name, value) in [
        ("connection", "x-mine, keep-alive"),
        ("x-mine", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authenticate", "Basic realm=\"a trap\""),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("x-ours", "2"),
    ] {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

/// `101`, then every byte back.
fn upgrade(request: Request<Incoming>) -> Response<Body> {
    let wanted = request.headers().get("upgrade").cloned();
    let Some(wanted) = wanted else { return status(StatusCode::UPGRADE_REQUIRED) };
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            let _ = write.write_all(b"hello\n").await;
            let _ = tokio::io::copy(&mut read, &mut write).await;
        }
    });
    let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
    response.headers_mut().insert("connection", HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert("upgrade", wanted);
    response
}

/// A server that gives back every byte, and closes when its client has.
pub async fn echo_server() -> SocketAddr {
    serve_bytes(|mut stream: TcpStream| async move {
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
        let _ = write.shutdown().await;
    })
    .await
}

/// A server that answers one request on each connection, says that it keeps it, and closes it then.
pub async fn forgetful_server() -> SocketAddr {
    serve_bytes(|mut stream: TcpStream| async move {
        let mut request = [0; 4096];
        if stream.read(&mut request).await.is_ok_and(|n| n > 0) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await
}

/// A server that says this and closes.
pub async fn saying_server(answer: &'static [u8]) -> SocketAddr {
    serve_bytes(move |mut stream: TcpStream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer).await;
    })
    .await
}

/// A server that does the same with every connection.
pub async fn serve_bytes<F>(with: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address
}
