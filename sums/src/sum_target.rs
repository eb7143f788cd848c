//! Summing the blocks of a target on all cores, in one pass and bounded memory.

use std::io;
use std::sync::{Arc, OnceLock};

use gosync_chunks::{
    BlockLayout, ByteRange, Cancelled, FileHash, LayoutError, Phase, Progress, ReadAt, Signature, StrongHasher,
    WeakHasher, is_zeros,
};
use gosync_files::ReadBuffer;
use gosync_work::hand_out;

use crate::file_hash::{FileHasher, SUBTREE};

/// Bytes in a piece where the file's hash does not ask for larger ones: they stay in the
/// second-level cache between reading and summing, and are a multiple of what vectors hold of
/// blocks of the usual sizes.
const PIECE: usize = 384 << 10;

/// How to sum a target.
#[derive(Clone, Copy, Debug)]
pub struct SumOptions {
    /// Size of a block in bytes.
    pub block_size: u32,
    /// Whether to hash the whole file too.
    pub file_hash: bool,
}

/// A signature, and what was found in the same pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Summed {
    /// The sums of all blocks.
    pub signature: Signature,
    /// The hash of the whole file, when it was asked for.
    pub file_hash: Option<FileHash>,
}

/// Why a target was not summed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SumError {
    /// The target cannot be cut into such blocks.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The target cannot be read, or became shorter meanwhile.
    #[error("cannot read the file to its end")]
    Read(#[from] io::Error),
    /// [`Progress::is_cancelled`] said so.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Reads `target` once and sums its blocks on all threads of the current rayon pool.
///
/// Every thread holds one piece of up to a mebibyte (more for larger blocks).
///
/// # Errors
///
/// When `target` cannot be read or cut into such blocks, or `progress` cancels.
pub fn sum_target<Data: ReadAt + ?Sized>(
    target: &Data,
    options: &SumOptions,
    weak_hasher: &dyn WeakHasher,
    strong_hasher: Arc<dyn StrongHasher>,
    progress: &dyn Progress,
) -> Result<Summed, SumError> {
    let length = target.size();
    let layout = BlockLayout::new(length, options.block_size)?;
    let count = layout.block_count() as usize;
    let hasher = options.file_hash.then(|| FileHasher::new(length));

    let mut weak = vec![0; count];
    let mut strong = vec![0; count * strong_hasher.sum_len()];
    let mut nodes = vec![[0; 32]; hasher.as_ref().map_or(0, FileHasher::piece_count)];

    let zeros = OnceLock::new();
    progress.begin(Phase::Sum, length);
    let pieces = Pieces {
        layout,
        piece_size: if options.file_hash { SUBTREE } else { PIECE }
            .max((options.block_size as usize).next_power_of_two()) as u64,
        sum_len: strong_hasher.sum_len(),
        next: 0,
        weak: &mut weak,
        strong: &mut strong,
        nodes: &mut nodes,
    };
    hand_out(pieces, ReadBuffer::default, |buffer, piece| {
        progress.check()?;
        let data = buffer.read(target, ByteRange::at(piece.start, piece.read_len as u64))?;

        // A piece may end within a block that belongs to it, but never begins within one.
        let block_size = options.block_size as usize;
        let blocks = &data[piece.first_block..];
        let blocks = &blocks[..blocks.len().min(piece.weak.len() * block_size)];
        if blocks.len().is_multiple_of(block_size) && is_zeros(blocks) {
            // Sparse files are full of them.
            let (weak, strong) = zeros.get_or_init(|| {
                let zeros = vec![0; block_size];
                (weak_hasher.sum(&zeros), strong_hasher.sum(&zeros))
            });
            piece.weak.fill(*weak);
            piece
                .strong
                .chunks_exact_mut(strong.as_bytes().len())
                .for_each(|sum| sum.copy_from_slice(strong.as_bytes()));
        } else {
            weak_hasher.sum_blocks(blocks, block_size, piece.weak);
            strong_hasher.sum_blocks(blocks, block_size, piece.strong);
        }

        if let Some(hasher) = &hasher {
            let first = (piece.start / SUBTREE as u64) as usize;
            for (at, (node, subtree)) in piece.nodes.iter_mut().zip(data[..piece.len].chunks(SUBTREE)).enumerate() {
                *node = hasher.piece(first + at, subtree);
            }
        }
        progress.advance(Phase::Sum, piece.len as u64);
        Ok::<(), SumError>(())
    })?;

    let file_hash = hasher.map(|hasher| hasher.finish(&nodes));
    let signature = Signature::new(layout, weak, strong, strong_hasher).expect("columns of this layout");
    let signature = signature.with_weak_hasher(weak_hasher);
    Ok(Summed { signature, file_hash })
}

/// Cuts the target into aligned pieces, and the columns into what each piece fills.
struct Pieces<'a> {
    layout: BlockLayout,
    piece_size: u64,
    sum_len: usize,
    next: u64,
    weak: &'a mut [u32],
    strong: &'a mut [u8],
    nodes: &'a mut [[u8; 32]],
}

struct Piece<'a> {
    start: u64,
    /// Bytes of the piece itself, for the hash of the file.
    len: usize,
    /// Bytes to read: up to the end of the last block that begins in the piece.
    read_len: usize,
    /// Where in the piece its first block begins.
    first_block: usize,
    weak: &'a mut [u32],
    strong: &'a mut [u8],
    nodes: &'a mut [[u8; 32]],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let length = self.layout.length();
        let start = self.next;
        if start >= length {
            return None;
        }
        let end = length.min(start + self.piece_size);
        self.next = end;

        let block_size = u64::from(self.layout.block_size());
        let first = start.div_ceil(block_size);
        let count = (end.div_ceil(block_size) - first) as usize;
        let blocks_end = length.min((first + count as u64) * block_size);
        Some(Piece {
            start,
            len: (end - start) as usize,
            read_len: (end.max(blocks_end) - start) as usize,
            first_block: (first * block_size).min(end).saturating_sub(start) as usize,
            weak: take(&mut self.weak, count),
            strong: take(&mut self.strong, count * self.sum_len),
            nodes: take(&mut self.nodes, (end - start).div_ceil(SUBTREE as u64) as usize),
        })
    }
}

/// Cuts up to `count` items off the front of `rest`.
fn take<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let all = std::mem::take(rest);
    let (taken, left) = all.split_at_mut(count.min(all.len()));
    *rest = left;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strong::Md5;
    use gosync_chunks::BlockId;
    use proptest::prelude::*;

    struct Polynomial;

    impl WeakHasher for Polynomial {
        fn sum(&self, block: &[u8]) -> u32 {
            block.iter().fold(7, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        }
    }

    fn data(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
    }

    fn check(target: &[u8], block_size: u32) {
        let options = SumOptions { block_size, file_hash: true };
        let summed = sum_target(target, &options, &Polynomial, Arc::new(Md5::full()), &()).unwrap();
        assert_eq!(summed.file_hash, Some(FileHasher::hash(target)));
        let signature = summed.signature;
        assert_eq!(signature.layout().block_count() as usize, target.chunks(block_size as usize).len());
        for (index, block) in target.chunks(block_size as usize).enumerate() {
            let id = BlockId(index as u32);
            assert_eq!(signature.weak(id), Polynomial.sum(block), "block {id} of {block_size} in {}", target.len());
            assert!(signature.has_strong(id, &Md5::full().sum(block)), "block {id} of {block_size}");
        }
    }

    #[test]
    fn pieces_cut_across_blocks() {
        let target = data(3 * SUBTREE + 12_345);
        for block_size in [1000, 1 << 13, 100_003, SUBTREE as u32 - 1, SUBTREE as u32 + 1, 3 << 20, 8 << 20] {
            check(&target, block_size);
        }
    }

    #[test]
    fn zeros_have_the_sums_of_zeros() {
        let mut target = vec![0; 5 * SUBTREE + 100];
        target[2 * SUBTREE + 5] = 1;
        for block_size in [1000, 4096, 2 << 20] {
            check(&target, block_size);
        }
    }

    #[test]
    fn boundaries_of_block_and_piece() {
        for block_size in [1usize, 2, 700, 2048] {
            for length in [0, 1, block_size - 1, block_size, block_size + 1, 3 * block_size - 1] {
                check(&data(length), block_size as u32);
            }
        }
        for length in [SUBTREE - 1, SUBTREE, SUBTREE + 1] {
            check(&data(length), 2048);
        }
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        struct Shrunk;
        impl ReadAt for Shrunk {
            fn size(&self) -> u64 {
                100
            }
            fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
                [0u8; 50].as_slice().read_exact_at(offset, buffer)
            }
        }
        let options = SumOptions { block_size: 10, file_hash: false };
        let failed = sum_target(&Shrunk, &options, &Polynomial, Arc::new(Md5::full()), &());
        assert!(matches!(failed, Err(SumError::Read(_))));
    }

    proptest! {
        #[test]
        fn any_length_and_block_size(length in 0usize..3_000_000, block_size in 300u32..2_000_000) {
            check(&data(length), block_size);
        }
    }
}
