//! Any text as each file of a home.
#![no_main]
use chrono::NaiveDate;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a real date");
    for path in ["agreements/jordan.yaml", "home.yaml", "gateway.yaml"] {
        let reading = agreements::read(&[(path.to_owned(), text.to_owned())], today);
        for problem in &reading.problems {
            assert!(!problem.sentence.is_empty() && problem.line >= 1 && problem.column >= 1);
        }
    }
});
