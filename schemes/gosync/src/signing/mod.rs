//! Detached signatures of indexes, as minisign makes and checks them.
//!
//! What is signed is an index's head, the bytes that
//! [`LayeredIndex::head`](gosync_layers::format::LayeredIndex::head) gives: they hold the hash of
//! the target. FORMAT.md specifies the signature and the keys.

mod check;
mod comment;
pub(crate) mod error;
mod key_id;
mod public;
#[cfg(feature = "sign")]
mod secret;
mod text;

pub use check::{SIGNATURE_SUFFIX, Signed, check_signature, publish_signature};
pub use comment::TrustedComment;
pub use error::{KeyError, SigningError};
pub use key_id::KeyId;
pub use public::PublicKey;
#[cfg(feature = "sign")]
pub use secret::SecretKey;
