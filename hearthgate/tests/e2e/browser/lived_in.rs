//! A home in which people live: three days of it, so that no page is an empty frame.

use super::{asks_for, begins, desk_of, home, sends_own, visits, with_a_laptop, written_down};
use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, JORDAN, JORDAN_YAML, SAM, STRANGER};
use crate::world::{World, output, wait_for};

/// The PIN that Jordan was given.
pub(super) const PIN: &str = "471982";

/// What Jordan's agreement says beside the short one of these tests.
const MORE: &str = "\
limits:
  everything: 4h
  video.test: 45m
with_staff: [school.test]
behaviour:
  - I will not share anyone's pictures without asking them.
  - I will tell someone if a stranger asks to meet me.
tell_someone: Ring for whoever is on shift, or call Childline on 0800 1111.
consequences:
  - {after: 3 breaches in 7 days, suggest: key-worker conversation}
";

const LOUNGE: &str = "\
person: Lounge
for: device
devices:
  - {name: lounge, ip: 127.0.0.13}
online: {every_day: 09:00-21:00}
otherwise: block
";

/// An agreement that nobody has signed yet.
const KIM: &str = "\
person: Kim
devices:
  - {name: tablet, ip: 127.0.0.14}
online: {every_day: 09:00-20:00}
otherwise: block
";

/// Four weeks of minutes, as the gateway would have counted them: the days before the test cannot be waited for.
const MINUTES: &str = "
import sqlite3, sys, datetime
db = sqlite3.connect(sys.argv[1], timeout=20)
today = datetime.date(2026, 11, 21)
for person, least in (('jordan', 90), ('sam', 40)):
    for back in range(1, 28):
        used = least + (back * 37) % 120
        last = 16 * 60 + (back * 23) % 90 - (60 if back % 6 else 0)
        bits = bytearray(188)
        for minute in range(last - used, last):
            bits[minute // 8] |= 1 << (minute % 8)
        day = (today - datetime.timedelta(back)).isoformat()
        db.execute('INSERT OR REPLACE INTO minutes VALUES (?, ?, ?, ?, ?, ?)', (day, person, 'everything', used, back % 5, bytes(bits)))
db.commit()
print('written')
";

/// When, whose device, and what it opens that is closed to it.
const EVENINGS: [(&str, &str, &str); 12] = [
    ("2026-11-19T16:10:00", JORDAN, "casino.test"),
    ("2026-11-19T16:12:00", JORDAN, "club.test"),
    ("2026-11-19T17:05:00", SAM, "video.test"),
    ("2026-11-19T19:30:00", SAM, "www.casino.test"),
    ("2026-11-19T21:20:00", JORDAN, "open.test"),
    ("2026-11-20T16:30:00", JORDAN, "casino.test"),
    ("2026-11-20T20:10:00", SAM, "club.test"),
    ("2026-11-20T22:45:00", JORDAN, "video.test"),
    ("2026-11-21T08:10:00", SAM, "video.test"),
    ("2026-11-21T11:00:00", JORDAN, "club.test"),
    (NOON, SAM, "chat.test"),
    ("2026-11-21T13:20:00", JORDAN, "casino.test"),
];

/// The lounge's own address. At noon it looks up so many sites that are closed to it, each of which is a small episode.
const LOUNGES: &str = "127.0.0.13";
const SMALL: usize = 8;
const NOON: &str = "2026-11-21T11:40:00";

/// Such a home, its gateway at Saturday 16:00, and the manager at the desk.
pub(super) struct LivedIn<'d> {
    pub(super) home: Home,
    pub(super) gateway: Gateway,
    pub(super) desk: String,
    pub(super) manager: Window<'d>,
}

/// Jordan's agreement in this home.
pub(super) fn jordans() -> String {
    format!("{}{MORE}", with_a_laptop(JORDAN_YAML))
}

/// The lounge's agreement, with the browser of this machine or without.
pub(super) fn lounges(here: bool) -> String {
    LOUNGE.replace(
        "devices:\n",
        if here { "devices:\n  - {name: here, ip: 127.0.0.1}\n" } else { "devices:\n" },
    )
}

/// Whether devices that nobody knows may sign in.
pub(super) fn signs_in_unknown_devices(home: &Home, may: bool) {
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    let (is, becomes) = if may { ("baseline", "sign_in") } else { ("sign_in", "baseline") };
    home.write(
        "home.yaml",
        &text.replace(&format!("unknown_devices: {is}"), &format!("unknown_devices: {becomes}")),
    );
}

impl<'d> LivedIn<'d> {
    pub(super) fn begin(driver: &'d Driver, world: &World) -> Self {
        let home = home(world);
        home.write("agreements/jordan.yaml", &jordans());
        home.write("agreements/lounge.yaml", &lounges(false));
        home.write("agreements/kim.yaml", KIM);
        signs_in_unknown_devices(&home, true);
        let gateway = Gateway::start(&home, "2026-11-19T15:40:00");
        let database = home.path().join("state/home.db").display().to_string();
        assert_eq!(output("python3", &["-c", MINUTES, &database]).trim(), "written");
        for (at, from, host) in EVENINGS {
            gateway.passes_until(at);
            if at == NOON {
                (0..SMALL).for_each(|n| drop(gateway.dig(LOUNGES, &[&format!("small{n}.test"), "A"])));
            }
            assert!(!visits(&gateway, from, host, world.http_port).contains("hello"), "{at} {from} {host}");
        }
        afternoon(&home, &gateway, world);
        let manager = driver.window(&home.path().join("manager"), &[]);
        begins(&manager, &home, "r.osei");
        let desk = desk_of(&gateway);
        let lived_in = Self { home, gateway, desk, manager };
        lived_in.work_of_staff(driver);
        lived_in
    }

    /// What is done together with Jordan: something to show, an incident by hand, a site for a while.
    pub(super) fn looks_together(&self) {
        for (path, form) in [
            ("/people/jordan/show", &[("words", "it was late last night")][..]),
            (
                "/people/jordan/incident",
                &[("words", "Sam said that a picture went round"), ("about", "0"), ("at", "")],
            ),
            (
                "/give/jordan",
                &[("what", "sites"), ("words", "films.test"), ("for", "1h"), ("why", "film night")],
            ),
        ] {
            let (status, at) = self.manager.sends(path, form);
            assert_eq!(status, 200, "{path}: {at}");
        }
    }

    /// What staff did meanwhile, as far as it shows.
    fn work_of_staff(&self, driver: &Driver) {
        let all = written_down(&self.home, EVENINGS.len() + SMALL);
        let entry = |person: &str, site: &str| {
            all.iter().rev().find(|(_, who, what)| who == person && what == site).unwrap().0
        };
        let does = |path: &str, form: &[(&str, &str)]| {
            let (status, at) = self.manager.sends(path, form);
            assert_eq!(status, 200, "{path} {form:?}: {at}");
        };
        let episode = |person, site| format!("/episodes/{}", entry(person, site));
        does(&episode("jordan", "club.test"), &[("mark", "spoke"), ("words", "It was a friend’s link")]);
        does(&episode("sam", "chat.test"), &[("mark", "note"), ("words", "Sam showed it to us")]);
        does(&episode("sam", "chat.test"), &[("mark", "told"), ("words", "at breakfast")]);
        does(
            &episode("jordan", "casino.test"),
            &[("mark", "concern"), ("words", "somebody sent the address")],
        );
        for (person, device, what, words) in [
            ("jordan", "phone", "out", "charged"),
            ("jordan", "tablet", "inspected", "looked at together, nothing new"),
            ("sam", "laptop", "in", "for the night"),
            ("lounge", "lounge", "lost", "not seen since the visit"),
        ] {
            does(
                "/devices/book",
                &[("person", person), ("device", device), ("what", what), ("words", words)],
            );
        }
        does("/lists/report", &[("host", "school.test"), ("why", "it is a revision site")]);
        does("/people/jordan/pin", &[("pin", PIN)]);
        let kate = driver.window(&self.home.path().join("kate"), &[]);
        begins(&kate, &self.home, "k.lane");
        for (window, side) in [(&kate, "outgoing"), (&self.manager, "incoming")] {
            window.open(&format!("{}/shift?at=2026-11-20T14:30:00Z", self.desk));
            window.types("#sign-words", "A calm evening.");
            window.click(&format!("button[value='{side}']"));
            window.shows("Signed. Thank you.");
        }
    }
}

/// Saturday afternoon: minutes in use, asks, something told, what staff gave and closed, a device that nobody knows.
fn afternoon(home: &Home, gateway: &Gateway, world: &World) {
    gateway.passes_until("2026-11-21T14:40:00");
    for minute in 1..=5 {
        assert!(visits(gateway, JORDAN, "open.test", world.http_port).contains("hello"));
        wait_for("the minute to be counted", || {
            let told = home.json(&["minutes", "jordan", "--json"]);
            let all = told["minutes"].as_array()?.iter().find(|one| one["key"] == "everything")?;
            (all["counted"].as_u64()? >= minute).then_some(())
        });
        gateway.passes(60);
    }
    gateway.passes_until("2026-11-21T15:50:00");
    gateway.dig(STRANGER, &["open.test", "A"]);
    asks_for(gateway, JORDAN, "chat.test", "everyone from school is on it");
    asks_for(gateway, SAM, "video.test", "for my art");
    let told = sends_own(gateway, SAM, "/hearthgate/saw", &[("words", "a mean message")]);
    assert!(told.contains("Staff have been told"), "{told}");
    gateway.passes_until("2026-11-21T16:00:00");
    visits(gateway, JORDAN, "open.test", world.http_port);
    for line in [
        &[
            "grant",
            "--person",
            "sam",
            "--extra-time",
            "45m",
            "--by",
            "k.lane",
            "--reason",
            "helped with dinner",
        ][..],
        &[
            "restrict",
            "--person",
            "sam",
            "--closes",
            "club.test",
            "--until",
            "2026-11-25T20:00",
            "--review",
            "2026-11-23",
            "--by",
            "r.osei",
            "--reason",
            "a stranger there asked Sam to meet",
            "--tried",
            "we talked, and blocked the stranger",
            "--consent",
            "A. Mensah, Leeds",
            "--consent-on",
            "2026-11-20",
            "--told-on",
            "2026-11-21",
            "--view",
            "I know why",
        ],
        &[
            "restrict",
            "--person",
            "jordan",
            "--closes",
            "video.test",
            "--until",
            "2026-11-22T15:00",
            "--review",
            "2026-11-22",
            "--by",
            "r.osei",
            "--reason",
            "a video there tells where Jordan lives; the police are informed",
            "--tried",
            "asked the site to take it down",
            "--emergency",
            "--told-on",
            "2026-11-21",
            "--view",
            "it scared me",
        ],
    ] {
        let (code, out, err) = home.command(line);
        assert_eq!(code, 0, "{line:?}: {out}{err}");
    }
}
