//! The index of go-sync 0.2: 24 bytes of header, then a record of 20 for each block.

use std::io::{self, Read, Write};
use std::sync::Arc;

use gosync_chunks::{BlockId, BlockLayout, Signature};
use gosync_sums::Md5;

use super::input::{Input, PIECE, make_room};
use super::{Format, FormatError, Index, ReadOptions};

/// What such an index begins with.
pub(super) const MAGIC: [u8; 6] = *b"G0S9NC";

/// The version that go-sync writes; it only looks at the first number.
pub(super) const VERSION: [u16; 3] = [0, 2, 1];

const HEADER_LEN: u64 = 24;

/// A weak sum and an MD5.
pub(super) const RECORD_LEN: usize = 20;

/// Bytes in the index of a target with this layout.
pub(super) fn encoded_len(layout: BlockLayout) -> u64 {
    HEADER_LEN + u64::from(layout.block_count()) * RECORD_LEN as u64
}

/// Reads an index, magic included, to the end of the input.
pub(super) fn read(reader: impl Read, options: &ReadOptions) -> Result<Index, FormatError> {
    let mut input = Input::new(reader);
    if input.array()? != MAGIC {
        return Err(FormatError::NotAnIndex);
    }
    let mut version = [0; 3];
    for number in &mut version {
        *number = u16::from_le_bytes(input.array()?);
    }
    if version[0] != VERSION[0] {
        return Err(FormatError::Version { format: Format::GoSync, version: version_text(version) });
    }
    let length = i64::from_le_bytes(input.array()?);
    let length = u64::try_from(length).map_err(|_| FormatError::Corrupt { what: "the file size is negative" })?;
    let layout = BlockLayout::new(length, u32::from_le_bytes(input.array()?))?;
    options.check(encoded_len(layout))?;

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
    Ok(Index::of_go_sync(Signature::new(layout, keys, strong, Arc::new(Md5::full())), version))
}

/// Writes the index of a signature that has 32-bit weak sums and whole MD5s.
pub(super) fn write(signature: &Signature, version: [u16; 3], mut writer: impl Write) -> io::Result<()> {
    let layout = signature.layout();
    let length = i64::try_from(layout.length()).expect("a layout has at most 2^32 - 1 blocks of 16 MiB");

    let mut buffer = Vec::with_capacity(PIECE);
    buffer.extend(MAGIC);
    buffer.extend(version.into_iter().flat_map(u16::to_le_bytes));
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

/// The version as people write it.
pub(super) fn version_text([major, minor, patch]: [u16; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
