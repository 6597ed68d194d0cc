//! What is asked of both sides: hosts, paths, and what the catalogue says of them.

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) host: &'static str,
    pub(crate) path: Option<&'static str>,
    /// The catalogue's categories and services, by their words.
    pub(crate) tags: &'static [&'static str],
}

const fn ask(host: &'static str, tags: &'static [&'static str]) -> Question {
    Question { host, path: None, tags }
}

const fn page(host: &'static str, path: &'static str, tags: &'static [&'static str]) -> Question {
    Question { host, path: Some(path), tags }
}

pub(crate) const QUESTIONS: &[Question] = &[
    ask("plain.example", &[]),
    page("plain.example", "/", &["news"]),
    ask("shut.example", &[]),
    ask("www.shut.example", &["games"]),
    page("shut.example", "/news", &[]),
    page("shut.example", "/news/sport/1", &[]),
    page("shut.example", "/newspaper", &[]),
    ask("open.shut.example", &["video"]),
    page("deep.open.shut.example", "/news/sport", &["gambling"]),
    ask("notshut.example", &[]),
    ask("maybe.example", &[]),
    ask("www.maybe.example", &["games", "video"]),
    ask("clips.example", &["tiktok", "social_networks", "video"]),
    ask("cdn.clips.example", &["tiktok", "social_networks", "video", "infrastructure"]),
    ask("blocks.example", &["roblox", "games"]),
    ask("talk.example", &["discord", "chat", "social_networks"]),
    ask("both.example", &["tiktok", "discord", "news"]),
    ask("bets.example", &["gambling"]),
    ask("learn.example", &["education"]),
    ask("homework.example", &[]),
    ask("www.samwork.example", &["games"]),
    ask("fonts.example", &["infrastructure"]),
    ask("player.example", &["infrastructure", "education", "video"]),
    ask("floor.example", &["pornography"]),
    ask("www.bad.example", &["education"]),
    page("places.example", "/forum/7", &[]),
    page("places.example", "/forums", &[]),
    ask("tunnel.example", &["circumvention"]),
    ask("ways.example", &["circumvention", "gambling"]),
    ask("tunnel.shut.example", &["circumvention", "advertising", "gambling"]),
    ask("mask.example", &["circumvention", "device_default"]),
    ask("adverts.example", &["advertising", "gambling"]),
    ask("updates.example", &["updates"]),
    ask("helpline.example", &["support"]),
    ask("chat.helpline.example", &["support", "pornography", "circumvention"]),
    ask("www.hope.example", &[]),
    ask("nohope.example", &[]),
    ask("relay.example", &["video"]),
    ask("captions.example", &["assistive"]),
    ask("mail.example", &["private_mail"]),
    ask("www.post.example", &["education", "chat"]),
    ask("sealed.example", &["illegal"]),
    ask("sealed.hope.example", &["illegal", "support"]),
    ask(LOCKLESS, &[]),
    ask("www.bad.example", &["private_mail"]),
    ask("letters.shut.example", &["private_mail", "gambling"]),
    ask("192.0.2.1", &[]),
    ask("2001:db8::1", &[]),
];

/// A search engine that has no safe search.
pub(crate) const LOCKLESS: &str = "search.yahoo.com";

/// The words of the fixture that are services; the others are categories.
pub(crate) const SERVICES: &[&str] = &["tiktok", "roblox", "discord"];

/// What agreements, grants and restrictions say something of.
pub(crate) const WORDS: &[&str] = &[
    "plain.example",
    "shut.example",
    "=shut.example",
    "shut.example/news",
    "shut.example/news/sport",
    "open.shut.example",
    "=open.shut.example",
    "open.shut.example/news",
    "maybe.example",
    "=www.maybe.example",
    "clips.example",
    "bets.example",
    "places.example",
    "learn.example",
    "tunnel.shut.example",
    "yahoo.com",
    "=search.yahoo.com",
    "tiktok",
    "roblox",
    "discord",
    "games",
    "video",
    "social_networks",
    "chat",
    "gambling",
    "news",
    "circumvention",
    "advertising",
];

/// What the floor can say.
pub(crate) const FLOOR: &[&str] = &[
    "pornography",
    "circumvention",
    "gambling",
    "discord",
    "bad.example",
    "places.example/forum",
    "=open.shut.example",
    "adverts.example",
];

/// What a limit can count.
pub(crate) const KEYS: &[&str] = &[
    "everything",
    "games",
    "video",
    "social_networks",
    "tiktok",
    "maybe.example",
    "=shut.example",
    "shut.example",
];

/// What somebody may learn with.
pub(crate) const LEARNING: &[&str] =
    &["homework.example", "discord", "news", "shut.example/news", "=maybe.example"];

/// What the home of every plan protects.
pub(crate) const PROTECTED: &[(&str, &str)] =
    &[("support", "hope.example"), ("private_mail", "post.example"), ("assistive", "relay.example")];
