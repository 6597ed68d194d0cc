//! States of pages that are seldom, and that a home meets on its worst days: what is sealed, what is for the manager to read, a
//! shift of hundreds of episodes, an emergency of which nobody told the authority, an account with codes. Each is looked at as
//! every page is, and no picture is kept.

use super::fits::{NO_PICTURE, looks_well};
use super::{begins, desk_of, home, own_of, visits, written_down, young_window};
use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, SAM};
use crate::world::{World, output};

/// A member of staff's own phone.
const KATES: &str = "127.0.0.16";
const KATE: &str = "person: Kate Lane\nfor: staff\ndevices: [{name: phone, ip: 127.0.0.16}]\nblock: [club.test]\notherwise: allow\nonline: all_day\n";
/// So many sites one device looks up in an hour, each of which is an episode.
const AN_HOUR: usize = 110;

/// The code that an app shows for a secret at an instant (RFC 6238).
const CODE: &str = "
import base64, hmac, struct, sys
tag = hmac.new(base64.b32decode(sys.argv[1]), struct.pack('>Q', int(sys.argv[2]) // 30), 'sha1').digest()
at = tag[-1] & 15
print('%06d' % ((struct.unpack('>I', tag[at:at + 4])[0] & 0x7fffffff) % 1000000))
";

/// Such a home at Saturday 18:00.
fn worst_days(home: &Home, world: &World) -> Gateway {
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    let sealed = "lists:\n  - {category: illegal, from: lists/sealed.txt, sealed: true}\n";
    home.write("home.yaml", &text.replace("lists:\n", sealed));
    home.write("lists/sealed.txt", "0.0.0.0 sealed.test\n");
    home.write("agreements/kate.yaml", KATE);
    let gateway = Gateway::start(home, "2026-11-20T16:00:00");
    let emergency = [
        "restrict",
        "--person",
        "jordan",
        "--closes",
        "video.test",
        "--until",
        "2026-11-21T15:00",
        "--review",
        "2026-11-21",
        "--by",
        "r.osei",
        "--reason",
        "a video there tells where Jordan lives",
        "--tried",
        "asked the site to take it down",
        "--emergency",
        "--told-on",
        "2026-11-20",
        "--view",
        "it scared me",
    ];
    let (code, out, err) = home.command(&emergency);
    assert_eq!(code, 0, "{out}{err}");
    for (hour, at) in ["2026-11-21T16:30:00", "2026-11-21T18:00:00"].into_iter().enumerate() {
        gateway.passes_until(at);
        let sites: Vec<String> = (0..AN_HOUR).map(|n| format!("site{hour}x{n}.test")).collect();
        let asked: Vec<&str> = sites.iter().flat_map(|site| [site.as_str(), "A"]).collect();
        gateway.dig(SAM, &asked);
    }
    for site in ["club.test", "sealed.test"] {
        assert!(!visits(&gateway, KATES, site, world.http_port).contains("hello"), "{site}");
    }
    gateway
}

#[test]
fn states_that_are_seldom_fit_read_and_are_touched() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = worst_days(&home, &world);
    let young = young_window(&driver, &home, &gateway);
    is_sealed(&young, &gateway, (&home, &world));
    let desk = desk_of(&gateway);
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "m.ali");
    for (window, address, words) in [
        (&manager, "/", &["The placing authority should have had full details", "of them serious"][..]),
        (&manager, "/shift?at=2026-11-21T18:00:00Z", &["report it now to the police", "Kate Lane"]),
        (&manager, "/restrictions", &["should have had full details"]),
        (
            &staff,
            "/shift?at=2026-11-21T18:00:00Z",
            &[
                "Episodes 1 to 200 of 221, the most serious first.",
                "What a member of staff’s own device did is for the manager to read.",
                "One of them is critical.",
                "tell the manager now",
                "Everybody’s, on all pages",
                "The next 21",
            ],
        ),
        (&staff, "/shift?at=2026-11-21T18:00:00Z&skip=200", &["Episodes 201 to 221 of 221", "Add as a note"]),
        (&staff, "/lists?host=sealed.test", &["nobody here can open it or see why"]),
    ] {
        window.open(&format!("{desk}{address}"));
        for said in words {
            window.shows(said);
        }
        looks_well(window, address, NO_PICTURE);
    }
    codes(&manager, &gateway, &desk);
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// What is sealed meets a young person without its name, and their own page says no more.
fn is_sealed(young: &Window<'_>, gateway: &Gateway, (home, world): (&Home, &World)) {
    young.open(&format!("http://sealed.test:{}/", world.http_port));
    young.shows("This is closed for everyone, and nobody here can open it.");
    looks_well(young, "a sealed refusal", NO_PICTURE);
    young.click("label[for='cy']");
    young.shows("Ni chaiff neb agor y safle hwn.");
    looks_well(young, "a sealed refusal in Welsh", NO_PICTURE);
    // With what Sam's laptop looked up, what Kate's phone opened, and this.
    written_down(home, 2 * AN_HOUR + 3);
    young.open(&format!("{}/recorded?lang=en", own_of(gateway)));
    young.shows("a site that nobody may open");
    assert!(!young.words().contains("sealed.test"), "{}", young.words());
    looks_well(young, "what is recorded of it", NO_PICTURE);
}

/// An account that asks for codes: turned on, and a code that does not fit.
fn codes(manager: &Window<'_>, gateway: &Gateway, desk: &str) {
    manager.open(&format!("{desk}/me"));
    manager.click("button[value='offer']");
    manager.shows("Put this into your app");
    let secret = manager.value("document.querySelector('input[name=secret]').value");
    let now = gateway.now().timestamp().to_string();
    let code = output("python3", &["-c", CODE, secret.as_str().unwrap(), &now]);
    manager.types("#code", code.trim());
    manager.click("button[value='on']");
    manager.shows("Signing in asks for a code of your app");
    looks_well(manager, "/me with codes", NO_PICTURE);
    manager.types("#code", "000000");
    manager.click("button[value='off']");
    manager.shows("That code did not fit.");
    looks_well(manager, "/me with a code that does not fit", NO_PICTURE);
}
