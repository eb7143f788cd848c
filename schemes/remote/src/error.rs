//! Why a conversation ended that was not done.

use std::io;

use crate::message::Broken;

/// Why a conversation ended that was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A stream failed, or ended.
    #[error("the connection to the other side broke")]
    Io(#[from] io::Error),
    /// The other side does not keep to the protocol.
    #[error("the other side is not understood: {0}")]
    Violation(&'static str),
    /// What is wanted cannot be had; the other side knows.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<Broken> for ServeError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => Self::Io(error),
            Broken::Violation(what) => Self::Violation(what),
        }
    }
}
