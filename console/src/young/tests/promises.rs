//! What the pages promise is what the program does, in each voice.

use super::{JORDANS, KATES, LOUNGE, Young};
use crate::desk::tests::play::{HOME, JORDAN, Play};

const KATE: &str = "person: Kate\nfor: staff\notherwise: allow\nonline: all_day\n";

/// On whose device, which page; what stands there, and what does not.
const PROMISES: &[(&str, &str, &str, &str)] = &[
    (JORDANS, "/agreement?lang=en", "Your own e-mail is open whenever you are online.", "never closed"),
    (JORDANS, "/agreement?lang=en&easy=yes", "your own e-mail when you are online", "So is your own e-mail."),
    (JORDANS, "/agreement?lang=cy", "ar agor pryd bynnag rwyt ti ar-lein", "Nid yw dim o hyn byth"),
    (
        JORDANS,
        "/agreement?lang=en",
        "Ofsted checks homes, and may see it with your name.",
        "The manager alone",
    ),
    (JORDANS, "/agreement?lang=en&easy=yes", "They may see it with your name.", "Only the manager"),
    (JORDANS, "/agreement?lang=cy", "a chaiff ei weld gyda dy enw", "Dim ond y rheolwr"),
    (KATES, "/agreement?lang=en", "The manager alone can read it here.", "Staff who work with you"),
    (KATES, "/agreement?lang=en&easy=yes", "Only the manager can read it here.", "Staff who work with you"),
    (KATES, "/agreement?lang=cy", "Dim ond y rheolwr all ei ddarllen yma.", "Gall staff sy’n gweithio"),
];

#[tokio::test]
async fn what_a_page_promises_is_so() {
    let young = Young::over(Play::of(HOME, &[("jordan", JORDAN), ("kate", KATE)]).await);
    for (from, path, said, not) in PROMISES {
        let (_, page) = young.get(from, path).await;
        assert!(page.contains(said) && !page.contains(not), "{from} {path}: {page}");
    }
}

/// What is told of what counts, in each voice: telling by itself, how soon and how often; staff's mark; what always counts.
const COUNTS: [(&str, [&str; 5], &str); 3] = [
    (
        "lang=en",
        [
            "with “Saw something that upset you?”, what was refused up to 15 minutes before does not count",
            "That works 2 times an hour.",
            "If you tell them in person, they can mark it",
            "then it does not count either",
            "What counts as high or critical always counts.",
        ],
        "What you told staff yourself does not count",
    ),
    (
        "lang=en&easy=yes",
        [
            "Tell us with “Saw something that upset you?”.",
            "the last 15 minutes do not count",
            "2 times an hour",
            "They can mark it.",
            "High and critical always count.",
        ],
        "If you told us, it does not count.",
    ),
    (
        "lang=cy",
        [
            "gyda “Wedi gweld rhywbeth a wnaeth dy ypsetio?”",
            "hyd at 15 munud cyn hynny",
            "2 waith yr awr",
            "gallan nhw nodi hynny",
            "fel uchel neu gritigol bob amser yn cyfrif",
        ],
        "Nid yw beth ddywedaist ti dy hun wrth staff yn cyfrif",
    ),
];

#[tokio::test]
async fn what_counts_is_told_as_it_is_counted() {
    assert_eq!((records::GRACE.num_minutes(), records::MARKING_REPORTS), (15, 2), "the words below");
    let jordan = JORDAN.to_owned() + "consequences: [{after: 3 breaches in 7 days, suggest: a talk}]\n";
    let young = Young::over(Play::of(HOME, &[("jordan", &jordan)]).await);
    for (voice, said, not) in COUNTS {
        let (_, page) = young.get(JORDANS, &format!("/agreement?{voice}")).await;
        for said in said {
            assert!(page.contains(said), "{voice}: `{said}` is told: {page}");
        }
        assert!(!page.contains(not), "{voice}: `{not}` is not so");
    }
}

#[tokio::test]
async fn two_ways_to_show_a_pin_say_what_differs() {
    let young = Young::new().await;
    for (voice, signs_in, shows) in [
        ("lang=en", "Sign in to go online by your own agreement.", "It opens no sites."),
        ("lang=cy", "Mewngofnoda i fynd ar-lein", "Nid yw’n agor safleoedd."),
        ("lang=en&easy=yes", "Then your own agreement holds here.", "It opens no sites."),
    ] {
        let (_, page) = young.get(LOUNGE, &format!("/?{voice}")).await;
        assert!(page.contains(signs_in) && page.contains(shows), "{voice}: {page}");
    }
    assert!(
        !young.get(JORDANS, "/?lang=en").await.1.contains("Sign in to go"),
        "nobody signs in on their own"
    );
}

#[tokio::test]
async fn what_staff_closed_stands_on_their_own_page() {
    let young = Young::new().await;
    let restriction = [
        ("person", "jordan"),
        ("closes", "video.example"),
        ("reason", "A stranger asked Jordan to meet; the police are informed"),
        ("tried", "Blocked the account, talked it through"),
        ("until", "2026-11-25T20:00"),
        ("review", "2026-11-24"),
        ("consent", "A. Mensah, Leeds"),
        ("consent_on", "2026-11-22"),
        ("told_on", "2026-11-22"),
        ("view", "fair enough"),
    ];
    let done = young.play.signed_in("r.osei").await.post("/restrictions/place", &restriction).await;
    assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    young.play.settle().await;
    for (voice, said) in [
        ("lang=en", "video.example, since 17:30, until 20:00 on Wednesday. Staff look again by 24 November."),
        ("lang=en", "You may say what you think of it at any time. You can complain, too:"),
        (
            "lang=cy",
            "video.example, ers 17:30, tan 20:00 dydd Mercher. Bydd staff yn edrych arno eto erbyn 24 Tachwedd.",
        ),
        ("lang=en&easy=yes", "You may say what you think."),
    ] {
        let (_, page) = young.get(JORDANS, &format!("/?{voice}")).await;
        assert!(page.contains(said), "{said}: {page}");
        assert!(!page.contains("A stranger"), "why is not for whoever looks over a shoulder: {page}");
    }
    for other in [super::SAMS, LOUNGE] {
        assert!(
            !young.get(other, "/?lang=en").await.1.contains("Closed for now"),
            "nobody else's page says so"
        );
    }
    young.play.clock.advance(std::time::Duration::from_secs(4 * 86_400));
    assert!(!young.get(JORDANS, "/?lang=en").await.1.contains("Closed for now"), "it is over");
}
