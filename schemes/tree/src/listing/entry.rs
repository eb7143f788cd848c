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

    /// Whether a file that was given this time may say that it has the time `kept`, which is in
    /// `unit` nanoseconds. Nothing coarser is made allowance for: a second more or less is mostly
    /// another time.
    pub(crate) fn is_kept_as(self, kept: Self, unit: u32) -> bool {
        (kept.seconds, kept.nanoseconds) == (self.seconds, self.nanoseconds - self.nanoseconds % unit) || kept == self
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
    fn a_time_is_known_again_where_less_of_it_is_kept() {
        let time = |seconds, nanoseconds| Time { seconds, nanoseconds };
        let given = time(-7, 123_456_789);
        assert!(given.is_kept_as(given, 1) && given.is_kept_as(given, 100));
        assert!(given.is_kept_as(time(-7, 123_456_700), 100) && !given.is_kept_as(time(-7, 123_456_700), 1));
        for (seconds, nanoseconds) in [(-7, 123_456_600), (-7, 123_456_800), (-7, 0), (-8, 123_456_700)] {
            assert!(!given.is_kept_as(time(seconds, nanoseconds), 100), "{seconds}.{nanoseconds}");
        }
    }

    #[test]
    fn times_come_back() {
        for (seconds, nanoseconds) in [(0, 0), (1, 999_999_900), (-1, 0), (-1, 500), (-1_000_000, 999_999_900)] {
            let time = Time { seconds, nanoseconds };
            assert_eq!(time.to_system().map(Time::from), Some(time));
        }
    }
}
