//! JSON that can be read, and compared line by line: containers are opened up to a depth, and
//! what lies deeper takes one line.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Sections, their fields, and the entries of these are on lines of their own.
const DEPTH: usize = 3;

/// The layout of the file of results.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    depth: usize,
    has_entries: bool,
}

impl Lines {
    fn open(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_entries = false;
        out.write_all(bracket)
    }

    fn close(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        if self.has_entries && self.depth <= DEPTH {
            self.depth -= 1;
            self.break_line(out)?;
        } else {
            self.depth -= 1;
        }
        self.has_entries = true;
        out.write_all(bracket)
    }

    fn entry(&mut self, out: &mut (impl Write + ?Sized), is_first: bool) -> io::Result<()> {
        self.has_entries = true;
        match (is_first, self.depth <= DEPTH) {
            (true, true) => self.break_line(out),
            (true, false) => Ok(()),
            (false, true) => out.write_all(b",").and_then(|()| self.break_line(out)),
            (false, false) => out.write_all(b", "),
        }
    }

    fn break_line(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.entry(out, is_first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.entry(out, is_first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::{Serializer, Value, json};

    #[test]
    fn deep_containers_take_one_line() {
        let value = json!({"wire": {"none": [], "rows": [{"cpu": [1, 2], "of": {}}, 3]}, "zsync": {}});
        let mut text = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut text, Lines::default())).unwrap();
        let text = String::from_utf8(text).unwrap();
        let expected = r#"{
  "wire": {
    "none": [],
    "rows": [
      {"cpu": [1, 2], "of": {}},
      3
    ]
  },
  "zsync": {}
}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
