//! In Welsh nothing of the fixed words stays English, and what somebody wrote says that it is in another language.

use super::{JORDANS, LOUNGE, OWN, STRANGER, Young, token};
use crate::desk::tests::play::{HOME, JORDAN, Play};
use crate::desk::tests::shifts::happens;
use crate::pages::addresses;
use crate::young::KIND;
use crate::young::voice::{english, welsh};
use blocklists::Category;
use records::{Clock, Which};

/// Words that stand in English sentences and in no Welsh one.
const ENGLISH: [&str; 14] =
    ["the", "and", "you", "your", "this", "with", "for", "was", "not", "that", "it", "of", "is", "will"];

/// What a reader of a page reads or hears, each with the language that it is in.
fn said(page: &str) -> Vec<(String, String)> {
    let empty = ["meta", "input", "link", "br", "img", "rect", "!doctype"];
    let mut open: Vec<(String, String)> = Vec::new();
    let mut said = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag that ends");
        let name = tag.split([' ', '/']).next().unwrap_or_default().to_lowercase();
        if let Some(closed) = tag.strip_prefix('/') {
            let last = open.pop().map(|(name, _)| name);
            assert_eq!(last.as_deref(), Some(closed), "{page}");
        } else {
            let outer = open.last().map(|(_, lang)| lang.clone()).unwrap_or_default();
            let of = |attribute: &str| {
                let value = tag.split(&format!(" {attribute}=\"")).nth(1)?;
                value.split('"').next().map(str::to_owned)
            };
            let lang = of("lang").unwrap_or(outer);
            for heard in ["aria-label", "placeholder", "title", "alt"].into_iter().filter_map(of) {
                said.push((lang.clone(), heard));
            }
            if !empty.contains(&name.as_str()) && !tag.ends_with('/') {
                open.push((name, lang));
            }
        }
        let (within, lang) = open.last().cloned().unwrap_or_default();
        if !text.trim().is_empty() && within != "style" && within != "script" {
            said.push((lang, text.trim().replace("&#39;", "'").replace("&#38;", "&")));
        }
    }
    assert!(open.is_empty(), "{open:?}: {page}");
    said
}

/// What is English in a text of a Welsh page: fixed words that have a Welsh, a kind of site, or a sentence.
fn stays_english(text: &str) -> Option<String> {
    for (key, words) in english().filter(|(key, words)| welsh(key) != *words) {
        let parts: Vec<&str> = words.split(['{', '}']).step_by(2).map(str::trim).collect();
        let whole = parts.len() == 1 && text == words;
        let long = |part: &&&str| part.split_whitespace().count() >= 3;
        if whole || parts.iter().filter(long).any(|part| text.contains(part)) {
            return Some(format!("{key} = {words}"));
        }
    }
    let listed: Vec<&str> = text.split([',', ':']).map(|part| part.trim().trim_end_matches('.')).collect();
    let kind = |kind: &Category| listed.contains(&kind.for_young_person()) || listed.contains(&kind.word());
    if let Some(kind) = Category::all().find(kind) {
        return Some(kind.word().to_owned());
    }
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic() && c != '’')
        .map(str::to_lowercase)
        .filter(|word| ENGLISH.contains(&word.as_str()))
        .collect();
    (words.len() >= 2).then(|| words.join(" "))
}

/// A home in which everything that a page can say of Jordan is so.
async fn full() -> Young {
    let jordan = JORDAN
        .replace("block: [games.example]", "block: [games.example, gambling, omegle]")
        .replace("ask: [chat.example]", "ask: [chat.example, social_networks]")
        .replace("  video.example: 45m\n", "  video.example: 45m\n  games: 1h\n")
        .replace(
            "young_person: {on: 2026-11-02}",
            "young_person: {on: 2026-11-02, view: it is fine with me and you}",
        )
        + "behaviour: [\"I will tell the staff if somebody asks for a picture of me.\"]\n\
           tell_someone: You can talk to the staff with you at any time.\n\
           monitoring: {level: categories, until: 2026-11-30, reason: it was agreed at the strategy meeting for this, authorised_by: R. Osei, told_on: 2026-11-20}\n";
    let lounge = "person: Lounge\nfor: device\ndevices:\n  - {name: lounge, ip: 192.0.2.3}\nonline: {every_day: 09:00-21:00}\nlimits: {games: 1h}\notherwise: block\n";
    let home =
        HOME.replace("block: [pornography, circumvention]", "block: [pornography, circumvention, gambling]");
    let young = Young::over(Play::of(&home, &[("jordan", &jordan), ("lounge", lounge)]).await);
    let play = &young.play;
    happens(play, "jordan", "games.example").await;
    let mut kate = play.signed_in("k.lane").await;
    for (place, _) in KIND.iter().enumerate() {
        let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
        let form = [("kind", place.to_string()), ("why", String::new())];
        let form = form.each_ref().map(|(key, value)| (*key, value.as_str()));
        assert_eq!(kate.post(&format!("/asks/{ask}/no"), &form).await.location(), "/asks?done=no");
    }
    let ask = play.records.ask("jordan", "chat.example", "").await.unwrap();
    kate.post(&format!("/asks/{ask}/no"), &[("why", "not this week, it is with the school")]).await;
    for (what, words) in [("sites", "social_networks"), ("time", "games")] {
        let form = [("what", what), ("words", words), ("of", words), ("for", "30m"), ("why", "as we said")];
        let given = kate.post("/give/jordan", &form).await;
        assert!(given.status.is_redirection(), "{what}: {}", given.words());
    }
    kate.post("/people/jordan/show", &[]).await;
    kate.post("/people/jordan/incident", &[("words", "the two fell out"), ("about", "0"), ("at", "")]).await;
    let restriction = [
        ("person", "jordan"),
        ("closes", "dating, video.example"),
        ("reason", "A stranger asked Jordan to meet; the police are informed"),
        ("tried", "Talked it through"),
        ("until", "2026-11-25T20:00"),
        ("review", "2026-11-24"),
        ("consent", "A. Mensah, Leeds"),
        ("consent_on", "2026-11-22"),
        ("told_on", "2026-11-22"),
        ("view", "fair enough"),
    ];
    let done = play.signed_in("r.osei").await.post("/restrictions/place", &restriction).await;
    assert_eq!(done.location(), "/restrictions?done=placed", "{}", done.words());
    play.settle().await;
    let origin = format!("http://{OWN}");
    for (kind, words) in
        [("not_me", ""), ("advert", "it was on the game"), ("mistake", ""), ("", "for my art")]
    {
        let (_, page) = young.get(JORDANS, "/recorded?lang=cy").await;
        let entry = young.play.records.episodes(&Which::default()).await.unwrap()[0].entry;
        let form =
            format!("entry={entry}&token={}&kind={kind}&words={words}", token(&page)).replace(' ', "+");
        assert!(young.post(JORDANS, "/hearthgate/note?lang=cy", &origin, &form).await.0.is_success());
    }
    young
}

#[tokio::test]
async fn a_welsh_page_says_nothing_of_its_own_in_english() {
    let young = full().await;
    let mut looked = 0;
    for voice in ["lang=cy", "lang=cy&easy=yes"] {
        for from in [JORDANS, LOUNGE, STRANGER] {
            for path in addresses() {
                let (_, page) = young.get(from, &format!("{path}?host=chat.example&{voice}")).await;
                for (_, text) in said(&page).iter().filter(|(lang, _)| lang == "cy") {
                    let english = stays_english(text);
                    assert_eq!(english, None, "{path}?{voice} from {from} says `{text}`");
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 500, "{looked}");
}

/// What stands on a page of Jordan's, in which language.
const STANDS: [(&str, &str, &str, &str); 14] = [
    ("/", "lang=cy", "cy", "Ddim heno: mae’n hwyr, ac mae cwsg yn bwysig. Gofynna i mi eto yfory."),
    ("/", "lang=cy&easy=yes", "cy", "Mae’n hwyr, ac mae cwsg yn bwysig. Gofynna eto yfory."),
    ("/", "lang=en&easy=yes", "en-GB", "It is late, and sleep matters. Ask me again tomorrow."),
    ("/", "lang=cy", "en-GB", "not this week, it is with the school"),
    ("/", "lang=cy", "en-GB", "it was agreed at the strategy meeting for this."),
    ("/", "lang=cy", "cy", "cyfryngau cymdeithasol"),
    ("/", "lang=cy", "cy", "canlyn, video.example"),
    ("/recorded", "lang=cy", "cy", "Nid fi oedd hwnna"),
    ("/recorded", "lang=cy", "", " it was on the game"),
    ("/recorded", "lang=cy", "en-GB", "I will tell the staff if somebody asks for a picture of me."),
    ("/agreement", "lang=cy", "cy", "safleoedd betio, Omegle a rhai tebyg"),
    ("/agreement", "lang=cy", "en-GB", "it is fine with me and you"),
    ("/hearthgate/ask?host=chat.example", "lang=cy", "cy", "Rhaid i staff ddweud iawn yn gyntaf."),
    ("/hearthgate/ask?host=chat.example", "lang=en&easy=yes", "en-GB", "Staff have to say yes first."),
];

#[tokio::test]
async fn what_is_chosen_is_translated_and_what_is_written_says_in_what_language() {
    let young = full().await;
    for (path, voice, lang, words) in STANDS {
        let path = format!("{path}{}{voice}", if path.contains('?') { '&' } else { '?' });
        let (_, page) = young.get(JORDANS, &path).await;
        let all = said(&page);
        let found = all.iter().any(|(in_lang, text)| in_lang == lang && text.contains(words.trim()));
        assert!(found, "{path}: no `{words}` in `{lang}`: {all:#?}");
    }
    // The week's limits, and what staff read, in their own words.
    assert!(young.get(JORDANS, "/week?lang=cy").await.1.contains("gemau 1 awr"));
    let kept =
        young.play.records.asks(Some(young.play.clock.now() - chrono::TimeDelta::hours(1))).await.unwrap();
    assert!(kept.iter().any(|ask| {
        ask.answered.as_ref().is_some_and(|said| said.reason.starts_with("Not tonight: it is late"))
    }));
}
