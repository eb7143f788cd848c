//! What is wanted of the far side, and what it has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gosync_chunks::ByteRange;
use gosync_tree::TreeBuildOptions;

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

impl Wish {
    /// How each side looks at its directory, so that what is the same has one listing.
    pub fn tree_options(&self) -> TreeBuildOptions {
        let Self { ref excludes, owner, xattrs, checksum, .. } = *self;
        TreeBuildOptions { excludes: excludes.clone(), latest: None, owner, xattrs, trust_times: !checksum }
    }
}

/// What a file is believed to be known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// What the far side is to be made, with what is here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Where that is to be, and what is here: it is the far side's where length and time, or the
    /// listing, are the same there.
    pub wish: Wish,
    /// Removes what is not here, but for what is left out.
    pub delete: bool,
    /// Only tells what would be done.
    pub dry_run: bool,
}

/// What the side that begins says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// That the other side is to serve.
    Pull(Wish),
    /// That the other side is to update.
    Push(Offer),
}

impl Request {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Pull(wish) => wish.encode(0, [false; 2]),
            Self::Push(Offer { wish, delete, dry_run }) => wish.encode(1, [*delete, *dry_run]),
        }
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Wrong> {
        let (role, wish, more) = Wish::decode(body)?;
        match (role, more) {
            (0, [false, false]) => Ok(Self::Pull(wish)),
            (1, [delete, dry_run]) => Ok(Self::Push(Offer { wish, delete, dry_run })),
            _ => Err("it wants what this version does not know"),
        }
    }

    pub(crate) fn wish(&self) -> &Wish {
        match self {
            Self::Pull(wish) | Self::Push(Offer { wish, .. }) => wish,
        }
    }
}

impl Wish {
    fn encode(&self, role: u8, more: [bool; 2]) -> Vec<u8> {
        let Self { path, excludes, owner, xattrs, checksum, file, listing } = self;
        let flags = [*owner, *xattrs, *checksum, file.is_some(), listing.is_some(), more[0], more[1]];
        let flags = flags.iter().rev().fold(0, |flags, &flag| flags << 1 | u8::from(flag));
        let mut out = vec![role, flags];
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

    fn decode(body: &[u8]) -> Result<(u8, Self, [bool; 2]), Wrong> {
        let mut input = Input(body);
        let (role, flags) = (input.byte()?, input.byte()?);
        if flags >> 7 != 0 {
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
        let wish = Self { path, excludes, owner: has(0), xattrs: has(1), checksum: has(2), file, listing };
        Ok((role, wish, [has(5), has(6)]))
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

/// What became of what was pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Whether anything was, or would be, changed.
    pub changed: bool,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes of it.
    pub output_bytes: u64,
    /// Those of them that were there.
    pub matched_bytes: u64,
    /// Of a directory, how many files were left alone, changed, added, removed and moved.
    pub files: [u64; 5],
    /// How many paths were left as they are, since somebody changed them meanwhile.
    pub kept: u64,
}

impl Pushed {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { changed, is_directory, output_bytes, matched_bytes, files, kept } = self;
        let mut out = vec![u8::from(*changed) | u8::from(*is_directory) << 1];
        for number in [output_bytes, matched_bytes].into_iter().chain(files).chain([kept]) {
            put_number(&mut out, *number);
        }
        out
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Wrong> {
        let mut input = Input(body);
        let flags = input.byte()?;
        if flags > 3 {
            return Err("it reports what this version does not know");
        }
        let (output_bytes, matched_bytes) = (input.number()?, input.number()?);
        let mut files = [0; 5];
        for number in &mut files {
            *number = input.number()?;
        }
        let kept = input.number()?;
        input.end()?;
        let (changed, is_directory) = (flags & 1 != 0, flags & 2 != 0);
        Ok(Self { changed, is_directory, output_bytes, matched_bytes, files, kept })
    }
}

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
        let offer = Request::Push(Offer { wish: full.clone(), delete: true, dry_run: false });
        let wishes = [Wish::default(), Wish { checksum: true, ..Wish::default() }, full].map(Request::Pull);
        for request in wishes.into_iter().chain([offer]) {
            let bytes = request.encode();
            assert_eq!(Request::decode(&bytes), Ok(request));
            for len in 0..bytes.len() {
                assert!(Request::decode(&bytes[..len]).is_err(), "{len}");
            }
            assert!(Request::decode(&[&bytes[..], b"x"].concat()).is_err());
            assert!(Request::decode(&[&[2], &bytes[1..]].concat()).is_err(), "another role");
            assert!(Request::decode(&[&[0, 0x20], &bytes[2..]].concat()).is_err(), "what only one who pushes can say");
            assert!(Request::decode(&[&[1, 0x80], &bytes[2..]].concat()).is_err(), "a flag that nobody knows");
        }
        let zero = Wish { path: b"a\0b".into(), ..Wish::default() };
        assert!(Request::decode(&Request::Pull(zero).encode()).is_err());
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
    fn reports_come_back() {
        let (files, kept) = ([1, 2, 3, 4, 1 << 40], 5);
        let report = Pushed { changed: true, is_directory: true, output_bytes: 1 << 50, matched_bytes: 7, files, kept };
        let bytes = report.encode();
        assert_eq!(Pushed::decode(&bytes), Ok(report));
        for len in 0..bytes.len() {
            assert!(Pushed::decode(&bytes[..len]).is_err(), "{len}");
        }
        assert!(Pushed::decode(&[&[4], &bytes[1..]].concat()).is_err());
    }

    #[test]
    fn reasons_are_short_and_plain() {
        let said = |why: &str| decode_refused(&encode_refused(Reason::Denied, why)).unwrap();
        assert_eq!(said("no\x1b[31m\n"), (Reason::Denied, "no?[31m?".into()));
        assert!(said(&"\u{e9}".repeat(2000)).1.len() <= LONGEST_REASON);
        assert!(decode_refused(&[1, 0xff, 0xff]).is_err());
    }
}
