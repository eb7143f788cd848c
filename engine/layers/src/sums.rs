//! The sums of all layers of a target, in one pass on all cores.

use std::io;

use gosync_chunks::{ByteRange, Cancelled, Phase, Progress, ReadAt, StrongHasher, is_zeros};
use gosync_files::ReadBuffer;
use gosync_rollsum::RollingSum;
use gosync_sums::{FileHasher, SUBTREE, Xxh3};
use gosync_work::hand_out;

use crate::format::WEAK_LEN;

/// The rolling sum of our own format.
pub const WEAK: RollingSum = RollingSum::RabinKarp;

/// The sums of a target, or of a part of one.
pub struct LayerSums {
    /// The records of each layer, without compressed lengths.
    pub records: Vec<Vec<u8>>,
    /// The nodes of the target's tree.
    pub nodes: Vec<[u8; 32]>,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerSumsError {
    /// The target cannot be read.
    #[error("the target cannot be read")]
    Read(#[from] io::Error),
    /// The progress said to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Bytes that the work is cut into: whole blocks of every layer, and whole subtrees.
pub(crate) fn piece_size(sizes: &[u32]) -> u64 {
    sizes.iter().copied().max().map_or(0, u64::from).max(SUBTREE as u64)
}

/// Sums the bytes of `target` in `range`, in blocks of all `sizes`. `range` begins and ends
/// with the target, or at a multiple of the largest block and of [`SUBTREE`].
///
/// Each thread holds one piece.
///
/// # Errors
///
/// When the target cannot be read, or `progress` cancels.
pub fn sum_layers(
    target: &dyn ReadAt,
    range: ByteRange,
    sizes: &[u32],
    hasher: &Xxh3,
    progress: &dyn Progress,
) -> Result<LayerSums, LayerSumsError> {
    let record_len = WEAK_LEN + hasher.sum_len();
    let tree = FileHasher::new(target.size());
    let count = |size: u32| range.len().div_ceil(size.into()) as usize;
    let mut records: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![0; count(size) * record_len]).collect();
    let mut nodes = vec![[0; 32]; range.len().div_ceil(SUBTREE as u64) as usize];
    let zeros: Vec<Vec<u8>> = sizes.iter().map(|&size| record_of_zeros(size, hasher)).collect();

    progress.begin(Phase::Sum, range.len());
    let size = piece_size(sizes);
    let mut columns: Vec<_> = records
        .iter_mut()
        .zip(sizes)
        .map(|(records, &block)| records.chunks_mut((size / u64::from(block)) as usize * record_len))
        .collect();
    let mut nodes_left = nodes.chunks_mut((size / SUBTREE as u64) as usize);
    let pieces = (range.start..range.end).step_by(size as usize).map(|start| {
        let columns: Vec<&mut [u8]> = columns.iter_mut().map(|column| column.next().unwrap_or_default()).collect();
        (ByteRange { start, end: range.end.min(start + size) }, columns, nodes_left.next().unwrap_or_default())
    });
    hand_out(pieces, Scratch::default, |scratch, (piece, columns, nodes)| {
        progress.check()?;
        let data = scratch.buffer.read(target, piece)?;
        let is_zeros = is_zeros(data);
        // From the finest on, so that the keys of blocks can be made of those of their parts.
        let mut parts = None;
        for ((records, &block), zeros) in columns.into_iter().zip(sizes).zip(&zeros).rev() {
            if is_zeros && data.len().is_multiple_of(block as usize) {
                // Sparse files are full of them.
                records.chunks_exact_mut(record_len).for_each(|record| record.copy_from_slice(zeros));
            } else {
                scratch.sums.blocks(data, block as usize, parts, hasher, records);
                parts = Some(block as usize);
            }
        }
        for (at, (node, subtree)) in nodes.iter_mut().zip(data.chunks(SUBTREE)).enumerate() {
            *node = tree.piece((piece.start / SUBTREE as u64) as usize + at, subtree);
        }
        progress.advance(Phase::Sum, piece.len());
        Ok::<(), LayerSumsError>(())
    })?;
    drop(columns);
    Ok(LayerSums { records, nodes })
}

/// The record of a block of zeros.
pub(crate) fn record_of_zeros(size: u32, hasher: &Xxh3) -> Vec<u8> {
    let zeros = vec![0; size as usize];
    [&WEAK.key(&zeros).to_le_bytes(), hasher.sum(&zeros).as_bytes()].concat()
}

#[derive(Default)]
struct Scratch {
    buffer: ReadBuffer,
    sums: Sums,
}

/// The sums of the blocks of a layer in a piece.
#[derive(Default)]
struct Sums {
    keys: Vec<u32>,
    strong: Vec<u8>,
}

impl Sums {
    /// Writes the records of the blocks of `size` bytes in `data`. If the blocks before were those
    /// of a finer layer, `parts` is their size.
    fn blocks(&mut self, data: &[u8], size: usize, parts: Option<usize>, hasher: &Xxh3, records: &mut [u8]) {
        let Self { keys, strong } = self;
        let count = data.len().div_ceil(size);
        match parts {
            Some(part) => join(keys, part, data.len(), size),
            None => {
                keys.resize(count, 0);
                WEAK.sum_blocks(data, size, keys);
            }
        }
        let sum_len = hasher.sum_len();
        strong.resize(count * sum_len, 0);
        hasher.sum_blocks(data, size, strong);
        let sums = keys.iter().zip(strong.chunks_exact(sum_len));
        for (record, (key, strong)) in records.chunks_exact_mut(WEAK_LEN + sum_len).zip(sums) {
            let (weak, rest) = record.split_at_mut(WEAK_LEN);
            weak.copy_from_slice(&key.to_le_bytes());
            rest.copy_from_slice(strong);
        }
    }
}

/// Makes the keys of the blocks of `part` bytes in `len` bytes those of the blocks of `size` bytes.
fn join(keys: &mut Vec<u32>, part: usize, len: usize, size: usize) {
    // What a key is multiplied by when so many bytes come behind it; that of no bytes is 1.
    let power = |len| WEAK.with_zeros(1, len);
    let (whole, count) = (power(part), keys.len());
    let last = power(len - (count - 1) * part);
    for block in 0..len.div_ceil(size) {
        let parts = block * (size / part)..count.min((block + 1) * (size / part));
        let key = parts.fold(1, |key: u32, at| {
            let power = if at + 1 == count { last } else { whole };
            (key.wrapping_sub(1)).wrapping_mul(power).wrapping_add(keys[at])
        });
        keys[block] = key;
    }
    keys.truncate(len.div_ceil(size));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [u32; 3] = [2 << 20, 4096, 64];

    fn summed(data: &[u8], range: ByteRange) -> LayerSums {
        let hasher = Xxh3::truncated(5, 9).unwrap();
        sum_layers(&data.to_vec(), range, &SIZES, &hasher, &()).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    #[test]
    fn parts_are_the_whole_and_zeros_are_nothing_special() {
        let hasher = Xxh3::truncated(5, 9).unwrap();
        let mut data = vec![0; (6 << 20) + 77];
        data[(4 << 20) - 1] = 1;
        let len = data.len() as u64;
        let whole = summed(&data, ByteRange::at(0, len));
        assert_eq!(FileHasher::new(len).finish(&whole.nodes), FileHasher::hash(&data));
        for (&size, records) in SIZES.iter().zip(&whole.records) {
            let by_definition = |block: &[u8]| [&WEAK.key(block).to_le_bytes(), hasher.sum(block).as_bytes()].concat();
            assert!(*records == data.chunks(size as usize).flat_map(by_definition).collect::<Vec<_>>(), "{size}");
            assert!(records.starts_with(&record_of_zeros(size, &hasher)));
        }
        let first = summed(&data, ByteRange::at(0, piece_size(&SIZES)));
        let second = summed(&data, ByteRange { start: piece_size(&SIZES), end: len });
        assert_eq!([first.nodes, second.nodes].concat(), whole.nodes);
        for layer in 0..SIZES.len() {
            assert!([&first.records[layer][..], &second.records[layer]].concat() == whole.records[layer]);
        }
    }
}
