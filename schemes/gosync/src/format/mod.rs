//! Index files: our own format, and go-sync's.

mod error;
mod header;
mod input;
mod legacy;
mod name;
mod native;

use std::fmt;
use std::io::{self, Read, Write};

use gosync_chunks::{Blake3, FileHash, Md5, Signature, StrongHasher};

pub use error::{FormatError, UnsuitableSums};
pub use name::{NameError, TargetName};

/// Bytes of a strong sum in our own format, where nothing else is asked for.
pub const DEFAULT_STRONG_LEN: usize = 16;

/// The format of an index file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own: wide weak sums, BLAKE3, a hash of the whole target.
    Gosync,
    /// go-sync's: weak sums of 32 bits, MD5, and nothing to check the result with.
    GoSync,
}

impl Format {
    /// The sums that a signature needs to be written in this format.
    fn sums(self) -> &'static str {
        match self {
            Self::Gosync => "64-bit weak and BLAKE3",
            Self::GoSync => "32-bit weak and MD5",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Gosync => "gosync",
            Self::GoSync => "go-sync",
        })
    }
}

/// What a reader of untrusted indexes takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The most bytes that an index may have, and with it the memory that one can take.
    pub max_bytes: u64,
}

impl Default for ReadOptions {
    /// 16 GiB: the index of a target of 5 TiB in blocks of 8 KiB.
    fn default() -> Self {
        Self { max_bytes: 16 << 30 }
    }
}

impl ReadOptions {
    fn check(&self, len: u64) -> Result<(), FormatError> {
        // A 32-bit machine cannot address what a larger one may accept.
        let limit = self.max_bytes.min(isize::MAX as u64);
        if len > limit { Err(FormatError::TooLarge { len, limit }) } else { Ok(()) }
    }
}

/// The content of an index file.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    signature: Signature,
    rest: Rest,
}

/// What an index holds besides the signature.
#[derive(Clone, Debug, PartialEq)]
enum Rest {
    Gosync { file_hash: FileHash, target_name: Option<TargetName> },
    GoSync { version: [u16; 3] },
}

impl Index {
    /// An index in our own format.
    ///
    /// # Errors
    ///
    /// When `signature` has other sums than that format: wide weak sums and BLAKE3.
    pub fn new(
        signature: Signature,
        file_hash: FileHash,
        target_name: Option<TargetName>,
    ) -> Result<Self, UnsuitableSums> {
        let is_wide = signature.weak_column().checks.len() == signature.weak_column().keys.len();
        if is_wide && is(signature.hasher(), Blake3::truncated(signature.hasher().sum_len())) {
            Ok(Self::of_gosync(signature, file_hash, target_name))
        } else {
            Err(UnsuitableSums { format: Format::Gosync })
        }
    }

    /// An index in go-sync's format.
    ///
    /// # Errors
    ///
    /// When `signature` has other sums than that format: weak sums of 32 bits and
    /// whole MD5s.
    pub fn go_sync(signature: Signature) -> Result<Self, UnsuitableSums> {
        if signature.weak_column().checks.is_empty() && is(signature.hasher(), Some(Md5::full())) {
            Ok(Self::of_go_sync(signature, legacy::VERSION))
        } else {
            Err(UnsuitableSums { format: Format::GoSync })
        }
    }

    /// Reads an index in any [`Format`], which its first bytes tell, to the end of the
    /// input.
    ///
    /// Memory follows the bytes that were read, not those that are declared, and comes
    /// to no more than the sums take. The reader is asked for large pieces and needs no
    /// buffer of its own.
    ///
    /// # Errors
    ///
    /// When reading fails, or the bytes are not one whole index: see [`FormatError`].
    pub fn read(mut reader: impl Read, options: &ReadOptions) -> Result<Self, FormatError> {
        let mut start = [0; native::MAGIC.len()];
        let len = input::read_up_to(&mut reader, &mut start)?;
        let (magic, line_feed) = native::MAGIC.split_at(native::MAGIC.len() - 1);
        let start = &start[..len];
        let input = start.chain(reader);
        if start == native::MAGIC {
            native::read(input, options)
        } else if start.starts_with(&legacy::MAGIC) {
            legacy::read(input, options)
        } else if start.strip_prefix(magic).is_some_and(|rest| !rest.is_empty() && rest != line_feed) {
            Err(FormatError::Corrupt { what: "its line ends were translated, as if it were text" })
        } else {
            Err(FormatError::NotAnIndex)
        }
    }

    /// Writes the index in its format. What was read without sections that are unknown
    /// here comes out as it was, byte for byte.
    ///
    /// The writer is given large pieces and needs no buffer of its own. It is not
    /// flushed.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub fn write(&self, writer: impl Write) -> io::Result<()> {
        match &self.rest {
            Rest::Gosync { file_hash, target_name } => {
                native::write(&self.signature, *file_hash, target_name.as_ref(), writer)
            }
            Rest::GoSync { version } => legacy::write(&self.signature, *version, writer),
        }
    }

    /// The format that the index was read from, or will be written in.
    pub fn format(&self) -> Format {
        match self.rest {
            Rest::Gosync { .. } => Format::Gosync,
            Rest::GoSync { .. } => Format::GoSync,
        }
    }

    /// The version of the format, as people write it.
    pub fn format_version(&self) -> String {
        match self.rest {
            Rest::Gosync { .. } => native::VERSION.to_string(),
            Rest::GoSync { version } => legacy::version_text(version),
        }
    }

    /// How many bytes [`Self::write`] writes.
    pub fn encoded_len(&self) -> u64 {
        match &self.rest {
            Rest::Gosync { target_name, .. } => native::encoded_len(&self.signature, target_name.as_ref()),
            Rest::GoSync { .. } => legacy::encoded_len(self.signature.layout()),
        }
    }

    /// The sums of the target's blocks.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The sums of the target's blocks, without the rest.
    pub fn into_signature(self) -> Signature {
        self.signature
    }

    /// The hash of the whole target; go-sync's format has none.
    pub fn file_hash(&self) -> Option<FileHash> {
        match self.rest {
            Rest::Gosync { file_hash, .. } => Some(file_hash),
            Rest::GoSync { .. } => None,
        }
    }

    /// The target's file name, if the index gives one; go-sync's format does not.
    pub fn target_name(&self) -> Option<&TargetName> {
        match &self.rest {
            Rest::Gosync { target_name, .. } => target_name.as_ref(),
            Rest::GoSync { .. } => None,
        }
    }

    /// Bytes that a weak sum takes in the file.
    pub fn weak_len(&self) -> usize {
        match self.rest {
            Rest::Gosync { .. } => native::WEAK_LEN,
            Rest::GoSync { .. } => size_of::<u32>(),
        }
    }

    /// Bytes that a strong sum takes in the file.
    pub fn strong_len(&self) -> usize {
        self.signature.hasher().sum_len()
    }

    fn of_gosync(signature: Signature, file_hash: FileHash, target_name: Option<TargetName>) -> Self {
        Self { signature, rest: Rest::Gosync { file_hash, target_name } }
    }

    fn of_go_sync(signature: Signature, version: [u16; 3]) -> Self {
        Self { signature, rest: Rest::GoSync { version } }
    }
}

/// Whether two hashers make the same sums. A hasher has no name, but no two algorithms
/// agree on the sum of anything; and sums so short that they may are as good as equal.
fn is<Expected: StrongHasher>(hasher: &dyn StrongHasher, expected: Option<Expected>) -> bool {
    const PROBES: [&[u8]; 2] = [b"", b"gosync"];
    expected.is_some_and(|expected| PROBES.iter().all(|probe| hasher.sum(probe) == expected.sum(probe)))
}
