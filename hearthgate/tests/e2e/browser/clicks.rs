//! Each daily task of docs/program.md, clicked from **Now** by whoever does it. A click follows a link, opens a fold or presses a
//! button; fields are typed into.

use super::begins;
use super::lived_in::{LivedIn, PIN};
use crate::driver::{Driver, Window};
use crate::world::{World, wait_for};
use std::collections::BTreeSet;

/// A step of a task.
enum Step {
    /// A click, which counts.
    Click(&'static str),
    /// Words typed, or a choice made, in a field.
    Type(&'static str, &'static str),
    /// Words added to what stands in a field.
    Add(&'static str, &'static str),
}
use Step::{Add, Click, Type};

/// A task: as docs/program.md has it with its clicks, the steps, and where what then is said.
type Task = (&'static str, usize, &'static [Step], (&'static str, &'static str));

/// What a member of staff does.
const OF_STAFF: &[Task] = &[
    ("answer an ask", 2, &[Click("#asks a"), Click("button[value='30m']")], ("", "Opened.")),
    (
        "say no to one",
        3,
        &[Click("#asks a"), Click("[id^='no-'] summary"), Click("[id^='no-'] button")],
        ("", "Answered."),
    ),
    (
        "give more time",
        2,
        &[
            Click("a[href='/give/jordan']"),
            Type("#t-why", "helped with dinner"),
            Click("#t-why ~ .row button"),
        ],
        ("", "It works within a second"),
    ),
    (
        "give a site",
        2,
        &[
            Click("a[href='/give/jordan']"),
            Type("#words", "chat.test"),
            Type("#s-why", "a call"),
            Click("#s-why ~ .row button"),
        ],
        ("", "It works within a second"),
    ),
    (
        "sit with somebody",
        2,
        &[
            Click("a[href='/give/jordan']"),
            Type("#v-why", "looking at it together"),
            Click("#v-why ~ .row button"),
        ],
        ("", "It works within a second"),
    ),
    (
        "take something back",
        2,
        &[Click("a[href^='/grants/']"), Type("#why", "it is late"), Click("main form button")],
        ("", "Taken back."),
    ),
    (
        "note or mark an episode",
        3,
        &[
            Click("#shift a"),
            Click("details.of[open] [id^='make-']:not([open]) summary"),
            Type("details.of[open] [id^='make-'][open] textarea", "we talked"),
            Click("details.of[open] [id^='make-'][open] button[value='note']"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "note or mark one of many small episodes",
        3,
        &[
            Click("#shift a"),
            Click("details.of:not([open]) > summary"),
            Type("details.of[open] article:nth-of-type(7) [id^='make-'][open] textarea", "it was a game"),
            Click("details.of[open] article:nth-of-type(7) [id^='make-'][open] button[value='note']"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "raise a concern",
        3,
        &[
            Click("#shift a"),
            Click("details.of[open] [id^='make-']:not([open]) summary"),
            Type("details.of[open] [id^='make-'][open] textarea", "somebody sent the address"),
            Click("details.of[open] [id^='make-'][open] button[value='concern']"),
        ],
        ("", "The concern is raised"),
    ),
    (
        "close a concern",
        3,
        &[
            Click("#shift a"),
            Click("[id^='concern-'] summary"),
            Type("[id^='with-']", "J. Adeyemi"),
            Type("[id^='agreed-']", "she rings at nine"),
            Click("[id^='concern-'] button"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "say that a report was heard",
        2,
        &[
            Click("[id^='saw-'] summary"),
            Type("[id^='heard-']", "We sat together"),
            Click("[id^='saw-'] button:not([name])"),
        ],
        ("", "They are told that you have read it"),
    ),
    (
        "ask to be shown something",
        2,
        &[Click("a[href='/give/jordan']"), Click("form[action='/people/jordan/show'] button")],
        ("", "go to them, and look together"),
    ),
    (
        "say what became of it",
        2,
        &[Click("[id^='show-'] summary"), Click("[id^='show-'] button[value='shown']")],
        ("", "Noted."),
    ),
    (
        "write an incident down",
        3,
        &[
            Click("nav a[href='/people']"),
            Click("a[href='/people/jordan']"),
            Type("#happened", "a picture was passed on"),
            Click("form[action='/people/jordan/incident'] button"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "say that an agreement was read",
        3,
        &[
            Click("nav a[href='/people']"),
            Click("a[href='/people/jordan']"),
            Click("form[action='/people/jordan/read'] button"),
        ],
        ("", "Written down."),
    ),
    (
        "read and sign the shift",
        2,
        &[Click("#shift a"), Click("button[value='outgoing']")],
        ("", "Signed. Thank you."),
    ),
    (
        "sign an earlier one",
        3,
        &[Click("#shift a"), Click(".notice a[href^='/shift?at=']"), Click("button[value='outgoing']")],
        ("", "Signed. Thank you."),
    ),
    (
        "print the hand-over sheet",
        2,
        &[Click("#shift a"), Click("a[href^='/shift/sheet']")],
        ("", "Printed "),
    ),
    (
        "book a device",
        3,
        &[
            Click("nav a[href='/devices']"),
            Click("[id^='book-'] summary"),
            Click("[id^='book-'] button[value='in']"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "book a device lost",
        3,
        &[
            Click("nav a[href='/devices']"),
            Click("[id^='book-'] summary"),
            Click("[id^='book-'] button[value='lost']"),
        ],
        ("", "It is in the journal."),
    ),
    (
        "let a device in",
        3,
        &[
            Click("nav a[href='/devices']"),
            Click("[id^='let-in-'] summary"),
            Type("[id^='guest-']", "Jordan"),
            Click("[id^='let-in-'] button"),
        ],
        ("", "It is in. Their agreement holds on it"),
    ),
    (
        "ask why a site is closed",
        2,
        &[Click("nav a[href='/lists']"), Type("#host", "casino.test"), Click("form[action='/lists'] button")],
        ("", "The lists call it gambling"),
    ),
    (
        "say that a list is wrong",
        3,
        &[
            Click("nav a[href='/lists']"),
            Type("#host", "casino.test"),
            Click("form[action='/lists'] button"),
            Type("#why", "it is a card shop"),
            Click("form[action='/lists/report'] button"),
        ],
        ("", "Written down."),
    ),
    (
        "give a PIN",
        3,
        &[
            Click("nav a[href='/people']"),
            Click("a[href='/people/jordan']"),
            Type("#pin", PIN),
            Click("form[action='/people/jordan/pin'] button"),
        ],
        ("", "They can sign in with it"),
    ),
];

/// What the manager alone does.
const OF_THE_MANAGER: &[Task] = &[
    (
        "place a restriction",
        3,
        &[
            Click("nav a[href='/restrictions']"),
            Click("a[href='/restrictions/new']"),
            Type("#person", "Jordan"),
            Type("#closes", "club.test"),
            Type("#reason", "a stranger there asked Jordan to meet"),
            Type("#tried", "we talked, and blocked the stranger"),
            Type("#until", "2026-11-25T20:00"),
            Type("#review", "2026-11-23"),
            Type("#consent", "A. Mensah, Leeds"),
            Type("#consent_on", "2026-11-21"),
            Type("#told_on", "2026-11-21"),
            Type("#view", "I know why"),
            Click("main form button"),
        ],
        ("", "Placed."),
    ),
    (
        "say that the authority knows",
        3,
        &[
            Click("nav a[href='/restrictions']"),
            Click("[id^='told-'] summary"),
            Type("[id^='whom-']", "A. Mensah, by telephone"),
            Click("[id^='told-'] button"),
        ],
        ("", "had full details"),
    ),
    (
        "review a restriction",
        3,
        &[
            Click("nav a[href='/restrictions']"),
            Click("[id^='reviewed-'] summary"),
            Type("[id^='still-']", "the stranger still writes"),
            Type("[id^='view-']", "fair enough"),
            Type("[id^='next-']", "2026-11-22"),
            Click("[id^='reviewed-'] button"),
        ],
        ("", "The review is in the journal."),
    ),
    (
        "end a restriction early",
        3,
        &[
            Click("nav a[href='/restrictions']"),
            Click("[id^='end-'] summary"),
            Type("[id^='why-']", "it is over"),
            Click("[id^='end-'] button"),
        ],
        ("", "Ended. It is lifted within a second."),
    ),
    (
        "change an agreement",
        3,
        &[
            Click("a[href='/edit/agreements/jordan.yaml']"),
            Add("#text", "# looked at together\n"),
            Click("button[value='look']"),
            Type("#why", "agreed at key-work"),
            Click("button[value='keep']"),
        ],
        ("", "It is in force within a second."),
    ),
    (
        "answer that a list is wrong",
        3,
        &[
            Click("nav a[href='/lists']"),
            Click("[id^='wrong-'] summary"),
            Type("[id^='became-']", "the publisher took it out"),
            Click("[id^='wrong-'] button"),
        ],
        ("", "Answered. The journal has it."),
    ),
    (
        "export",
        2,
        &[
            Click("nav a[href='/evidence']"),
            Type("#i-recipient", "Reg 44 visitor"),
            Type("#i-purpose", "the visit of November"),
            Click("#i-purpose ~ button"),
        ],
        ("/audit", "the visit of November"),
    ),
];

#[test]
fn each_daily_task_is_three_clicks_from_now_at_most() {
    let Some(driver) = Driver::start() else { return };
    let world = World::start();
    let lived = LivedIn::begin(&driver, &world);
    let staff = driver.window(&lived.home.path().join("staff"), &[]);
    begins(&staff, &lived.home, "m.ali");
    for (window, tasks) in [(&staff, OF_STAFF), (&lived.manager, OF_THE_MANAGER)] {
        for (task, clicks, steps, (page, words)) in tasks {
            window.open(&lived.desk);
            window.shows("The gateway");
            let counted = does(window, steps);
            assert!(counted == *clicks && counted <= 3, "{task} takes {counted} clicks, not {clicks}");
            if !page.is_empty() {
                wait_for(words, || {
                    window.open(&format!("{}{page}", lived.desk));
                    window.words().contains(words).then_some(())
                });
            }
            window.shows(words);
        }
    }
    assert_eq!(lived.gateway.stop("-TERM"), Some(0));
}

/// The tasks of docs/program.md, each with its clicks.
fn written() -> BTreeSet<(String, usize)> {
    let program =
        include_str!("../../../../docs/program.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let list = program.split("Staff: answer").nth(1).and_then(|rest| rest.split(" What is folded").next());
    let list = format!("answer{}", list.expect("the list of daily tasks"));
    let tasks = list.split([';', '.']).map(|task| task.trim().trim_start_matches("The manager: "));
    let tasks = tasks.filter(|task| !task.is_empty());
    tasks
        .map(|task| {
            let (what, clicks) = task.rsplit_once(' ').expect("a task and its clicks");
            (what.to_owned(), clicks.parse().unwrap_or_else(|_| panic!("`{task}` has no clicks")))
        })
        .collect()
}

#[test]
fn the_tasks_that_are_written_down_are_those_that_are_clicked() {
    let clicked =
        OF_STAFF.iter().chain(OF_THE_MANAGER).map(|(task, clicks, ..)| ((*task).to_owned(), *clicks));
    assert_eq!(
        written(),
        clicked.collect::<BTreeSet<_>>(),
        "docs/program.md and the tests say different things"
    );
}

/// Goes through the steps: how many clicks it took.
fn does(window: &Window<'_>, steps: &[Step]) -> usize {
    let mut counted = 0;
    for step in steps {
        match step {
            Click(css) => {
                window.click(css);
                counted += 1;
            }
            // Dates and choices are put there as a browser's own pickers do.
            Type(css, text) => window.chooses(css, text),
            Add(css, text) => {
                wait_for(css, || window.element(css));
                let stands = window.value(&format!("document.querySelector('{css}').value"));
                window.pastes(css, &format!("{}{text}", stands.as_str().unwrap_or_default()));
            }
        }
    }
    counted
}
