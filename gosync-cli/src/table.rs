//! Numbers and tables for people.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes, in a unit that suits it.
pub(crate) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// A part of a whole, in per cent.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let ratio = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    rate(ratio)
}

/// A ratio between 0 and 1, in per cent.
pub(crate) fn rate(ratio: f64) -> String {
    let percent = ratio * 100.0;
    // Small rates differ in their first digits, not in their second decimal.
    if percent == 0.0 || percent >= 0.1 { format!("{percent:.1} %") } else { format!("{percent:.2e} %") }
}

/// A time, to three digits or so.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// `text` with what `shown` makes of each control character in the place of it.
pub(crate) fn without_controls(text: &str, shown: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if c.is_control() { shown(c) } else { c.to_string() }).collect()
}

/// Lines of a name and a value, the values in one column.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    lines: Vec<(String, String)>,
}

impl Facts {
    /// Adds a line, and no more than one, whatever is in `value`.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl AsRef<str>) {
        self.lines.push((name.into(), without_controls(value.as_ref(), |c| c.escape_default().to_string())));
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (at, (name, value)) in self.lines.iter().enumerate() {
            let line_break = if at > 0 { "\n" } else { "" };
            write!(formatter, "{line_break}{name:width$}  {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([percent(1, 3), percent(0, 0), rate(0.00001)], ["33.3 %", "0.0 %", "1.00e-3 %"]);
        assert_eq!([percent(1, 1), seconds(Duration::from_millis(1234))], ["100.0 %", "1.23 s"]);
    }

    #[test]
    fn facts_line_up() {
        let mut facts = Facts::default();
        facts.add("a", "1");
        facts.add("long", "2");
        facts.add("URL", "x\ny\u{1b}[2J\u{9b}1m");
        assert_eq!(facts.to_string(), "a     1\nlong  2\nURL   x\\ny\\u{1b}[2J\\u{9b}1m");
    }
}
