//! Publications: folders in which a pointer leads to the newest version.
//!
//! [`Publication::publish`] lays out what clients fetch, under a name that is used once, then the
//! index and its signature, and at last replaces the pointer. So a client finds the old version or
//! the new one, whenever it comes, and those who are still fetching the old one find that.

pub(crate) mod error;
mod names;
mod publish;
mod versions;

pub use error::PublicationError;
pub use gosync_publish::CONTENT_SUFFIX;
pub use names::{INDEX_SUFFIX, VERSIONS_SUFFIX};
pub use publish::{Made, Publication, Source};
pub use versions::{Version, Versions};
