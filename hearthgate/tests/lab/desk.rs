//! The desk of staff, at the router: what it says of the home, and what becomes of what is done there.

use crate::SATURDAY;
use crate::device::{connect, echoes, look_up};
use crate::internet::ECHO;
use crate::lab::{Lab, Who};
use crate::router::with_router;
use crate::sign_in::with_unknown_to_sign_in;

const DESK: &str = "http://127.0.0.1:8099";

/// A member of staff's browser: `curl` with a jar of cookies, on the router.
fn visit(lab: &Lab, path: &str, form: &[&str]) -> String {
    let (jar, url) = (lab.home.path().join("jar").display().to_string(), format!("{DESK}{path}"));
    let origin = format!("Origin: {DESK}");
    let mut words = vec!["-sS", "-i", "--max-time", "20", "-b", &jar, "-c", &jar, "-H", &origin];
    words.extend(form.iter().flat_map(|field| ["--data-urlencode", *field]));
    words.push(&url);
    lab.router.says("curl", &words)
}

/// A page's words as they were before they were written as HTML.
fn plain(page: &str) -> String {
    let marks =
        [("&#39;", "'"), ("&#x27;", "'"), ("&#34;", "\""), ("&quot;", "\""), ("&lt;", "<"), ("&#60;", "<")];
    let more = [("&gt;", ">"), ("&#62;", ">"), ("&#38;", "&"), ("&amp;", "&")];
    marks.into_iter().chain(more).fold(page.to_owned(), |page, (mark, is)| page.replace(mark, is))
}

#[test]
fn the_desk_says_of_coverage_what_the_command_says_and_lets_a_stranger_in() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write(
        "gateway.yaml",
        &with_router().replace("listen:\n", "listen:\n  console: [\"127.0.0.1:8099\"]\n"),
    );
    with_unknown_to_sign_in(&lab);
    lab.held_before();
    lab.open(SATURDAY);
    let link = lab.command(&["password-link", "r.osei"]);
    let link = link.split("/first/").nth(1).unwrap().trim();
    let password = ["password=teapot glacier nine forks", "again=teapot glacier nine forks"];
    let said = visit(&lab, &format!("/first/{link}"), &password);
    assert!(said.starts_with("HTTP/1.1 303"), "{said}");

    let told: serde_json::Value = serde_json::from_str(&lab.command(&["coverage", "--json"])).unwrap();
    let lines = told["coverage"].as_array().unwrap();
    let page = plain(&visit(&lab, "/coverage", &[]));
    assert_eq!(page.matches("<li><span class=\"tag ").count(), lines.len(), "{page}");
    for line in lines {
        let said = match line["held"].as_str().unwrap() {
            "holds" => "Held",
            "partly" => "Held in part",
            "off" => "Switched off",
            _ => "Cannot be held from here",
        };
        let [sentence, because] = ["sentence", "because"].map(|key| line[key].as_str().unwrap());
        let words = format!(">{said}</span> {sentence} <span class=\"quiet\">({because})</span>");
        assert!(page.contains(&words), "no `{words}`: {page}");
    }

    // Staff let a device in, and it has what Jordan has.
    assert!(lab.dig(Who::Stranger, &["open.test", "A"]).contains("EDE: 15"));
    let form = ["device=02:00:00:00:00:99", "person=jordan", "for=60"];
    let said = visit(&lab, "/devices/let-in", &form);
    assert!(said.contains("location: /devices?done=let-in"), "{said}");
    let (four, six) = look_up(&lab, Who::Stranger, "open.test");
    for to in [four, six] {
        assert!(echoes(&mut connect(&lab, Who::Stranger, to, ECHO).unwrap()).unwrap(), "{to}");
    }
    assert!(lab.dig(Who::Stranger, &["casino.test", "A"]).contains("EDE: 17"));
}
