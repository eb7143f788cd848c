//! Secret keys, and what they sign.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use gosync_blocksources::Location;

use super::error::KeyError;
use super::key_id::KeyId;
use super::public::PublicKey;
use super::text::{LEGACY, decode, key_line};
use crate::error::Error;
use crate::index::Index;

/// Algorithms, salt and limits of the encryption, number, key, checksum.
const KEY_LEN: usize = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32;
const PLAIN: [u8; 2] = [0; 2];
const SCRYPT: [u8; 2] = *b"Sc";

/// A secret key of minisign, decrypted.
#[derive(Clone)]
pub struct SecretKey {
    key: minisign::SecretKey,
    public: minisign::PublicKey,
}

impl SecretKey {
    /// Reads the key in the file at `path`. If it is encrypted, `password` is asked, and
    /// decrypting takes as much time and memory as the key says: with minisign's own
    /// settings some seconds and a gibibyte.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no secret key, or the password is wrong.
    pub fn read(path: &Path, password: impl FnOnce() -> io::Result<String>) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text, password).map_err(|source| Error::Key { key: path.display().to_string(), source })
    }

    /// The key that `text`, the content of a key file, is.
    ///
    /// # Errors
    ///
    /// When it is not a secret key, or the password is wrong.
    pub fn parse(text: &str, password: impl FnOnce() -> io::Result<String>) -> Result<Self, KeyError> {
        let malformed = |what| KeyError::Malformed { kind: "secret", what };
        let line = key_line(text).ok_or_else(|| malformed("a comment and a line of base64 are all that one has"))?;
        let bytes: [u8; KEY_LEN] = decode(line).ok_or_else(|| malformed("that takes 212 characters of base64"))?;
        if bytes[..2] != LEGACY {
            return Err(malformed("its algorithm is not Ed25519"));
        }
        let key = match [bytes[2], bytes[3]] {
            // minisign itself leaves the checksum of a key without a password empty, which
            // the crate's own reader of such keys takes for damage.
            PLAIN => minisign::SecretKey::from_bytes(&bytes).map_err(unusable)?,
            SCRYPT => {
                let password = password().map_err(KeyError::NoPassword)?;
                let text = format!("\n{line}\n");
                minisign::SecretKeyBox::from(text).into_secret_key(Some(password)).map_err(|error| {
                    match error.kind() {
                        minisign::ErrorKind::Verify => KeyError::WrongPassword,
                        _ => unusable(error),
                    }
                })?
            }
            _ => return Err(malformed("its encryption is not scrypt")),
        };
        let public = minisign::PublicKey::from_secret_key(&key).map_err(unusable)?;
        let key = Self { key, public };
        // The two halves of a damaged key do not fit.
        key.sign(b"", "").map(|_| key)
    }

    /// The number of the pair of keys.
    pub fn id(&self) -> KeyId {
        KeyId(self.key.keynum().try_into().expect("a key number has eight bytes"))
    }

    /// The key to verify with what this one signs.
    ///
    /// # Errors
    ///
    /// When the key holds none that can be used.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        self.public.to_base64().parse()
    }

    /// Signs `header` and `trusted_comment`, and gives the text of the signature file. A
    /// comment is one line, in which all that controls something but tabs becomes spaces.
    ///
    /// # Errors
    ///
    /// When the machine gives no random numbers.
    pub fn sign(&self, header: &[u8], trusted_comment: &str) -> Result<String, KeyError> {
        self.sign_as("a gosync index's header", header, trusted_comment)
    }

    /// The same of `what`, in words.
    pub(crate) fn sign_as(&self, what: &str, header: &[u8], trusted_comment: &str) -> Result<String, KeyError> {
        let comment = trusted_comment.replace(|c: char| c.is_control() && c != '\t', " ");
        let untrusted = format!("signature of {what} by key {}", self.id());
        let signature = minisign::sign(Some(&self.public), &self.key, header, Some(comment.trim()), Some(&untrusted));
        Ok(signature.map_err(unusable)?.into_string())
    }
}

impl SecretKey {
    /// The text of a signature of `index`, which will be at `location`, as of now.
    ///
    /// # Errors
    ///
    /// When the machine gives no random numbers.
    ///
    /// # Panics
    ///
    /// When the index is none of gosync's own format, and has no head to sign.
    pub fn sign_index(&self, index: &Index, location: &Location) -> Result<String, Error> {
        let head = index.layered().expect("only an index with a head is signed").head();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let name = location.file_name().unwrap_or_default();
        let comment = format!("timestamp:{now}\tfile:{name}\theader:{}", head.len());
        self.sign(head, &comment).map_err(|source| Error::Key { key: self.id().to_string(), source })
    }
}

impl fmt::Debug for SecretKey {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn unusable(error: minisign::PError) -> KeyError {
    KeyError::Unusable(Box::new(error))
}
