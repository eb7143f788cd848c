//! What a file or directory has beside its contents, mode and time: on request only.

use std::fs::File;
use std::io;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::listing::extras::Xattrs;
use crate::platform;

/// What is to be set of something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extra {
    /// User and group, as numbers of this system.
    pub(crate) owner: Option<(u32, u32)>,
    /// All attributes that it is to have: others of the kinds that a listing has are removed.
    pub(crate) xattrs: Option<Xattrs>,
}

/// How many paths do not have what they are to have, since this user or the file system refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unset {
    /// The owner.
    pub owners: u64,
    /// Some extended attribute.
    pub xattrs: u64,
}

impl AddAssign for Unset {
    fn add_assign(&mut self, other: Self) {
        self.owners += other.owners;
        self.xattrs += other.xattrs;
    }
}

/// Counts what could not be set, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    owners: AtomicU64,
    xattrs: AtomicU64,
}

impl Extra {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives `file` all of it. What is refused is counted.
    pub(crate) fn set(&self, file: &File, refusals: &Refusals) -> io::Result<()> {
        if let Some((user, group)) = self.owner {
            refusals.note(&refusals.owners, platform::set_owner(file, user, group))?;
        }
        let Some(xattrs) = &self.xattrs else { return Ok(()) };
        let there = platform::xattrs(file)?;
        let set = || {
            for (name, _) in there.iter().filter(|(name, _)| xattrs.iter().all(|(other, _)| other != name)) {
                platform::remove_xattr(file, name)?;
            }
            let missing = xattrs.iter().filter(|xattr| !there.contains(xattr));
            missing.into_iter().try_for_each(|(name, value)| platform::set_xattr(file, name, value))
        };
        refusals.note(&refusals.xattrs, set())
    }
}

impl Refusals {
    pub(crate) fn note_owner(&self, set: io::Result<()>) -> io::Result<()> {
        self.note(&self.owners, set)
    }

    pub(crate) fn counted(&self) -> Unset {
        Unset { owners: self.owners.load(Ordering::Relaxed), xattrs: self.xattrs.load(Ordering::Relaxed) }
    }

    fn note(&self, count: &AtomicU64, set: io::Result<()>) -> io::Result<()> {
        match set {
            Err(error) if is_refusal(&error) => {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            set => set,
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | Unsupported | InvalidInput)
}
