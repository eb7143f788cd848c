//! Names and passwords by host, from a `.netrc` file.

use super::credentials::{Credentials, Secret};

/// The entries of a `.netrc` file, as curl reads it: `machine` or `default`, with `login` and
/// `password`; values may stand in quotation marks. `account`, `macdef`, lines that begin with
/// `#` and words that are not known are passed over: such a file is shared by many programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// None for `default`.
    machine: Option<String>,
    login: Option<String>,
    password: Option<Secret>,
}

impl Netrc {
    /// Reads what is in a file. Lines that are not UTF-8 are taken for Latin-1.
    pub fn parse(file: impl AsRef<[u8]>) -> Self {
        let text = decode(file.as_ref());
        let mut words = Words { text: &text };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = words.keyword() {
            match word {
                "machine" => entries.push(Entry { machine: words.value(), ..Entry::default() }),
                "default" => entries.push(Entry::default()),
                "macdef" => words.skip_macro(),
                "login" | "password" | "account" => {
                    let value = words.value();
                    match (word, entries.last_mut()) {
                        ("login", Some(entry)) => entry.login = value,
                        ("password", Some(entry)) => entry.password = value.map(Secret::from),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self { entries }
    }

    /// Who to be at `host`: the first entry of that name, or else the default one.
    pub fn credentials(&self, host: &str) -> Option<Credentials> {
        let Entry { login, password, .. } = self.entries_for(host).next()?.clone();
        Some(Credentials::Basic { user: login.unwrap_or_default(), password: password.unwrap_or_default() })
    }

    /// The password of `user` at `host`.
    pub(super) fn password(&self, host: &str, user: &str) -> Option<Secret> {
        self.entries_for(host).find(|entry| entry.login.as_deref().is_none_or(|login| login == user))?.password.clone()
    }

    /// Those of that name, and then the default one.
    fn entries_for(&self, host: &str) -> impl Iterator<Item = &Entry> {
        let is_named =
            move |entry: &&Entry| entry.machine.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(host));
        self.entries.iter().filter(is_named).chain(self.entries.iter().filter(|entry| entry.machine.is_none()))
    }
}

fn decode(file: &[u8]) -> String {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let lines = file.split_inclusive(|&byte| byte == b'\n').map(|line| match std::str::from_utf8(line) {
        Ok(line) => line.to_owned(),
        Err(_) => line.iter().map(|&byte| char::from(byte)).collect(),
    });
    lines.collect()
}

struct Words<'a> {
    text: &'a str,
}

impl<'a> Words<'a> {
    /// The next word that is no value. Comments are passed over.
    fn keyword(&mut self) -> Option<&'a str> {
        loop {
            self.text = self.text.trim_start();
            if !self.text.starts_with('#') {
                break;
            }
            self.text = &self.text[self.text.find('\n').unwrap_or(self.text.len())..];
        }
        self.word()
    }

    fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.text.split_at(self.text.find(char::is_whitespace).unwrap_or(self.text.len()));
        self.text = rest;
        (!word.is_empty()).then_some(word)
    }

    /// A value. Where a quotation mark has no counterpart on the line, it is part of the value.
    fn value(&mut self) -> Option<String> {
        self.text = self.text.trim_start();
        if let Some(quoted) = self.text.strip_prefix('"') {
            let mut value = String::new();
            let mut characters = quoted.char_indices();
            while let Some((at, character)) = characters.next() {
                match character {
                    '"' => {
                        self.text = &quoted[at + 1..];
                        return Some(value);
                    }
                    '\\' => match characters.next() {
                        None | Some((_, '\n')) => break,
                        Some((_, escaped)) => value.push(escaped),
                    },
                    '\n' => break,
                    other => value.push(other),
                }
            }
        }
        self.word().map(str::to_owned)
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        let end = ["\n\n", "\n\r\n"].iter().filter_map(|end| self.text.find(end)).min();
        self.text = &self.text[end.unwrap_or(self.text.len())..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Basic { user: user.into(), password: password.into() })
    }

    #[test]
    fn entries() {
        let netrc = Netrc::parse(
            "# mine\nmachine a.org login me password one#two\r\n\
             machine b.org\n  login \"my \\\"self\\\"\"\n  account x\n  password \"\"\n\
             macdef init\ncd /pub\nmachine trap login x password y\n\n\
             machine c.org login me password #one # mine\n\
             default login anonymous password guest\nmachine a.org login late password late",
        );
        for (host, user, password) in [
            ("a.org", "me", "one#two"),
            ("A.ORG", "me", "one#two"),
            ("b.org", "my \"self\"", ""),
            ("c.org", "me", "#one"),
            ("trap", "anonymous", "guest"),
        ] {
            assert_eq!(netrc.credentials(host), basic(user, password), "{host}");
        }
        assert!(!format!("{netrc:?}").contains("guest"));
        assert_eq!(Netrc::parse("machine a.org").credentials("b.org"), None);
        assert_eq!(Netrc::parse(" \n"), Netrc::default());
    }

    #[test]
    fn what_other_programs_wrote() {
        for other in [
            &b"machine x.org login a password b port 21\n"[..],
            b"machine x.org\n login a\n password b\n method token\n",
            b"\xef\xbb\xbfmachine x.org login a password b\n",
            b"machine x.org login a password caf\xe9\n",
            b"machine x.org login a password \"abc\n",
            b"machine x.org login a password \"ab\\",
            b"login nobody password nothing\n",
            b"machine x.org user a protocol https, secure\n",
            b"macdef init\nmachine a.org login x password y\n\r\n",
            b"# machine a.org login x password y\n",
            b"machine x.org login password b\n",
        ] {
            let netrc = Netrc::parse([other, b"\nmachine a.org login me password \"s t\"\n"].concat());
            assert_eq!(netrc.credentials("a.org"), basic("me", "s t"), "{}", other.escape_ascii());
        }
        for (text, user, password) in [
            (&b"machine a.org login a password caf\xe9"[..], "a", "caf\u{e9}"),
            ("machine a.org login a password caf\u{e9}".as_bytes(), "a", "caf\u{e9}"),
            (b"machine a.org port 1 login a password \"b", "a", "\"b"),
            (b"machine a.org login", "", ""),
        ] {
            assert_eq!(Netrc::parse(text).credentials("a.org"), basic(user, password), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_password_of_a_user() {
        let netrc = Netrc::parse(
            "machine a.org login one password 1 machine a.org login two password 2\n\
             machine b.org password 3\ndefault login one password 4",
        );
        for (host, user, expected) in [
            ("a.org", "one", Some("1")),
            ("a.org", "two", Some("2")),
            ("a.org", "three", None),
            ("b.org", "three", Some("3")),
            ("c.org", "one", Some("4")),
        ] {
            assert_eq!(netrc.password(host, user), expected.map(Secret::from), "{user} at {host}");
        }
    }
}
