//! Why there is no signature, delta or new file.

use std::fmt;
use std::io;

use crate::basis::BasisCheck;
use crate::kind::MAX_BLOCK_LEN;

/// What is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The old version.
    Basis,
    /// The signature of the old version.
    Signature,
    /// The new version.
    New,
    /// What leads from the old version to the new one.
    Delta,
}

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Basis => "basis",
            Self::Signature => "signature",
            Self::New => "new file",
            Self::Delta => "delta",
        })
    }
}

/// Why there is no signature, delta or new file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something cannot be read.
    #[error("cannot read the {stream}")]
    Read {
        /// What.
        stream: Stream,
        /// Why.
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("cannot write the {stream}")]
    Write {
        /// What.
        stream: Stream,
        /// Why.
        source: io::Error,
    },
    /// What should be a signature or delta begins like something else.
    #[error("this is no {stream}: it begins with {magic:#010x}")]
    Magic {
        /// What it should be.
        stream: Stream,
        /// The number that it begins with.
        magic: u32,
    },
    /// A signature or delta ends too early.
    #[error("the {stream} ends too early; fetch or make it again")]
    Truncated {
        /// Which.
        stream: Stream,
    },
    /// A signature or delta says something that cannot be.
    #[error("the {stream} is corrupt: {what}")]
    Corrupt {
        /// Which.
        stream: Stream,
        /// What it says.
        what: String,
    },
    /// The delta copies what the basis does not have.
    #[error("the delta copies {len} bytes from {position} on, where the basis ends; it is for another basis")]
    BasisTooShort {
        /// Where the copy begins, in bytes from the basis's start.
        position: u64,
        /// How many bytes it has.
        len: u64,
    },
    /// The basis is not the one that a [`BasisCheck`] is of.
    #[error("the basis is not the one that the delta is for: it is {found}, and not {expected}")]
    WrongBasis {
        /// What it should be.
        expected: BasisCheck,
        /// What it is.
        found: BasisCheck,
    },
    /// The new file would be longer than the limit.
    #[error("the delta makes more than the {limit} bytes allowed")]
    TooLong {
        /// Bytes that are allowed.
        limit: u64,
    },
    /// There are no blocks of this length.
    #[error("block length {0} is not between 1 and {MAX_BLOCK_LEN}")]
    BlockLen(u32),
    /// The strong sums have no such number of bytes.
    #[error("strong sums of {strong_len} bytes are not between 1 and {most}")]
    StrongLen {
        /// The number.
        strong_len: u32,
        /// The most that there can be.
        most: u32,
    },
    /// The basis has more blocks than can be counted.
    #[error("the basis has more than 2^32 - 1 blocks; choose larger blocks")]
    TooManyBlocks,
}

impl Error {
    /// The number that librsync has for this, an `rs_result`, and rdiff as its exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Write { .. } => 100,
            Self::Truncated { .. } | Self::BasisTooShort { .. } => 103,
            Self::Magic { .. } => 104,
            Self::TooManyBlocks | Self::BlockLen(_) => 105,
            Self::Corrupt { .. } | Self::WrongBasis { .. } => 106,
            Self::TooLong { .. } | Self::StrongLen { .. } => 108,
        }
    }

    pub(crate) fn read(stream: Stream) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { stream, source }
    }

    pub(crate) fn write(stream: Stream) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { stream, source }
    }

    pub(crate) fn corrupt(stream: Stream, what: impl Into<String>) -> Self {
        Self::Corrupt { stream, what: what.into() }
    }
}
