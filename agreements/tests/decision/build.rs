//! Homes for the tests, put together in code: what the reading side would make of the files.

use agreements::*;
use blocklists::{Category, Domain, Name, Service, Tags};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// A word as the language writes it.
pub(crate) fn word(text: &str) -> Word {
    let domain = |t: &str| Domain::parse(t).unwrap();
    match text.split_once('/') {
        Some((site, path)) => Word::Path(domain(site), format!("/{path}")),
        None if text.starts_with('=') => Word::Host(domain(&text[1..])),
        None if text.contains('.') => Word::Site(domain(text)),
        None => match Category::from_word(text) {
            Some(category) => Word::Category(category),
            None => Word::Service(Service::from_word(text).unwrap_or_else(|| panic!("no such word: {text}"))),
        },
    }
}

/// What a catalogue would say of a name: words after `#`.
pub(crate) fn tags(words: &str) -> Tags {
    words.split_whitespace().map(|w| w.trim_start_matches('#')).fold(Tags::NONE, |tags, w| match word(w) {
        Word::Category(c) => tags.union(Tags::category(c)),
        Word::Service(s) => tags.union(Tags::service(s)),
        other => panic!("{other:?} is no tag"),
    })
}

pub(crate) fn date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap_or_else(|_| panic!("no date: {text}"))
}

pub(crate) fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap_or_else(|_| panic!("no time: {text}"))
}

/// An instant: London's wall clock (the second of two, if it occurs twice), or `…Z`.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    at_in(text, chrono_tz::Europe::London)
}

pub(crate) fn at_in(text: &str, zone: Tz) -> DateTime<Utc> {
    let parse = |t: &str| {
        NaiveDateTime::parse_from_str(t, "%Y-%m-%dT%H:%M:%S")
            .or_else(|_| NaiveDateTime::parse_from_str(t, "%Y-%m-%dT%H:%M"))
            .unwrap_or_else(|_| panic!("no instant: {t}"))
    };
    match text.strip_suffix('Z') {
        Some(utc) => parse(utc).and_utc(),
        None => {
            let wall = parse(text);
            let later = |hours| zone.from_local_datetime(&(wall + chrono::Duration::hours(hours))).latest();
            // A time in the gap of spring is the one that an hour later has: London's gap is one hour.
            later(0).or_else(|| later(1)).unwrap().to_utc()
        }
    }
}

pub(crate) fn days(text: &str) -> Days {
    match text {
        "every_day" => Days::EveryDay,
        "weekdays" => Days::Weekdays,
        "weekends" => Days::Weekends,
        "school_days" => Days::SchoolDays,
        "school_nights" => Days::SchoolNights,
        "holidays" => Days::Holidays,
        _ => match text.split_once("..") {
            Some((first, last)) => Days::Range(date(first), date(last)),
            None if text.starts_with("20") => Days::Date(date(text)),
            None => Days::Named(text.split('+').map(|d| 1 << day_number(d)).sum()),
        },
    }
}

fn day_number(day: &str) -> u8 {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .position(|d| *d == day)
        .unwrap_or_else(|| panic!("{day}")) as u8
}

fn minute(text: &str) -> u16 {
    let (hours, minutes) = text.split_once(':').unwrap_or_else(|| panic!("no time: {text}"));
    hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
}

pub(crate) fn windows(text: &str) -> Vec<Window> {
    match text {
        "all_day" => vec![Window { start: 0, end: 1440 }],
        "never" => vec![],
        _ => text.split(',').map(|w| window(w.trim())).collect(),
    }
}

fn window(text: &str) -> Window {
    let (start, end) = text.split_once('-').unwrap_or_else(|| panic!("no window: {text}"));
    let (start, end) = (minute(start), minute(end));
    Window { start, end: if end <= start { end + 1440 } else { end } }
}

/// A bedtime: before noon it is after midnight.
pub(crate) fn bedtime(text: &str) -> u16 {
    let at = minute(text);
    if at < 720 { at + 1440 } else { at }
}

/// A home under construction; every rule's source is a line of its own.
pub(crate) struct Build {
    pub(crate) home: Home,
    pub(crate) sources: Vec<Source>,
}

impl Build {
    pub(crate) fn new() -> Self {
        let school = School {
            hours: std::array::from_fn(|i| if i < 5 { vec![(time("09:00"), time("15:15"))] } else { vec![] }),
            terms: [
                ("2026-01-05", "2026-02-13"),
                ("2026-02-23", "2026-03-27"),
                ("2026-04-13", "2026-07-21"),
                ("2026-09-02", "2026-10-23"),
                ("2026-11-02", "2026-12-18"),
                ("2027-01-04", "2027-02-12"),
                ("2027-02-22", "2027-03-25"),
                ("2027-04-12", "2027-07-21"),
                ("2027-09-01", "2027-10-22"),
                ("2027-11-01", "2027-12-17"),
            ]
            .map(|(a, b)| (date(a), date(b)))
            .to_vec(),
            days_off: vec![date("2026-11-27")],
            bank_holidays: Some(Nation::England),
            calendar: None,
        };
        let home = Home {
            name: "Oakview House".into(),
            timezone: chrono_tz::Europe::London,
            day_starts: time("04:00"),
            shifts: vec![time("07:30"), time("14:30"), time("21:30")],
            school,
            everyone: Everyone::default(),
            protected: ProtectedSites::default(),
            baseline: Baseline {
                online: DayTable { entries: vec![] },
                words: vec![],
                otherwise: Outcome::Block,
                source: None,
            },
            unknown_devices: UnknownDevices::Baseline,
            lists: vec![],
            staff: vec![],
            notify: vec![],
            keep: Keep { breaches: 365, minutes: 90, monitoring: 28 },
            desk_idle: 5,
            safeguarding: vec![],
            inspect_every: None,
            home_network: vec![],
            people: vec![],
        };
        let mut build = Self { home, sources: vec![] };
        let online = build.entry("home.yaml", "every_day", "07:00-21:00", windows("07:00-21:00"));
        build.home.baseline.online.entries.push(online);
        let source = build.line("home.yaml", "otherwise: block");
        build.home.baseline.source = Some(source);
        let source = build.line("home.yaml", "allow: [education]");
        build.home.baseline.words = vec![Ruling { word: word("education"), ruled: Outcome::Allow, source }];
        build
    }

    pub(crate) fn line(&mut self, file: &str, text: &str) -> SourceId {
        let line = self.sources.iter().filter(|s| s.file == file).count() as u32 + 1;
        self.sources.push(Source { file: file.into(), line, text: text.into() });
        SourceId(self.sources.len() as u32 - 1)
    }

    fn entry<T>(&mut self, file: &str, when: &str, text: &str, value: T) -> (Days, T, SourceId) {
        let source = self.line(file, &format!("{when}: {text}"));
        (days(when), value, source)
    }

    pub(crate) fn floor(&mut self, words: &str) -> &mut Self {
        let source = self.line("home.yaml", &format!("block: [{words}]"));
        self.home.everyone.block.extend(words.split(", ").map(|w| (word(w), source)));
        self
    }

    /// Adds a person who is online all day and has nothing else agreed.
    pub(crate) fn person(&mut self, id: &str) -> PersonBuild<'_> {
        let file = format!("agreements/{id}.yaml");
        let mut name = id.to_owned();
        name[..1].make_ascii_uppercase();
        let source = self.line(&file, &format!("person: {name}"));
        let person = Person {
            id: id.into(),
            name,
            kind: PersonKind::YoungPerson,
            profile: Profile::Agreement,
            source,
            draft: None,
            agreed: Agreed::default(),
            education: Education::School,
            devices: vec![],
            any_address_on: None,
            online: DayTable { entries: vec![] },
            bedtime: DayTable { entries: vec![] },
            limits: vec![],
            words: vec![],
            otherwise: Outcome::Allow,
            otherwise_source: source,
            school_hours: SchoolHours::AsAgreed,
            school_hours_source: source,
            education_sites: vec![],
            safe_search: SafeSearch::Off,
            safe_search_source: source,
            monitoring: Monitoring::default(),
            behaviour: vec![],
            tell_someone: None,
            consequences: vec![],
        };
        self.home.people.push(person);
        PersonBuild { build: self, file }
    }

    pub(crate) fn house(self) -> House {
        House::new(self.home, self.sources)
    }
}

pub(crate) struct PersonBuild<'a> {
    pub(crate) build: &'a mut Build,
    file: String,
}

impl PersonBuild<'_> {
    pub(crate) fn with(self, change: impl FnOnce(&mut Person)) -> Self {
        change(self.build.home.people.last_mut().unwrap());
        self
    }

    pub(crate) fn online(self, when: &str, text: &str) -> Self {
        let entry = self.build.entry(&self.file, when, text, windows(text));
        self.with(|p| p.online.entries.push(entry))
    }

    pub(crate) fn bedtime(self, when: &str, text: &str) -> Self {
        let entry = self.build.entry(&self.file, when, text, bedtime(text));
        self.with(|p| p.bedtime.entries.push(entry))
    }

    /// Minutes by day: `school_days 60, every_day 150`.
    pub(crate) fn limit(self, key: &str, minutes: &str) -> Self {
        let source = self.build.line(&self.file, &format!("{key}: {minutes}"));
        let key = if key == "everything" { LimitKey::Everything } else { LimitKey::Word(word(key)) };
        let entries = minutes.split(", ").map(|m| {
            let (when, minutes) = m.split_once(' ').unwrap();
            (days(when), minutes.parse().unwrap(), source)
        });
        let limit = Limit { key, minutes: DayTable { entries: entries.collect() }, source };
        self.with(|p| p.limits.push(limit))
    }

    pub(crate) fn words(self, ruled: Outcome, words: &str) -> Self {
        let source = self.build.line(&self.file, &format!("{}: [{words}]", ruled.word()));
        let rulings: Vec<_> = words.split(", ").map(|w| Ruling { word: word(w), ruled, source }).collect();
        self.with(|p| p.words.extend(rulings))
    }

    pub(crate) fn otherwise(self, ruled: Outcome) -> Self {
        let source = self.build.line(&self.file, &format!("otherwise: {}", ruled.word()));
        self.with(|p| (p.otherwise, p.otherwise_source) = (ruled, source))
    }

    pub(crate) fn school_hours(self, hours: SchoolHours) -> Self {
        let source = self.build.line(&self.file, "school_hours");
        self.with(|p| (p.school_hours, p.school_hours_source) = (hours, source))
    }

    pub(crate) fn learns_at(self, words: &str) -> Self {
        let source = self.build.line(&self.file, &format!("education_sites: [{words}]"));
        let words: Vec<_> = words.split(", ").map(|w| (word(w), source)).collect();
        self.with(|p| p.education_sites.extend(words))
    }
}

/// The home of most tests: three young people who differ, and one of every other kind.
pub(crate) fn oakview() -> &'static House {
    static OAKVIEW: std::sync::LazyLock<House> = std::sync::LazyLock::new(build_oakview);
    &OAKVIEW
}

pub(crate) fn build_oakview() -> House {
    let mut build = Build::new();
    build.floor("pornography, malware, circumvention, bad.example, badplaces.example/forum");
    let support = build.line("home.yaml", "support: [oakviewhouse.example]");
    build.home.protected = ProtectedSites {
        support: vec![(word("oakviewhouse.example"), support)],
        private_mail: vec![(word("mail.oakview.example"), support)],
        assistive: vec![(word("relay.example"), support)],
    };
    build.home.home_network = vec![("192.168.4.0".parse().unwrap(), 28), ("fd00::".parse().unwrap(), 64)];
    build
        .person("jordan")
        .online("school_days", "07:00-08:30, 15:30-22:30")
        .online("every_day", "09:00-22:30")
        .online("2026-12-24", "09:00-00:30")
        .bedtime("school_nights", "21:00")
        .bedtime("every_day", "22:30")
        .bedtime("2026-12-24", "00:30")
        .limit("everything", "every_day 240")
        .limit("games", "school_days 60, every_day 150")
        .limit("youtube.com", "every_day 45")
        .words(Outcome::Allow, "bbc.example, scratch.example, =www.facebook.example, roblox")
        .words(Outcome::Ask, "social_networks, discord.com, chat.bbc.example")
        .words(Outcome::WithStaff, "facebook.example")
        .words(Outcome::Block, "gambling, violence, games.bbc.example, bbc.example/sounds, games")
        .school_hours(SchoolHours::EducationOnly)
        .learns_at("mymaths.example");
    build
        .person("sam")
        .online("every_day", "08:00-21:30")
        .with(|p| p.education = Education::None)
        .words(Outcome::WithStaff, "facebook.example, dating")
        .school_hours(SchoolHours::WithStaff);
    build
        .person("alex")
        .online("every_day", "08:00-20:00")
        .limit("video", "every_day 30")
        .words(Outcome::Allow, "bbc.example, video, =exact.example")
        .words(Outcome::Ask, "discord.com")
        .otherwise(Outcome::Block)
        .school_hours(SchoolHours::Offline);
    build.person("mo").online("every_day", "08:00-20:00").with(|p| p.profile = Profile::EmailOnly);
    build.person("kate").online("every_day", "all_day").with(|p| {
        p.kind = PersonKind::Staff;
        p.school_hours = SchoolHours::EducationOnly;
    });
    build.person("laptop").with(|p| {
        p.kind = PersonKind::Device;
        p.profile = Profile::EducationSession;
    });
    let search = build.line("agreements/mia.yaml", "safe_search: strict");
    build
        .person("mia")
        .online("every_day", "09:00-21:00")
        .words(Outcome::WithStaff, "search.aol.com")
        .with(|p| (p.safe_search, p.safe_search_source) = (SafeSearch::Strict, search));
    build
        .person("dee")
        .online("every_day", "all_day")
        .with(|p| p.draft = Some(Draft::Missing(vec!["a risk assessment"])));
    build.person("fay").with(|p| p.draft = Some(Draft::Unusable));
    build.person("guy").with(|p| p.draft = Some(Draft::HomeUnusable));
    build.house()
}

/// A request and the judgement of it, in the one place where tests touch the decision.
pub(crate) fn judge(
    house: &House,
    who: &str,
    when: DateTime<Utc>,
    host: &str,
    standing: &Standing,
) -> (Verdict, String) {
    with_request(host, |request| {
        let person = person(house, who);
        let verdict = house.judge(person, when, request, standing);
        (verdict, house.sentence(person, when, request, &verdict))
    })
}

pub(crate) fn person(house: &House, who: &str) -> PersonId {
    if who == "nobody" {
        House::NOBODY
    } else {
        house.person(who).unwrap_or_else(|| panic!("nobody is called {who}"))
    }
}

/// `host/path #tag #tag`, or an address.
pub(crate) fn with_request<T>(text: &str, then: impl FnOnce(&Request<'_>) -> T) -> T {
    let (host, words) = text.split_once(' ').unwrap_or((text, ""));
    let tags = tags(words);
    if let Ok(address) = host.parse() {
        return then(&Request { host: Host::Address(address), tags: Tags::NONE, path: None });
    }
    let (name, path) = host.find('/').map_or((host, None), |i| (&host[..i], Some(&host[i..])));
    then(&Request { host: Host::Name(Name::new(name).unwrap()), tags, path })
}

/// A standing from words: `sites bbc.example,games 20:00-22:00`, `time everything …`, `supervised -|words …`,
/// `education jordan …`, `restrict everything|words …`, `used games 60`; `;` between them. Times are London's, of the day.
pub(crate) fn standing(house: &House, who: &str, day: &str, text: &str) -> Standing {
    let (mut grants, mut restrictions, mut used) = (vec![], vec![], vec![]);
    for (entry, part) in (1..).zip(text.split(';').map(str::trim).filter(|p| !p.is_empty() && *p != "-")) {
        let parts: Vec<_> = part.split_whitespace().collect();
        let [kind, what, span] = parts[..] else { panic!("three words: {part}") };
        if kind == "used" {
            used.push((what.to_owned(), span.parse::<u16>().unwrap()));
            continue;
        }
        let (from, until) = span_of(day, span);
        let words = || what.split(',').filter(|w| *w != "-").map(word).collect::<Vec<_>>();
        let about = || if what == "everything" { What::Everything } else { What::Words(words()) };
        let kind = match kind {
            "sites" => GrantKind::Sites(about()),
            "time" if what == "everything" => GrantKind::ExtraTime(LimitKey::Everything),
            "time" => GrantKind::ExtraTime(LimitKey::Word(word(what))),
            "supervised" => GrantKind::Supervised(words()),
            "education" => GrantKind::Education { young_person: what.into() },
            "restrict" => {
                restrictions.push(LiveRestriction { entry, person: who.into(), what: about(), from, until });
                continue;
            }
            // A restriction on the young person whose session it is.
            "restrict-jordan" => {
                restrictions.push(LiveRestriction {
                    entry,
                    person: "jordan".into(),
                    what: about(),
                    from,
                    until,
                });
                continue;
            }
            other => panic!("no such standing: {other}"),
        };
        let (by, supervision) = ("K. Lane".into(), None);
        grants.push(LiveGrant { entry, person: who.into(), kind, from, until, by, supervision });
    }
    let minutes = |person: &str, key: &LimitKey| {
        let named = |text: &str| match key {
            LimitKey::Everything => text == "everything",
            LimitKey::Word(w) => text != "everything" && word(text) == *w,
        };
        if person == who { used.iter().find(|(k, _)| named(k)).map_or(0, |(_, m)| *m) } else { 0 }
    };
    Standing::new(house, &grants, &restrictions, &minutes)
}

/// `20:00-22:00` of a day; an end at or before the start is on the next day.
fn span_of(day: &str, span: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    let (from, until) = span.split_once('-').unwrap();
    let from = at(&format!("{day}T{from}"));
    let end = at(&format!("{day}T{until}"));
    (from, if end <= from { end + chrono::Duration::days(1) } else { end })
}
