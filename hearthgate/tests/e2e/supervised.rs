//! A supervised session through the running gateway: on two devices of one young person.

use crate::SATURDAY;
use crate::home::{Gateway, Home, JORDAN, STRANGER};
use crate::world::{World, wait_for};

fn session(on: &str) -> [&str; 13] {
    [
        "grant",
        "--person",
        "jordan",
        "--on",
        on,
        "--for",
        "30m",
        "--by",
        "r.osei",
        "--reason",
        "looked at it together",
        "--supervised",
        "chat.test",
    ]
}

#[test]
fn it_opens_on_its_device_and_nowhere_else() {
    let world = World::start();
    let home = Home::new(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let (chat, open) =
        (format!("http://chat.test:{}/", world.http_port), format!("http://open.test:{}/", world.http_port));
    let hello = |page: &str| page.contains("hello from the test internet");
    // The tablet is known by its token, wherever it is; the phone by its address.
    let tablet =
        |url: &str| hello(&gateway.curl(STRANGER, &["--proxy-user", "jordan-tablet-7f3a19c6d2:", url]).1);
    let phone = |url: &str| hello(&gateway.curl(JORDAN, &[url]).1);
    assert!(!tablet(&chat) && !phone(&chat) && tablet(&open) && phone(&open));
    let (code, _, err) = home.command(&session("fridge"));
    assert!(code == 2 && err.contains("phone, tablet"), "{code}: {err}");
    let (code, out, err) = home.command(&session("tablet"));
    assert!(code == 0 && !out.contains("Still closed"), "{out}{err}");
    wait_for("the session", || tablet(&chat).then_some(()));
    assert!(!phone(&chat), "the phone in a pocket stays as it was agreed");
    // And whoever asks on the command line is told the same, device by device.
    for (device, verdict) in [("tablet", "allow"), ("phone", "ask")] {
        let told = home.json(&["explain", "--person", "jordan", "--device", device, "--json", "chat.test"]);
        assert_eq!(told["verdict"], verdict, "{device}: {told}");
    }
    let (code, _, err) = home.command(&["explain", "--person", "jordan", "--device", "fridge", "chat.test"]);
    assert!(code == 2 && err.contains("phone, tablet"), "{code}: {err}");
    let entry = out.split("entry ").nth(1).unwrap().trim_end_matches(['.', '\n']).to_owned();
    let (code, out, err) = home.command(&["revoke", &entry, "--by", "r.osei", "--reason", "done"]);
    assert_eq!(code, 0, "{out}{err}");
    wait_for("its end", || (!tablet(&chat)).then_some(()));
    assert!(!phone(&chat) && tablet(&open));

    // One that nobody ends lapses to the second of its half hour, by the gateway's own clock.
    let (code, _, err) = home.command(&session("tablet"));
    assert_eq!(code, 0, "{err}");
    wait_for("the session", || tablet(&chat).then_some(()));
    gateway.passes(29 * 60);
    assert!(tablet(&chat), "a minute before its end");
    gateway.passes(61);
    wait_for("its end", || (!tablet(&chat)).then_some(()));
    assert!(!phone(&chat) && tablet(&open));
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
