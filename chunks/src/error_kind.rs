//! What kind of trouble an error is, in whichever crate.

use std::fmt;

/// The kinds of trouble that callers act on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller wished to stop.
    Cancelled,
    /// Data is damaged or forged, or is not what it was said to be.
    Corrupt,
    /// What was asked for is not there.
    NotFound,
    /// It may be there, but not for this caller.
    Denied,
    /// A source cannot be reached, fails, or refuses for another reason.
    Source,
    /// The output cannot be written or put in place.
    Output,
    /// What was asked for makes no sense.
    Usage,
    /// Anything else: a file here cannot be read.
    Other,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cancelled => "cancelled",
            Self::Corrupt => "corrupt",
            Self::NotFound => "not found",
            Self::Denied => "denied",
            Self::Source => "source failed",
            Self::Output => "output failed",
            Self::Usage => "usage",
            Self::Other => "other",
        })
    }
}
