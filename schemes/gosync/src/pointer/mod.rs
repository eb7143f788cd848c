//! Pointers: small files that name the newest version of something published.
//!
//! A [`Pointer`] is the one file of a publication that is ever replaced. It names the index of the
//! newest version, and has the hash of its head: so who trusts the pointer can check all the rest.
//! It has a serial number, so that nobody can bring an old version back to a client that has
//! [`Seen`] a newer one, and perhaps a time when it expires, so that nobody can hold a new version
//! back for long. All of that is what is signed.
//!
//! [`Latest`] is a pointer that was opened, and leads to the index. FORMAT.md specifies the bytes.

mod codec;
pub mod date;
pub(crate) mod error;
mod latest;
mod seen;

pub use codec::{MAX_NAME_LEN, MAX_POINTER_LEN, POINTER_SUFFIX, Pointer};
pub use error::PointerError;
pub use latest::Latest;
pub use seen::Seen;
