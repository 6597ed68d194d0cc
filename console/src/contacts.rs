//! Who helps: helplines, advocates, who checks the home, and whom the home itself has added.

use agreements::{Home, Word};
use blocklists::builtin::{self, SupportContact, Topic};

/// So many of a home's own stand on a refusal page, which is to be read quickly; all of them on the page of people to talk to.
const OWN: usize = 3;

/// Somebody who helps.
#[derive(serde::Serialize)]
pub(crate) struct Contact<'a> {
    pub(crate) host: &'a str,
    pub(crate) title: &'a str,
    pub(crate) reach: &'a str,
    #[serde(skip)]
    pub(crate) sentence: &'a str,
}

impl Contact<'_> {
    fn of(contact: &'static SupportContact) -> Self {
        Self { host: contact.host, title: contact.title, reach: contact.reach(), sentence: contact.sentence }
    }
}

/// Who stands on a refusal page: everybody who has a place there in the home's nation, and some of the home's own.
pub(crate) fn on_refusals(home: &Home) -> Vec<Contact<'_>> {
    first(home).chain(own(home).take(OWN)).collect()
}

/// Those of the home's nation who come first on every page.
pub(crate) fn first(home: &Home) -> impl Iterator<Item = Contact<'_>> {
    builtin::support_in(nation(home)).map(Contact::of)
}

/// Those of the home's nation who help with one thing.
pub(crate) fn about(home: &Home, topic: Topic) -> impl Iterator<Item = Contact<'_>> {
    builtin::support_about(nation(home), topic).map(Contact::of)
}

/// Whom the home has added, all of them: it gives their address and nothing else.
pub(crate) fn own(home: &Home) -> impl Iterator<Item = Contact<'_>> {
    home.protected.support.iter().filter_map(|(word, _)| match word {
        Word::Site(site) | Word::Host(site) => {
            Some(Contact { host: site.as_str(), title: site.as_str(), reach: "", sentence: "" })
        }
        Word::Path(..) | Word::Service(_) | Word::Category(_) => None,
    })
}

/// The home's nation is the one whose bank holidays it keeps; England where it says none.
fn nation(home: &Home) -> builtin::Nation {
    match home.school.bank_holidays {
        None | Some(agreements::Nation::England) => builtin::Nation::England,
        Some(agreements::Nation::Wales) => builtin::Nation::Wales,
        Some(agreements::Nation::Scotland) => builtin::Nation::Scotland,
        Some(agreements::Nation::NorthernIreland) => builtin::Nation::NorthernIreland,
    }
}
