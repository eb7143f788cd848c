//! Why a signature is refused, or a key cannot be used.

use std::io;

use gosync_chunks::SourceError;

use super::key_id::KeyId;

/// Why an index does not count as signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// There is none where one has to be.
    #[error("there is no signature at {location}; its publisher may have one")]
    Missing {
        /// The path or URL.
        location: String,
        /// What was found instead.
        #[source]
        source: SourceError,
    },
    /// A pointer has none at its end.
    #[error("{location} has no signature; its publisher may publish one with `--sign`")]
    Unsigned {
        /// The path or URL of the pointer.
        location: String,
    },
    /// The index has a format without a header to sign.
    #[error("an index of go-sync cannot be signed; make one in our own format")]
    Unsignable,
    /// What is there is no signature.
    #[error("the signature at {location} is not one of minisign: {what}; get it again")]
    Malformed {
        /// The path or URL.
        location: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another key signed.
    #[error("the signature at {location} was made with key {actual}, not with {expected}; take the publisher's key")]
    OtherKey {
        /// The path or URL.
        location: String,
        /// The key that is to have signed.
        expected: KeyId,
        /// The key that the signature names.
        actual: KeyId,
    },
    /// The signature is not one of these bytes and this comment by this key.
    #[error(
        "the signature at {location} does not hold: it is of another version, or one of the two was altered; \
         get both again"
    )]
    Wrong {
        /// The path or URL.
        location: String,
    },
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is no key of the kind that was asked for.
    #[error("it is no {kind} key as minisign makes them: {what}")]
    Malformed {
        /// `public` or `secret`.
        kind: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It is encrypted, and the password could not be had.
    #[error("it is encrypted, and there is no password")]
    NoPassword(#[source] io::Error),
    /// It is encrypted with another password.
    #[error("the password is wrong")]
    WrongPassword,
    /// It cannot be decrypted or used.
    #[error("it cannot be used; make a new one with `minisign -G`")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
