//! Whom somebody can talk to: everybody who helps in the home's nation, and everybody whom the home has added.

use super::{JORDANS, STRANGER, Young};
use crate::desk::tests::play::{HOME, JORDAN, Play};
use blocklists::builtin::{Nation, support, support_in};

/// A home of a nation with five helplines of its own.
async fn of(nation: &str) -> Young {
    let own = "support: [oakviewhouse.example, one.example, two.example, three.example, four.example]";
    let home = HOME.replace("support: [oakviewhouse.example]", own)
        + &format!("school:\n  bank_holidays: {nation}\n");
    Young::over(Play::of(&home, &[("jordan", JORDAN)]).await)
}

#[tokio::test]
async fn everybody_who_helps_in_the_nation_stands_there() {
    for (word, nation, advocate, elsewhere) in [
        ("england", Nation::England, "coramvoice.org.uk", "careinspectorate.wales"),
        ("wales", Nation::Wales, "meiccymru.org", "ofsted.gov.uk"),
        ("scotland", Nation::Scotland, "whocaresscotland.org", "ofsted.gov.uk"),
        ("northern-ireland", Nation::NorthernIreland, "voypic.org", "ofsted.gov.uk"),
    ] {
        let young = of(word).await;
        for from in [JORDANS, STRANGER] {
            let [talk, policy] = [("/talk?lang=en"), ("/policy?lang=en")].map(|path| young.get(from, path));
            let ((_, talk), (_, policy)) = (talk.await, policy.await);
            let (first, more) = talk.split_once("id=\"more\"").expect("those who come first, and the others");
            let stands = |page: &str, host: &str| page.contains(&format!("<a href=\"https://{host}/\">"));
            for host in [advocate, "ceop.police.uk", "iwf.org.uk"] {
                assert!(stands(first, host) && stands(&policy, host), "{word}: {host}: {talk}");
            }
            for contact in support_in(nation) {
                let (host, reach) = (contact.host, contact.reach());
                assert!(stands(first, host) && first.contains(reach), "{word}: {host} on /talk: {first}");
                assert!(stands(&policy, host) && policy.contains(reach), "{word}: {host} on /policy");
            }
            for contact in support().iter().filter(|contact| contact.topic.is_some()) {
                let (host, helps) = (contact.host, contact.helps_in(nation));
                assert_eq!(stands(more, host), helps, "{word}: {host}");
            }
            assert!(!stands(&talk, elsewhere), "{word}: who helps elsewhere alone");
            for own in ["oakviewhouse.example", "one.example", "two.example", "three.example", "four.example"]
            {
                assert!(stands(first, own) && stands(&policy, own), "{word}: the home's own {own}");
            }
        }
    }
}

#[tokio::test]
async fn pages_are_always_open_and_telephones_are_not() {
    let young = of("england").await;
    for (voice, said) in [
        ("lang=en", "These pages always open, day and night. Some phone lines close at night."),
        ("lang=en&easy=yes", "Some phone lines close at night."),
        ("lang=cy", "Mae rhai llinellau ffôn ar gau yn y nos."),
        ("lang=cy&easy=yes", "Mae rhai llinellau ffôn ar gau yn y nos."),
    ] {
        let (_, page) = young.get(JORDANS, &format!("/talk?{voice}")).await;
        assert!(page.contains(said) && !page.contains("always work"), "{voice}: {page}");
    }
}
