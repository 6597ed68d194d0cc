//! Files in, a home and its problems out.

use crate::gateway::Gateway;
use crate::house::House;
use crate::problem::Problem;
use chrono::NaiveDate;

/// What reading a home's folder gave.
#[derive(Debug)]
pub struct Reading {
    /// The home. Where a person's file has errors, that person is on the baseline; where `home.yaml` has, everybody is.
    pub house: House,
    /// What `gateway.yaml` says, if it could be read without an error.
    pub gateway: Option<Gateway>,
    /// Every problem of every file, in order of file and line.
    pub problems: Vec<Problem>,
}

/// Reads a home's files: `(path inside the folder, text)` pairs, in any order. `today` is the home's date, against which
/// overdue reviews are told.
///
/// It never fails and never panics, whatever the text: what is wrong is in [`Reading::problems`].
pub fn read(files: &[(String, String)], today: NaiveDate) -> Reading {
    let _ = (files, today);
    todo!()
}
