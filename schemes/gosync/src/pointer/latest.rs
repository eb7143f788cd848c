//! A pointer that was opened.

use std::sync::Arc;
use std::time::SystemTime;

use gosync_blocksources::{Location, SourceOptions, open_source};
use gosync_chunks::{SourceError, Transfer};
use gosync_layers::format::{LayeredIndex, ReadOptions};
use gosync_update::Beginning;

use super::codec::{MAX_POINTER_LEN, POINTER_SUFFIX, Pointer};
use super::date;
use super::error::PointerError;
use super::seen::Seen;
use crate::error::Error;
use crate::index::Index;
use crate::open::OpenedIndex;
use crate::signing::{PublicKey, Signed, SigningError};

/// A pointer that was opened, and what it cost to get.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What it says.
    pub pointer: Pointer,
    /// Where it was asked for.
    pub location: Location,
    /// Where it was found, redirects followed.
    pub found_at: Location,
    /// What the signature says, if there was to be one.
    pub signed: Option<Signed>,
    /// The text of the signature, which nobody may have looked at; empty where there is none.
    pub signature: Vec<u8>,
    /// Bytes and requests; of a file, no requests.
    pub transfer: Transfer,
}

impl Latest {
    /// Reads a pointer that was begun. With a `key`, it has to be signed by that.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is none or a damaged one, is not signed as it has to be, or is the
    /// pointer of something else than its location says.
    pub fn read(mut beginning: Beginning, key: Option<&PublicKey>) -> Result<Self, Error> {
        let (location, found_at) = (beginning.location().clone(), beginning.found_at().clone());
        let unusable = |source| Error::Pointer { location: location.to_string(), source };
        beginning.read_to(MAX_POINTER_LEN + 1)?;
        let bytes = beginning.start();
        if bytes.len() as u64 > MAX_POINTER_LEN {
            return Err(unusable(PointerError::damaged("it is too long")));
        }
        let (pointer, len) = Pointer::read(bytes).map_err(unusable)?;
        let (head, signature) = bytes.split_at(len);
        let transfer = beginning.transfer();
        let signed = key.map(|key| verify(key, head, signature, &location)).transpose()?;
        let name = location.file_name().unwrap_or_default();
        match name.strip_suffix(POINTER_SUFFIX) {
            Some(expected) if expected != pointer.name.as_str() => {
                let (expected, actual) = (expected.to_owned(), pointer.name.as_str().to_owned());
                Err(unusable(PointerError::OtherName { expected, actual }))
            }
            _ => Ok(Self { pointer, location, found_at, signed, signature: signature.to_vec(), transfer }),
        }
    }

    /// Refuses it where it expired before `now`.
    ///
    /// # Errors
    ///
    /// [`PointerError::Expired`].
    pub fn check_time(&self, now: SystemTime) -> Result<(), Error> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        match self.pointer.expires_at {
            Some(at) if at <= now => Err(self.unusable(PointerError::Expired { at: date::shown(at) })),
            _ => Ok(()),
        }
    }

    /// Refuses it where it is older than what was seen.
    ///
    /// # Errors
    ///
    /// [`PointerError::Rollback`], and [`PointerError::Replaced`] where another pointer with the
    /// same number was seen.
    pub fn check_seen(&self, seen: &Seen) -> Result<(), Error> {
        seen.check(&self.pointer).map_err(|error| self.unusable(error))
    }

    /// Whether this leads to the same index as what was seen.
    pub fn is_as(&self, seen: &Seen) -> bool {
        self.pointer.name == seen.pointer.name && seen.head_for(&self.pointer).is_some()
    }

    /// Opens the index that it points to; `len` bytes of it at first, where it is known how many will
    /// mostly do. Where that was `seen` before, and is behind a URL, it is not asked for: what its
    /// head said is known.
    ///
    /// # Errors
    ///
    /// As [`open`](crate::open), and when it is another index.
    pub fn open(
        &self,
        seen: Option<&Seen>,
        len: Option<u64>,
        options: &ReadOptions,
        sources: &SourceOptions,
    ) -> Result<OpenedIndex, Error> {
        let beside = |pointer: &Location| pointer.beside(self.pointer.index.as_str());
        let location = beside(&self.location);
        let head = seen.and_then(|seen| seen.head_for(&self.pointer));
        if let (Some(head), Location::Url(_)) = (head, &location) {
            let unusable = |source| gosync_update::Error::Index { location: location.to_string(), source };
            let source = Arc::from(open_source(&location, sources).map_err(Error::source)?);
            let index = LayeredIndex::open(source, &location.to_string(), head.to_vec(), options);
            let index = Index::Layered(index.map_err(unusable)?);
            return Ok(OpenedIndex { index, found_at: location.clone(), location, transfer: self.transfer });
        }
        let open = |location: &Location| self.open_at(location, len, options, sources);
        let mut opened = match open(&location) {
            // It may be only where a redirect led.
            Err(Error::Update(gosync_update::Error::Source(error @ SourceError::NotFound { .. })))
                if self.found_at != self.location =>
            {
                open(&beside(&self.found_at)).map_err(|_| Error::source(error))?
            }
            opened => opened?,
        };
        opened.transfer += self.transfer;
        Ok(opened)
    }

    fn open_at(
        &self,
        location: &Location,
        len: Option<u64>,
        options: &ReadOptions,
        sources: &SourceOptions,
    ) -> Result<OpenedIndex, Error> {
        let beginning = match len {
            Some(len) => Beginning::read_first(location, len, options.max_bytes, sources),
            None => Beginning::read(location, options.max_bytes, sources),
        };
        let opened = OpenedIndex::read(beginning?, options)?;
        match opened.index.layered() {
            Some(index) if *blake3::hash(index.head()).as_bytes() == self.pointer.head => Ok(opened),
            _ => Err(self.unusable(PointerError::OtherIndex { index: location.to_string() })),
        }
    }

    fn unusable(&self, source: PointerError) -> Error {
        Error::Pointer { location: self.location.to_string(), source }
    }
}

/// Verifies that `signature`, which follows the pointer at `location`, is one of `head` by `key`.
fn verify(key: &PublicKey, head: &[u8], signature: &[u8], location: &Location) -> Result<Signed, Error> {
    let name = location.to_string();
    let verified = match std::str::from_utf8(signature) {
        Ok("") => Err(SigningError::Unsigned { location: name.clone() }),
        Ok(text) => key.verify(head, text, &name),
        Err(_) => Err(SigningError::Malformed { location: name.clone(), what: "it is no text" }),
    };
    match verified {
        Ok(comment) => Ok(Signed { key: key.id(), comment, transfer: Transfer::default() }),
        Err(source) => Err(Error::Signing { location: name, source }),
    }
}
