//! The desk and the young person's pages in a real browser, against a running gateway whose clock moves. `./test` installs the
//! browser; without it these tests fail.

mod clicks;
mod fits;
mod hostile;
mod kept;
mod keys;
mod live;
mod lived_in;
mod pages;
mod paper;
mod restricting;
mod seldom;
mod tablet;
mod talks;
mod young;

use crate::driver::{Driver, Window};
use crate::home::{Gateway, Home, JORDAN_YAML};
use crate::world::{World, wait_for};

pub(crate) const PASSWORD: &str = "teapot glacier nine forks";

/// A home in which a browser on this machine is Jordan's, and in which each role has an account.
fn home(world: &World) -> Home {
    let home = Home::new(world);
    home.write("agreements/jordan.yaml", &with_a_laptop(JORDAN_YAML));
    let text = std::fs::read_to_string(home.path().join("home.yaml")).unwrap();
    home.write(
        "home.yaml",
        &format!(
            "{text}  - {{id: k.lane, name: Kate Lane, role: staff}}\n  - {{id: m.ali, name: Mo Ali, role: staff}}\n  - {{id: visitor, name: Reg 44 visitor, role: visitor}}\n  - {{id: it, name: IT support, role: it}}\n"
        ),
    );
    home
}

/// An agreement with a device more, which is whatever browser runs on this machine.
fn with_a_laptop(agreement: &str) -> String {
    agreement.replace("devices:\n", "devices:\n  - {name: laptop, ip: 127.0.0.1}  # the old one\n")
}

/// Where the desk is.
fn desk_of(gateway: &Gateway) -> String {
    format!("http://127.0.0.1:{}", gateway.console)
}

/// Where the young person's pages are.
fn own_of(gateway: &Gateway) -> String {
    format!("http://hearthgate.home.arpa:{}", gateway.pages)
}

/// A window on a young person's device: everything goes through the proxy.
fn young_window<'d>(driver: &'d Driver, home: &Home, gateway: &Gateway) -> Window<'d> {
    let proxy = format!("--proxy-server=http://127.0.0.1:{}", gateway.proxy);
    driver.window(&home.path().join("young"), &[proxy])
}

/// Chooses a password with a fresh link, and is signed in.
fn begins(window: &Window<'_>, home: &Home, account: &str) {
    let (code, told, err) = home.command(&["password-link", account]);
    assert_eq!(code, 0, "{err}");
    chooses_a_password(window, told.split_whitespace().find(|word| word.starts_with("http")).unwrap());
}

/// Opens a link to set a password with, and sets it.
fn chooses_a_password(window: &Window<'_>, link: &str) {
    window.open(link);
    window.shows("Choose a password");
    window.types("#password", PASSWORD);
    window.types("#again", PASSWORD);
    window.click("main button");
    is_in(window);
}

fn signs_in(window: &Window<'_>, desk: &str, account: &str) {
    window.open(&format!("{desk}/sign-in"));
    window.types("#account", account);
    window.types("#password", PASSWORD);
    window.click("main button");
    is_in(window);
}

/// Whoever is signed in has the desk's first page before them.
fn is_in(window: &Window<'_>) {
    wait_for("the desk", || window.words_of("h1").starts_with("Now").then_some(()));
}

/// A device of the home asks for a host, as a browser does that is to show its page.
fn visits(gateway: &Gateway, from: &str, host: &str, port: u16) -> String {
    gateway.curl(from, &["-H", "Accept: text/html", &format!("http://{host}:{port}/")]).1
}

/// A device of the home sends a form of the gateway's own pages, which it opened before: what it is told.
fn sends_own(gateway: &Gateway, from: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let own = own_of(gateway);
    let (_, page) = gateway.curl(from, &[&format!("{own}{path}")]);
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("no token: {page}"));
    let token = format!("token={}", token.split('"').next().unwrap());
    let mut rest = vec!["--data-urlencode".to_owned(), token];
    for (name, value) in fields {
        rest.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
    }
    let action = format!("{own}{}", path.split('?').next().unwrap());
    rest.extend(["-H".to_owned(), format!("Origin: {own}"), action]);
    gateway.curl(from, &rest.iter().map(String::as_str).collect::<Vec<_>>()).1
}

/// A young person asks for a site.
fn asks_for(gateway: &Gateway, from: &str, host: &str, words: &str) {
    let path = format!("/hearthgate/ask?host={host}");
    let told = sends_own(gateway, from, &path, &[("host", host), ("words", words)]);
    assert!(told.contains("You have asked"), "{host}: {told}");
}

/// The entries of the breach log, oldest first: `(entry, person, site)`.
fn episodes(home: &Home) -> Vec<(u64, String, String)> {
    let list = home.json(&["breaches", "list", "--json"]);
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = list.as_array().unwrap().iter();
    all.map(|one| (one["entry"].as_u64().unwrap(), text(one, "person"), text(one, "site"))).collect()
}

/// Waits until so many episodes are written down.
fn written_down(home: &Home, many: usize) -> Vec<(u64, String, String)> {
    wait_for("what happened to be written down", || Some(episodes(home)).filter(|all| all.len() >= many))
}
