//! What is wanted of the far side, and what it has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gosync_chunks::ByteRange;

use crate::codec::{Input, Wrong, put_bytes, put_number, put_ranges};

/// Bytes of a path, at most.
const LONGEST_PATH: usize = 4 << 10;

/// Bytes of all patterns, at most.
const LONGEST_PATTERNS: usize = 256 << 10;

/// The most bytes of a target or an index. No sum of two of them overflows.
const MOST: u64 = 1 << 62;

/// What of the far side is wanted, and what of it is here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Where it is there, beneath the root if there is one.
    pub path: Vec<u8>,
    /// Of a directory, what to leave out, line by line in the syntax of gitignore.
    pub excludes: String,
    /// Of a directory, the users and groups too.
    pub owner: bool,
    /// Of a directory, the extended attributes too.
    pub xattrs: bool,
    /// Reads every file, and does not go by length and time.
    pub checksum: bool,
    /// The file that is here: one of the same length and time is believed to be the same.
    pub file: Option<State>,
    /// The hash of the listing of the directory that is here.
    pub listing: Option<[u8; 32]>,
}

/// What a file is believed to be known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last changed.
    pub modified: SystemTime,
}

impl Wish {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { path, excludes, owner, xattrs, checksum, file, listing } = self;
        let flags = [*owner, *xattrs, *checksum, file.is_some(), listing.is_some()];
        let flags = flags.iter().rev().fold(0, |flags, &flag| flags << 1 | u8::from(flag));
        // The side that is asked is the one that serves.
        let mut out = vec![0, flags];
        put_bytes(&mut out, path);
        put_bytes(&mut out, excludes.as_bytes());
        if let Some(State { length, modified }) = file {
            put_number(&mut out, *length);
            put_time(&mut out, *modified);
        }
        if let Some(listing) = listing {
            out.extend_from_slice(listing);
        }
        out
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Wrong> {
        let mut input = Input(body);
        if input.byte()? != 0 {
            return Err("it wants what this version cannot do");
        }
        let flags = input.byte()?;
        if flags >> 5 != 0 {
            return Err("it wants what this version does not know");
        }
        let has = |bit: u8| flags >> bit & 1 == 1;
        let path = input.bytes(LONGEST_PATH)?.to_vec();
        if path.contains(&0) {
            return Err("a path has a byte that no path can have");
        }
        let excludes = input.text(LONGEST_PATTERNS)?.to_owned();
        let file = if has(3) { Some(State { length: input.number()?, modified: time(&mut input)? }) } else { None };
        let listing = if has(4) { Some(input.array()?) } else { None };
        input.end()?;
        Ok(Self { path, excludes, owner: has(0), xattrs: has(1), checksum: has(2), file, listing })
    }

    /// Whether it can be sent.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        match () {
            () if self.path.len() > LONGEST_PATH => Err("the path is too long"),
            () if self.excludes.len() > LONGEST_PATTERNS => Err("the patterns are too long"),
            () => Ok(()),
        }
    }
}

/// Which bytes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Index = 0,
    Target = 1,
}

impl Object {
    pub(crate) const ALL: [Self; 2] = [Self::Index, Self::Target];
}

/// What there is, and what of it comes unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) is_directory: bool,
    /// Bytes of the index and of the target.
    pub(crate) lengths: [u64; 2],
    pub(crate) modified: Option<SystemTime>,
    /// What of both follows.
    pub(crate) pushed: [Vec<ByteRange>; 2],
}

impl Opened {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.is_directory) | u8::from(self.modified.is_some()) << 1];
        for length in self.lengths {
            put_number(&mut out, length);
        }
        if let Some(modified) = self.modified {
            put_time(&mut out, modified);
        }
        for pushed in &self.pushed {
            put_ranges(&mut out, pushed);
        }
        out
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Wrong> {
        let mut input = Input(body);
        let flags = input.byte()?;
        if flags > 3 {
            return Err("it has what this version does not know");
        }
        let lengths = [input.number()?, input.number()?];
        if lengths.iter().any(|&length| length > MOST) {
            return Err("it has more than anything can have");
        }
        let modified = if flags & 2 != 0 { Some(time(&mut input)?) } else { None };
        let pushed = [input.ranges(lengths[0])?, input.ranges(lengths[1])?];
        input.end()?;
        Ok(Self { is_directory: flags & 1 != 0, lengths, modified, pushed })
    }
}

/// Ranges of one of both.
pub(crate) fn encode_read(object: Object, ranges: &[ByteRange]) -> Vec<u8> {
    let mut out = vec![object as u8];
    put_ranges(&mut out, ranges);
    out
}

pub(crate) fn decode_read(body: &[u8], lengths: [u64; 2]) -> Result<(Object, Vec<ByteRange>), Wrong> {
    let mut input = Input(body);
    let object = match input.byte()? {
        0 => Object::Index,
        1 => Object::Target,
        _ => return Err("it wants something of what there is not"),
    };
    let ranges = input.ranges(lengths[object as usize])?;
    input.end()?;
    Ok((object, ranges))
}

/// Seconds since 1970, of which the lowest bit tells whether they are before that, and nanoseconds.
fn put_time(out: &mut Vec<u8>, time: SystemTime) {
    let (since, is_before) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since, 0),
        Err(error) => (error.duration(), 1),
    };
    put_number(out, since.as_secs() << 1 | is_before);
    put_number(out, since.subsec_nanos().into());
}

fn time(input: &mut Input<'_>) -> Result<SystemTime, Wrong> {
    let (seconds, nanoseconds) = (input.number()?, input.number()?);
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|&number| number < 1_000_000_000);
    let since = Duration::new(seconds >> 1, nanoseconds.ok_or(NO_TIME)?);
    let time = if seconds & 1 == 0 { UNIX_EPOCH.checked_add(since) } else { UNIX_EPOCH.checked_sub(since) };
    time.ok_or(NO_TIME)
}

const NO_TIME: Wrong = "a time is none";

/// Why something cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    NotFound = 1,
    Denied = 2,
    Changed = 3,
    Other = 4,
    Violation = 5,
}

/// What is said to the other side.
pub(crate) fn encode_refused(reason: Reason, why: &str) -> Vec<u8> {
    let end = (0..=why.len().min(LONGEST_REASON)).rev().find(|&at| why.is_char_boundary(at)).unwrap_or(0);
    let mut out = vec![reason as u8];
    put_bytes(&mut out, &why.as_bytes()[..end]);
    out
}

/// Bytes of a reason, at most.
const LONGEST_REASON: usize = 1000;

/// What the other side says, with nothing in it that a terminal would obey.
pub(crate) fn decode_refused(body: &[u8]) -> Result<(Reason, String), Wrong> {
    let mut input = Input(body);
    let reason = match input.byte()? {
        1 => Reason::NotFound,
        2 => Reason::Denied,
        3 => Reason::Changed,
        5 => Reason::Violation,
        _ => Reason::Other,
    };
    let why = String::from_utf8_lossy(input.bytes(LONGEST_REASON)?).replace(char::is_control, "?");
    input.end()?;
    Ok((reason, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_come_back() {
        let state = State { length: 1 << 40, modified: UNIX_EPOCH - Duration::new(3, 5) };
        let full = Wish {
            path: b"dir/\xff".into(),
            excludes: "*.log\n".into(),
            owner: true,
            xattrs: true,
            checksum: true,
            file: Some(state),
            listing: Some([7; 32]),
        };
        for wish in [Wish::default(), Wish { checksum: true, ..Wish::default() }, full] {
            let bytes = wish.encode();
            assert_eq!(Wish::decode(&bytes), Ok(wish));
            for len in 0..bytes.len() {
                assert!(Wish::decode(&bytes[..len]).is_err(), "{len}");
            }
            assert!(Wish::decode(&[&bytes[..], b"x"].concat()).is_err());
            assert!(Wish::decode(&[&[1], &bytes[1..]].concat()).is_err(), "another side");
            assert!(Wish::decode(&[&[0, 0x20], &bytes[2..]].concat()).is_err(), "a flag that nobody knows");
        }
        assert!(Wish::decode(&Wish { path: b"a\0b".into(), ..Wish::default() }.encode()).is_err());
        assert!(Wish { path: vec![b'a'; 5000], ..Wish::default() }.check().is_err());
    }

    #[test]
    fn what_there_is_comes_back() {
        let opened = Opened {
            is_directory: true,
            lengths: [100, 1 << 50],
            modified: Some(UNIX_EPOCH + Duration::new(1 << 33, 999_999_999)),
            pushed: [vec![ByteRange::at(0, 100)], Vec::new()],
        };
        let bytes = opened.encode();
        assert_eq!(Opened::decode(&bytes), Ok(opened.clone()));
        for len in 0..bytes.len() {
            assert!(Opened::decode(&bytes[..len]).is_err(), "{len}");
        }
        let longer = Opened { pushed: [vec![ByteRange::at(1, 100)], Vec::new()], ..opened.clone() };
        assert!(Opened::decode(&longer.encode()).is_err());
        assert!(Opened::decode(&Opened { lengths: [u64::MAX, 1], ..opened }.encode()).is_err());
        let ranges = [ByteRange::at(3, 4), ByteRange::at(9, 1)];
        assert_eq!(decode_read(&encode_read(Object::Target, &ranges), [0, 10]), Ok((Object::Target, ranges.to_vec())));
        assert!(decode_read(&encode_read(Object::Index, &ranges), [9, 10]).is_err());
    }

    #[test]
    fn reasons_are_short_and_plain() {
        let said = |why: &str| decode_refused(&encode_refused(Reason::Denied, why)).unwrap();
        assert_eq!(said("no\x1b[31m\n"), (Reason::Denied, "no?[31m?".into()));
        assert!(said(&"\u{e9}".repeat(2000)).1.len() <= LONGEST_REASON);
        assert!(decode_refused(&[1, 0xff, 0xff]).is_err());
    }
}
