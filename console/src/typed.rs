//! Words of the language as staff type them, and what would be right where one is none.

use agreements::{NotAWord, What, Word, did_you_mean};

/// Why something typed is no word: a sentence, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What is wrong.
    pub sentence: String,
    /// What would be right; may be empty.
    pub help: String,
}

/// Reads a word of the language.
pub fn word(text: &str) -> Result<Word, Unread> {
    Word::parse(text.trim()).map_err(|wrong| {
        let (sentence, help) = match wrong {
            NotAWord::Domain(why) => (format!("`{text}` is no site: {why}"), String::new()),
            NotAWord::PublicSuffix(_) => {
                (format!("`{text}` would cover strangers' sites"), "name the site below it".to_owned())
            }
            NotAWord::Url(meant) | NotAWord::Star(meant) => {
                (format!("`{text}` is no site"), format!("write `{meant}`"))
            }
            NotAWord::HostAndPath => (
                format!("`{text}` is both a host alone and a path"),
                "leave out the `=` or the path".to_owned(),
            ),
            NotAWord::Unknown(near) => {
                let near: Vec<&str> = near.iter().map(AsRef::as_ref).collect();
                (format!("`{text}` is no site, service or category"), did_you_mean(&near))
            }
        };
        Unread { sentence, help }
    })
}

/// Reads words, or `everything`.
pub fn what<S: AsRef<str>>(words: &[S]) -> Result<What, Unread> {
    if words.iter().any(|w| w.as_ref().trim() == "everything") {
        return Ok(What::Everything);
    }
    Ok(What::Words(words.iter().map(|w| word(w.as_ref())).collect::<Result<_, _>>()?))
}

/// Words that somebody typed into one field, between commas or spaces.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
