//! Monitoring beyond breaches, of a device that uses the gateway for its names alone.

use crate::home::{Gateway, Home, JORDAN, JORDAN_YAML, SAM};
use crate::world::{World, wait_for};

#[test]
fn monitored_minutes_of_a_dns_only_device_come_out() {
    let world = World::start();
    let home = Home::new(&world);
    let why = "reason: agreed, until: 2026-12-01, authorised_by: R. Osei, told_on: 2026-11-20";
    home.write("agreements/jordan.yaml", &format!("{JORDAN_YAML}monitoring: {{level: sites, {why}}}\n"));
    let sam =
        JORDAN_YAML.replace("Jordan", "Sam").replace(JORDAN, SAM).replace("jordan-tablet", "sam-tablet");
    home.write("agreements/sam.yaml", &sam);
    let gateway = Gateway::start(&home, crate::SATURDAY);

    // Four different names within a minute read like use; one question alone may be an app's own. A minute may turn
    // between them, so they are asked again.
    let wait_for_minutes = |person: &str, from: &str| {
        wait_for("the minutes", || {
            for name in ["open.test", "video.test", "www.open.test", "school.test", "ech.test"] {
                gateway.dig(from, &[name, "A"]);
            }
            let answer = home.json(&["minutes", person, "--json"]);
            (answer["minutes"][0]["estimated"].as_u64() > Some(0)).then_some(answer)
        })
    };
    // Minutes and what monitoring kept of them are committed together.
    let answer = wait_for_minutes("jordan", JORDAN);
    let kept = answer["monitored"].as_array().unwrap();
    assert!(kept.iter().all(|k| k["minutes"] == k["estimated"] && k["minutes"] != 0), "{answer}");
    let keys = |kind: &str| -> Vec<&str> {
        kept.iter().filter(|k| k["kind"] == kind).filter_map(|k| k["key"].as_str()).collect()
    };
    assert_eq!(keys("category"), ["uncategorised"], "{answer}");
    assert!(!keys("site").is_empty() && keys("site").iter().all(|k| k.ends_with(".test")), "{answer}");
    assert!(!answer.to_string().contains("www.open.test"), "a site, not its hosts: {answer}");

    // Who asked for the same names and is not monitored has minutes, and no more.
    let sam = wait_for_minutes("sam", SAM);
    assert!(sam.get("monitored").is_none(), "{sam}");
    assert_eq!(gateway.stop("-TERM"), Some(0));
}
