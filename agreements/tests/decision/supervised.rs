//! A supervised session opens on the device at which somebody sits, and nowhere else, to the second.

use agreements::{
    GrantKind, Host, House, LiveGrant, Outcome, PersonId, Request, Standing, Supervision, Word, read,
};
use blocklists::{Name, Tags};
use chrono::{DateTime, Utc};

const HOME: &str = "home: O\ntimezone: Europe/London\neveryone: {block: [circumvention]}\n";
const JORDAN: &str = "person: Jordan
agreed:
  risk_assessment: {ref: RA-1, on: 2026-10-28}
  review_by: 2027-01-31
  young_person: {on: 2026-11-02}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}
  home_manager: {name: R. Osei, on: 2026-11-02}
devices:
  - {name: phone, ip: 192.0.2.7}
  - {name: laptop, ip: 192.0.2.8, token: jordan-laptop}
online: {every_day: 07:00-22:00}
with_staff: [facebook.example]
block: [games.example]
otherwise: allow
";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn house() -> House {
    let sam = JORDAN
        .replace("Jordan", "Sam")
        .replace("192.0.2.", "198.51.100.")
        .replace("jordan-laptop", "another-laptop");
    let files = [("home.yaml", HOME), ("agreements/jordan.yaml", JORDAN), ("agreements/sam.yaml", &sam)];
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    read(&files, "2026-11-22".parse().expect("a date")).house
}

fn session(device: &str) -> LiveGrant {
    LiveGrant {
        entry: 7,
        person: "jordan".into(),
        kind: GrantKind::Supervised(vec![Word::parse("games.example").expect("a site")]),
        from: at("2026-11-22T17:30:00Z"),
        until: at("2026-11-22T18:00:00Z"),
        by: "Kate Lane".into(),
        supervision: Some(Supervision { adult: "Mo Ali".into(), device: device.into() }),
    }
}

fn opens(
    house: &House,
    standing: &Standing,
    (who, device): (PersonId, Option<u16>),
    host: &str,
    when: &str,
) -> Outcome {
    let host = Host::Name(Name::new(host).expect("a name"));
    let request = Request { host, tags: Tags::NONE, path: None };
    house.judge(who, at(when), &request, &standing.on(device)).outcome
}

#[test]
fn a_supervised_session_opens_on_its_device_alone_until_its_end() {
    let house = house();
    let (jordan, sam) = (house.person("jordan").expect("there"), house.person("sam").expect("there"));
    let place = |who, name| house.devices_called(who, name).next();
    let (phone, laptop) = (place(jordan, "phone"), place(jordan, "laptop"));
    // It is known in two ways, and is one device.
    let by_token = house.devices_called(jordan, "laptop").nth(1);
    assert!(by_token.is_some() && by_token != laptop);
    let (during, last, over) = ("2026-11-22T17:45:00Z", "2026-11-22T17:59:59Z", "2026-11-22T18:00:00Z");
    assert!(phone.is_some() && laptop.is_some() && phone != laptop);
    let standing = Standing::new(&house, &[session("laptop")], &[], &|_, _| 0);
    for (name, who, host, when, outcome) in [
        ("there", (jordan, laptop), "games.example", during, Outcome::Allow),
        ("what_the_agreement_says", (jordan, laptop), "facebook.example", during, Outcome::Allow),
        ("however_it_is_known", (jordan, by_token), "games.example", during, Outcome::Allow),
        ("to_the_last_second", (jordan, laptop), "games.example", last, Outcome::Allow),
        ("and_no_longer", (jordan, laptop), "games.example", over, Outcome::Block),
        ("not_before", (jordan, laptop), "games.example", "2026-11-22T17:29:59Z", Outcome::Block),
        ("another_of_theirs", (jordan, phone), "games.example", during, Outcome::Block),
        ("with_staff_there", (jordan, phone), "facebook.example", during, Outcome::WithStaff),
        ("no_device", (jordan, None), "games.example", during, Outcome::Block),
        ("somebody_elses", (sam, place(sam, "laptop")), "games.example", during, Outcome::Block),
        ("who_is_signed_in_there", (sam, laptop), "games.example", during, Outcome::Block),
    ] {
        assert_eq!(opens(&house, &standing, who, host, when), outcome, "{name}");
    }
    // A device that the agreement no longer names opens nothing anywhere.
    let gone = Standing::new(&house, &[session("tablet")], &[], &|_, _| 0);
    for device in [phone, laptop, None] {
        assert_eq!(opens(&house, &gone, (jordan, device), "games.example", during), Outcome::Block);
    }
    // What is not bound opens on all of them.
    let everywhere = LiveGrant { supervision: None, ..session("laptop") };
    let standing = Standing::new(&house, &[everywhere], &[], &|_, _| 0);
    for device in [phone, laptop, None] {
        assert_eq!(opens(&house, &standing, (jordan, device), "games.example", during), Outcome::Allow);
    }
}

#[test]
fn whom_a_home_reaches_and_how_often_it_looks() {
    let contacts = "safeguarding:\n  - {who: Designated lead R. Osei, reach: 0113 496 0000}\n  - {who: Out of hours, reach: 0113 496 0001}\ninspect_devices: 4 weeks\n";
    let problems = |text: &str| {
        let files = [("home.yaml".to_owned(), format!("{HOME}{text}"))];
        let reading = read(&files, "2026-11-22".parse().expect("a date"));
        let codes: Vec<_> =
            reading.problems.iter().filter(|p| p.file == "home.yaml").map(|p| p.code).collect();
        let home = reading.house.home().clone();
        (codes, home.safeguarding, home.inspect_every)
    };
    let (codes, named, every) = problems(contacts);
    let named: Vec<_> = named.iter().map(|c| (c.who.as_str(), c.reach.as_str())).collect();
    let told = [("Designated lead R. Osei", "0113 496 0000"), ("Out of hours", "0113 496 0001")];
    assert_eq!((codes.is_empty(), named.as_slice(), every), (true, &told[..], Some(28)));
    for (text, code) in [
        ("safeguarding: [{who: R. Osei}]\n", "missing-key"),
        ("safeguarding: [{who: R. Osei, phone: 1}]\n", "unknown-key"),
        ("inspect_devices: often\n", "bad-duration"),
    ] {
        assert!(problems(text).0.contains(&code), "{text}");
    }
}
