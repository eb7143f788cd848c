//! Public keys, and what they verify.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::comment::TrustedComment;
use super::error::{KeyError, SigningError};
use super::key_id::KeyId;
use super::text::{LEGACY, PREHASHED, UNTRUSTED, decode, key_line};
use crate::error::Error;

const TRUSTED: &str = "trusted comment: ";
const KEY_LEN: usize = 2 + 8 + 32;
const SIGNATURE_LEN: usize = 2 + 8 + 64;

/// A public key of minisign.
///
/// ```
/// let key: gosync::signing::PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
/// assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
/// # Ok::<(), gosync::signing::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    bytes: [u8; KEY_LEN],
    verifier: minisign_verify::PublicKey,
}

impl PublicKey {
    /// Reads the key in the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no public key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        text.parse().map_err(|source| Error::Key { key: path.display().to_string(), source })
    }

    /// The number of the pair of keys.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Verifies that `signature`, the text of a signature file, is one of `header` by
    /// this key, and gives the comment that was signed with it. Both kinds of minisign
    /// are verified. `location` is where the signature is, for the errors.
    ///
    /// # Errors
    ///
    /// When it is not, or is no signature.
    pub fn verify(&self, header: &[u8], signature: &str, location: &str) -> Result<TrustedComment, SigningError> {
        let actual =
            signer(signature).map_err(|what| SigningError::Malformed { location: location.to_owned(), what })?;
        if actual != self.id {
            return Err(SigningError::OtherKey { location: location.to_owned(), expected: self.id, actual });
        }
        let wrong = |_| SigningError::Wrong { location: location.to_owned() };
        let signature = minisign_verify::Signature::decode(signature).map_err(wrong)?;
        self.verifier.verify(header, &signature, true).map_err(wrong)?;
        Ok(TrustedComment(signature.trusted_comment().to_owned()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// From the content of a key file, or its second line alone.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let malformed = |what| KeyError::Malformed { kind: "public", what };
        let line = key_line(text).ok_or_else(|| malformed("a comment and a line of base64 are all that one has"))?;
        let bytes: [u8; KEY_LEN] = decode(line).ok_or_else(|| malformed("that takes 56 characters of base64"))?;
        let verifier = minisign_verify::PublicKey::from_base64(line);
        let verifier = verifier.map_err(|_| malformed("its algorithm is not Ed25519"))?;
        Ok(Self { id: key_id(&bytes), bytes, verifier })
    }
}

impl fmt::Display for PublicKey {
    /// As base64, which [`FromStr`] takes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&STANDARD.encode(self.bytes))
    }
}

/// The key that a signature file names, which has the form of one.
fn signer(signature: &str) -> Result<KeyId, &'static str> {
    let mut lines = signature.lines();
    let mut next = || lines.next().ok_or("it is cut off");
    let (untrusted, sum, trusted, global) = (next()?, next()?, next()?, next()?);
    if !untrusted.starts_with(UNTRUSTED) || !trusted.starts_with(TRUSTED) {
        return Err("a comment is missing");
    }
    let bytes: [u8; SIGNATURE_LEN] = decode(sum).ok_or("the signature of the index has another length")?;
    decode::<64>(global).ok_or("the signature of the comment has another length")?;
    if bytes[..2] != LEGACY && bytes[..2] != PREHASHED {
        return Err("its algorithm is not Ed25519");
    }
    if lines.any(|line| !line.trim_ascii().is_empty()) {
        return Err("something follows it");
    }
    Ok(key_id(&bytes))
}

fn key_id(bytes: &[u8]) -> KeyId {
    let mut id = [0; 8];
    id.copy_from_slice(&bytes[2..10]);
    KeyId(id)
}
