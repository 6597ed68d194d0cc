//! `hearthgate backup`: a copy of the records that is known to fit (seed 001 §6).

use crate::desk::{self, Desk};
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use agreements::{Role, Store};
use clap::Args;
use records::{Head, Purpose, Records, Verified};
use ring::digest::{Context, SHA256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Copies the records beside a running gateway, reads the copy whole, and only then puts it in the place of the last one.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate backup --to /mnt/backup/hearthgate.db          each night, from cron or a timer
  hearthgate backup --to /mnt/usb/hearthgate.db --by r.osei

The copy names young people: keep it on an encrypted disk, where nobody else reads it. A copy that fails leaves the last one
as it is. The home's files are not in it; keep those in Git. To restore: stop the gateway, put the copy in the place of the
file that `store` in gateway.yaml names, and start it; `hearthgate breaches verify` reads it whole.

Exit codes: 0 copied, and the copy fits; 1 the records do not fit; 2 cannot read or write.")]
pub(crate) struct Backup {
    #[command(flatten)]
    home: HomeArg,
    /// The copy: a file that is there is replaced, once the new one is known to fit.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    to: PathBuf,
    /// Who makes it: an account of home.yaml [default: whoever is signed in to the machine].
    #[arg(long, value_name = "STAFF_ID")]
    by: Option<String>,
}

impl Backup {
    /// Copies, reads, replaces, and writes it down.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = match &self.by {
            Some(id) => desk.by(id, &[Role::Manager, Role::It])?,
            None => desk::machine_user(),
        };
        let mut part = self.to.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let made = copy(&desk, &part);
        let (head, sha256) = match made {
            Ok(made) => made,
            Err(failure) => {
                // What is half done is nobody's copy; the last good one stands.
                let _gone = fs::remove_file(&part);
                return Err(failure);
            }
        };
        fs::rename(&part, &self.to).map_err(|e| cannot_write(&self.to, &e))?;
        let entries = head.entries;
        desk.write(desk.records.backed_up(head, &sha256, by))?;
        terminal::say_line(&format!(
            "Copied and read whole: {entries} entries, SHA-256 {sha256}, in {}.",
            self.to.display()
        ));
        Ok(Exit::Done)
    }
}

/// Makes the copy in a file of its own, and reads it whole: how far it goes, and its SHA-256.
fn copy(desk: &Desk, part: &Path) -> Result<(Head, String), Failure> {
    let wrong = |e: io::Error| cannot_write(part, &e);
    let _stale = fs::remove_file(part);
    // The engine fills a file that is there and empty: nobody else has it open for a moment.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(wrong)?;
    let part = part.canonicalize().map_err(wrong)?;
    desk.ask(desk.records.copy_to(&part))?;
    let head = desk.wait(read_whole(desk, &part))?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(wrong)?;
    Ok((head, sha256(&part).map_err(wrong)?))
}

/// Reads a copy as `breaches verify` does.
async fn read_whole(desk: &Desk, copy: &Path) -> Result<Head, Failure> {
    let unread = |e: String| Failure::cannot_read(format!("the copy cannot be read: {e}"));
    let at = Store::Sqlite(copy.display().to_string());
    let folder = copy.parent().unwrap_or(Path::new("/"));
    let clock = desk.records.clock().clone();
    let records =
        Records::open_for(Purpose::Read, &at, folder, clock).await.map_err(|e| unread(e.to_string()))?;
    let found = records.verify(None).await;
    records.close().await;
    match found.map_err(|e| unread(e.to_string()))? {
        Verified::Whole { head, .. } => Ok(head),
        Verified::Broken { entry, misfit } => {
            Err(Failure::no(format!("the records do not fit at entry {entry}: {misfit}"))
                .help("the last copy is left as it is; `hearthgate breaches verify` says more"))
        }
    }
}

fn sha256(file: &Path) -> io::Result<String> {
    let (mut file, mut context, mut bytes) = (File::open(file)?, Context::new(&SHA256), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut bytes)? {
            0 => break,
            read => context.update(&bytes[..read]),
        }
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    Failure::cannot_read(format!("`{}` cannot be written: {error}", file.display()))
}
