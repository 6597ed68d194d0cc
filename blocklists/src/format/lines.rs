//! Lines of a body that a stranger wrote: bounded in length, streamed, whatever bytes they hold.

use std::io::{self, BufRead};

/// The longest line that is looked at, in bytes. The longest honest ones are adblock lines with many options.
pub const MAX_LINE: usize = 4096;

/// A line as it was found.
pub(crate) enum Line<'a> {
    /// Text without its end of line.
    Text(&'a str),
    /// Bytes that are not UTF-8, or hold a NUL.
    Garbage(&'a [u8]),
    /// Longer than [`MAX_LINE`]; its first bytes.
    TooLong(&'a [u8]),
}

/// Calls `each` with every line and its number from 1. Memory stays below one line, time is linear in the bytes.
pub(crate) fn for_each_line(reader: &mut dyn BufRead, mut each: impl FnMut(u32, Line<'_>)) -> io::Result<()> {
    let mut number = 0u32;
    // The part of a line that an earlier buffer ended with.
    let mut carried: Vec<u8> = Vec::new();
    let mut too_long = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let Some(end) = memchr::memchr(b'\n', buffer) else {
            let taken = buffer.len();
            too_long |= !carry(&mut carried, buffer);
            reader.consume(taken);
            continue;
        };
        number = number.saturating_add(1);
        if carried.is_empty() {
            each(number, classify(&buffer[..end], false));
        } else {
            too_long |= !carry(&mut carried, &buffer[..end]);
            each(number, classify(&carried, too_long));
            carried.clear();
        }
        too_long = false;
        reader.consume(end + 1);
    }
    if !carried.is_empty() {
        each(number.saturating_add(1), classify(&carried, too_long));
    }
    Ok(())
}

/// Keeps what still fits of a line; `false` when something did not.
fn carry(carried: &mut Vec<u8>, more: &[u8]) -> bool {
    let room = (MAX_LINE + 1).saturating_sub(carried.len());
    carried.extend_from_slice(&more[..more.len().min(room)]);
    more.len() <= room
}

fn classify(line: &[u8], too_long: bool) -> Line<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if too_long || line.len() > MAX_LINE {
        return Line::TooLong(&line[..line.len().min(MAX_LINE)]);
    }
    // A byte order mark stands before the first line of what some editors save.
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) if memchr::memchr(0, line).is_none() => Line::Text(text.trim()),
        _ => Line::Garbage(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn kinds(body: &[u8], buffer: usize) -> Vec<(u32, String)> {
        let mut seen = Vec::new();
        let mut reader = BufReader::with_capacity(buffer, body);
        for_each_line(&mut reader, |number, line| {
            seen.push((
                number,
                match line {
                    Line::Text(text) => text.to_owned(),
                    Line::Garbage(_) => "<garbage>".into(),
                    Line::TooLong(_) => "<too long>".into(),
                },
            ));
        })
        .unwrap();
        seen
    }

    #[test]
    fn lines_are_the_same_whatever_the_buffer() {
        let mut body = b"\xEF\xBB\xBFone\r\n two \n\nNUL\0\n\xFF\xFE\n".to_vec();
        body.extend(vec![b'x'; MAX_LINE + 1]);
        body.extend_from_slice(b"\nlast");
        let expected = ["one", "two", "", "<garbage>", "<garbage>", "<too long>", "last"];
        let expected: Vec<_> = (1..).zip(expected.map(str::to_owned)).collect();
        for buffer in [1, 2, 3, 7, 64, 4096, 65536] {
            assert_eq!(kinds(&body, buffer), expected, "buffer of {buffer}");
        }
    }
}
