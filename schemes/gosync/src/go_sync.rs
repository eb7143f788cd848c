//! The index of go-sync 0.2: 24 bytes of header, then a record of 20 for each block.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use gosync_chunks::{BlockId, BlockLayout, Progress, ReadAt, Signature, StrongHasher};
use gosync_comparer::CompareOptions;
use gosync_layers::format::{Extent, FormatError, Input, PIECE, ReadOptions, make_room};
use gosync_publish::read_unchanged;
use gosync_rollsum::RollingSum;
use gosync_sums::{Md5, Rolling, SumOptions, sum_target};
use gosync_update::FlatTarget;

use crate::error::Error;
use crate::format::Format;

/// What such an index begins with.
const MAGIC: [u8; 6] = *b"G0S9NC";

/// The version that go-sync writes; it only looks at the first number.
const VERSION: [u16; 3] = [0, 2, 1];

const HEADER_LEN: u64 = 24;

/// A weak sum and an MD5.
pub(crate) const RECORD_LEN: usize = 20;

/// go-sync's block size in bytes, where none is asked for.
const BLOCK_SIZE: u32 = 8192;

/// An index of go-sync: one layer of weak sums and MD5s, and nothing to check the whole with.
#[derive(Clone, Debug, PartialEq)]
pub struct GoSyncIndex {
    signature: Signature,
    version: [u16; 3],
}

/// The sums of a signature are not the ones that go-sync's format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {} format holds 32-bit weak and MD5 sums, not those of this signature", Format::GoSync)]
pub struct UnsuitableSums;

impl GoSyncIndex {
    /// The index of the file at `target` in blocks of `block_size` bytes, or of go-sync's own
    /// size, made on all threads of the current rayon pool.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or changes meanwhile, or cannot be cut into such blocks.
    pub fn build(target: &Path, block_size: Option<u32>, progress: &dyn Progress) -> Result<Self, Error> {
        read_unchanged(target, |file| Self::of(file, &target.display().to_string(), block_size, progress))
    }

    /// The same of `target`, wherever its bytes are. Messages call it `called`.
    pub(crate) fn of(
        target: &dyn ReadAt,
        called: &str,
        block_size: Option<u32>,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let options = SumOptions { block_size: block_size.unwrap_or(BLOCK_SIZE), file_hash: false };
        let summed = sum_target(target, &options, &Rolling(RollingSum::Rsync), Arc::new(Md5::full()), progress);
        let summed = summed.map_err(|error| Error::of_sums(called, error))?;
        Ok(Self { signature: summed.signature, version: VERSION })
    }

    /// An index with these sums.
    ///
    /// # Errors
    ///
    /// When `signature` has other sums than the format: weak sums of 32 bits and whole MD5s.
    pub fn new(signature: Signature) -> Result<Self, UnsuitableSums> {
        // A hasher has no name, but no two algorithms agree on the sum of anything.
        const PROBES: [&[u8]; 2] = [b"", b"gosync"];
        let is_md5 = PROBES.iter().all(|probe| signature.hasher().sum(probe) == Md5::full().sum(probe));
        let is_rsync = signature.has_weak_sums_of(|block| RollingSum::Rsync.key(block));
        if is_md5 && is_rsync { Ok(Self { signature, version: VERSION }) } else { Err(UnsuitableSums) }
    }

    /// Whether an index of go-sync begins with `start`, of which six bytes will do.
    pub fn begins(start: &[u8]) -> bool {
        start.starts_with(&MAGIC)
    }

    /// How long an index is that begins with `start`, or how much of it tells that.
    ///
    /// # Errors
    ///
    /// When it is the beginning of no index that this reader takes.
    pub fn extent(start: &[u8], options: &ReadOptions) -> Result<Extent, FormatError> {
        match read_header(&mut Input::new(start), options) {
            Ok((_, layout)) => Ok(Extent::Whole(encoded_len(layout))),
            Err(FormatError::Truncated { .. }) => Ok(Extent::Head(HEADER_LEN)),
            Err(error) => Err(error),
        }
    }

    /// Reads an index to the end of the input.
    ///
    /// Memory follows the bytes that were read, not those that are declared.
    ///
    /// # Errors
    ///
    /// When reading fails, or the bytes are not one whole index.
    pub fn read(reader: impl Read, options: &ReadOptions) -> Result<Self, FormatError> {
        let mut input = Input::new(reader);
        let (version, layout) = read_header(&mut input, options)?;
        let count = u64::from(layout.block_count());
        let mut keys = Vec::new();
        let mut strong = Vec::new();
        input.pieces(count * RECORD_LEN as u64, |piece| {
            let (records, _) = piece.as_chunks::<RECORD_LEN>();
            make_room(&mut keys, records.len(), count)?;
            make_room(&mut strong, records.len() * Md5::FULL_LEN, count * Md5::FULL_LEN as u64)?;
            for [a, b, c, d, sum @ ..] in records {
                keys.push(u32::from_le_bytes([*a, *b, *c, *d]));
                strong.extend_from_slice(sum);
            }
            Ok(())
        })?;
        input.end()?;
        let signature = Signature::new(layout, keys, strong, Arc::new(Md5::full()));
        Ok(Self { signature: signature.expect("a record for each block was read"), version })
    }

    /// Writes the index, in large pieces. What was read comes out as it was.
    ///
    /// # Errors
    ///
    /// When the writer fails.
    pub fn write(&self, mut writer: impl Write) -> io::Result<()> {
        let Self { signature, version } = self;
        let layout = signature.layout();
        let length = i64::try_from(layout.length()).expect("a layout has at most 2^32 - 1 blocks of 16 MiB");

        let mut buffer = Vec::with_capacity(PIECE);
        buffer.extend(MAGIC);
        buffer.extend(version.iter().copied().flat_map(u16::to_le_bytes));
        buffer.extend(length.to_le_bytes());
        buffer.extend(layout.block_size().to_le_bytes());
        for block in 0..layout.block_count() {
            if buffer.len() + RECORD_LEN > PIECE {
                writer.write_all(&buffer)?;
                buffer.clear();
            }
            buffer.extend(signature.weak(BlockId(block)).to_le_bytes());
            buffer.extend(signature.strong(BlockId(block)));
        }
        writer.write_all(&buffer)
    }

    /// The sums of the blocks.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The version of the format, as people write it.
    pub fn version(&self) -> String {
        version_text(self.version)
    }

    /// How many bytes [`Self::write`] writes.
    pub fn encoded_len(&self) -> u64 {
        encoded_len(self.signature.layout())
    }

    /// What an update brings about.
    pub fn target(&self) -> FlatTarget<'_> {
        FlatTarget::new(&self.signature, CompareOptions::new(RollingSum::Rsync), self.encoded_len())
    }
}

/// The version, and how the target is cut.
fn read_header(input: &mut Input<impl Read>, options: &ReadOptions) -> Result<([u16; 3], BlockLayout), FormatError> {
    if input.array()? != MAGIC {
        return Err(FormatError::NotAnIndex);
    }
    let mut version = [0; 3];
    for number in &mut version {
        *number = u16::from_le_bytes(input.array()?);
    }
    if version[0] != VERSION[0] {
        return Err(FormatError::Version { format: Format::GoSync.name(), version: version_text(version) });
    }
    let length = i64::from_le_bytes(input.array()?);
    let length = u64::try_from(length).map_err(|_| FormatError::Corrupt { what: "the file size is negative" })?;
    let layout = BlockLayout::new(length, u32::from_le_bytes(input.array()?))?;
    options.check_len(encoded_len(layout))?;
    Ok((version, layout))
}

/// Bytes in the index of a target with this layout.
fn encoded_len(layout: BlockLayout) -> u64 {
    HEADER_LEN + u64::from(layout.block_count()) * RECORD_LEN as u64
}

/// The version as people write it.
fn version_text([major, minor, patch]: [u16; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
