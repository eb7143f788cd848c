//! Finding the signature of an index, and holding the index against it.

use std::fs::File;
use std::io::{self, Read};

use gosync_blocksources::open_document;
use gosync_chunks::{SourceError, Transfer};

use super::{KeyId, PublicKey, SIGNATURE_SUFFIX, SignatureError, TrustedComment};
use crate::{Error, Location, OpenedIndex, SourceOptions};

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
    /// Verifies that the index is signed by `key`: see [`check_signature`].
    ///
    /// # Errors
    ///
    /// As there; and for an index of go-sync, which nothing can sign.
    pub fn check_signature(&self, key: &PublicKey, options: &SourceOptions) -> Result<Signed, Error> {
        let unsignable = || refused(&self.location, SignatureError::Unsignable);
        let header = self.index.header_bytes().ok_or_else(unsignable)?;
        check_signature(header, &self.location, key, options)
    }
}

/// Verifies that the file beside the index at `index`, under the same name and
/// `.minisig`, is a signature of `header` by `key`.
///
/// # Errors
///
/// When there is none, when it is of another key or other bytes, and when it cannot be
/// fetched or read. All but the last is [`Trouble::Corrupt`](crate::Trouble::Corrupt).
pub fn check_signature(
    header: &[u8],
    index: &Location,
    key: &PublicKey,
    options: &SourceOptions,
) -> Result<Signed, Error> {
    let location = index.with_suffix(SIGNATURE_SUFFIX);
    let name = location.to_string();
    let (bytes, transfer) = read(&location, options).map_err(|source| match source {
        SourceError::Read { source: ref error, .. } if error.kind() != io::ErrorKind::NotFound => source.into(),
        // A server that keeps a signature back has to look like one that has none.
        SourceError::Read { .. } | SourceError::Refused { .. } => {
            refused(index, SignatureError::Missing { location: name.clone(), source })
        }
        source => source.into(),
    })?;
    let malformed = |_| SignatureError::Malformed { location: name.clone(), what: "it is no text" };
    let verified = std::str::from_utf8(&bytes).map_err(malformed).and_then(|text| key.verify(header, text, &name));
    let comment = verified.map_err(|source| refused(index, source))?;
    Ok(Signed { key: key.id(), comment, transfer })
}

fn refused(index: &Location, source: SignatureError) -> Error {
    Error::Signature { location: index.to_string(), source }
}

fn read(location: &Location, options: &SourceOptions) -> Result<(Vec<u8>, Transfer), SourceError> {
    match location {
        Location::Url(_) => {
            let document = open_document(location, MAX_LEN, options)?;
            Ok((document.bytes, document.transfer))
        }
        Location::Path(path) => {
            let mut bytes = Vec::new();
            let read = File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_end(&mut bytes));
            match read {
                Ok(len) if len as u64 > MAX_LEN => Err(SourceError::Refused {
                    location: location.to_string(),
                    reason: format!("it has more than {MAX_LEN} bytes"),
                }),
                Ok(len) => Ok((bytes, Transfer { bytes: len as u64, requests: 0 })),
                Err(source) => Err(SourceError::Read { location: location.to_string(), source }),
            }
        }
    }
}
