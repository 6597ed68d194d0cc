//! The reading age of everything that a young person reads in English: eleven or below, which is a grade of six or below
//! (Flesch and Kincaid: grades count from the age of five).

use super::voice::english;
use agreements::DETECTORS;
use blocklists::Category;
use std::collections::BTreeMap;

/// The sentences that the decision says: one for each rule and reason, a new rule brings its own.
const DECISIONS: &str = include_str!("../../../agreements/tests/sentences.txt");
/// What a page says altogether, and one sentence alone: a short one with one long word in it is not hard.
const OF_A_PAGE: f64 = 6.0;
const OF_A_SENTENCE: f64 = 10.0;
const OF_EASY_READ: f64 = 3.0;
/// More words than these are not a short label.
const LABEL: usize = 6;
/// Easy-read sentences have no more words than these, and others than those.
const EASY: usize = 12;
const PLAIN: usize = 22;

/// How many syllables a word has, as near as counting its vowels comes.
fn syllables(word: &str) -> usize {
    if word.trim_end_matches('.').contains('.') {
        // The name of a site is looked at and not read out.
        return 2;
    }
    let letters: Vec<char> =
        word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    let is_vowel = |c: char| "aeiouy".contains(c);
    let mut count = 0;
    let mut before = false;
    for &letter in &letters {
        count += usize::from(is_vowel(letter) && !before);
        before = is_vowel(letter);
    }
    let from_end = |n: usize| letters.len().checked_sub(n).map(|at| letters[at]);
    let third = from_end(3);
    let silent = match (from_end(2), from_end(1)) {
        (Some('l'), Some('e')) => third.is_none_or(is_vowel),
        (_, Some('e')) => true,
        (Some('e'), Some('d')) => third.is_some_and(|c| !is_vowel(c) && !"td".contains(c)),
        (Some('e'), Some('s')) => third.is_some_and(|c| !is_vowel(c) && !"sxzcgh".contains(c)),
        _ => false,
    };
    if silent && count > 1 { count - 1 } else { count.max(1) }
}

/// The words of each sentence.
fn sentences(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let word = |word: &&str| word.contains(|c: char| c.is_alphabetic());
    // A stop within a word (example.org) ends nothing.
    let ends = |(before, c): (char, char)| matches!(before, '.' | '?' | '!' | ':' | ';') && c == ' ';
    let mut cuts: Vec<usize> = vec![0];
    let pairs = text.chars().zip(text.char_indices().skip(1));
    cuts.extend(pairs.filter(|(before, (_, c))| ends((*before, *c))).map(|(_, (at, _))| at));
    cuts.push(text.len());
    let parts: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
    parts
        .into_iter()
        .map(move |part| part.split_whitespace().filter(word).collect())
        .filter(|w: &Vec<_>| !w.is_empty())
}

/// The grade of some texts together.
fn grade<'t>(texts: impl IntoIterator<Item = &'t str>) -> f64 {
    let (mut all, mut words, mut beats) = (0_u32, 0_u32, 0_u32);
    for sentence in texts.into_iter().flat_map(|text| sentences(text).collect::<Vec<_>>()) {
        all += 1;
        words += u32::try_from(sentence.len()).unwrap();
        beats += sentence.iter().map(|word| u32::try_from(syllables(word)).unwrap()).sum::<u32>();
    }
    assert!(all > 0, "there is something to read");
    let (all, words, beats) = (f64::from(all), f64::from(words), f64::from(beats));
    0.39 * words / all + 11.8 * beats / words - 15.59
}

/// A text as it reads with a name put in.
fn filled(said: &str) -> String {
    let mut text = String::new();
    for (n, part) in said.split(['{', '}']).enumerate() {
        text.push_str(if n % 2 == 1 { "Sam" } else { part });
    }
    text
}

/// What the pages say, by the page, without the easy words.
fn pages() -> BTreeMap<&'static str, Vec<String>> {
    let mut pages: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, said) in english().filter(|(key, _)| !key.ends_with(".easy")) {
        pages.entry(key.split('.').next().unwrap()).or_default().push(filled(said));
    }
    pages
}

/// The sentences of the decision and of the detectors, and what kinds of site are called, as a young person has them before them.
fn decisions() -> Vec<String> {
    let lines = DECISIONS.lines().filter(|line| !line.starts_with('#'));
    let told = lines.filter_map(|line| line.rsplit_once('|')).map(|(_, told)| told.trim().to_owned());
    let detected = DETECTORS.iter().map(|row| row.to_you.to_owned());
    told.chain(detected).chain(Category::all().map(|kind| kind.for_young_person().to_owned())).collect()
}

#[test]
fn syllables_are_counted() {
    for (word, count) in [
        ("site", 1),
        ("open", 2),
        ("table", 2),
        ("agreement", 3),
        ("closed", 1),
        ("started", 2),
        ("sites", 1),
        ("pages", 2),
        ("device", 2),
        ("you’re", 1),
        ("together", 3),
        ("0800", 1),
    ] {
        assert_eq!(syllables(word), count, "{word}");
    }
    let hard = ["Notwithstanding the aforementioned regulatory provisions, connectivity is discontinued."];
    assert!(grade(hard) > 15.0, "{}", grade(hard));
}

#[test]
fn an_eleven_year_old_reads_every_page() {
    for (page, said) in pages() {
        // What has few words is judged with the others, and sentence by sentence.
        let words: usize = said.iter().map(|text| text.split_whitespace().count()).sum();
        if words >= 25 {
            let grade = grade(said.iter().map(String::as_str));
            assert!(grade <= OF_A_PAGE, "{page}: {grade}");
        }
    }
    let decisions = decisions();
    assert!(decisions.len() > 60, "{}", decisions.len());
    let grade_of_all = grade(decisions.iter().map(String::as_str));
    assert!(grade_of_all <= OF_A_PAGE, "{grade_of_all}");
}

#[test]
fn no_sentence_is_long_or_hard() {
    let every: Vec<String> = pages().into_values().flatten().chain(decisions()).collect();
    assert!(every.len() > 250, "{}", every.len());
    for text in &every {
        for sentence in sentences(text) {
            assert!(sentence.len() <= PLAIN, "{} words: {text}", sentence.len());
            if sentence.len() > LABEL {
                let grade = grade([sentence.join(" ").as_str()]);
                assert!(grade <= OF_A_SENTENCE, "{grade}: {text}");
            }
        }
    }
}

#[test]
fn whatever_is_more_than_a_label_has_easy_words() {
    let easy: BTreeMap<&str, &str> = english().filter(|(key, _)| key.ends_with(".easy")).collect();
    let long =
        english().filter(|(key, said)| !key.ends_with(".easy") && said.split_whitespace().count() > LABEL);
    let without: Vec<_> =
        long.filter(|(key, _)| !easy.contains_key(format!("{key}.easy").as_str())).collect();
    assert!(without.is_empty(), "{without:#?}");
    for (key, said) in &easy {
        let text = filled(said);
        for sentence in sentences(&text) {
            assert!(sentence.len() <= EASY, "{key}: {said}");
        }
    }
    let grade = grade(easy.values().copied());
    assert!(easy.len() > 90 && grade <= OF_EASY_READ, "{grade}");
}
