//! What a suggestion or a reason takes away, or that it punishes, as far as its wording shows it.
//!
//! The tables know some words and no meaning: what they miss is for the manager to see, and what they find is said with
//! its regulation.

use super::{Unlawful, add};

/// Where a word that takes away must stand for a phrase to be meant.
#[derive(Clone, Copy)]
enum Near {
    /// Nowhere: the phrase says it all.
    Anyway,
    /// Before or after it, with so many words between at most: `no e-mail`, `e-mail is switched off`.
    Within(usize),
    /// After it, with so many words between at most: the phrase is who loses.
    Loses(usize),
}

/// What a consequence must never take, by the words that it is written with.
struct Forbidden {
    phrases: &'static [&'static str],
    near: Near,
    regulation: &'static str,
    sentence: &'static str,
}

const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        phrases: &[
            "mail",
            "mails",
            "e-mail",
            "email",
            "e-mails",
            "emails",
            "webmail",
            "inbox",
            "gmail",
            "outlook",
            "hotmail",
            "protonmail",
            "icloud mail",
        ],
        near: Near::Within(2),
        regulation: "Reg 22",
        sentence: "A consequence cannot take private mail away.",
    },
    Forbidden {
        phrases: &[
            "helpline",
            "helplines",
            "childline",
            "samaritans",
            "advocate",
            "advocacy",
            "support sites",
        ],
        near: Near::Within(2),
        regulation: "Reg 19(2)(c)",
        sentence: "A consequence cannot take helplines or advocacy away.",
    },
    Forbidden {
        phrases: &[
            "hearing aid",
            "hearing aids",
            "captions",
            "aac",
            "screen reader",
            "communication aid",
            "communication aids",
        ],
        near: Near::Within(2),
        regulation: "Reg 19(2)(h)",
        sentence: "A consequence cannot take away what a disabled young person needs.",
    },
    Forbidden {
        phrases: &[
            "contact",
            "calls to",
            "call to",
            "calls home",
            "call home",
            "calls with",
            "phone calls",
            "phone call",
            "visits",
            "visit",
            "family time",
            "letters",
        ],
        near: Near::Within(2),
        regulation: "Reg 19(2)(c)",
        sentence: "A consequence cannot limit contact with family, friends or professionals.",
    },
    Forbidden {
        phrases: &[
            "food",
            "drink",
            "drinks",
            "meal",
            "meals",
            "breakfast",
            "lunch",
            "dinner",
            "tea",
            "supper",
            "pudding",
            "dessert",
            "snack",
            "snacks",
            "sweets",
            "takeaway",
        ],
        near: Near::Within(1),
        regulation: "Reg 19(2)(b)",
        sentence: "A consequence cannot take food or drink away.",
    },
    Forbidden {
        phrases: &["sleep"],
        near: Near::Within(1),
        regulation: "Reg 19(2)(e)",
        sentence: "A consequence cannot take sleep away.",
    },
    Forbidden {
        phrases: &[
            "a fine of",
            "a fine for",
            "pay a fine",
            "pays a fine",
            "gets a fine",
            "fined",
            "fines",
            "pound fine",
        ],
        near: Near::Anyway,
        regulation: "Reg 19(2)(f)",
        sentence: "A consequence cannot be a fine. To pay a fair sum towards what was damaged is not one.",
    },
    Forbidden {
        phrases: &["pocket money", "allowance", "spending money"],
        near: Near::Within(2),
        regulation: "Reg 19(2)(f)",
        sentence: "A consequence cannot take money away.",
    },
    Forbidden {
        phrases: &[
            "for everyone",
            "for everybody",
            "the whole house",
            "the whole home",
            "for all young people",
            "for the group",
            "for all of them",
        ],
        near: Near::Anyway,
        regulation: "Reg 19(2)(j)",
        sentence: "A consequence cannot fall on a group for what one young person did.",
    },
    Forbidden {
        phrases: &[
            "everyone",
            "everybody",
            "all young people",
            "all residents",
            "all of them",
            "the others",
            "the group",
        ],
        near: Near::Loses(4),
        regulation: "Reg 19(2)(j)",
        sentence: "A consequence cannot fall on a group for what one young person did.",
    },
];

/// Words that take something away when it is named after them.
const TAKES: &[&str] = &[
    "no",
    "lose",
    "loses",
    "losing",
    "stop",
    "stops",
    "ban",
    "bans",
    "block",
    "blocks",
    "cut",
    "cuts",
    "remove",
    "removes",
    "withdraw",
    "withhold",
    "without",
    "confiscate",
    "suspend",
    "deny",
    "restrict",
    "forbid",
    "take",
    "takes",
    "limit",
    "miss",
    "misses",
    "cancel",
    "cancels",
    "skip",
    "skips",
    "dock",
    "docks",
    "deduct",
];

/// Words that take something away when it is named before them.
const TAKEN: &[&str] = &[
    "off",
    "stopped",
    "banned",
    "blocked",
    "cut",
    "removed",
    "withdrawn",
    "confiscated",
    "suspended",
    "taken",
    "restricted",
    "cancelled",
    "docked",
    "deducted",
];

/// Words that turn a clause round: `e-mail stays on`.
const KEEPS: &[&str] =
    &["keep", "keeps", "stays", "stay", "except", "still", "not", "never", "remains", "always"];

/// Words that make a restriction a punishment.
const PUNISHES: &[&str] = &[
    "to punish",
    "as punishment",
    "as a punishment",
    "punishment for",
    "punished for",
    "as a sanction",
    "sanction for",
    "as a penalty",
    "penalty for",
    "to discipline",
    "as discipline",
    "a consequence for",
    "teach him a lesson",
    "teach her a lesson",
    "teach them a lesson",
    "learn a lesson",
    "learn his lesson",
    "learn her lesson",
    "learn their lesson",
    "lost the privilege",
    "lost privileges",
    "loss of privileges",
    "for bad behaviour",
    "for misbehaving",
    "for misbehaviour",
    "for being rude",
    "for swearing",
    "broke the rules",
    "broken the rules",
    "breaking the rules",
    "broke a rule",
    "broke the agreement",
    "broken the agreement",
    "broke his agreement",
    "broke her agreement",
    "broke their agreement",
    "until he apologises",
    "until she apologises",
    "until they apologise",
];

/// Whether a reason says that it punishes, clause by clause: `not as a punishment` does not.
pub(super) fn punishes(reason: &str) -> bool {
    let lower = reason.to_lowercase();
    clauses(&lower).any(|clause| {
        let words = words(clause);
        !words.iter().any(|w| KEEPS.contains(w))
            && PUNISHES.iter().any(|phrase| takes(&words, phrase, Near::Anyway))
    })
}

fn clauses(lower: &str) -> impl Iterator<Item = &str> {
    lower.split([',', ';', '.', '(', ')', ':']).flat_map(|c| c.split(" and ")).flat_map(|c| c.split(" but "))
}

/// What in a suggested consequence the law forbids, as far as its wording shows it.
///
/// Each clause is looked at by itself. It must name what is protected beside a word that takes it away: `stop e-mail` is
/// unlawful, `stop games and write an e-mail to the social worker` is not.
pub fn consequence(suggested: &str) -> Vec<Unlawful> {
    let lower = suggested.to_lowercase();
    let mut found = Vec::new();
    for clause in clauses(&lower) {
        let words = words(clause);
        if words.iter().any(|w| KEEPS.contains(w)) {
            continue;
        }
        for row in
            FORBIDDEN.iter().filter(|row| row.phrases.iter().any(|phrase| takes(&words, phrase, row.near)))
        {
            add(&mut found, "unlawful-consequence", row.regulation, row.sentence);
        }
    }
    found.dedup();
    found
}

fn words(clause: &str) -> Vec<&str> {
    clause.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect()
}

/// Whether a clause takes away what the phrase names, or from whom it names.
fn takes(words: &[&str], phrase: &str, near: Near) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let mut places = (0..words.len()).filter(|&i| words[i..].starts_with(&phrase));
    let after = |i: usize, near: usize| words[i + phrase.len()..].iter().take(near + 1);
    match near {
        Near::Anyway => places.next().is_some(),
        Near::Within(near) => places.any(|i| {
            let before = &words[i.saturating_sub(near + 1)..i];
            before.iter().any(|w| TAKES.contains(w)) || after(i, near).any(|w| TAKEN.contains(w))
        }),
        Near::Loses(near) => places.any(|i| after(i, near).any(|w| TAKES.contains(w) || TAKEN.contains(w))),
    }
}
