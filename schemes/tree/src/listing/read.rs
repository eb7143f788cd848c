//! Reading a listing, which anybody may have written.

use gosync_chunks::FileHash;
use gosync_sums::FileHasher;

use super::Listing;
use super::entry::{Attributes, Content, Entry, Kind, Time};
use super::error::ListingError;
use super::extras::Extras;
use super::path::{LONGEST_PATH, fault_of, shown, split};
use super::write::{DIRECTORY, FILE, HARD_LINK, LINK, shared};
use crate::codec::Input;

/// Bytes that the target of a symbolic link has, at most.
const LONGEST_TARGET: usize = 4095;

/// Bytes of a file, at most.
const LONGEST_FILE: u64 = 1 << 62;

impl Listing {
    /// Reads a listing.
    ///
    /// # Errors
    ///
    /// When it is none: when it says what no tree can be, leads out of one, or has another form
    /// than the one that [`encode`](Self::encode) gives it.
    pub fn read(bytes: &[u8]) -> Result<Self, ListingError> {
        let mut input = Input(bytes);
        let count = input.number()?;
        let mut column = Input(input.bytes(bytes.len())?);
        let mut reader = Reader { entries: Vec::new(), path: Vec::new(), seconds: 0, hashes: input };
        // No entry is shorter than four bytes, so that the count needs no trust.
        for _ in 0..count {
            reader.entry(&mut column)?;
        }
        column.end()?;
        let extras = Extras::read(&mut reader.hashes, reader.entries.len())?;
        reader.hashes.end()?;
        if reader.entries.is_empty() {
            return Err(ListingError::new("it lists nothing, not even the directory itself"));
        }
        Ok(Self { entries: reader.entries, extras })
    }
}

struct Reader<'a> {
    entries: Vec<Entry>,
    path: Vec<u8>,
    seconds: i64,
    hashes: Input<'a>,
}

impl Reader<'_> {
    fn entry(&mut self, column: &mut Input<'_>) -> Result<(), ListingError> {
        self.path(column)?;
        let fault = |what: &str| ListingError::new(format!("{}: {what}", shown(&self.path)));
        let kind = match column.byte()? {
            DIRECTORY => Kind::Directory(self.attributes(column)?),
            _ if self.path.is_empty() => return Err(fault("it is no directory")),
            FILE => {
                let attributes = self.attributes(column)?;
                let length = column.number()?;
                if length > LONGEST_FILE {
                    return Err(ListingError::new(format!("{}: it is too long", shown(&self.path))));
                }
                let hash = match length {
                    0 => FileHasher::hash(&[]),
                    _ => FileHash(self.hashes.array()?),
                };
                Kind::File(attributes, Content { length, hash })
            }
            LINK => {
                let modified = self.time(column)?;
                let fault = |what: &str| ListingError::new(format!("{}: {what}", shown(&self.path)));
                let target = column.bytes(LONGEST_TARGET)?;
                if target.is_empty() || target.contains(&0) {
                    return Err(fault("it is a link to nothing that can be"));
                }
                Kind::Link { modified, target: target.to_vec() }
            }
            HARD_LINK => {
                let of = usize::try_from(column.number()?).unwrap_or(usize::MAX);
                match self.entries.get(of).map(|entry| &entry.kind) {
                    Some(Kind::File(..)) => Kind::HardLink { of },
                    _ => return Err(fault("it is a second name of something that is no file before it")),
                }
            }
            _ => return Err(fault("it is of a kind that this version does not know")),
        };
        self.entries.push(Entry { path: self.path.clone(), kind });
        Ok(())
    }

    /// Reads the next path, which comes after the one before it, in a directory that was listed.
    fn path(&mut self, column: &mut Input<'_>) -> Result<(), ListingError> {
        let kept = usize::try_from(column.number()?).unwrap_or(usize::MAX);
        let rest = column.bytes(LONGEST_PATH)?;
        let Some(before) = self.entries.last() else {
            return match (kept, rest) {
                (0, []) => Ok(()),
                _ => Err(ListingError::new("it does not begin with the directory itself")),
            };
        };
        if kept > self.path.len() {
            return Err(ListingError::new("a path shares more than there is"));
        }
        self.path.truncate(kept);
        self.path.extend_from_slice(rest);
        let fault = |what: &str| ListingError::new(format!("{}: {what}", shown(&self.path)));
        if let Some(why) = fault_of(&self.path) {
            return Err(fault(why));
        }
        if before.path >= self.path || shared(&before.path, &self.path) != kept {
            return Err(fault("it is not in its order"));
        }
        let (parent, _) = split(&self.path);
        let parent = self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(parent));
        match parent.map(|parent| &self.entries[parent].kind) {
            Ok(Kind::Directory(_)) => Ok(()),
            _ => Err(fault("it is in something that is no directory")),
        }
    }

    fn attributes(&mut self, column: &mut Input<'_>) -> Result<Attributes, ListingError> {
        let mode = column.number()?;
        if mode > 0o777 {
            let what = "its mode has other bits than those of permissions";
            return Err(ListingError::new(format!("{}: {what}", shown(&self.path))));
        }
        Ok(Attributes { mode: mode as u32, modified: self.time(column)? })
    }

    fn time(&mut self, column: &mut Input<'_>) -> Result<Time, ListingError> {
        let (seconds, nanoseconds) = (column.signed()?, column.number()?);
        if nanoseconds >= 1_000_000_000 {
            return Err(ListingError::new(format!("{}: its time is none", shown(&self.path))));
        }
        self.seconds = self.seconds.wrapping_add(seconds);
        Ok(Time { seconds: self.seconds, nanoseconds: nanoseconds as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(mode: u32, seconds: i64) -> Attributes {
        Attributes { mode, modified: Time { seconds, nanoseconds: 7 } }
    }

    fn entry(path: &str, kind: Kind) -> Entry {
        Entry { path: path.into(), kind }
    }

    fn directory(path: &str) -> Entry {
        entry(path, Kind::Directory(attributes(0o755, 1_600_000_000)))
    }

    fn file(path: &str, length: u64) -> Entry {
        let hash = if length == 0 { FileHasher::hash(&[]) } else { FileHash([length as u8; 32]) };
        entry(path, Kind::File(attributes(0o644, -5), Content { length, hash }))
    }

    fn link(path: &str, target: &str) -> Entry {
        entry(path, Kind::Link { modified: Time { seconds: 77, nanoseconds: 8 }, target: target.into() })
    }

    fn refusal(entries: Vec<Entry>) -> String {
        let read = Listing::read(&Listing { entries, ..Listing::default() }.encode());
        read.expect_err("it is hostile").to_string().split_off("the listing of the directory is damaged: ".len())
    }

    #[test]
    fn comes_back_and_has_one_form() {
        let entries = vec![
            directory(""),
            file("a", 0),
            directory("b"),
            file("b-", 1 << 40),
            file("b/a", 3),
            entry("b/link", Kind::HardLink { of: 3 }),
            link("c", "../../etc/passwd"),
            Entry { path: b"d\xff\n".to_vec(), ..file("", 3) },
        ];
        let listing = Listing { entries, ..Listing::default() };
        let bytes = listing.encode();
        assert_eq!(Listing::read(&bytes).as_ref(), Ok(&listing));
        assert_eq!((listing.find(b"b/a"), listing.find(b""), listing.find(b"x")), (Some(4), Some(0), None));
        for len in 0..bytes.len() {
            assert!(Listing::read(&bytes[..len]).is_err(), "{len}");
        }
        assert!(Listing::read(&[&bytes[..], b"x"].concat()).is_err());
    }

    #[test]
    fn hostile_listings_are_refused() {
        for path in ["..", "../x", "/x", "x/", "a/../x", ".", "x\0y", ".gosync", ".GOSYNC"] {
            assert!(refusal(vec![directory(""), file(path, 1)]).contains(": it"), "{path}");
        }
        let in_no_directory = "it is in something that is no directory";
        assert_eq!(refusal(vec![]), "it lists nothing, not even the directory itself");
        assert_eq!(refusal(vec![directory("a")]), "it does not begin with the directory itself");
        assert_eq!(refusal(vec![file("", 1)]), ".: it is no directory");
        assert_eq!(refusal(vec![directory(""), file("a/b", 1)]), format!("a/b: {in_no_directory}"));
        assert_eq!(refusal(vec![directory(""), file("a", 1), file("a/b", 1)]), format!("a/b: {in_no_directory}"));
        assert_eq!(refusal(vec![directory(""), link("a", "/etc"), file("a/b", 1)]), format!("a/b: {in_no_directory}"));
        assert_eq!(refusal(vec![directory(""), file("b", 1), file("a", 1)]), "a: it is not in its order");
        assert_eq!(refusal(vec![directory(""), file("b", 1), file("b", 1)]), "b: it is not in its order");
        for target in ["", "a\0b"] {
            assert_eq!(refusal(vec![directory(""), link("a", target)]), "a: it is a link to nothing that can be");
        }
        assert!(refusal(vec![directory(""), link("a", &"x".repeat(4096))]).contains("too long"));
        for of in [0, 1, 2, usize::MAX] {
            let refused = refusal(vec![directory(""), entry("a", Kind::HardLink { of })]);
            assert_eq!(refused, "a: it is a second name of something that is no file before it");
        }
        let set_id = entry("a", Kind::Directory(attributes(0o4755, 0)));
        assert_eq!(refusal(vec![directory(""), set_id]), "a: its mode has other bits than those of permissions");
        assert_eq!(refusal(vec![directory(""), file("a", u64::MAX)]), "a: it is too long");
    }

    #[test]
    fn other_forms_are_refused_and_counts_are_not_believed() {
        let entries = vec![directory(""), file("ab", 0), file("ac", 0)];
        let bytes = Listing { entries, ..Listing::default() }.encode();
        // That nothing is shared, though it is: the path is the same.
        let at = bytes.windows(3).position(|window| window == [1, 1, b'c']).expect("it shares a letter");
        let mut other = bytes.clone();
        other.splice(at..at + 3, [0, 2, b'a', b'c']);
        other[1] += 1;
        assert!(Listing::read(&other).is_err());
        assert!(Listing::read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0]).is_err());
    }
}
