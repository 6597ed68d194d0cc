//! The tables of hosts, and which tags a row's kind stands for.

use super::Builtin;
use super::row::{Row, rows};
use crate::{Category, Tags};

pub(super) const SUPPORT: &str = include_str!("../../data/support.txt");
pub(super) const CIRCUMVENTION: &str = include_str!("../../data/circumvention.txt");

/// A file of hosts.
pub(super) struct Table {
    /// The file's name, for messages of tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests say where a row stands"))]
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    /// The tags of a row; `None` when the row has no such form, which the tests exclude.
    pub(super) tags: fn(&Row) -> Option<Tags>,
}

/// Every table of hosts. Services and safe search have forms of their own.
pub(super) const TABLES: [Table; 8] = [
    Table { file: "support.txt", text: SUPPORT, tags: support },
    Table { file: "assistive.txt", text: include_str!("../../data/assistive.txt"), tags: assistive },
    Table { file: "private_mail.txt", text: include_str!("../../data/private_mail.txt"), tags: private_mail },
    Table { file: "education.txt", text: include_str!("../../data/education.txt"), tags: education },
    Table {
        file: "infrastructure.txt",
        text: include_str!("../../data/infrastructure.txt"),
        tags: infrastructure,
    },
    Table { file: "updates.txt", text: include_str!("../../data/updates.txt"), tags: updates },
    Table { file: "background.txt", text: include_str!("../../data/background.txt"), tags: background },
    Table { file: "circumvention.txt", text: CIRCUMVENTION, tags: circumvention },
];

/// What the tables of hosts say.
pub(super) fn entries() -> impl Iterator<Item = Builtin> {
    TABLES.into_iter().flat_map(|table| {
        rows(table.text).filter_map(move |row| {
            let tags = (table.tags)(&row)?;
            Some(Builtin { name: row.name, whole_site: row.whole_site, tags })
        })
    })
}

/// The category's set, when the row has the table's number of columns and one of its kinds.
fn of(row: &Row, category: Category, kinds: &[&str]) -> Option<Tags> {
    (row.columns.len() == 2 && kinds.contains(&row.kind())).then_some(Tags::category(category))
}

fn support(row: &Row) -> Option<Tags> {
    (row.columns.len() == 6).then_some(Tags::category(Category::SUPPORT))
}

fn assistive(row: &Row) -> Option<Tags> {
    of(row, Category::ASSISTIVE, &["relay", "signing", "speech", "captions", "reading", "device"])
}

fn private_mail(row: &Row) -> Option<Tags> {
    let tags = of(row, Category::PRIVATE_MAIL, &["sign_in", "webmail", "imap", "smtp", "assets", "setup"])?;
    // The scripts and pictures of a webmail carry other pages of the provider too.
    let assets = row.kind() == "assets";
    Some(if assets { tags.union(Tags::category(Category::INFRASTRUCTURE)) } else { tags })
}

fn education(row: &Row) -> Option<Tags> {
    const KINDS: &[&str] = &[
        "suffix",
        "government",
        "bitesize",
        "lessons",
        "mathematics",
        "english",
        "languages",
        "quizzes",
        "computing",
        "classroom",
        "tutoring",
        "examinations",
        "careers",
        "reference",
        "science",
        "museums",
        "arts",
        "life",
        "news",
        "college",
    ];
    of(row, Category::EDUCATION, KINDS)
}

fn infrastructure(row: &Row) -> Option<Tags> {
    const KINDS: &[&str] = &[
        "cdn",
        "shared",
        "fonts",
        "certificates",
        "captcha",
        "connectivity",
        "time",
        "push",
        "consent",
        "player",
        "chat",
    ];
    of(row, Category::INFRASTRUCTURE, KINDS)
}

fn updates(row: &Row) -> Option<Tags> {
    of(row, Category::UPDATES, &["system", "apps", "games", "security", "device", "setup", "sync"])
}

fn background(row: &Row) -> Option<Tags> {
    let category = match row.kind() {
        "telemetry" => Category::TELEMETRY,
        "advertising" => Category::ADVERTISING,
        "tracking" => Category::TRACKING,
        _ => return None,
    };
    of(row, category, &[row.kind()])
}

fn circumvention(row: &Row) -> Option<Tags> {
    const CHOSEN: &[&str] =
        &["doh", "vpn", "tunnel", "tor", "proxy", "remote_browser", "residential", "encodes"];
    const BY_ITSELF: &[&str] = &["off_nxdomain", "off_nodata", "default", "ech"];
    let circumvention = Tags::category(Category::CIRCUMVENTION);
    match of(row, Category::DEVICE_DEFAULT, BY_ITSELF) {
        Some(by_itself) => Some(by_itself.union(circumvention)),
        None => of(row, Category::CIRCUMVENTION, CHOSEN),
    }
}
