//! What a text that is no YAML is told: in a manager's words, and at the place that needs mending.
//!
//! The parser stops where it can go no further, which is often a line or two after the slip: an open bracket is
//! noticed at the next colon, a missing colon at the line below. Each case here goes back to the slip.

use super::Fault;
use granit_parser::ErrorKind;
use std::ops::Range;

/// Where the parser stood.
pub(super) struct Place {
    /// Where it stopped.
    pub(super) at: usize,
    /// The end of the last thing it understood.
    pub(super) reached: usize,
    /// The last single value.
    pub(super) last: Range<usize>,
    /// The innermost `[` or `{` that is still open.
    pub(super) flow: Option<usize>,
}

/// The place and words for one of the parser's errors.
pub(super) fn explain(text: &str, kind: &ErrorKind, place: &Place) -> Fault {
    use ErrorKind as E;
    match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabAtBlockScalarStart
        | E::TabInIndentation
        | E::TabInPlainScalar => tab(text, place),
        E::InvalidQuotedScalarIndent | E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => {
            unclosed_quote(text, place)
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => after_quote(place.at),
        E::MappingValueNotAllowed => colon(text, place),
        E::SimpleKeyExpected | E::InvalidSimpleKey => no_colon(text, place.at),
        E::RecursionLimitExceeded => too_deep(place.at),
        E::MisplacedFlowCollectionEnd => stray_bracket(place.at),
        E::MismatchedFlowCollectionEnd { open, close } => wrong_bracket(text, place.at, *open, *close),
        E::UnexpectedCharacter { character } => character_first(place.at, *character),
        E::UnknownAnchor => unknown_alias(place.at),
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => dash(place.at),
        E::ExpectedBlockMappingKey | E::ExpectedBlockSequenceEntry | E::InvalidIndentation => {
            indentation(text, place.at)
        }
        _ if place.flow.is_some() => open_bracket(text, place),
        E::UnknownQuotedScalarEscape | E::InvalidQuotedScalarHexEscape | E::InvalidUnicodeEscape => {
            escape(place.at)
        }
        _ => other(place.at),
    }
}

/// Too many lists and blocks in each other.
pub(super) fn too_deep(at: usize) -> Fault {
    let help =
        "Nothing in a home's files needs more than four levels: check the indentation and the brackets.";
    Fault::new(at, "too-deep", "Blocks and lists stand too deep inside each other here.", help)
}

fn tab(text: &str, place: &Place) -> Fault {
    // The parser points at what it read last, often a line too early: the tab is the next one, or the one just read.
    let at = text[place.at..].find('\t').map(|i| place.at + i).or_else(|| text[..place.at].rfind('\t'));
    let help = "Delete the tab and type spaces: two for each level.";
    Fault::new(at.unwrap_or(place.at), "tab", "There is a tab here, and only spaces can indent a line.", help)
}

fn unclosed_quote(text: &str, place: &Place) -> Fault {
    let from = place.reached.min(text.len());
    let at = text[from..].find(['"', '\'']).map_or(place.at, |i| from + i);
    let mark = if text[at..].starts_with('\'') { "'" } else { "\"" };
    let sentence = format!("The quotation that begins here with {mark} is never closed on its line.");
    Fault::new(at, "open-quote", sentence, format!("Put {mark} at the end of the value."))
}

fn after_quote(at: usize) -> Fault {
    let help = "Inside '…' write an apostrophe twice (it''s), or put the whole value between \"…\".";
    Fault::new(at, "after-quote", "Something stands after the closing quotation mark.", help)
}

/// A colon where none can be: the line above lacks its own, or this line is indented into it, or a value has one.
fn colon(text: &str, place: &Place) -> Fault {
    let line = line_start(text, place.at);
    if place.last.start < line && place.last.end > line {
        return if first_of_line(text, place.last.start) {
            no_colon(text, place.last.start)
        } else {
            let at = line + indent(text, line);
            let help = "Give this line the same number of spaces as the line it belongs beside.";
            Fault::new(at, "indentation", "This line is indented as if it went on with the line above.", help)
        };
    }
    let help = "Put the value between \"…\" if the colon is part of it; otherwise begin a new line.";
    Fault::new(place.at, "second-colon", "There is a second colon in this line.", help)
}

fn no_colon(text: &str, at: usize) -> Fault {
    let line = text[at..].lines().next().unwrap_or_default();
    let word = line.split([' ', ':']).next().unwrap_or_default();
    let tight = line.find(':').is_some_and(|i| !line[i + 1..].starts_with(' '));
    if tight {
        let help = "Put a space after the colon.";
        return Fault::new(
            at,
            "no-space-after-colon",
            "A colon needs a space after it, else it is part of the word.",
            help,
        );
    }
    let help = format!("Write `{}: …`.", word.chars().take(40).collect::<String>());
    Fault::new(at, "no-colon", "This line has no colon after its first word.", help)
}

fn open_bracket(text: &str, place: &Place) -> Fault {
    let at = place.flow.unwrap_or(place.at);
    let (open, close) = if text[at..].starts_with('{') { ('{', '}') } else { ('[', ']') };
    let help = format!("Put `{close}` where it ends, and a comma between what stands inside.");
    Fault::new(at, "open-bracket", format!("The `{open}` that opens here is never closed."), help)
}

fn stray_bracket(at: usize) -> Fault {
    let help = "Take it out, or put in the bracket that opens it.";
    Fault::new(at, "stray-bracket", "This bracket closes something that was never opened.", help)
}

fn wrong_bracket(text: &str, at: usize, open: char, close: char) -> Fault {
    // The parser points at the bracket that opens.
    let at = text[at..].find(close).map_or(at, |i| at + i);
    let right = if open == '{' { '}' } else { ']' };
    let sentence = format!("`{close}` stands here, but `{open}` was opened.");
    Fault::new(at, "wrong-bracket", sentence, format!("Write `{right}`."))
}

fn character_first(at: usize, character: char) -> Fault {
    let shown = character.escape_default();
    let help = "Put the value between \"…\".";
    Fault::new(at, "bad-character", format!("A value cannot begin with `{shown}`."), help)
}

fn unknown_alias(at: usize) -> Fault {
    let help =
        "Put the value between \"…\". For a site and all below it, write the site alone: no star is needed.";
    Fault::new(at, "bad-character", "A value cannot begin with `*`.", help)
}

fn dash(at: usize) -> Fault {
    let help = "Begin a new line before the dash, or write the list as [one, two].";
    Fault::new(at, "stray-dash", "A list cannot begin here.", help)
}

fn indentation(text: &str, at: usize) -> Fault {
    let line = line_start(text, at);
    let help = "Give this line the same number of spaces as the lines it belongs beside.";
    let at = line + indent(text, line);
    Fault::new(at, "indentation", "This line does not stand where the lines around it do.", help)
}

fn escape(at: usize) -> Fault {
    let help = "Write the value between '…' instead, where `\\` is an ordinary character.";
    Fault::new(at, "bad-escape", "Between \"…\" the sign `\\` has a meaning of its own.", help)
}

fn other(at: usize) -> Fault {
    let help = "Look for a missing colon, bracket or quotation mark here and in the line above.";
    Fault::new(at, "unreadable", "The file cannot be understood from here on.", help)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |i| i + 1)
}

/// How many spaces a line begins with.
fn indent(text: &str, line: usize) -> usize {
    text[line..].bytes().take_while(|&b| b == b' ').count()
}

fn first_of_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].chars().all(|c| c == ' ')
}
