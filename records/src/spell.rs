//! How the records spell what agreements mean, and read it back.

use agreements::{LimitKey, What, Word};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The word that a plain enum serialises to (`navigation`).
pub(crate) fn word(of: &impl Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// The enum's value for a word.
pub(crate) fn read<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::String(word.to_owned())).ok()
}

/// Reads a word of the language. None where this build no longer knows the service or category.
pub(crate) fn to_word(text: &str) -> Option<Word> {
    Word::parse(text).ok()
}

/// A limit's key: `everything` or its word.
pub(crate) fn of_key(key: &LimitKey) -> String {
    match key {
        LimitKey::Everything => "everything".to_owned(),
        LimitKey::Word(word) => word.to_string(),
    }
}

/// Reads what [`of_key`] wrote.
pub(crate) fn to_key(text: &str) -> Option<LimitKey> {
    if text == "everything" { Some(LimitKey::Everything) } else { to_word(text).map(LimitKey::Word) }
}

/// What a grant or restriction is about: none for everything.
pub(crate) fn of_what(what: &What) -> Option<Vec<String>> {
    match what {
        What::Everything => None,
        What::Words(words) => Some(words.iter().map(Word::to_string).collect()),
    }
}

/// Reads what [`of_what`] wrote, without the words that this build no longer knows.
pub(crate) fn to_what(words: Option<&[String]>) -> What {
    words.map_or(What::Everything, |words| What::Words(to_words(words)))
}

/// Reads words, without those that this build no longer knows.
pub(crate) fn to_words(words: &[String]) -> Vec<Word> {
    words.iter().filter_map(|w| to_word(w)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for text in ["bbc.co.uk", "=www.bbc.co.uk", "bbc.co.uk/bitesize", "gambling", "tiktok"] {
            let word = to_word(text).unwrap_or_else(|| panic!("`{text}`"));
            assert_eq!(word.to_string(), text);
        }
        assert_eq!(to_word("no_such_category"), None);
        assert_eq!(to_key("everything"), Some(LimitKey::Everything));
    }
}
