//! The control socket: how the commands ask a running gateway how it is.
//!
//! One line in, one JSON object out, over a Unix socket that only the gateway's own account can open.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// The longest question.
const QUESTION: u64 = 256;
/// The longest answer that a command takes.
const ANSWER: u64 = 16 << 20;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever stands in for the gateway waits no longer for it: one that is busy answers within moments.
const SOON: Duration = Duration::from_secs(3);
/// Questions that are answered at the same time.
const AT_ONCE: usize = 8;

/// What whoever stands by asks again and again: whether there is an answer.
pub(crate) const STANDING_BY: &str = "standing-by";

/// Answers a question; `None` for one that nobody knows.
pub(crate) type Answering =
    Arc<dyn Fn(&str) -> futures_util::future::BoxFuture<'static, Option<Value>> + Send + Sync>;

/// A path that fits into a socket's address (108 bytes): the folder as an open file where it is too long.
fn reachable(path: &Path) -> io::Result<(PathBuf, Option<std::fs::File>)> {
    if path.as_os_str().len() < 100 {
        return Ok((path.to_owned(), None));
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let folder = std::fs::File::open(parent)?;
    let name = path.file_name().unwrap_or_default();
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd())).join(name);
    Ok((short, Some(folder)))
}

/// Binds the socket, over one that a killed gateway left. The caller holds the records, so no other gateway has it.
pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (short, _folder) = reachable(path)?;
    let listener = UnixListener::bind(short)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the task is dropped.
pub(crate) async fn serve(listener: UnixListener, answering: Answering) {
    let room = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = answering.clone();
                tokio::spawn(async move {
                    let _in_time = tokio::time::timeout(PATIENCE, answer(stream, answering)).await;
                    drop(permit);
                });
            }
            // Out of files: the next one may find some.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, answering: Answering) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut question = String::new();
    tokio::io::BufReader::new(read.take(QUESTION)).read_line(&mut question).await?;
    let answer = answering(question.trim()).await.unwrap_or(Value::Null);
    write.write_all(answer.to_string().as_bytes()).await?;
    write.shutdown().await
}

/// Whether a gateway runs and answers whoever stands by for it. That somebody listens says nothing: the kernel takes connections for a gateway that hangs.
pub(crate) async fn answers(path: &Path) -> bool {
    tokio::time::timeout(SOON, is_heard(path)).await.is_ok_and(|heard| heard.is_ok())
}

async fn is_heard(path: &Path) -> io::Result<()> {
    let (short, _folder) = reachable(path)?;
    let mut stream = tokio::net::UnixStream::connect(short).await?;
    stream.write_all(format!("{STANDING_BY}\n").as_bytes()).await?;
    stream.read_u8().await.map(drop)
}

/// Asks a running gateway; `None` when none runs, or it does not know the question.
pub(crate) fn ask(path: &Path, question: &str) -> Option<Value> {
    let (short, _folder) = reachable(path).ok()?;
    let mut stream = UnixStream::connect(short).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    writeln!(stream, "{question}").ok()?;
    let mut text = Vec::new();
    BufReader::new(stream).take(ANSWER).read_until(0, &mut text).ok()?;
    serde_json::from_slice(&text).ok().filter(|answer: &Value| !answer.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows_one() -> Answering {
        Arc::new(|question: &str| {
            let answer = (question == "status").then(|| serde_json::json!({"running": true}));
            Box::pin(async move { answer })
        })
    }

    async fn asked(path: PathBuf, question: &'static str) -> Option<Value> {
        tokio::task::spawn_blocking(move || ask(&path, question)).await.expect("asked")
    }

    #[tokio::test]
    async fn a_question_is_answered_over_however_long_a_path() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let deep = dir.path().join("a".repeat(120));
        std::fs::create_dir(&deep).expect("made");
        for path in [dir.path().join("control.sock"), deep.join("control.sock")] {
            let serving = tokio::spawn(serve(bind(&path).expect("bound"), knows_one()));
            assert_eq!(asked(path.clone(), "status").await, Some(serde_json::json!({"running": true})));
            assert_eq!(asked(path.clone(), "nonsense").await, None);
            serving.abort();
            let _ended = serving.await;
            assert_eq!(asked(path.clone(), "status").await, None, "nobody answers any more");
            drop(bind(&path).expect("a left socket is taken over"));
        }
    }

    #[tokio::test]
    async fn a_gateway_that_hangs_does_not_run() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("control.sock");
        assert!(!answers(&path).await, "there is none");
        let listener = bind(&path).expect("bound");
        assert!(UnixStream::connect(&path).is_ok() && !answers(&path).await, "nobody takes the question");
        let serving = tokio::spawn(serve(listener, knows_one()));
        assert!(answers(&path).await, "whatever it says to it");
        serving.abort();
    }

    #[tokio::test]
    async fn only_the_owner_can_open_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("control.sock");
        let _listener = bind(&path).expect("bound");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
