//! What `home.yaml` may say and this version of the gateway does not do. It is told plainly and never pretended; what
//! `gateway.yaml` asks for is told by the program, which knows what it listens on.

use super::block::Block;
use super::sheet::Sheet;

/// A key whose value, or any value, asks for what is not done.
pub(crate) struct Missing {
    key: &'static str,
    /// The value that asks for it; none for any.
    value: Option<&'static str>,
    sentence: &'static str,
    help: &'static str,
}

/// What `home.yaml` can ask for in vain.
pub(crate) const HOME: &[Missing] = &[Missing {
    key: "unknown_devices",
    value: Some("sign_in"),
    sentence: "This version has no sign-in yet: a device that nobody knows gets the baseline.",
    help: "Write `unknown_devices: baseline`, or `block`.",
}];

/// Warns of each key that asks for what is not done.
pub(crate) fn warn(sheet: &mut Sheet<'_>, block: &Block<'_>, missing: &[Missing]) {
    for Missing { key, value, sentence, help } in missing {
        let asked = block.get(key).is_some_and(|node| value.is_none() || node.text() == *value);
        if asked {
            sheet.warning(block.key_at(key), "not-yet", sentence, help);
        }
    }
}
