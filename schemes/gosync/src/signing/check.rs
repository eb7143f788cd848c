//! Finding the signature of an index, and holding the index against it.

use gosync_blocksources::{Document, Location, SourceOptions, open_document};
use gosync_chunks::{SourceError, Transfer};
use gosync_publish::Destination;

use super::comment::TrustedComment;
use super::error::SigningError;
use super::key_id::KeyId;
use super::public::PublicKey;
use crate::error::Error;
use crate::open::OpenedIndex;

/// What is added to the name of an index to make that of its signature.
pub const SIGNATURE_SUFFIX: &str = ".minisig";

/// The most bytes that a signature may have; most have 300.
const MAX_LEN: u64 = 16 << 10;

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key that made it.
    pub key: KeyId,
    /// What was signed with the header.
    pub comment: TrustedComment,
    /// What it cost to get; of a file, no requests.
    pub transfer: Transfer,
}

impl OpenedIndex {
    /// Verifies that the index is signed by `key`: see [`check_signature`]. Where redirects led
    /// to the index, its signature may also be beside that.
    ///
    /// # Errors
    ///
    /// As there; and for an index of go-sync, which nothing can sign.
    pub fn check_signature(&self, key: &PublicKey, options: &SourceOptions) -> Result<Signed, Error> {
        let unsignable = || refused(&self.location, SigningError::Unsignable);
        let index = self.index.layered().ok_or_else(unsignable)?;
        let checked = check_signature(index.head(), &self.location, key, options);
        match checked {
            Err(Error::Signing { source: SigningError::Missing { .. }, .. }) if self.found_at != self.location => {
                check_signature(index.head(), &self.found_at, key, options).or(checked)
            }
            checked => checked,
        }
    }
}

/// Verifies that the file beside the index at `index`, under the same name and
/// `.minisig`, is a signature of `header` by `key`.
///
/// # Errors
///
/// When there is none, when it is of another key or other bytes, and when it cannot be
/// fetched or read. All but the last is of the kind [`Corrupt`](gosync_chunks::ErrorKind::Corrupt). A
/// server that denies access is one of the last kind: it need not have any signature.
pub fn check_signature(
    header: &[u8],
    index: &Location,
    key: &PublicKey,
    options: &SourceOptions,
) -> Result<Signed, Error> {
    let location = index.with_suffix(SIGNATURE_SUFFIX);
    let name = location.to_string();
    let Document { bytes, transfer, .. } = open_document(&location, MAX_LEN, options).map_err(|error| match error {
        // A server that keeps a signature back has to look like one that has none.
        SourceError::NotFound { .. } => refused(index, SigningError::Missing { location: name.clone(), source: error }),
        SourceError::TooLong { .. } => {
            refused(index, SigningError::Malformed { location: name.clone(), what: "it is too long" })
        }
        error => gosync_update::Error::Source(error).into(),
    })?;
    let malformed = |_| SigningError::Malformed { location: name.clone(), what: "it is no text" };
    let verified = std::str::from_utf8(&bytes).map_err(malformed).and_then(|text| key.verify(header, text, &name));
    let comment = verified.map_err(|source| refused(index, source))?;
    Ok(Signed { key: key.id(), comment, transfer })
}

/// Writes `signature` beside the index at `index`, where clients that are to trust the index
/// look for it, and tells where that is.
///
/// # Errors
///
/// When it cannot be written there.
pub fn publish_signature(signature: &str, index: &Location, options: &SourceOptions) -> Result<Location, Error> {
    let location = index.with_suffix(SIGNATURE_SUFFIX);
    Destination::new(&location, options).put(|writer| writer.write_all(signature.as_bytes()))?;
    Ok(location)
}

fn refused(index: &Location, source: SigningError) -> Error {
    Error::Signing { location: index.to_string(), source }
}
