//! One file for each command: its options, its behaviour, its tests.

pub(crate) mod asks;
pub(crate) mod backup;
pub(crate) mod breaches;
pub(crate) mod ca;
pub(crate) mod check;
pub(crate) mod coverage;
pub(crate) mod devices;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod grant;
pub(crate) mod lists;
pub(crate) mod lost;
pub(crate) mod manual;
pub(crate) mod minutes;
pub(crate) mod note;
pub(crate) mod password_link;
pub(crate) mod pin;
pub(crate) mod profile;
pub(crate) mod restrict;
pub(crate) mod revoke;
pub(crate) mod router;
pub(crate) mod run;
pub(crate) mod sign_in;
pub(crate) mod status;
pub(crate) mod week;
