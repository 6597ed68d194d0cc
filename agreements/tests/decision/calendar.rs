//! Bank holidays as gov.uk publishes them (`bank_holidays.txt`), against the ones that are computed.

use agreements::{Nation, bank_holidays};

#[test]
fn bank_holidays_are_those_that_the_government_publishes() {
    let mut checked = 0;
    for line in include_str!("../bank_holidays.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let (key, dates) = line.split_once(':').unwrap();
        let (nations, year) = key.split_once(' ').unwrap();
        let nations: &[Nation] = match nations {
            "england-and-wales" => &[Nation::England, Nation::Wales],
            "scotland" => &[Nation::Scotland],
            "northern-ireland" => &[Nation::NorthernIreland],
            other => panic!("no such nation: {other}"),
        };
        for &nation in nations {
            let computed: Vec<_> = bank_holidays(nation, year.parse().unwrap())
                .into_iter()
                .map(|(date, _)| date.format("%m-%d").to_string())
                .collect();
            assert_eq!(computed, dates.split_whitespace().collect::<Vec<_>>(), "{nation:?} {year}");
            checked += computed.len();
        }
    }
    assert_eq!(checked, 363, "every published day was compared");
}

#[test]
fn absurd_years_have_no_bank_holidays() {
    for year in [i32::MIN, -1, 0, 10_000, i32::MAX] {
        assert_eq!(bank_holidays(Nation::Scotland, year), []);
    }
    assert_eq!(bank_holidays(Nation::England, 9999).len(), 8);
}
