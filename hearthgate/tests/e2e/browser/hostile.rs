//! Whatever somebody types, calls a device or writes into a file is text in a real browser, and nothing else: on every page, with
//! the browser's own rule against foreign scripts (CSP) switched off, so that nothing but the pages themselves holds it. That every
//! field of every form is among what is typed is the console's own test (`console/src/young/tests/fields.rs`).

use super::pages::{readable, seen_by_a_visitor};
use super::paper::exported;
use super::{begins, desk_of, episodes, home, own_of, sends_own, visits, written_down, young_window};
use crate::SATURDAY;
use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, JORDAN, JORDAN_YAML, STRANGER};
use crate::world::{World, output, wait_for};
use serde_json::json;
use std::collections::BTreeSet;

/// Markup that runs, or shows what is not ours, where a page takes it for its own.
const CORPUS: [&str; 2] = [
    "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'><svg onload=alert(3)>",
    "</textarea><iframe src=//evil.example>x</iframe></title><style>@import'//evil.example'</style>{{7*7}}<b onmouseover=alert(6)>x",
];

/// Remembers what ran.
const HOOK: &str = "window.__ran = []; for (const one of ['alert', 'confirm', 'prompt', 'print']) window[one] = (said) => { window.__ran.push(one + ' ' + said); };";

/// What ran, and what stands in the page that no page of ours has.
const FOREIGN: &str = r"(() => {
  const all = [...document.querySelectorAll('*')];
  return (window.__ran || ['no hook']).concat(
    all.filter((e) => ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'BASE'].includes(e.tagName) || e.localName === 'script' && !e.src || e.localName === 'style' && e.closest('body')).map((e) => e.outerHTML.slice(0, 80)),
    all.filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || /^\s*javascript:/i.test(a.value))).map((e) => e.outerHTML.slice(0, 80)));
})()";

/// Where the corpus has to stand as text, at the desk and on the young person's own pages.
const STANDS: [&str; 16] = [
    "/",
    "/shift",
    "/shift/sheet",
    "/asks",
    "/give/jordan",
    "/restrictions",
    "/people",
    "/people/jordan",
    "/edit/agreements/jordan.yaml",
    "/edit/home.yaml",
    "/devices",
    "/lists",
    "/audit",
    "an export",
    "/recorded",
    "/agreement",
];

/// Whoever reads, and where the corpus stood as text.
struct Reader<'w, 'd> {
    window: &'w Window<'d>,
    markup: &'w str,
    seen: BTreeSet<String>,
}

impl Reader<'_, '_> {
    fn opens(&mut self, address: &str) {
        self.window.open(address);
        self.looks(address);
    }

    fn looks(&mut self, address: &str) {
        assert_eq!(self.window.value(FOREIGN), json!([]), "{address} with {}", self.markup);
        let there = format!(
            "document.documentElement.textContent.includes({0}) || [...document.querySelectorAll('input,textarea')].some(e => e.value.includes({0}))",
            json!(self.markup)
        );
        if self.window.value(&there) == true {
            let path = address.split("//").last().unwrap_or(address);
            let path = path.find('/').map_or(address, |at| &path[at..]);
            self.seen.insert(path.split('?').next().unwrap().to_owned());
        }
    }
}

/// A window that would run what no page should have.
fn open_to_all<'d>(driver: &'d Driver, home: &Home, name: &str, more: &[String]) -> Window<'d> {
    let window = driver.window(&home.path().join(name), more);
    unguarded(&window);
    window
}

fn unguarded(window: &Window<'_>) {
    window.cdp("Page.enable", &json!({}));
    window.cdp("Page.setBypassCSP", &json!({"enabled": true}));
    window.hooks(HOOK);
}

/// The home's files with the markup wherever somebody may write what they like.
fn writes(home: &Home, markup: &str) {
    let quoted = format!("'{}'", markup.replace('\'', "''"));
    let jordan = JORDAN_YAML
        .replace("person: Jordan", &format!("person: {quoted}"))
        .replace("devices:\n", &format!("devices:\n  - {{name: {quoted}, ip: 127.0.0.1}}\n"))
        .replace(
            "young_person: {on: 2026-11-02, view: ok}",
            &format!("young_person: {{on: 2026-11-02, view: {quoted}}}"),
        )
        .replace("social_worker: {name: A. Mensah", &format!("social_worker: {{name: {quoted}"))
        + &format!(
            "behaviour: [{quoted}]\ntell_someone: {quoted}\nconsequences: [{{after: 1 breach in 7 days, suggest: {quoted}}}]\n"
        );
    home.write("agreements/jordan.yaml", &jordan);
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    let named = |line: &str| match line {
        line if line.starts_with("home:") => format!("home: {quoted}\n"),
        line if line.contains("id: k.lane") => format!("  - {{id: k.lane, name: {quoted}, role: staff}}\n"),
        // A list that is not there is told of by where it was meant to be.
        line if line.contains("category: gambling") => {
            format!("{line}\n  - {{category: violence, from: {quoted}}}\n")
        }
        line if line.contains("category: violence") => String::new(),
        line => format!("{line}\n"),
    };
    home.write("home.yaml", &text.lines().map(named).collect::<String>());
    // A file that waits says what is wrong in its own words.
    home.write(
        "agreements/sam.yaml",
        &format!("person: Sam\nblock: [{quoted}]\nonline: {{every_day: {quoted}}}\n"),
    );
}

#[test]
fn markup_is_text_in_a_browser_on_every_page() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let home = home(&world);
    let gateway = Gateway::start(&home, SATURDAY);
    let desk = desk_of(&gateway);
    let agent = format!("--user-agent=Mozilla/5.0 {}", CORPUS[0]);
    let manager = open_to_all(&driver, &home, "manager", &[agent]);
    begins(&manager, &home, "r.osei");
    let visitor = open_to_all(&driver, &home, "visitor", &[]);
    begins(&visitor, &home, "visitor");
    let young = young_window(&driver, &home, &gateway);
    unguarded(&young);
    for (turn, markup) in CORPUS.into_iter().enumerate() {
        writes(&home, markup);
        // Both files are in force.
        for part in [".home", "main h3"] {
            wait_for("the files", || {
                manager.open(&desk);
                manager
                    .value(&format!(
                        "[...document.querySelectorAll('{part}')].some(e => e.textContent.includes({}))",
                        json!(markup)
                    ))
                    .as_bool()
                    .filter(|there| *there)
            });
        }
        is_said(&home, &gateway, &world, markup);
        is_done(&manager, &home, &desk, (turn, markup));
        let mut reader = Reader { window: &manager, markup, seen: BTreeSet::new() };
        is_exported(&mut reader, &home, &desk);
        for (_, _, address) in readable() {
            reader.opens(&format!("{desk}{address}"));
        }
        let asked = output(
            "python3",
            &["-c", "import sys,urllib.parse; print(urllib.parse.quote(sys.argv[1]))", markup],
        );
        for address in [
            "/lists?host=",
            "/people/jordan?host=",
            "/shift?person=",
            "/month?of=",
            "/asks?line=",
            "/edit?id=",
            "/restrictions/new?reason=",
        ] {
            reader.opens(&format!("{desk}{address}{}", asked.trim()));
        }
        typed(&mut reader, &desk);
        let mut seen = reader.seen;
        let mut reader = Reader { window: &visitor, markup, seen: BTreeSet::new() };
        for address in seen_by_a_visitor() {
            reader.opens(&format!("{desk}{address}"));
        }
        let mut reader = Reader { window: &young, markup, seen: BTreeSet::new() };
        of_young_people(&mut reader, &gateway, &world, asked.trim());
        seen.append(&mut reader.seen);
        for page in STANDS {
            assert!(seen.contains(page), "{markup} stands nowhere on {page}: {seen:?}");
        }
    }
    shared(&young, &home, &gateway);
    assert_eq!(gateway.stop("-TERM"), Some(0));
}

/// What a young person and their devices say.
fn is_said(home: &Home, gateway: &Gateway, world: &World, markup: &str) {
    // An ask and a report of each markup, from a device of its own hour.
    gateway.passes(60);
    let before = episodes(home).len();
    assert!(!visits(gateway, JORDAN, "club.test", world.http_port).contains("hello"));
    gateway.dig(STRANGER, &["open.test", "A"]);
    for host in ["chat.test", ""] {
        let path = if host.is_empty() { "/" } else { "/hearthgate/ask?host=chat.test" };
        let told = match host {
            "" => time_asked(gateway, markup),
            host => sends_own(gateway, JORDAN, path, &[("host", host), ("words", markup)]),
        };
        assert!(told.contains("You have asked"), "{told}");
    }
    let told = sends_own(gateway, JORDAN, "/hearthgate/saw", &[("words", markup)]);
    assert!(told.contains("Staff have been told"), "{told}");
    if before == 0 {
        written_down(home, 1);
    }
    let page = gateway.curl(JORDAN, &[&format!("{}/recorded", own_of(gateway))]).1;
    let value = |name: &str| {
        let after = page
            .split(&format!("name=\"{name}\" value=\""))
            .nth(1)
            .unwrap_or_else(|| panic!("no {name}: {page}"));
        after.split('"').next().unwrap().to_owned()
    };
    let form = [("entry", value("entry")), ("token", value("token")), ("words", markup.to_owned())];
    let told = posts(gateway, "/hearthgate/note", &form);
    assert!(told.contains("It stands there now"), "{told}");
}

fn time_asked(gateway: &Gateway, markup: &str) -> String {
    let page = gateway.curl(JORDAN, &[&own_of(gateway)]).1;
    let token = page.split("name=\"host\" value=\"\"><input type=\"hidden\" name=\"token\" value=\"").nth(1);
    let token = token.unwrap_or_else(|| panic!("no form: {page}")).split('"').next().unwrap();
    let form = [("host", String::new()), ("token", token.to_owned()), ("words", markup.to_owned())];
    posts(gateway, "/hearthgate/ask", &form)
}

fn posts(gateway: &Gateway, path: &str, form: &[(&str, String)]) -> String {
    let own = own_of(gateway);
    let mut rest = vec!["-H".to_owned(), format!("Origin: {own}")];
    for (name, value) in form {
        rest.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
    }
    rest.push(format!("{own}{path}"));
    gateway.curl(JORDAN, &rest.iter().map(String::as_str).collect::<Vec<_>>()).1
}

/// The number of what a form of a page is about, the first whose address begins so.
fn entry_of(manager: &Window<'_>, page: &str, begins: &str) -> String {
    manager.open(page);
    let form = format!("document.querySelector('form[action^=\"{begins}\"]')?.getAttribute('action')");
    let form = manager.value(&form);
    form.as_str().unwrap_or_else(|| panic!("no form to {begins} at {page}: {}", manager.words())).to_owned()
}

/// The pages of exports, as a browser opens them from the disk.
fn is_exported(reader: &mut Reader<'_, '_>, home: &Home, desk: &str) {
    let markup = reader.markup;
    let days = [("from", "2026-11-20"), ("to", "2026-11-21"), ("names", "full")];
    for (person, pages) in [("jordan", &["summary.html", "summary-cy.html"][..]), ("", &["summary.html"])] {
        reader.window.open(desk);
        let form = [("person", person), ("recipient", markup), ("purpose", markup)];
        let folder = exported(reader.window, home, &[&days[..], &form].concat());
        for page in pages {
            reader.window.open(&format!("file://{}", folder.join(page).display()));
            reader.looks("an export");
        }
    }
    reader.window.open(&format!("{desk}/sample?from=2026-11-20&to=2026-11-21"));
    reader.window.run("document.querySelector('#s-purpose').selectedIndex = 1; document.querySelector('#s-seed').removeAttribute('maxlength')");
    reader.window.fills(&[("#s-seed", markup)]);
    reader.window.click("form[method='post'][action='/sample'] button");
    reader.window.shows("To the desk");
    reader.looks("a sample whose seed is none");
}

/// What staff write.
fn is_done(manager: &Window<'_>, home: &Home, desk: &str, (turn, markup): (usize, &str)) {
    manager.open(desk);
    let entry = episodes(home)[0].0;
    let does = |path: &str, form: &[(&str, &str)]| {
        let (status, at) = manager.sends(path, form);
        assert!(status == 200 && !at.ends_with("/sign-in"), "{path} {form:?}: {status} {at}");
    };
    for mark in ["note", "spoke", "concern"] {
        does(&format!("/episodes/{entry}"), &[("mark", mark), ("words", markup)]);
    }
    does("/devices/book", &[("person", "jordan"), ("device", markup), ("what", "out"), ("words", markup)]);
    does("/lists/report", &[("host", "casino.test"), ("why", markup)]);
    does("/give/jordan", &[("what", "sites"), ("words", "casino.test"), ("for", "30m"), ("why", markup)]);
    does("/evidence", &[("person", "jordan"), ("recipient", markup), ("purpose", markup)]);
    for (page, begins, form) in [
        ("/asks", "/asks/", &[("for", "30m"), ("why", markup)][..]),
        ("/", "/reports/", &[("words", markup)]),
        ("/shift", "/concerns/", &[("with", markup), ("words", markup)]),
    ] {
        does(&entry_of(manager, &format!("{desk}{page}"), begins), form);
    }
    let asked = home.json(&["asks", "list", "--json"]);
    let waiting = asked.as_array().and_then(|all| all.first()).and_then(|ask| ask["entry"].as_u64());
    does(&format!("/asks/{}/no", waiting.expect("an ask that waits")), &[("kind", "0"), ("why", markup)]);
    does("/people/jordan/show", &[("words", markup)]);
    does(&entry_of(manager, &format!("{desk}/"), "/shows/"), &[("outcome", "declined"), ("words", markup)]);
    does("/people/jordan/incident", &[("words", markup), ("about", "0"), ("at", "")]);
    does(&entry_of(manager, &format!("{desk}/lists"), "/lists/reports/"), &[("words", markup)]);
    let adult = [
        ("what", "supervised"),
        ("adult", "k.lane"),
        ("device", "phone"),
        ("words", "films.test"),
        ("for", "30m"),
        ("why", markup),
    ];
    does("/give/jordan", &adult);
    does(
        "/restrictions/place",
        &[
            ("person", "jordan"),
            ("closes", "video.test"),
            ("reason", markup),
            ("tried", markup),
            ("until", "2026-11-22T20:00"),
            ("review", "2026-11-22"),
            ("consent", markup),
            ("consent_on", "2026-11-21"),
            ("told_on", "2026-11-21"),
            ("view", markup),
        ],
    );
    let placed = |what: &str| {
        entry_of(manager, &format!("{desk}/restrictions"), "/restrictions/")
            .rsplit_once('/')
            .map(|(at, _)| format!("{at}/{what}"))
            .unwrap()
    };
    does(&placed("reviewed"), &[("words", markup), ("view", markup), ("next", "2026-11-22")]);
    does(&placed("end"), &[("words", markup)]);
    // What was given is taken back, so that the next turn asks again.
    manager.open(desk);
    let given = manager.value("[...new Set([...document.querySelectorAll('a[href^=\"/grants/\"]')].map(a => a.getAttribute('href')))]");
    let given = given.as_array().filter(|all| !all.is_empty()).expect("grants on Now");
    for one in given {
        does(one.as_str().unwrap(), &[("why", markup)]);
    }
    if turn == 0 {
        // One signs a shift once.
        manager.open(&format!("{desk}/shift?at=2026-11-21T08:00:00Z"));
        manager.fills(&[("#sign-words", markup)]);
        manager.click("form[action='/shift/sign'] button");
        manager.shows("Signed. Thank you.");
    }
}

/// What is typed and stands on the page again because something is wrong with it.
fn typed(reader: &mut Reader<'_, '_>, desk: &str) {
    let markup = reader.markup;
    let window = reader.window;
    window.open(&format!("{desk}/restrictions/new"));
    for field in ["#closes", "#reason", "#tried", "#consent", "#view"] {
        window.fills(&[(field, markup)]);
    }
    window.click("main form button");
    window.shows("It was not placed");
    reader.looks("a draft that was refused");
    window.open(&format!("{desk}/edit/agreements/jordan.yaml"));
    window.pastes(
        "#text",
        &format!("person: Jordan\n{markup}: x\nonline: {{every_day: '{}'}}\n", markup.replace('\'', "''")),
    );
    window.shows("to look at");
    reader.looks("the editor while it is typed");
    window.click("button[value='look']");
    reader.looks("the editor");
    // Why it changes, and a code, are asked for once another form was sent.
    window.open(&format!("{desk}/edit/agreements/jordan.yaml"));
    window.shows("Nothing to put right");
    window.click("button[value='look']");
    window.shows("What the change does");
    window.fills(&[("#why", markup), ("#text", "no agreement")]);
    window.click("button[value='keep']");
    window.shows("to look at");
    reader.looks("the editor with why it changes");
    window.open(&format!("{desk}/me"));
    window.click("button[value='offer']");
    window.shows("Put this into your app");
    window.run("document.querySelector('#code').removeAttribute('maxlength')");
    window.fills(&[("#code", markup)]);
    window.click("button[value='on']");
    window.shows("That code did not fit");
    reader.looks("a code that is none");
    window.open(&format!("{desk}/people/jordan"));
    window.run("document.querySelector('#pin').removeAttribute('maxlength')");
    window.fills(&[("#pin", markup)]);
    window.click("form[action$='/pin'] button");
    reader.looks("a PIN that is none");
    window.open(&format!("{desk}/sign-in"));
    window.run("document.querySelector('#account').removeAttribute('maxlength')");
    window.fills(&[("#account", markup), ("#password", markup)]);
    window.click("main button");
    window.shows("That did not fit");
    reader.looks("an account that is none");
}

/// The young person's pages, refusals and the pages of a device that several share.
fn of_young_people(reader: &mut Reader<'_, '_>, gateway: &Gateway, world: &World, asked: &str) {
    let own = own_of(gateway);
    for page in console::young_addresses() {
        for query in ["", "?lang=cy", "?lang=en&easy=yes&contrast=high"] {
            reader.opens(&format!("{own}{page}{query}"));
        }
        reader.opens(&format!("{own}{page}?host={asked}&lang={asked}&skip={asked}"));
    }
    reader.opens(&format!("{own}{}?lang={asked}", console::SIGN_IN));
    reader.opens(&format!("{own}/{asked}"));
    reader.opens(&format!("http://club.test:{}/{asked}?{asked}", world.http_port));
    reader.opens(&format!("http://chat.test:{}/#{asked}", world.http_port));
    // A host that is none: what a browser would never send.
    for host in CORPUS {
        let url = format!("http://127.0.0.1:{}/", gateway.pages);
        let head = format!("Host: {host}");
        let page =
            output("curl", &["-sS", "--interface", JORDAN, "-H", &head, "-H", "Accept: text/html", &url]);
        for runs in ["<script>alert", "<img src=x", "<svg onload", "<iframe src", "<b onmouseover"] {
            assert!(!page.contains(runs), "{host}: {page}");
        }
    }
}

/// On a device that several share, and on one that nobody knows: names and PINs that are none.
fn shared(young: &Window<'_>, home: &Home, gateway: &Gateway) {
    let own = own_of(gateway);
    home.write("agreements/jordan.yaml", JORDAN_YAML);
    home.write("agreements/lounge.yaml", &super::lived_in::lounges(true));
    wait_for("a shared device", || {
        young.open(&own);
        young.words().contains("Other people use this device too").then_some(())
    });
    for markup in CORPUS {
        let mut reader = Reader { window: young, markup, seen: BTreeSet::new() };
        for (page, pin, button) in
            [("/", "#digits", "form[action^='/hearthgate/me'] button"), ("/sign-in", "#pin", "form button")]
        {
            young.open(&format!("{own}{page}"));
            young.run(
                "for (const field of document.querySelectorAll('input')) field.removeAttribute('maxlength')",
            );
            young.fills(&[("#name", markup), (pin, markup)]);
            young.click(button);
            reader.looks(page);
        }
    }
}
