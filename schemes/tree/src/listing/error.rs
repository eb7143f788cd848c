//! Why bytes are no listing.

/// What is wrong with a listing, or with the section that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the listing of the directory is damaged: {what}")]
pub struct ListingError {
    what: String,
}

impl ListingError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}
