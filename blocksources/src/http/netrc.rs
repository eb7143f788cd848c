//! Names and passwords by host, from the text of a `.netrc` file.

use super::credentials::{Credentials, Secret};

/// The entries of a `.netrc` file, as ftp and curl read it: `machine` or `default`, with
/// `login` and `password`; values may stand in quotation marks; `account` and `macdef`
/// are passed over, and so are lines that begin with `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// None for `default`.
    machine: Option<String>,
    login: String,
    password: Secret,
}

/// What cannot be understood in a `.netrc` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the netrc file makes no sense")]
pub struct NetrcError {
    /// The first line is 1.
    pub line: usize,
}

impl Netrc {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// When a word is not known in such files, or a value is missing.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut words = Words { text, line: 1 };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = words.next()? {
            let error = NetrcError { line: words.line };
            match word.as_str() {
                "machine" => entries.push(Entry { machine: Some(words.next()?.ok_or(error)?), ..Entry::default() }),
                "default" => entries.push(Entry::default()),
                "macdef" => words.skip_macro(),
                "login" | "password" | "account" => {
                    let value = words.next()?.ok_or(error)?;
                    let entry = entries.last_mut().ok_or(error)?;
                    match word.as_str() {
                        "login" => entry.login = value,
                        "password" => entry.password = value.into(),
                        _ => {}
                    }
                }
                _ => return Err(error),
            }
        }
        Ok(Self { entries })
    }

    /// Who to be at `host`: the first entry of that name, or else the default one.
    pub fn credentials(&self, host: &str) -> Option<Credentials> {
        let named = |entry: &&Entry| entry.machine.as_deref().is_some_and(|machine| machine.eq_ignore_ascii_case(host));
        let entries = || self.entries.iter();
        let entry = entries().find(named).or_else(|| entries().find(|entry| entry.machine.is_none()))?;
        Some(Credentials::Basic { user: entry.login.clone(), password: entry.password.clone() })
    }
}

struct Words<'a> {
    text: &'a str,
    line: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Result<Option<String>, NetrcError> {
        loop {
            let word = self.text.trim_start();
            self.advance(self.text.len() - word.len());
            if !self.text.starts_with('#') {
                break;
            }
            self.advance(self.text.find('\n').unwrap_or(self.text.len()));
        }
        if let Some(quoted) = self.text.strip_prefix('"') {
            let mut value = String::new();
            let mut characters = quoted.char_indices();
            while let Some((at, character)) = characters.next() {
                match character {
                    '"' => {
                        self.advance(at + 2);
                        return Ok(Some(value));
                    }
                    '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                    '\n' => break,
                    other => value.push(other),
                }
            }
            return Err(NetrcError { line: self.line });
        }
        let end = self.text.find(char::is_whitespace).unwrap_or(self.text.len());
        let word = self.text[..end].to_owned();
        self.advance(end);
        Ok((!word.is_empty()).then_some(word))
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        let end = ["\n\n", "\n\r\n"].iter().filter_map(|end| self.text.find(end)).min();
        self.advance(end.unwrap_or(self.text.len()));
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.text.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let netrc = Netrc::parse(
            "# mine\nmachine a.org login me password one#two\r\n\
             machine b.org\n  login \"my \\\"self\\\"\"\n  account x\n  password \"\"\n\
             macdef init\ncd /pub\nmachine trap login x password y\n\n\
             default login anonymous password guest\nmachine a.org login late password late",
        )
        .unwrap();
        for (host, user, password) in [
            ("a.org", "me", "one#two"),
            ("A.ORG", "me", "one#two"),
            ("b.org", "my \"self\"", ""),
            ("trap", "anonymous", "guest"),
        ] {
            let expected = Credentials::Basic { user: user.into(), password: password.into() };
            assert_eq!(netrc.credentials(host), Some(expected), "{host}");
        }
        assert!(!format!("{netrc:?}").contains("guest"));
        assert_eq!(Netrc::parse("machine a.org").unwrap().credentials("b.org"), None);
        assert_eq!(Netrc::parse(" \n").unwrap(), Netrc::default());
    }

    #[test]
    fn nonsense() {
        for (text, line) in [
            ("machine", 1),
            ("login me", 1),
            ("machine a.org\nlogin", 2),
            ("\n\nmachine a.org\nuser me", 4),
            ("machine a.org login \"me\npassword x", 1),
        ] {
            assert_eq!(Netrc::parse(text), Err(NetrcError { line }), "{text:?}");
        }
    }
}
