//! Helplines and advocates as pages show them.

use super::row::{Row, rows};
use super::table::SUPPORT;
use std::sync::LazyLock;

/// A nation of the United Kingdom: inspectors, commissioners and some helplines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nation {
    /// England.
    England,
    /// Wales.
    Wales,
    /// Scotland.
    Scotland,
    /// Northern Ireland.
    NorthernIreland,
}

impl Nation {
    const fn word(self) -> &'static str {
        match self {
            Self::England => "england",
            Self::Wales => "wales",
            Self::Scotland => "scotland",
            Self::NorthernIreland => "northern_ireland",
        }
    }
}

/// What somebody helps with who does not stand on every refusal page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Feelings, grief, hurting oneself.
    Mind,
    /// Being hurt, used or scared by somebody, online too.
    Safe,
    /// Rights, advocates, complaints, the law.
    Rights,
    /// Family and a home.
    Family,
    /// Drugs, drink, betting.
    Drugs,
    /// Love, sex, and who one is.
    Love,
    /// The body: disability, deafness, illness.
    Body,
}

impl Topic {
    /// Every topic, in the order in which pages show them.
    pub const ALL: [Self; 7] =
        [Self::Mind, Self::Safe, Self::Rights, Self::Family, Self::Drugs, Self::Love, Self::Body];

    const fn word(self) -> &'static str {
        match self {
            Self::Mind => "mind",
            Self::Safe => "safe",
            Self::Rights => "rights",
            Self::Family => "family",
            Self::Drugs => "drugs",
            Self::Love => "love",
            Self::Body => "body",
        }
    }
}

/// Somebody who helps, as pages show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportContact {
    /// Their site: protected, so that a link to it always works.
    pub host: &'static str,
    /// Who they are.
    pub title: &'static str,
    /// Their number as people write it (`0800 1111`), or empty.
    pub phone: &'static str,
    /// How to text them (`text SHOUT to 85258`), or empty.
    pub text: &'static str,
    /// One plain sentence for a young person.
    pub sentence: &'static str,
    /// The place on every refusal page, smallest first; `None` where they stand under a topic.
    pub order: Option<u8>,
    /// Under what they stand in the list of everybody; `None` where they have a place on every refusal page.
    pub topic: Option<Topic>,
    nations: &'static str,
}

impl SupportContact {
    /// `None` for one more host of a helper who stands elsewhere in the table.
    fn read(row: &Row) -> Option<Self> {
        let &[order, nations, title, phone, text, sentence] = row.columns.as_slice() else { return None };
        if order == "also" {
            return None;
        }
        let topic = Topic::ALL.into_iter().find(|topic| topic.word() == order);
        let order = match topic {
            Some(_) => None,
            None => Some(order.parse().ok()?),
        };
        Some(Self {
            host: row.name,
            title,
            phone: or_empty(phone),
            text: or_empty(text),
            sentence,
            order,
            topic,
            nations,
        })
    }

    /// How to reach them in a few words: the number, else how to text them, else nothing but the site.
    pub fn reach(&self) -> &'static str {
        if self.phone.is_empty() { self.text } else { self.phone }
    }

    /// Whether they help people in a nation.
    pub fn helps_in(&self, nation: Nation) -> bool {
        self.nations.split(',').any(|word| word == "uk" || word == nation.word())
    }
}

fn or_empty(column: &'static str) -> &'static str {
    if column == "-" { "" } else { column }
}

/// The table, with those first who stand on every refusal page in England, in their order.
static CONTACTS: LazyLock<Vec<SupportContact>> = LazyLock::new(|| {
    let mut all: Vec<_> = rows(SUPPORT).filter_map(|row| SupportContact::read(&row)).collect();
    // Stable: within equal places the table's own order stays.
    all.sort_by_key(|contact| match contact.order {
        Some(order) if contact.helps_in(Nation::England) => (0, order),
        Some(order) => (1, order),
        None => (2, 0),
    });
    all
});

/// Everybody in the support table. The first are those that every refusal page in England shows, in order.
pub fn support() -> &'static [SupportContact] {
    &CONTACTS
}

/// Those that every refusal page in a nation shows, in order: emergency, listening, health, commissioner, inspector, advocates,
/// and who helps with what happened online.
pub fn support_in(nation: Nation) -> impl Iterator<Item = &'static SupportContact> {
    let mut shown: Vec<_> = CONTACTS.iter().filter(|c| c.order.is_some() && c.helps_in(nation)).collect();
    shown.sort_by_key(|contact| contact.order);
    shown.into_iter()
}

/// The others who help people in a nation with something, in the table's order.
pub fn support_about(nation: Nation, topic: Topic) -> impl Iterator<Item = &'static SupportContact> {
    CONTACTS.iter().filter(move |contact| contact.topic == Some(topic) && contact.helps_in(nation))
}
