//! What the desk says of an agreement is what the gateway does: asked at random, and word for word.

use super::play::{HOME, JORDAN, Play};
use agreements::{Host, House, LimitKey, Outcome, PersonId, Request, Rule, Standing, Verdict};
use blocklists::{Name, Tags};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::London;

/// School on weekdays, in term.
const SCHOOL: &str = "school:\n  hours: {mon-thu: 09:00-15:15, fri: 09:00-13:00}\n  terms: [2026-11-02..2026-12-18, 2027-01-05..2027-03-26]\n";
/// Two windows on school days, other bedtimes and minutes at weekends, words of each kind.
const MIXED: &str = "
devices:
  - {name: phone, mac: \"3c:06:30:11:22:55\"}
online: {school_days: [07:00-08:30, 15:30-22:30], every_day: 09:00-23:30}
bedtime: {school_nights: 21:00, every_day: 23:00}
limits:
  everything: {school_days: 3h, every_day: 4h30m}
  video.example: 45m
allow: [bbc.example]
ask: [chat.example]
with_staff: [forum.example]
block: [games.example, news.bbc.example]
";
const HOSTS: [&str; 10] = [
    "bbc.example",
    "news.bbc.example",
    "www.chat.example",
    "forum.example",
    "games.example",
    "video.example",
    "else.example",
    "oakviewhouse.example",
    "relay.example",
    "www.else.example",
];

async fn play() -> Play {
    let agreed = &JORDAN[JORDAN.find("agreed:").unwrap()..JORDAN.find("devices:").unwrap()];
    let of = |name: &str, rest: &str| {
        let own = format!("11:22:{:02x}", name.len() * 16);
        format!("person: {name}\n{agreed}{}{rest}", MIXED.replace("11:22:55", &own))
    };
    let people = [
        ("jordan", JORDAN.to_owned()),
        ("alex", of("Alexandra", "otherwise: block\nschool_hours: offline\n")),
        ("robin", of("Robin", "otherwise: ask\nschool_hours: with_staff\n")),
        ("sam", of("Sam", "otherwise: allow\n")),
        ("kim", "person: Kim\nonline: {every_day: 09:00-20:00}\notherwise: allow\n".to_owned()),
        ("lounge", "person: Lounge\nfor: device\notherwise: block\nonline: {every_day: 09:00-21:00}\ndevices: [{name: box, ip: 192.0.2.77}]\n".to_owned()),
    ];
    let people = people.each_ref().map(|(id, text)| (*id, text.as_str()));
    Play::of(&format!("{HOME}{SCHOOL}"), &people).await
}

/// Numbers that look drawn at random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn judged(
    house: &House,
    who: PersonId,
    at: DateTime<Utc>,
    host: &str,
    standing: &Standing,
) -> (Verdict, String) {
    let name = Name::new(host).unwrap();
    let request = Request { host: Host::Name(name), tags: Tags::NONE, path: None };
    let verdict = house.judge(who, at, &request, standing);
    let sentence = house.sentence(who, at, &request, &verdict);
    (verdict, sentence)
}

const fn said(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "Open",
        Outcome::Ask => "Ask first",
        Outcome::WithStaff => "Together with staff",
        Outcome::Block => "Closed",
    }
}

#[tokio::test]
async fn what_if_is_the_decision_whoever_whenever_and_whatever() {
    const SEED: u64 = 20_261_122;
    let play = play().await;
    let current = play.in_force.to_keep();
    let house = &current.snapshot.house;
    let ids: Vec<String> = house.people().map(|(_, person)| person.id.clone()).collect();
    let (mut dice, mut kate) = (Dice(SEED), play.signed_in("k.lane").await);
    let mut rules = std::collections::BTreeSet::new();
    let mut asked = 0;
    while asked < 200 {
        let id = &ids[dice.roll(ids.len() as u64) as usize];
        let host = HOSTS[dice.roll(HOSTS.len() as u64) as usize];
        let day = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + Days::new(dice.roll(250));
        let time = NaiveTime::from_hms_opt(dice.roll(24) as u32, dice.roll(60) as u32, 0).unwrap();
        // An hour that the clock skips or has twice is no instant.
        let Some(at) = London.from_local_datetime(&day.and_time(time)).single() else { continue };
        let (verdict, sentence) =
            judged(house, house.person(id).unwrap(), at.to_utc(), host, &Standing::default());
        let path = format!("/people/{id}?host={host}&at={day}T{}", time.format("%H:%M"));
        let page = kate.get(&path).await.words();
        let answer = page.split("Ask the gateway").nth(1).unwrap_or_else(|| panic!("{path}: {page}"));
        let wanted = format!("{}. {}", said(verdict.outcome), sentence.replace('\'', "&#39;"));
        assert!(answer.trim_start().starts_with(&wanted), "seed {SEED}, {path}: not `{wanted}`: {answer}");
        let rule = serde_json::to_value(verdict.rule).unwrap().as_str().unwrap().replace('_', " ");
        assert!(
            answer.contains(&format!(" {rule}: this one speaks")),
            "seed {SEED}, {path}: {rule}: {answer}"
        );
        rules.insert(rule);
        asked += 1;
    }
    assert!(rules.len() >= 6, "a decision of few kinds proves little: {rules:?}");
}

/// `07:00–08:30, 15:30–21:00`, in minutes of the day.
fn spans(text: &str) -> Vec<(u32, u32)> {
    let minute = |clock: &str| {
        let (hours, minutes) = clock.split_once(':').unwrap();
        hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
    };
    let spans = text.split(", ").filter_map(|span| span.split_once('–'));
    spans.map(|(from, to)| (minute(from), minute(to))).collect()
}

/// `2 h 30 min`, in minutes.
fn length(words: &str) -> u16 {
    let words: Vec<&str> = words.split(' ').collect();
    words.chunks(2).map(|pair| pair[0].parse::<u16>().unwrap() * if pair[1] == "h" { 60 } else { 1 }).sum()
}

/// What a page has between two of its parts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split(from).nth(1).unwrap_or_default().split(to).next().unwrap_or_default()
}

/// A day of the week's table.
struct Day {
    midnight: DateTime<Utc>,
    online: Vec<(u32, u32)>,
    learning: Vec<(u32, u32)>,
    bed: Option<u32>,
    limits: Vec<(String, u16)>,
}

fn days(page: &str, monday: NaiveDate) -> Vec<Day> {
    let table = between(page, "id=\"week\"", "</table>");
    let rows = table.split("<tbody>").nth(1).unwrap().split("<tr>").skip(1).zip(0..);
    rows.map(|(row, n)| {
        let cells = row.split("</td>").filter_map(|cell| cell.split_once("<td data-of=")?.1.split_once('>'));
        let cells: Vec<&str> = cells.map(|(_, said)| said).collect();
        let limits = cells[3].split(", ").filter(|limit| !limit.is_empty()).map(|limit| {
            let digit = limit.find(|c: char| c.is_ascii_digit()).unwrap();
            (limit[..digit].trim().to_owned(), length(&limit[digit..]))
        });
        let midnight = (monday + Days::new(n)).and_time(NaiveTime::MIN);
        Day {
            midnight: London.from_local_datetime(&midnight).single().unwrap().to_utc(),
            online: spans(cells[0]),
            learning: spans(cells[1]),
            bed: (!cells[2].is_empty()).then(|| spans(&format!("{}–24:00", cells[2]))[0].0),
            limits: limits.collect(),
        }
    })
    .collect()
}

#[tokio::test]
async fn each_sentence_about_an_agreement_is_what_is_decided() {
    let play = play().await;
    let current = play.in_force.to_keep();
    let house = &current.snapshot.house;
    let mut kate = play.signed_in("k.lane").await;
    let monday = NaiveDate::from_ymd_opt(2026, 11, 16).unwrap();
    let mut checked = 0;
    for (who, person) in house.people().filter(|(_, person)| person.draft.is_none()) {
        let page = kate.get(&format!("/people/{}", person.id)).await.text;
        let days = days(&page, monday);
        assert_eq!(days.len(), 7, "{page}");
        for day in &days {
            checked += times(house, who, day);
            limits(house, who, day);
        }
        let day = days.iter().find(|day| !day.online.is_empty()).unwrap();
        let at = day.midnight + TimeDelta::minutes(i64::from(day.online[0].0) + 5);
        sites(house, who, &page, at);
    }
    assert_eq!(checked, 5 * 7 * 96, "each quarter of an hour of the week, of everybody");
}

/// Inside the times that stand there it is open, in those for learning it is that, and outside it is off.
fn times(house: &House, who: PersonId, day: &Day) -> usize {
    let within = |spans: &[(u32, u32)], minute| spans.iter().any(|(from, to)| (*from..*to).contains(&minute));
    let quarters = (0..24 * 60).step_by(15);
    for minute in quarters.clone() {
        let at = day.midnight + TimeDelta::minutes(minute.into());
        let (verdict, sentence) = judged(house, who, at, "else.example", &Standing::default());
        let holds = match verdict.rule {
            Rule::Online => "off",
            Rule::SchoolHours if sentence.contains("the internet is off") => "off",
            Rule::SchoolHours => "learning",
            _ => "online",
        };
        let stands = match (within(&day.online, minute), within(&day.learning, minute)) {
            (true, false) => "online",
            (false, true) => "learning",
            (false, false) => "off",
            (true, true) => "both",
        };
        assert_eq!(stands, holds, "{who:?} {at}: {sentence}");
    }
    if let Some(bed) = day.bed {
        let at = day.midnight + TimeDelta::minutes(bed.into());
        let (verdict, sentence) = judged(house, who, at, "bbc.example", &Standing::default());
        assert_eq!(verdict.rule, Rule::Online, "{who:?} bedtime {at}: {sentence}");
    }
    quarters.count()
}

/// The minute before a limit is used up it closes nothing, and then it does.
fn limits(house: &House, who: PersonId, day: &Day) {
    let Some((opens, _)) = day.online.first() else { return };
    let at = day.midnight + TimeDelta::minutes(i64::from(*opens) + 5);
    for (of, minutes) in &day.limits {
        let (host, all) = if of == "the internet" { ("else.example", true) } else { (of.as_str(), false) };
        for (used, closes) in [(minutes - 1, false), (*minutes, true)] {
            let standing = Standing::new(house, &[], &[], &|_, key| match key {
                LimitKey::Everything => {
                    if all {
                        used
                    } else {
                        0
                    }
                }
                LimitKey::Word(word) => {
                    if word.to_string() == *of {
                        used
                    } else {
                        0
                    }
                }
            });
            let (verdict, sentence) = judged(house, who, at, host, &standing);
            assert_eq!(verdict.rule == Rule::Limit, closes, "{who:?} {of} {used} of {minutes}: {sentence}");
        }
    }
}

/// Each site stands under what is decided about it, and so does what nobody mentioned.
fn sites(house: &House, who: PersonId, page: &str, at: DateTime<Utc>) {
    let part = between(page, "id=\"sites\"", "</section>");
    let decided = |host: &str| judged(house, who, at, host, &Standing::default()).0.outcome;
    for outcome in [Outcome::Allow, Outcome::Ask, Outcome::WithStaff, Outcome::Block] {
        let words = between(part, &format!("<b>{}:</b> ", said(outcome)), ".</p>");
        for word in words.split(", ").filter(|word| !word.is_empty()) {
            assert_eq!(decided(word), outcome, "{who:?} {word}: {part}");
        }
    }
    let otherwise = match decided("else.example") {
        Outcome::Allow => "What nobody mentioned is open.",
        Outcome::Ask => "What nobody mentioned is asked for first.",
        Outcome::WithStaff => "What nobody mentioned is opened together with staff.",
        Outcome::Block => "What nobody mentioned is closed.",
    };
    assert!(part.contains(otherwise), "{who:?}: {otherwise}: {part}");
}
