//! Parts of an index: the records and nodes of a range of the target, in a file of their own.
//!
//! All that the whole index has of the target is a function of its length, its beginning
//! and the range; so parts can be made anywhere, knowing nothing of each other, and
//! `merge` has only to put them one after another.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use gosync_chunks::{ByteRange, ReadAt};
use gosync_sums::SUBTREE;

use super::body::Body;
use super::error::FormatError;
use super::head;
use super::header::{Header, PartHeader};
use super::index::{Checked, NODE_LEN, check, record_len};

/// What a part begins with.
const MAGIC: [u8; 8] = *b"\x89GOSYPT\n";

/// The version of the format of parts.
const VERSION: u16 = 1;

/// Which part of an index, of how many: written `2/5`, and counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

/// A text or a pair of numbers is no [`Shard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part is given as I/N, where I is from 1 to N")]
pub struct ShardError;

impl Shard {
    /// The `number`-th of `count` parts.
    ///
    /// # Errors
    ///
    /// When it is not from 1 to `count`.
    pub fn new(number: u32, count: u32) -> Result<Self, ShardError> {
        if (1..=count).contains(&number) { Ok(Self { number, count }) } else { Err(ShardError) }
    }

    /// What this part has of a target of `length` bytes in layers of such blocks: parts are cut where
    /// blocks of all layers are, and subtrees. There may be more parts than such places.
    pub fn range(self, length: u64, block_sizes: &[u32]) -> ByteRange {
        let unit = unit(block_sizes.iter().copied());
        let units = u128::from(length.div_ceil(unit));
        let at = |number: u32| ((units * u128::from(number) / u128::from(self.count)) as u64 * unit).min(length);
        ByteRange { start: at(self.number - 1), end: at(self.number) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, count) = text.split_once('/').ok_or(ShardError)?;
        let parse = |number: &str| number.parse().map_err(|_| ShardError);
        Self::new(parse(number)?, parse(count)?)
    }
}

/// Bytes of the target that parts are cut into.
fn unit(block_sizes: impl Iterator<Item = u32>) -> u64 {
    block_sizes.map(u64::from).max().unwrap_or_default().max(SUBTREE as u64)
}

/// Why a file is not one of the parts of an index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// It begins like none.
    #[error("it is no part of an index")]
    NotAPart,
    /// It is damaged, or of another version.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The payload beside it is not the one that it was made with.
    #[error("the payload beside it does not have the length and hash that it gives")]
    Payload,
    /// It is of another target than the first, or was made with other options.
    #[error("it was not made as {} was: {what} differs", other.display())]
    Different {
        /// What is different.
        what: &'static str,
        /// The first part.
        other: PathBuf,
    },
    /// Another part has some of the same bytes.
    #[error("it has bytes of the target that {} has too", other.display())]
    Overlap {
        /// The other part.
        other: PathBuf,
    },
    /// No part has some bytes next to it.
    #[error("the bytes {range} of the target, next to its own, are in none of the parts")]
    Missing {
        /// These bytes.
        range: ByteRange,
    },
}

impl PartError {
    /// Whether the part is bad, whatever the others are.
    pub fn is_corrupt(&self) -> bool {
        match self {
            Self::Format(FormatError::Io(_)) => false,
            Self::NotAPart | Self::Format(_) | Self::Payload => true,
            _ => false,
        }
    }
}

/// A part of an index: what its header says, and where the rest of it is.
#[derive(Clone)]
pub struct IndexPart {
    pub(super) header: PartHeader,
    /// Where the records of each layer are in the data, and then the nodes of the tree.
    pub(super) columns: Vec<ByteRange>,
    pub(super) data: Arc<dyn ReadAt>,
}

impl IndexPart {
    /// A part that is whole in memory: `bulk` is what follows the header.
    pub(super) fn assemble(header: &PartHeader, body: Body) -> Result<Self, FormatError> {
        let bytes = body.behind(&head::framed(MAGIC, VERSION, &header.encode()));
        match Self::read(Arc::new(bytes)) {
            Ok(part) => Ok(part),
            Err(PartError::Format(error)) => Err(error),
            Err(_) => Err(FormatError::NotAnIndex),
        }
    }

    /// Reads the header of the part that is in `data`, which can be a file. Only a little of
    /// it is read, so hashes of the rest are not compared: see [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// When that fails, or it is no part, or is not as long as it says.
    pub fn read(data: Arc<dyn ReadAt>) -> Result<Self, PartError> {
        let mut prefix = [0; head::PREFIX_LEN];
        if data.size() < prefix.len() as u64 {
            return Err(PartError::NotAPart);
        }
        data.read_exact_at(0, &mut prefix).map_err(FormatError::Io)?;
        let len = head::framed_len(MAGIC, VERSION, &prefix).map_err(|error| match error {
            FormatError::NotAnIndex => PartError::NotAPart,
            error => error.into(),
        })?;
        let truncated = || FormatError::Truncated { len: data.size() };
        if data.size() < len as u64 {
            return Err(truncated().into());
        }
        let mut bytes = vec![0; len];
        data.read_exact_at(0, &mut bytes).map_err(FormatError::Io)?;
        let header = PartHeader::decode(head::unframed(&bytes)?)?;
        let columns = columns(&header, len as u64)?;
        let end = columns.last().map_or(0, |column| column.end);
        match data.size() {
            size if size < end => Err(truncated().into()),
            size if size > end => Err(FormatError::Trailing { len: end }.into()),
            _ => Ok(Self { header, columns, data }),
        }
    }

    /// The bytes of the target that it has the sums of.
    pub fn range(&self) -> ByteRange {
        ByteRange { start: self.header.start, end: self.header.end }
    }

    /// Length of the target in bytes.
    pub fn target_length(&self) -> u64 {
        self.header.index.length
    }

    /// Length of the part's payload, where there is a compressed one.
    pub fn payload_length(&self) -> Option<u64> {
        self.header.index.payload.as_ref().map(|payload| payload.length)
    }

    /// Whether the part's payload has this hash.
    pub fn is_payload(&self, hash: &[u8; 32]) -> bool {
        self.header.payload_hash == *hash
    }

    /// Block sizes of the layers in bytes, from the coarsest to the finest.
    pub fn block_sizes(&self) -> Vec<u32> {
        self.header.index.layers.iter().map(|layer| layer.block_size).collect()
    }

    /// How many bytes [`write`](Self::write) writes.
    pub fn encoded_len(&self) -> u64 {
        self.data.size()
    }

    /// Compares all hashes.
    ///
    /// # Errors
    ///
    /// When one does not hold, or the part cannot be read.
    pub fn check(&self) -> Result<(), FormatError> {
        (0..self.columns.len()).try_for_each(|column| self.pieces(column, |_| Ok(())))
    }

    /// Writes the part.
    ///
    /// # Errors
    ///
    /// When `writer` fails, or the part cannot be read.
    pub fn write(&self, mut writer: impl io::Write) -> io::Result<()> {
        let all = ByteRange { start: 0, end: self.data.size() };
        read_pieces(&*self.data, all, |piece| writer.write_all(piece))
    }

    /// Hands the bytes of a column to `take`, and then compares their hash.
    pub(super) fn pieces(
        &self,
        column: usize,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), FormatError> {
        let mut hasher = blake3::Hasher::new();
        read_pieces(&*self.data, self.columns[column], |piece| {
            hasher.update_rayon(piece);
            take(piece)
        })?;
        let header = &self.header.index;
        let expected = header.layers.get(column).map_or(header.tree_hash, |layer| layer.hash);
        if *hasher.finalize().as_bytes() == expected {
            Ok(())
        } else {
            Err(FormatError::Corrupt { what: "a hash of its sums does not hold" })
        }
    }
}

impl fmt::Debug for IndexPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IndexPart").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// Hands the bytes of `range` to `take`, one after another.
///
/// # Errors
///
/// When they cannot be read, and those of `take`.
pub fn read_pieces(
    data: &dyn ReadAt,
    range: ByteRange,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; range.len().min(PIECE) as usize];
    for start in (range.start..range.end).step_by(PIECE as usize) {
        let piece = &mut buffer[..(range.end - start).min(PIECE) as usize];
        data.read_exact_at(start, piece)?;
        take(piece)?;
    }
    Ok(())
}

/// Checks what a header says, and tells where what follows it lies, from `offset` on.
fn columns(part: &PartHeader, mut offset: u64) -> Result<Vec<ByteRange>, FormatError> {
    let Header { length, layers, sections, file_hash, .. } = &part.index;
    let Checked { layouts, .. } = check(&part.index)?;
    let unit = unit(layers.iter().map(|layer| layer.block_size));
    let is_border = |at: u64| at.is_multiple_of(unit) || at == *length;
    if part.start > part.end || part.end > *length || !is_border(part.start) || !is_border(part.end) {
        return Err(FormatError::Corrupt { what: "the part is of an impossible range" });
    }
    if !sections.is_empty() || *file_hash != [0; 32] {
        return Err(FormatError::Corrupt { what: "a part has neither sections nor a hash of the target" });
    }
    let range = ByteRange { start: part.start, end: part.end };
    let mut column = |unit: u64, len: u64| {
        let column = ByteRange::at(offset, range.len().div_ceil(unit) * len);
        offset = column.end;
        column
    };
    let layers = layers.iter().zip(layouts);
    let mut columns: Vec<ByteRange> = layers
        .map(|(layer, layout)| column(layout.block_size().into(), record_len(&part.index, layer) as u64))
        .collect();
    columns.push(column(SUBTREE as u64, NODE_LEN));
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_of_any_number_cover_the_target() {
        let sizes = [4 << 20, 256];
        for length in [0, 1, 4 << 20, (4 << 20) + 1, 100 << 20, (1 << 40) + 5] {
            for count in [1, 2, 3, 7, 1000, u32::MAX] {
                let range = |number| Shard::new(number, count).unwrap().range(length, &sizes);
                assert_eq!((range(1).start, range(count).end), (0, length));
                for number in 2..count.min(1000) {
                    assert_eq!(range(number - 1).end, range(number).start);
                    assert!(range(number).start.is_multiple_of(4 << 20) || range(number).start == length);
                }
            }
        }
    }

    #[test]
    fn shards_as_text() {
        for text in ["1/1", "2/5", "5/5"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "1", "0/1", "2/1", "1/0", "1/x", "-1/2", "1/2/3", " 1/2"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text}");
        }
    }
}
