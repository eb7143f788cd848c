//! Index files: our own format, and go-sync's.

mod error;
mod head;
mod header;
mod input;
mod join;
mod layered;
mod legacy;
mod make;
mod parts;
mod shard;

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use gosync_chunks::{BlockLayout, ByteRange, FileHash, Signature, StrongHasher};
use gosync_sums::Md5;

use crate::Error;
use crate::payload::PayloadLayout;
use input::Input;

pub use error::{FormatError, UnsuitableSums};
pub use gosync_chunks::{NameError, TargetName};
pub(crate) use join::{NamedPart, join};
pub use layered::{Damage, MAX_LAYERS, MIN_BLOCK_SIZE};
pub(crate) use layered::{Layer, Layered, Payload, WEAK_LEN, check_sizes};
pub(crate) use make::{Contents, make, make_part};
pub(crate) use parts::Parts;
pub(crate) use shard::read_pieces;
pub use shard::{IndexPart, PartError, Shard, ShardError};

/// The format of an index file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own: layers of sums, and a hash of the whole target.
    Layered,
    /// go-sync's: weak sums of 32 bits, MD5, and nothing to check the result with.
    GoSync,
}

impl Format {
    /// The sums that a signature needs to be written in this format.
    fn sums(self) -> &'static str {
        match self {
            Self::Layered => "layers of weak and XXH3",
            Self::GoSync => "32-bit weak and MD5",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Layered => "gosync",
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
    /// 16 GiB: the index of a target of 1 TiB in the layers that are chosen for it.
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

/// The content of an index file; of our own format, what its header says, and a way to
/// the layers, which need not be here.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Layered(Box<Layered>),
    GoSync { signature: Signature, version: [u16; 3] },
}

/// A layer of block sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    /// Size of a block in bytes; the last may be shorter.
    pub block_size: u32,
    /// How many blocks there are.
    pub blocks: u32,
    /// Bytes in the index that all sums of the layer take.
    pub index_bytes: u64,
}

/// A compressed payload: what a client fetches parts of in place of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadInfo {
    /// Its length in bytes.
    pub bytes: u64,
    /// How the target is cut into its frames.
    pub layout: PayloadLayout,
    /// Bytes that stand before the prefix of every frame.
    pub preamble_bytes: usize,
}

impl Index {
    /// An index in go-sync's format.
    ///
    /// # Errors
    ///
    /// When `signature` has other strong sums than that format, which has whole MD5s.
    pub fn go_sync(signature: Signature) -> Result<Self, UnsuitableSums> {
        if is(signature.hasher(), Some(Md5::full())) {
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
        let mut start = [0; head::PREFIX_LEN];
        let len = input::read_up_to(&mut reader, &mut start)?;
        match Self::format_of(&start[..len])? {
            Format::GoSync => legacy::read(start[..len].chain(reader), options),
            Format::Layered => Self::read_layered(start[..len].chain(reader), options),
        }
    }

    fn read_layered(reader: impl Read, options: &ReadOptions) -> Result<Self, FormatError> {
        let mut input = Input::new(reader);
        let prefix: [u8; head::PREFIX_LEN] = input.array()?;
        let mut bytes = prefix.to_vec();
        input.bytes((head::len(&prefix)? - prefix.len()) as u64, &mut bytes)?;
        let layered = Layered::new(bytes.clone(), Parts::Here(Arc::default()))?;
        options.check(layered.len())?;
        input.bytes(layered.len() - bytes.len() as u64, &mut bytes)?;
        input.end()?;
        Ok(Self::of_layered(layered.with_bytes(bytes)?))
    }

    /// The format of the index that begins with `start`, of which a few bytes will do.
    pub(crate) fn format_of(start: &[u8]) -> Result<Format, FormatError> {
        let (magic, line_feed) = head::MAGIC.split_at(head::MAGIC.len() - 1);
        if start.starts_with(&head::MAGIC) {
            Ok(Format::Layered)
        } else if start.starts_with(&legacy::MAGIC) {
            Ok(Format::GoSync)
        } else if start.strip_prefix(magic).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(line_feed)) {
            Err(FormatError::Corrupt { what: "its line ends were translated, as if it were text" })
        } else {
            Err(FormatError::NotAnIndex)
        }
    }

    /// The head of the index of ours that begins with `start`.
    pub(crate) fn head_of(start: &[u8]) -> Result<&[u8], FormatError> {
        let truncated = FormatError::Truncated { len: start.len() as u64 };
        let Some(prefix) = start.first_chunk() else { return Err(truncated) };
        let len = head::len(prefix)?;
        start.get(..len).ok_or(truncated)
    }

    /// The index with this head, whose other parts are in `parts`.
    pub(crate) fn of_parts(head: Vec<u8>, parts: Parts, options: &ReadOptions) -> Result<Self, FormatError> {
        let layered = Layered::new(head, parts)?;
        options.check(layered.len())?;
        Ok(Self { content: Content::Layered(Box::new(layered)) })
    }

    /// Writes the index in its format. What was read comes out as it was, byte for byte.
    ///
    /// The writer is given large pieces and needs no buffer of its own. It is not
    /// flushed.
    ///
    /// # Errors
    ///
    /// When the writer fails, or parts that are not here cannot be read.
    pub fn write(&self, mut writer: impl Write) -> io::Result<()> {
        match &self.content {
            Content::Layered(layered) => {
                let end = layered.len();
                for start in (0..end).step_by(COPIED as usize) {
                    let piece = ByteRange { start, end: end.min(start + COPIED) };
                    let (bytes, _) = layered.parts().read(&[piece]).map_err(io::Error::other)?;
                    writer.write_all(&bytes)?;
                }
                Ok(())
            }
            Content::GoSync { signature, version } => legacy::write(signature, *version, writer),
        }
    }

    /// The format that the index was read from, or will be written in.
    pub fn format(&self) -> Format {
        match self.content {
            Content::Layered(_) => Format::Layered,
            Content::GoSync { .. } => Format::GoSync,
        }
    }

    /// The version of the format, as people write it.
    pub fn format_version(&self) -> String {
        match self.content {
            Content::Layered(_) => head::VERSION.to_string(),
            Content::GoSync { version, .. } => legacy::version_text(version),
        }
    }

    /// How many bytes [`Self::write`] writes.
    pub fn encoded_len(&self) -> u64 {
        match &self.content {
            Content::Layered(layered) => layered.len(),
            Content::GoSync { signature, .. } => legacy::encoded_len(signature.layout()),
        }
    }

    /// Length of the target in bytes.
    pub fn length(&self) -> u64 {
        match &self.content {
            Content::Layered(layered) => layered.length(),
            Content::GoSync { signature, .. } => signature.layout().length(),
        }
    }

    /// Length in bytes of what a client fetches parts of: the target, or its compressed payload.
    pub fn source_length(&self) -> u64 {
        match &self.content {
            Content::Layered(layered) => layered.payload().map_or(layered.length(), |payload| payload.len),
            Content::GoSync { .. } => self.length(),
        }
    }

    /// The file name of what a client fetches parts of, if the index gives one.
    pub fn source_name(&self) -> Option<&TargetName> {
        self.payload_name().or_else(|| self.target_name())
    }

    /// The file name of the compressed payload, if there is one.
    pub fn payload_name(&self) -> Option<&TargetName> {
        match &self.content {
            Content::Layered(layered) => layered.payload().map(|payload| &payload.name),
            Content::GoSync { .. } => None,
        }
    }

    /// The compressed payload, if there is one.
    pub fn payload(&self) -> Option<PayloadInfo> {
        match &self.content {
            Content::Layered(layered) => layered.payload().map(|payload| PayloadInfo {
                bytes: payload.len,
                layout: payload.layout,
                preamble_bytes: payload.preamble.len(),
            }),
            Content::GoSync { .. } => None,
        }
    }

    /// The layers of block sums, from the coarsest to the finest; go-sync's format has one.
    pub fn layers(&self) -> Vec<LayerInfo> {
        let info = |layout: BlockLayout, record_len: usize| LayerInfo {
            block_size: layout.block_size(),
            blocks: layout.block_count(),
            index_bytes: u64::from(layout.block_count()) * record_len as u64,
        };
        match &self.content {
            Content::Layered(layered) => {
                layered.layers().iter().map(|layer| info(layer.layout, layer.record_len)).collect()
            }
            Content::GoSync { signature, .. } => vec![info(signature.layout(), legacy::RECORD_LEN)],
        }
    }

    /// The sums of go-sync's blocks; our own format has layers of them.
    pub fn signature(&self) -> Option<&Signature> {
        match &self.content {
            Content::Layered(_) => None,
            Content::GoSync { signature, .. } => Some(signature),
        }
    }

    /// The bytes that a signature of the index signs: its beginning, with the hashes of
    /// all the rest. go-sync's format has none.
    pub fn header_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Layered(layered) => Some(layered.head()),
            Content::GoSync { .. } => None,
        }
    }

    /// The hash of the whole target; go-sync's format has none.
    pub fn file_hash(&self) -> Option<FileHash> {
        match &self.content {
            Content::Layered(layered) => Some(layered.file_hash()),
            Content::GoSync { .. } => None,
        }
    }

    /// The target's file name, if the index gives one; go-sync's format does not.
    pub fn target_name(&self) -> Option<&TargetName> {
        match &self.content {
            Content::Layered(layered) => layered.target_name(),
            Content::GoSync { .. } => None,
        }
    }

    /// Bytes that a weak sum takes in the file.
    pub fn weak_len(&self) -> usize {
        size_of::<u32>()
    }

    /// Bytes that a strong sum takes in the file.
    pub fn strong_len(&self) -> usize {
        match &self.content {
            Content::Layered(layered) => layered.strong_len(),
            Content::GoSync { signature, .. } => signature.hasher().sum_len(),
        }
    }

    /// The binary logarithm of the odds against a wrong match anywhere, where seeds are no
    /// longer than twice the target; go-sync's format does not say.
    pub fn odds(&self) -> Option<u8> {
        match &self.content {
            Content::Layered(layered) => Some(layered.odds()),
            Content::GoSync { .. } => None,
        }
    }

    /// What part of the index is not as its header says, if any is. Reads all of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn damage(&self) -> Result<Option<Damage>, Error> {
        match &self.content {
            Content::Layered(layered) => layered.damage(),
            Content::GoSync { .. } => Ok(None),
        }
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    pub(crate) fn of_layered(layered: Layered) -> Self {
        Self { content: Content::Layered(Box::new(layered)) }
    }

    fn of_go_sync(signature: Signature, version: [u16; 3]) -> Self {
        Self { content: Content::GoSync { signature, version } }
    }
}

/// Bytes of an index that are copied at once.
const COPIED: u64 = 4 << 20;

/// Whether two hashers make the same sums. A hasher has no name, but no two algorithms
/// agree on the sum of anything; and sums so short that they may are as good as equal.
fn is<Expected: StrongHasher>(hasher: &dyn StrongHasher, expected: Option<Expected>) -> bool {
    const PROBES: [&[u8]; 2] = [b"", b"gosync"];
    expected.is_some_and(|expected| PROBES.iter().all(|probe| hasher.sum(probe) == expected.sum(probe)))
}
