//! What is in a tree.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gosync_chunks::FileHash;

/// A point in time, as file systems have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Since the beginning of 1970.
    pub seconds: i64,
    /// After these, less than a second.
    pub nanoseconds: u32,
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self { seconds: since.as_secs() as i64, nanoseconds: since.subsec_nanos() },
            Err(before) => {
                let before = before.duration();
                let nanoseconds = (1_000_000_000 - before.subsec_nanos()) % 1_000_000_000;
                let seconds = -(before.as_secs() as i64) - i64::from(nanoseconds > 0);
                Self { seconds, nanoseconds }
            }
        }
    }
}

impl Time {
    /// As the standard library has it, where the system can have such a time.
    pub(crate) fn to_system(self) -> Option<SystemTime> {
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let whole = if self.seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        whole?.checked_add(Duration::from_nanos(self.nanoseconds.into()))
    }

    /// Whether a file that was given this time may say that it has the time `kept`. File systems
    /// leave out what they have no room for: NTFS what is less than 100 nanoseconds, others what is
    /// less than a microsecond, a millisecond or a second, and FAT every other second.
    pub(crate) fn may_be_kept_as(self, kept: Self) -> bool {
        let whole = |unit| self.nanoseconds - self.nanoseconds % unit;
        let is_cut = [1, 100, 1_000, 1_000_000, 1_000_000_000].iter().any(|&unit| kept.nanoseconds == whole(unit));
        let is_even = kept.nanoseconds == 0 && kept.seconds == self.seconds - self.seconds.rem_euclid(2);
        kept.seconds == self.seconds && is_cut || is_even
    }
}

/// What a file or directory has beside its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The nine permission bits.
    pub mode: u32,
    /// When it was last changed.
    pub modified: Time,
}

/// What one path of a tree leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names with `/` between them; of the tree itself it is empty.
    pub path: Vec<u8>,
    /// What is there.
    pub kind: Kind,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory(Attributes),
    /// A file.
    File(Attributes, Content),
    /// A symbolic link.
    Link {
        /// When it was made.
        modified: Time,
        /// Where it leads to, as it says itself.
        target: Vec<u8>,
    },
    /// One more name of a file.
    HardLink {
        /// The number of the entry of that file, which comes before this one.
        of: usize,
    },
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Length in bytes.
    pub length: u64,
    /// BLAKE3 of all of it.
    pub hash: FileHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_known_again_where_a_file_system_keeps_less_of_it() {
        let time = |seconds, nanoseconds| Time { seconds, nanoseconds };
        let given = time(1_001, 123_456_789);
        for kept in [123_456_789, 123_456_700, 123_456_000, 123_000_000, 0] {
            assert!(given.may_be_kept_as(time(1_001, kept)), "{kept}");
        }
        assert!(given.may_be_kept_as(time(1_000, 0)) && time(-1, 5).may_be_kept_as(time(-2, 0)), "FAT");
        for (seconds, kept) in [(1_001, 123_456_788), (1_001, 123_400_000), (1_000, 1), (1_002, 0), (999, 0)] {
            assert!(!given.may_be_kept_as(time(seconds, kept)), "{seconds}.{kept}");
        }
    }

    #[test]
    fn times_come_back() {
        for (seconds, nanoseconds) in [(0, 0), (1, 999_999_999), (-1, 0), (-1, 5), (-1_000_000, 999_999_999)] {
            let time = Time { seconds, nanoseconds };
            assert_eq!(time.to_system().map(Time::from), Some(time));
        }
    }
}
