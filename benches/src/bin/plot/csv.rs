//! Rows of a CSV file as lines of points. Fields hold no commas: this crate wrote them.

use std::collections::BTreeMap;

/// Which columns are drawn, and which rows.
pub(crate) struct Columns<'a> {
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    pub(crate) by: Option<&'a str>,
    pub(crate) only: &'a [String],
}

/// A point: the median of its samples, and its least and most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// A line of points from left to right.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

/// Reads the lines, in the order in which their names come first.
pub(crate) fn read(text: &str, columns: &Columns<'_>) -> Result<Vec<Line>, String> {
    let mut rows = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let names: Vec<&str> = rows.next().ok_or("there is no line that names the columns")?.split(',').collect();
    let place = |name: &str| {
        let place = names.iter().position(|n| *n == name);
        place.ok_or_else(|| format!("there is no column `{name}`; there are {}", names.join(", ")))
    };
    let (x, y, by) = (place(columns.x)?, place(columns.y)?, columns.by.map(&place).transpose()?);
    let only = columns.only.iter().map(|only| {
        let (name, value) = only.split_once('=').ok_or_else(|| format!("`{only}` is not `column=value`"))?;
        Ok((place(name)?, value))
    });
    let only = only.collect::<Result<Vec<_>, String>>()?;
    let mut lines: Vec<(String, BTreeMap<u64, Vec<f64>>)> = Vec::new();
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        if only.iter().any(|(place, value)| field(*place) != *value) {
            continue;
        }
        let number = |place: usize| {
            let number = field(place).parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
            number.ok_or_else(|| format!("`{row}`: `{}` is no number that can be drawn", field(place)))
        };
        let name = by.map_or("", field);
        if !lines.iter().any(|(known, _)| known == name) {
            lines.push((name.to_owned(), BTreeMap::new()));
        }
        let line = lines.iter_mut().find(|(known, _)| known == name).expect("it was put there just now");
        // The bits of numbers that are not negative are in the numbers' order.
        line.1.entry(number(x)?.to_bits()).or_default().push(number(y)?);
    }
    if lines.is_empty() {
        return Err("no row is left to draw".into());
    }
    Ok(lines
        .into_iter()
        .map(|(name, samples)| Line { name, points: samples.into_iter().map(point).collect() })
        .collect())
}

fn point((x, mut samples): (u64, Vec<f64>)) -> Point {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    let y =
        if samples.len() % 2 == 1 { samples[middle] } else { (samples[middle - 1] + samples[middle]) / 2.0 };
    Point { x: f64::from_bits(x), y, least: samples[0], most: samples[samples.len() - 1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "what,count,load,cost\npeople,10,hot,3\npeople,1,hot,2\npeople,1,hot,4\npeople,1,cold,9\nworkers,1,hot,7\n";

    fn columns<'a>(only: &'a [String]) -> Columns<'a> {
        Columns { x: "count", y: "cost", by: Some("load"), only }
    }

    #[test]
    fn samples_of_a_point_are_drawn_as_their_median_from_left_to_right() {
        let lines = read(TEXT, &columns(&["what=people".into()])).unwrap();
        let point = |x, y, least, most| Point { x, y, least, most };
        let hot =
            Line { name: "hot".into(), points: vec![point(1.0, 3.0, 2.0, 4.0), point(10.0, 3.0, 3.0, 3.0)] };
        assert_eq!(lines, [hot, Line { name: "cold".into(), points: vec![point(1.0, 9.0, 9.0, 9.0)] }]);
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let cases = [
            ("", "there is no line that names the columns"),
            ("a,b\n", "there is no column `count`; there are a, b"),
            ("count,cost,load\n", "no row is left to draw"),
            ("count,cost,load\n1,-,hot\n", "`1,-,hot`: `-` is no number that can be drawn"),
        ];
        for (text, told) in cases {
            assert_eq!(read(text, &columns(&[])).unwrap_err(), told);
        }
    }
}
