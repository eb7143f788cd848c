//! Numbers and tables for people.

use std::fmt;
use std::time::Duration;

use crate::text::{grouped, one_line};

/// `1 request`, `2 requests`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// ` in 2 requests`, and nothing where there were none: the place is a file.
pub(crate) fn in_requests(requests: u64) -> String {
    if requests == 0 { String::new() } else { format!(" in {}", counted(requests, "request")) }
}

/// A time, to three digits or so.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Lines of a name and a value, the values in one column.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    lines: Vec<(String, String)>,
}

impl Facts {
    /// Adds a line, and no more than one, whatever is in `value`.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl AsRef<str>) {
        self.lines.push((name.into(), one_line(value.as_ref())));
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
        assert_eq!([0, 1, 1000].map(|number| counted(number, "block")), ["0 blocks", "1 block", "1,000 blocks"]);
        assert_eq!([0, 1, 2].map(in_requests), ["", " in 1 request", " in 2 requests"]);
        assert_eq!(seconds(Duration::from_millis(1234)), "1.23 s");
    }

    #[test]
    fn facts_line_up() {
        let mut facts = Facts::default();
        facts.add("a", "1");
        facts.add("long", "2");
        facts.add("URL", "x\ny\u{1b}[2J\u{9b}1m\u{202e}");
        assert_eq!(facts.to_string(), "a     1\nlong  2\nURL   x\\ny\\u{1b}[2J\\u{9b}1m\\u{202e}");
    }
}
