//! An old tablet: a processor of a sixth of the speed. Everything works on it; how soon something stands on the screen is
//! printed, and asserted nowhere: a busy machine is no slower tablet.

use super::lived_in::LivedIn;
use super::{asks_for, begins, own_of, young_window};
use crate::driver::{Driver, Window};
use crate::home::JORDAN;
use crate::world::{World, wait_for};
use chrono::{DateTime, Utc};
use serde_json::json;

/// How many times slower than this machine.
const SLOWER: u32 = 6;

/// Opens a page: the milliseconds until the first of it is painted.
fn painted(window: &Window<'_>, name: &str, address: &str) -> f64 {
    window.open(address);
    let first = wait_for(name, || {
        window.value("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null").as_f64()
    });
    println!("{name}: first paint after {first:.0} ms at a {SLOWER}th of the speed");
    first
}

#[test]
fn an_old_tablet_shows_each_young_page_and_follows_now() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let young = young_window(&driver, &lived.home, &lived.gateway);
    let staff = driver.window(&lived.home.path().join("staff"), &[]);
    begins(&staff, &lived.home, "m.ali");
    for window in [&young, &staff] {
        window.cdp("Emulation.setCPUThrottlingRate", &json!({"rate": SLOWER}));
    }
    let own = own_of(&lived.gateway);
    let mut slowest = 0_f64;
    for page in console::young_addresses().into_iter().filter(|page| !page.starts_with("/hearthgate/")) {
        slowest = slowest.max(painted(&young, page, &format!("{own}{page}?lang=en")));
        assert!(young.words_of("main").split_whitespace().count() > 5, "{page}: {}", young.words());
        let wide = young.value("document.documentElement.scrollWidth > innerWidth");
        assert_eq!(wide, false, "{page} goes beyond the screen");
    }
    // Links, folds, forms and the countdown work.
    young.open(&own);
    young.run("const now = Date.now; Date.now = () => now() + 10 * 60 * 1000;");
    let bedtime: DateTime<Utc> = "2026-11-21T21:00:00Z".parse().unwrap();
    wait_for("the countdown", || {
        let (left, said) = ((bedtime - lived.gateway.now()).num_minutes() - 10, young.words_of(".count"));
        let near = |left: i64| said == format!("{} h {} min to go", left / 60, left % 60);
        (near(left) || near(left + 1)).then_some(())
    });
    young.click("nav a[href^='/talk']");
    young.shows("0800 1111");
    young.open(&format!("{own}/hearthgate/ask?host=club.test"));
    young.types("textarea", "it is my cousin's");
    young.click("form button");
    young.shows("You have asked");
    slowest = slowest.max(painted(&staff, "Now", &lived.desk));
    staff.shows("club.test");
    asks_for(&lived.gateway, JORDAN, "school.test", "revision");
    staff.shows("school.test");
    println!("the slowest: {slowest:.0} ms");
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}
