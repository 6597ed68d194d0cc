//! Categories that nothing fills: a word that closes no site looks as if it did.

use super::sheet::Sheet;
use crate::meant::{ListSource, Ruled};
use crate::verdict::Outcome;
use crate::word::Word;
use blocklists::{Category, Service, Tags, builtin};
use std::sync::LazyLock;

/// The categories that have sites, built in or from a list of the home; none while that is not known.
pub(crate) type Filled = Option<Tags>;

/// The known services that make up a category without a list: who blocks `social_networks` means these. Two that are
/// among other things pornography do not make up pornography.
const ENOUGH: usize = 5;

static BUILT_IN: LazyLock<Tags> = LazyLock::new(|| {
    let of_no_service = |entry: &builtin::Builtin| entry.tags.services().next().is_none();
    let tables =
        builtin::entries().filter(of_no_service).fold(Tags::NONE, |all, entry| all.union(entry.tags));
    let enough = Category::all().filter(|category| services(*category).count() >= ENOUGH);
    enough.fold(tables, |all, category| all.union(Tags::category(category)))
});

fn services(category: Category) -> impl Iterator<Item = Service> {
    Service::all().filter(move |service| service.categories().has(category))
}

/// The categories that the built-in tables or one of these lists fill.
pub(crate) fn by(lists: &[ListSource]) -> Tags {
    let named = lists.iter().flat_map(|l| l.category.into_iter().chain(l.categories.iter().map(|(_, c)| *c)));
    named.fold(*BUILT_IN, |all, category| all.union(Tags::category(category)))
}

/// What a word was written to do.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// `allow`, `ask`, `with_staff` or `block`.
    Ruled(Ruled),
    /// A limit.
    Limits,
}

/// Warns of a category that nothing fills, once in a file: by it nothing is closed, opened or counted.
pub(crate) fn check(sheet: &mut Sheet<'_>, at: usize, word: &Word, to: Use, filled: Filled) {
    let (Word::Category(category), Some(filled)) = (word, filled) else { return };
    // That nobody may open what the law forbids was told already.
    let told = *category == Category::ILLEGAL && !matches!(to, Use::Ruled(Outcome::Block));
    if filled.has(*category) || told || !sheet.first_empty(*category) {
        return;
    }
    let does = match to {
        Use::Ruled(Outcome::Block) => "closes",
        Use::Ruled(Outcome::Allow) => "opens",
        Use::Ruled(Outcome::Ask | Outcome::WithStaff) => "changes",
        Use::Limits => "limits",
    };
    let known: Vec<&str> = services(*category).map(Service::title).collect();
    let but = if known.is_empty() { String::new() } else { format!(" but {}", known.join(" and ")) };
    let sentence = format!("No list fills `{word}`, so this {does} nothing{but}.");
    sheet.warning(at, "empty-category", &sentence, "Add a list for it under `lists` in home.yaml.");
}
