//! Who may sign in at the desk, and who is signed in.
//!
//! Names and roles stand in `home.yaml`; what each person set stands here. Of passwords, sessions and links only hashes are kept:
//! whoever reads the store can open nothing with them. What the codes of an app are made from has to be kept as it is; it
//! opens nothing without the password. None of this is in the journal, which never forgets.

use crate::commit::instant;
use crate::room::Records;
use crate::store::{Cell, Line, StoreError, Tx};
use chrono::{DateTime, TimeDelta, Utc};

/// One account has no more sessions open than this; a further one ends the one that was quiet longest.
pub const MOST_SESSIONS: i64 = 8;
/// A session that nobody used for so long is forgotten, whatever the desk thinks of it.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);

/// A session at the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of its token: what the browser holds is never written down.
    pub token: String,
    /// The account's id.
    pub account: String,
    /// When somebody signed in.
    pub began: DateTime<Utc>,
    /// When it was last used.
    pub seen: DateTime<Utc>,
    /// What the browser says of itself.
    pub browser: String,
    /// The address that it came from.
    pub address: String,
}

/// A link with which an account's password is set, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The hash of its token.
    pub token: String,
    /// The account's id.
    pub account: String,
    /// Until when it is good.
    pub ends: DateTime<Utc>,
}

fn session(line: &Line) -> Result<Session, StoreError> {
    Ok(Session {
        token: line.text(0)?.to_owned(),
        account: line.text(1)?.to_owned(),
        began: instant(line.int(2)?),
        seen: instant(line.int(3)?),
        browser: line.text(4)?.to_owned(),
        address: line.text(5)?.to_owned(),
    })
}

/// Ends an account's sessions but the ones used last, and everybody's that are forgotten.
async fn make_room(tx: &mut Tx, account: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let old = (now - FORGOTTEN).timestamp_millis();
    tx.exec("DELETE FROM desk_session WHERE seen < $1", &[old.into()]).await?;
    let cells: [Cell; 2] = [account.into(), (MOST_SESSIONS - 1).into()];
    tx.exec(
        "DELETE FROM desk_session WHERE account = $1 AND token NOT IN \
         (SELECT token FROM desk_session WHERE account = $1 ORDER BY seen DESC LIMIT $2)",
        &cells,
    )
    .await?;
    Ok(())
}

impl Records {
    /// The hash of an account's password (a PHC string); none where the person has set none.
    pub async fn password(&self, account: &str) -> Result<Option<String>, StoreError> {
        let line =
            self.store.row("SELECT password FROM desk_account WHERE id = $1", &[account.into()]).await?;
        line.map(|l| l.text(0).map(str::to_owned)).transpose()
    }

    /// The accounts that have a password, and since when.
    pub async fn accounts(&self) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        let lines = self.store.rows("SELECT id, set_at FROM desk_account ORDER BY id", &[]).await?;
        lines.iter().map(|l| Ok((l.text(0)?.to_owned(), instant(l.int(1)?)))).collect()
    }

    /// What an account's second factor is made from, and the last step of it that was used; none where there is none.
    pub async fn codes(&self, account: &str) -> Result<Option<(String, i64)>, StoreError> {
        let sql = "SELECT codes, step FROM desk_account WHERE id = $1 AND codes <> ''";
        let line = self.store.row(sql, &[account.into()]).await?;
        line.map(|l| Ok((l.text(0)?.to_owned(), l.int(1)?))).transpose()
    }

    /// Sets what an account's second factor is made from, or takes it away where it is empty.
    pub async fn set_codes(&self, account: &str, codes: &str, step: i64) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let cells: [Cell; 3] = [account.into(), codes.into(), step.into()];
        tx.exec("UPDATE desk_account SET codes = $2, step = $3 WHERE id = $1", &cells).await?;
        tx.commit().await
    }

    /// Uses a step of an account's second factor. False where it, or a later one, was used: a code that somebody has read
    /// along opens nothing a second time.
    pub async fn use_step(&self, account: &str, step: i64) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let cells: [Cell; 2] = [account.into(), step.into()];
        let used = tx.exec("UPDATE desk_account SET step = $2 WHERE id = $1 AND step < $2", &cells).await?;
        tx.commit().await?;
        Ok(used > 0)
    }

    /// Keeps a link for an account. An older one for the same account is no longer good.
    pub async fn put_link(&self, link: &Link) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let now = self.now().timestamp_millis();
        tx.exec(
            "DELETE FROM desk_link WHERE account = $1 OR ends < $2",
            &[link.account.as_str().into(), now.into()],
        )
        .await?;
        let cells: [Cell; 3] =
            [link.token.as_str().into(), link.account.as_str().into(), link.ends.timestamp_millis().into()];
        tx.exec("INSERT INTO desk_link (token, account, ends) VALUES ($1, $2, $3)", &cells).await?;
        tx.commit().await
    }

    /// The link with this hash, while it is good.
    pub async fn link(&self, token: &str) -> Result<Option<Link>, StoreError> {
        let sql = "SELECT account, ends FROM desk_link WHERE token = $1 AND ends > $2";
        let cells: [Cell; 2] = [token.into(), self.now().timestamp_millis().into()];
        let Some(line) = self.store.row(sql, &cells).await? else { return Ok(None) };
        let (account, ends) = (line.text(0)?.to_owned(), instant(line.int(1)?));
        Ok(Some(Link { token: token.to_owned(), account, ends }))
    }

    /// Uses a link up and sets the account's password with it; every session of the account ends. The account, or none
    /// where the link is no longer good.
    pub async fn redeem(&self, token: &str, password: &str) -> Result<Option<String>, StoreError> {
        let Some(link) = self.link(token).await? else { return Ok(None) };
        let mut tx = self.store.begin().await?;
        // Of two who use it at the same moment one comes second and finds it gone.
        if tx.exec("DELETE FROM desk_link WHERE token = $1", &[token.into()]).await? == 0 {
            return Ok(None);
        }
        self.put_password(&mut tx, &link.account, password).await?;
        tx.commit().await?;
        Ok(Some(link.account))
    }

    /// Sets an account's password; every session and link of the account ends.
    pub async fn set_password(&self, account: &str, password: &str) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        self.put_password(&mut tx, account, password).await?;
        tx.commit().await
    }

    async fn put_password(&self, tx: &mut Tx, account: &str, password: &str) -> Result<(), StoreError> {
        let cells: [Cell; 3] = [account.into(), password.into(), self.now().timestamp_millis().into()];
        tx.exec(
            "INSERT INTO desk_account (id, password, set_at) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET password = excluded.password, set_at = excluded.set_at",
            &cells,
        )
        .await?;
        tx.exec("DELETE FROM desk_session WHERE account = $1", &[account.into()]).await?;
        tx.exec("DELETE FROM desk_link WHERE account = $1", &[account.into()]).await?;
        Ok(())
    }

    /// The accounts that a home no longer has and of which something is kept: a password, or a link to set one. `kept` are those
    /// that it has; what has a colon in its name is no account of staff.
    pub async fn former_accounts(&self, kept: &[&str]) -> Result<Vec<String>, StoreError> {
        let is_former = |id: &str| !id.contains(':') && !kept.contains(&id);
        let known = self.store.rows("SELECT id FROM desk_account", &[]).await?;
        let links = self.store.rows("SELECT account FROM desk_link", &[]).await?;
        let mut former = Vec::new();
        for line in known.iter().chain(&links) {
            let id = line.text(0)?;
            if is_former(id) && !former.iter().any(|known| known == id) {
                former.push(id.to_owned());
            }
        }
        Ok(former)
    }

    /// Forgets everything of these accounts: password, second factor, sessions, links. Whoever gets such an id later starts afresh.
    pub async fn forget_accounts(&self, former: &[String]) -> Result<(), StoreError> {
        if former.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        for id in former {
            let cells: [Cell; 1] = [id.as_str().into()];
            tx.exec("DELETE FROM desk_account WHERE id = $1", &cells).await?;
            tx.exec("DELETE FROM desk_session WHERE account = $1", &cells).await?;
            tx.exec("DELETE FROM desk_link WHERE account = $1", &cells).await?;
        }
        tx.commit().await
    }

    /// Opens a session.
    pub async fn open_session(&self, new: &Session) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        make_room(&mut tx, &new.account, new.seen).await?;
        let cells: [Cell; 6] = [
            new.token.as_str().into(),
            new.account.as_str().into(),
            new.began.timestamp_millis().into(),
            new.seen.timestamp_millis().into(),
            new.browser.as_str().into(),
            new.address.as_str().into(),
        ];
        tx.exec(
            "INSERT INTO desk_session (token, account, began, seen, browser, address) VALUES ($1, $2, $3, $4, $5, $6)",
            &cells,
        )
        .await?;
        tx.commit().await
    }

    /// The session with this hash.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT token, account, began, seen, browser, address FROM desk_session WHERE token = $1";
        self.store.row(sql, &[token.into()]).await?.map(|line| session(&line)).transpose()
    }

    /// Every open session, the one used last first.
    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        let sql = "SELECT token, account, began, seen, browser, address FROM desk_session ORDER BY seen DESC LIMIT 500";
        self.store.rows(sql, &[]).await?.iter().map(session).collect()
    }

    /// A session was used.
    pub async fn saw_session(&self, token: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let cells: [Cell; 2] = [token.into(), at.timestamp_millis().into()];
        tx.exec("UPDATE desk_session SET seen = $2 WHERE token = $1", &cells).await?;
        tx.commit().await
    }

    /// Ends a session. Whether there was one.
    pub async fn end_session(&self, token: &str) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let ended = tx.exec("DELETE FROM desk_session WHERE token = $1", &[token.into()]).await?;
        tx.commit().await?;
        Ok(ended > 0)
    }

    /// Ends every session of an account.
    pub async fn end_sessions(&self, account: &str) -> Result<u64, StoreError> {
        let mut tx = self.store.begin().await?;
        let ended = tx.exec("DELETE FROM desk_session WHERE account = $1", &[account.into()]).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
