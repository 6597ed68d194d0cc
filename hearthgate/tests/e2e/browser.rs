//! The desk and the young person's pages in a real browser. Where it is not installed the tests say so; `./test` installs it.

use crate::SATURDAY;
use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, JORDAN_YAML};
use crate::world::{World, wait_for};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};

const PASSWORD: &str = "teapot glacier nine forks";
const MISSING: &str =
    "skipped: chromedriver is not installed (Debian: apt-get install chromium chromium-driver)";

/// The widths that every page fits into: a small phone, a tablet, a screen.
const WIDTHS: [u32; 3] = [320, 768, 1280];

/// The desk's pages.
const DESK: [&str; 17] = [
    "/",
    "/shift",
    "/shift/sheet",
    "/month",
    "/asks",
    "/give/jordan",
    "/restrictions",
    "/restrictions/new",
    "/people",
    "/people/jordan",
    "/people/jordan/charts",
    "/edit/agreements/jordan.yaml",
    "/devices",
    "/lists?host=club.test",
    "/coverage",
    "/evidence",
    "/accounts",
];
/// A young person's.
const YOUNG: [&str; 9] = [
    "/sign-in",
    "/sign-in?lang=cy&easy=yes",
    "/",
    "/?lang=cy",
    "/?easy=yes&contrast=high",
    "/week",
    "/agreement?lang=cy",
    "/recorded",
    "/talk",
];

/// A home in which a browser on this machine is Jordan's.
fn home(world: &World) -> Home {
    let home = Home::new(world);
    let laptop =
        JORDAN_YAML.replace("devices:\n", "devices:\n  - {name: laptop, ip: 127.0.0.1}  # the old one\n");
    home.write("agreements/jordan.yaml", &laptop);
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write("home.yaml", &format!("{text}  - {{id: k.lane, name: Kate Lane, role: staff}}\n"));
    home
}

/// Chooses a password with a fresh link, and is signed in.
fn begins(window: &Window<'_>, home: &Home, account: &str) {
    let (code, told, err) = home.command(&["password-link", account]);
    assert_eq!(code, 0, "{err}");
    window.open(told.split_whitespace().find(|word| word.starts_with("http")).unwrap());
    window.shows("Choose a password");
    window.types("#password", PASSWORD);
    window.types("#again", PASSWORD);
    window.click("main button");
    window.shows("Jordan");
}

fn signs_in(window: &Window<'_>, desk: &str, account: &str) {
    window.open(&format!("{desk}/sign-in"));
    window.types("#account", account);
    window.types("#password", PASSWORD);
    window.click("main button");
    window.shows("Jordan");
}

#[test]
fn an_ask_from_a_page_is_approved_on_the_desk_and_works() {
    let Some(driver) = Driver::start() else { return println!("{MISSING}") };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = format!("http://127.0.0.1:{}", gateway.console);

    // The manager's first link, a password, and the desk.
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "r.osei");

    // Jordan asks from the refusal page.
    let proxy = vec![format!("--proxy-server=http://127.0.0.1:{}", gateway.proxy)];
    let young = driver.window(&home.path().join("young"), &proxy);
    let site = format!("http://chat.test:{}/", world.http_port);
    young.open(&site);
    young.shows("Ask first");
    young.click("a[href*='/hearthgate/ask']");
    young.types("textarea", "everyone from school is on it");
    young.click("form button");
    young.shows("You have asked");

    // The desk shows it by itself; three clicks from Now.
    staff.shows("asks for chat.test");
    staff.click("#asks a");
    staff.shows("everyone from school is on it");
    staff.width(1280);
    staff.keep("desk-asks-waiting");
    staff.click("button[value='30m']");
    let answered = Instant::now();
    staff.shows("Opened.");
    wait_for("the site to open", || {
        young.open(&site);
        young.words().contains("hello from the test internet").then_some(())
    });
    assert!(answered.elapsed() < Duration::from_secs(5), "{:?}", answered.elapsed());
    staff.open(&desk);
    staff.shows("Jordan");

    staff.click(".who button");
    staff.shows("Sign in");
    assert_eq!(gateway.stop("-TERM"), Some(0));

    // Half an hour later it is as agreed again.
    let gateway = Gateway::start(&home, "2026-11-21T16:45:00");
    assert!(page(&gateway, &site).contains("Ask first"), "{}", page(&gateway, &site));
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

#[test]
fn an_evening_at_the_desk() {
    let Some(driver) = Driver::start() else { return println!("{MISSING}") };
    let world = World::start();
    let home = home(&world);
    let git = |arguments: &[&str]| Command::new("git").arg("-C").arg(home.path()).args(arguments).output();
    let is_git = git(&["init", "--quiet"]).is_ok();
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = format!("http://127.0.0.1:{}", gateway.console);
    let manager = driver.window(&home.path().join("manager"), &[]);
    begins(&manager, &home, "r.osei");

    // A site that is closed, and what Jordan says of it.
    let proxy = vec![format!("--proxy-server=http://127.0.0.1:{}", gateway.proxy)];
    let young = driver.window(&home.path().join("young"), &proxy);
    young.open(&format!("http://club.test:{}/", world.http_port));
    young.shows("Not open here");
    // The page fits a small phone, in both languages, and is switched without asking anybody.
    let closed = format!("http://club.test:{}", world.http_port);
    every_page_fits(&young, &closed, &["/"], "refusal");
    young.width(320);
    for (switch, words, name) in [
        ("label[for='cy']", "Ddim ar agor yma", "refusal-cy"),
        (".cy label[for='easy']", "Mae dy gytundeb yn dweud na wrth hwn.", "refusal-easy"),
        (".cy label[for='strong']", "Ddim ar agor yma", "refusal-strong"),
    ] {
        young.click(switch);
        young.shows(words);
        young.keep(name);
        accessible(&young, name);
    }
    let own = format!("http://hearthgate.home.arpa:{}", gateway.pages);
    wait_for("what is written down", || {
        young.open(&format!("{own}/recorded"));
        young.words().contains("trying to open club.test").then_some(())
    });
    young.click("section details summary");
    young.click("input[value='advert']");
    young.click("section form button");
    young.shows("It stands there now");
    every_page_fits(&young, &own, &YOUNG, "young");

    // An agreement with a mistake, mended, saved with its comments, in force.
    manager.open(&format!("{desk}/edit/agreements/jordan.yaml"));
    let text = std::fs::read_to_string(home.path().join("agreements/jordan.yaml")).unwrap();
    manager.pastes("#text", &text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 25:00}"));
    manager.shows("has to be put right");
    manager.click(".troubles a");
    manager.shows("Line 13: ");
    manager.width(320);
    manager.keep("desk-edit-wrong");
    let mended =
        text.replace("bedtime: {every_day: 21:00}", "bedtime: {every_day: 22:00}   # we said: try it");
    manager.pastes("#text", &mended);
    manager.shows("Nothing to put right");
    manager.click("button[value='look']");
    manager.shows("1 h more");
    manager.width(1280);
    manager.keep("desk-edit");
    manager.types("#why", "agreed with Jordan at key-work");
    manager.click("button[value='keep']");
    manager.shows("Saved");
    assert_eq!(std::fs::read_to_string(home.path().join("agreements/jordan.yaml")).unwrap(), mended);
    young.open(&own);
    wait_for("the new bedtime", || {
        young.open(&own);
        young.words().contains("until 22:00").then_some(())
    });
    if is_git {
        let log = String::from_utf8(git(&["log", "--format=%an %s"]).unwrap().stdout).unwrap();
        assert!(log.contains("R. Osei agreements/jordan.yaml: agreed with Jordan at key-work"), "{log}");
    }

    // A restriction that is refused, and a lawful one that ends.
    manager.open(&format!("{desk}/restrictions/new"));
    manager.pastes("#closes", "open.test");
    manager.click("main form button");
    manager.shows("It was not placed");
    manager.shows("22");
    for (field, words) in [
        ("#reason", "a stranger there asked Jordan to meet"),
        ("#tried", "we talked, and blocked the stranger"),
        ("#until", "2026-11-25T20:00"),
        ("#review", "2026-11-23"),
        ("#consent", "A. Mensah, Leeds"),
        ("#consent_on", "2026-11-21"),
        ("#told_on", "2026-11-21"),
        ("#view", "I know why"),
    ] {
        manager.pastes(field, words);
    }
    manager.click("main form button");
    manager.shows("Placed.");
    every_page_fits(&manager, &desk, &DESK, "desk");
    assert_eq!(gateway.stop("-TERM"), Some(0));

    // The shift is over: whoever was signed in is not any more, and two people sign.
    let gateway = Gateway::start(&home, "2026-11-21T21:40:00");
    let desk = format!("http://127.0.0.1:{}", gateway.console);
    manager.open(&desk);
    manager.shows("Sign in");
    signs_in(&manager, &desk, "r.osei");
    let staff = driver.window(&home.path().join("staff"), &[]);
    begins(&staff, &home, "k.lane");
    for (window, side) in [(&staff, "outgoing"), (&manager, "incoming")] {
        window.open(&format!("{desk}/shift"));
        window.shows("club.test");
        window.shows("That was an advert");
        window.click(&format!("button[value='{side}']"));
        window.shows("Signed. Thank you.");
    }
    staff.width(1280);
    staff.keep("desk-shift-signed");
    let restricted = format!("http://open.test:{}/", world.http_port);
    assert!(page(&gateway, &restricted).contains("Paused for now"), "{}", page(&gateway, &restricted));
    // A page that nobody uses shows nothing any more; the same as five minutes of a real clock.
    staff.open(&desk);
    staff.shows("Jordan");
    staff.run("const now = Date.now; Date.now = () => now() + 6 * 60 * 1000;");
    wait_for("the page to close", || staff.at().ends_with("/locked").then_some(()));
    assert!(!staff.words().contains("Jordan"), "{}", staff.words());
    assert_eq!(gateway.stop("-TERM"), Some(0));

    // The restriction ends by itself, to the minute.
    let gateway = Gateway::start(&home, "2026-11-25T20:00:10");
    assert!(
        page(&gateway, &restricted).contains("hello from the test internet"),
        "{}",
        page(&gateway, &restricted)
    );
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// What Jordan's browser is shown through the proxy.
fn page(gateway: &Gateway, url: &str) -> String {
    gateway.curl("127.0.0.1", &["-H", "Accept: text/html", url]).1
}

/// No page scrolls sideways at any width; each has one heading, one main part, a language, and a label for every field.
fn every_page_fits(window: &Window<'_>, at: &str, pages: &[&str], whose: &str) {
    for page in pages {
        for width in WIDTHS {
            window.width(width);
            window.open(&format!("{at}{page}"));
            let over = window
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(over, json!(0), "{page} at {width} scrolls sideways");
            // A picture of each: of the desk as on a screen, of a young person's page as on a phone.
            if width == if whose == "desk" { 1280 } else { 320 } {
                let name: String = page.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
                let name = if *page == "/" { "now" } else { name.trim_matches('-') };
                window.keep(&format!("{whose}-{name}"));
            }
        }
        accessible(window, page);
        let counts = window.run("return [[...document.querySelectorAll('h1')].filter(e => e.offsetParent).length, document.querySelectorAll('main').length, ['en-GB', 'cy'].includes(document.documentElement.lang), [...document.querySelectorAll('input:not([type=hidden]),select,textarea')].filter(e => !e.labels.length).length, [...document.querySelectorAll('th')].filter(e => !e.scope).length]");
        assert_eq!(
            counts,
            json!([1, 1, true, 0, 0]),
            "{page}: headings, main parts, language, fields without a label, headers without a scope"
        );
    }
}

/// axe-core finds nothing serious, where it is at hand (`./test` fetches it).
fn accessible(window: &Window<'_>, page: &str) {
    let Some(script) = std::env::var_os("HEARTHGATE_AXE").and_then(|path| std::fs::read_to_string(path).ok())
    else {
        return println!("skipped: axe-core is not here (HEARTHGATE_AXE)");
    };
    window.run(&script);
    let found = window.run_async(
        "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => [v.id, v.nodes.map(n => n.html + ' ' + n.failureSummary)])), e => done(String(e)));",
    );
    assert_eq!(found, json!([]), "{page}");
}
