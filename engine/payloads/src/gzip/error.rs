//! Why something is no deflate.

/// What is wrong with a piece of deflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// There would have to be more.
    #[error("it is cut off")]
    CutOff,
    /// It is no deflate, or begins where nothing can be begun.
    #[error("it is not the deflate that it should be")]
    Broken,
}
