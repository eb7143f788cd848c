//! Which files belong to which version, so that old ones can be removed.

use std::collections::BTreeSet;
use std::fmt::Write;

use gosync_publish::HASH_LEN;

use super::names::SUFFIXES;

/// The first line of a list.
const FIRST: &str = "gosync versions 1";

/// The versions of a publication, by ascending numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    versions: Vec<Version>,
}

/// One version, and the names of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its serial number.
    pub serial: u64,
    /// The names of its files.
    pub names: Vec<String>,
}

impl Versions {
    /// Reads the list of what is published as `name`; `None` where it is none, or lists what cannot
    /// have been published so: nothing else is ever removed.
    pub fn read(name: &str, text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != FIRST {
            return None;
        }
        let mut versions: Vec<Version> = Vec::new();
        for line in lines {
            let mut fields = line.split('\t');
            let number = fields.next()?;
            let serial: u64 = number.parse().ok()?;
            let names: Vec<String> = fields.map(str::to_owned).collect();
            let is_own = |file: &String| is_of_a_version(name, file);
            let is_next = versions.last().is_none_or(|last| last.serial < serial);
            if serial.to_string() != number || !is_next || names.is_empty() || !names.iter().all(is_own) {
                return None;
            }
            versions.push(Version { serial, names });
        }
        Some(Self { versions })
    }

    /// The list as it is written.
    pub fn text(&self) -> String {
        let mut text = format!("{FIRST}\n");
        for Version { serial, names } in &self.versions {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{serial}\t{}", names.join("\t"));
        }
        text
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().flat_map(|version| version.names.iter().map(String::as_str))
    }

    /// The names of the files of version `serial`.
    pub(super) fn of(&self, serial: u64) -> Option<&[String]> {
        let version = self.versions.iter().find(|version| version.serial == serial)?;
        Some(&version.names)
    }

    /// Adds the version that is to be published. Any of its number or a later one was never published
    /// to its end, and is taken out. Tells what files were only of those, which are listed with the new
    /// version until it [is there](Self::settle): its publisher may be killed too.
    pub(super) fn begin(&mut self, version: Version) -> Vec<String> {
        let at = self.versions.partition_point(|earlier| earlier.serial < version.serial);
        let left = self.versions.split_off(at);
        self.versions.push(version);
        let left = self.only_in(&left);
        if let Some(last) = self.versions.last_mut() {
            last.names.extend(left.iter().cloned());
        }
        left
    }

    /// Takes the files of earlier publishers out of the last version, which has these names alone.
    pub(super) fn settle(&mut self, names: &[String]) {
        if let Some(last) = self.versions.last_mut() {
            last.names = names.to_vec();
        }
    }

    /// Takes out all but the last `count`, and tells what files were only of those.
    pub(super) fn keep(&mut self, count: usize) -> Vec<String> {
        let kept = self.versions.split_off(self.versions.len().saturating_sub(count));
        let left = std::mem::replace(&mut self.versions, kept);
        self.only_in(&left)
    }

    fn only_in(&self, left: &[Version]) -> Vec<String> {
        let kept: BTreeSet<&str> = self.names().collect();
        let left = left.iter().flat_map(|version| &version.names);
        left.filter(|name| !kept.contains(name.as_str())).cloned().collect()
    }
}

/// Whether `file` is a name that a file of some version of `name` can have.
fn is_of_a_version(name: &str, file: &str) -> bool {
    without_serial(name, file).is_some()
}

/// The hash and the suffix of `file`, if it is a name that a file of some version of `name` can have.
pub(super) fn without_serial<'f>(name: &str, file: &'f str) -> Option<&'f str> {
    let (serial, rest) = file.strip_prefix(name)?.strip_prefix('-')?.split_once('-')?;
    let (hash, suffix) = rest.split_at_checked(HASH_LEN)?;
    let is_hash = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_serial = serial.parse::<u64>().is_ok_and(|number| number.to_string() == serial);
    Some(rest).filter(|_| is_serial && is_hash && SUFFIXES.contains(&suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(serial: u64, names: &[&str]) -> Version {
        Version { serial, names: names.iter().map(|name| named(serial, name)).collect() }
    }

    fn named(serial: u64, name: &str) -> String {
        format!("x-{serial}-{name}.gosync")
    }

    const A: &str = "aaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbb";
    const C: &str = "cccccccccccccccc";

    fn three() -> Versions {
        let mut versions = Versions::default();
        for serial in 1..=3 {
            assert!(versions.begin(version(serial, &[A, B])).is_empty());
        }
        versions
    }

    #[test]
    fn written_and_read() {
        let lines: String =
            (1..=3).map(|serial| format!("{serial}\t{}\t{}\n", named(serial, A), named(serial, B))).collect();
        let text = format!("gosync versions 1\n{lines}");
        assert_eq!(three().text(), text);
        assert_eq!(Versions::read("x", &text), Some(three()));
        assert_eq!(Versions::read("x", "gosync versions 1\n"), Some(Versions::default()));
    }

    #[test]
    fn nothing_is_listed_that_is_not_of_the_publication() {
        let good = format!("1\tx-1-{A}.gosync-content\tx-1-{A}.gosync.minisig\tx-2-{A}.gosync-payload\n");
        assert!(Versions::read("x", &format!("gosync versions 1\n{good}")).is_some());
        for lines in [
            format!("1\ty-1-{A}.gosync\n"),
            format!("1\tx-{A}.gosync\n"),
            format!("1\tx-+1-{A}.gosync\n"),
            format!("1\tx-01-{A}.gosync\n"),
            format!("1\tx-1-{A}\n"),
            format!("1\tx-1-{A}.img\n"),
            format!("1\tx-1-{A}0.gosync\n"),
            "1\tx-1-AAAAAAAAAAAAAAAA.gosync\n".into(),
            "1\tx\n".into(),
            "1\n".into(),
            format!("1\tx-1-{A}.gosync\t\n"),
            "1\tx-1-/../../etc/pass.gosync\n".into(),
            format!("01\tx-1-{A}.gosync\n"),
            format!("+1\tx-1-{A}.gosync\n"),
            format!("2\tx-2-{A}.gosync\n1\tx-1-{A}.gosync\n"),
            format!("1\tx-1-{A}.gosync\n1\tx-1-{B}.gosync\n"),
            format!("1\tx-1-{A}.gosync"),
            format!("1\tx-1-{A}.gosync\r\n"),
            "\n".into(),
        ] {
            assert_eq!(Versions::read("x", &format!("gosync versions 1\n{lines}")), None, "{lines:?}");
        }
        assert!(["", "\n", "gosync versions 2\n"].iter().all(|text| Versions::read("x", text).is_none()));
    }

    #[test]
    fn what_no_kept_version_has_goes() {
        let mut versions = three();
        assert_eq!(versions.keep(5), [""; 0]);
        assert_eq!(versions.keep(2), [named(1, A), named(1, B)]);
        // Two killed publishers left a version 4 each; the next one has a file of the first.
        assert!(versions.begin(version(4, &[A, B])).is_empty());
        assert_eq!(versions.begin(version(4, &[C])), [named(4, A), named(4, B)]);
        assert_eq!(versions.begin(version(4, &[A])), [named(4, C), named(4, B)]);
        versions.settle(&[named(4, A)]);
        assert_eq!(versions.keep(1), [named(2, A), named(2, B), named(3, A), named(3, B)]);
        assert_eq!(versions.names().collect::<Vec<_>>(), [named(4, A)]);
    }
}
