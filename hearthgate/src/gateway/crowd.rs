//! The warning that every device of the home looks like one, which nobody notices by themselves: everybody is then the same
//! person, or nobody.

use agreements::{House, Level, Problem};
use std::net::IpAddr;

/// What is said of it; none in a home whose files name one device at most.
pub(super) fn problem(house: &House, address: IpAddr) -> Option<Problem> {
    (house.devices().len() > 1).then(|| Problem {
        level: Level::Warning,
        file: "gateway.yaml".to_owned(),
        line: 1,
        column: 1,
        code: "one-address",
        sentence: format!("Every device looks like one: all questions come from {address}, so nobody can be told apart."),
        help: "Another router or resolver stands in between. Let devices ask Hearthgate themselves (its DHCP server names the \
               gateway as resolver), or let it tell who asks: `trust_forwarders`, with `add-mac` and `add-subnet` in dnsmasq."
            .to_owned(),
        text: String::new(),
        other: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_with_one_device_is_not_warned() {
        let home = "home: Oakview\ntimezone: Europe/London\n";
        let device = |n: u8| format!("{{name: d{n}, ip: 192.168.4.{n}}}");
        for (devices, warned) in
            [(vec![], false), (vec![device(1)], false), (vec![device(1), device(2)], true)]
        {
            let agreement = format!("person: Jo\nfor: staff\ndevices: [{}]\n", devices.join(", "));
            let files = [("home.yaml", home), ("agreements/jo.yaml", agreement.as_str())]
                .map(|(path, text)| (path.to_owned(), text.to_owned()));
            let reading = agreements::read(&files, chrono::NaiveDate::default());
            assert_eq!(reading.house.devices().len(), devices.len());
            let told = problem(&reading.house, IpAddr::from([192, 168, 4, 2]));
            assert_eq!(told.is_some(), warned, "{devices:?}");
        }
    }
}
