//! What was brought about last by way of a pointer.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use gosync_files::{Note, entry};
use gosync_layers::format::LayeredIndex;
use gosync_patcher::{StagedFile, hidden_path};

use super::codec::{MAX_POINTER_LEN, Pointer};
use super::error::PointerError;
use crate::error::Error;

/// The end of the name of the file that it is kept in, beside a file.
const SUFFIX: &str = ".gosync-seen";

/// The most bytes that it has: a pointer, and the head of an index with a header of 64 KiB.
const MAX_LEN: u64 = MAX_POINTER_LEN + (65 << 10);

/// The pointer by which something was brought about last, and the head of its index.
///
/// Of a file it is kept beside that, in `.NAME.gosync-seen`; who keeps anything else, keeps the
/// bytes elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the pointer said.
    pub pointer: Pointer,
    head: Vec<u8>,
    kept_in: PathBuf,
}

impl Seen {
    /// Reads what was kept in the file at `kept_in`.
    ///
    /// # Errors
    ///
    /// When it is nothing that was kept so. It is not taken for nothing then: who can damage it could
    /// bring back an old version.
    pub fn read(bytes: &[u8], kept_in: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Pointer { location: kept_in.display().to_string(), source };
        let (pointer, len) = Pointer::read(bytes).map_err(unusable)?;
        Ok(Self { pointer, head: bytes[len..].to_vec(), kept_in: kept_in.to_owned() })
    }

    /// The bytes to keep of a pointer and the index that it led to.
    pub fn bytes(pointer: &Pointer, index: &LayeredIndex) -> Vec<u8> {
        [&pointer.encode(), index.head()].concat()
    }

    /// What was kept beside the file at `path`, which need not be there.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or was not kept so.
    pub fn beside(path: &Path) -> Result<Option<Self>, Error> {
        let kept_in = hidden_path(path, SUFFIX);
        match read(&kept_in) {
            Ok(bytes) => Self::read(&bytes, &kept_in).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path: kept_in, source }),
        }
    }

    /// Keeps `bytes` beside the file at `path`, unless they are there already.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn keep_beside(path: &Path, bytes: &[u8]) -> Result<Vec<Note>, Error> {
        let kept_in = hidden_path(path, SUFFIX);
        if read(&kept_in).is_ok_and(|kept| kept == bytes) {
            return Ok(Vec::new());
        }
        let staged = StagedFile::create(&kept_in).map_err(gosync_update::Error::from)?;
        let written = staged.file().write_all(bytes);
        written.map_err(|source| gosync_update::Error::Write { path: kept_in, source })?;
        Ok(staged.commit().map_err(gosync_update::Error::from)?)
    }

    /// Refuses `pointer` where it would bring back what was there before this.
    ///
    /// # Errors
    ///
    /// When its serial number is smaller than this one's, or the same though it says something else.
    pub(super) fn check(&self, pointer: &Pointer) -> Result<(), PointerError> {
        let Self { pointer: seen, kept_in, .. } = self;
        let kept_in = || kept_in.clone();
        match (pointer.serial, seen.serial) {
            // Another publication counts on its own.
            _ if pointer.name != seen.name => Ok(()),
            (serial, seen) if serial < seen => Err(PointerError::Rollback { serial, seen, kept_in: kept_in() }),
            (serial, same) if serial == same && pointer != seen => {
                Err(PointerError::Replaced { serial, kept_in: kept_in() })
            }
            _ => Ok(()),
        }
    }

    /// The head of the index that `pointer` points to, if it is the one that was kept.
    pub(super) fn head_for(&self, pointer: &Pointer) -> Option<&[u8]> {
        Some(&*self.head).filter(|head| *blake3::hash(head).as_bytes() == pointer.head)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry::open(path, OpenOptions::new().read(true))?.take(MAX_LEN).read_to_end(&mut bytes)?;
    Ok(bytes)
}
