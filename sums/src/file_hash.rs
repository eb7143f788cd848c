//! The hash of a whole file, computed in pieces on any number of threads.

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use gosync_chunks::FileHash;

/// Bytes in a piece whose part of the hash can be computed alone: a power of two of
/// BLAKE3's 1,024-byte chunks.
pub const SUBTREE: usize = 1 << 20;

/// Puts the hash of a file together from pieces hashed in any order.
///
/// BLAKE3 is a binary tree over chunks of 1,024 bytes, so an aligned piece of
/// [`SUBTREE`] bytes (the last may be short) is a subtree that needs nothing of its
/// neighbours. See section 2.1 of the BLAKE3 paper.
#[derive(Debug)]
pub struct FileHasher {
    length: u64,
}

impl FileHasher {
    /// The hash of a file that is `data`, on one thread.
    pub fn hash(data: &[u8]) -> FileHash {
        FileHash(*blake3::hash(data).as_bytes())
    }

    /// A hasher of a file of `length` bytes.
    pub fn new(length: u64) -> Self {
        Self { length }
    }

    /// How many pieces there are. A file of one piece or none is hashed as a whole.
    pub fn piece_count(&self) -> usize {
        self.length.div_ceil(SUBTREE as u64) as usize
    }

    /// The node of the `index`-th piece of the file.
    ///
    /// # Panics
    ///
    /// When `piece` is empty or longer than [`SUBTREE`].
    pub fn piece(&self, index: usize, piece: &[u8]) -> [u8; 32] {
        assert!(!piece.is_empty() && piece.len() <= SUBTREE);
        if self.length <= SUBTREE as u64 {
            return *blake3::hash(piece).as_bytes();
        }
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(index as u64 * SUBTREE as u64);
        hasher.update(piece).finalize_non_root()
    }

    /// The hash of the file, from the nodes of all its pieces in their order.
    ///
    /// # Panics
    ///
    /// When the number of nodes is not [`Self::piece_count`].
    pub fn finish(&self, pieces: &[[u8; 32]]) -> FileHash {
        assert_eq!(pieces.len(), self.piece_count());
        match pieces {
            [] => Self::hash(&[]),
            [whole] => FileHash(*whole),
            _ => {
                let (left, right) = split(pieces);
                FileHash(*merge_subtrees_root(&subtree(left), &subtree(right), Mode::Hash).as_bytes())
            }
        }
    }
}

fn subtree(pieces: &[[u8; 32]]) -> ChainingValue {
    match pieces {
        [one] => *one,
        _ => {
            let (left, right) = split(pieces);
            merge_subtrees_non_root(&subtree(left), &subtree(right), Mode::Hash)
        }
    }
}

/// The left subtree is the largest complete one that leaves something to the right.
fn split(pieces: &[[u8; 32]]) -> (&[[u8; 32]], &[[u8; 32]]) {
    pieces.split_at(pieces.len().next_power_of_two() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_blake3_of_the_whole() {
        let data: Vec<u8> = (0..5 * SUBTREE + 3).map(|i| ((i * 31) >> 4) as u8).collect();
        for length in [0, 1, 1023, SUBTREE - 1, SUBTREE, SUBTREE + 1, 2 * SUBTREE, 3 * SUBTREE + 1, 5 * SUBTREE + 3] {
            let data = &data[..length];
            let hasher = FileHasher::new(length as u64);
            let pieces: Vec<_> =
                data.chunks(SUBTREE).enumerate().map(|(index, piece)| hasher.piece(index, piece)).collect();
            assert_eq!(hasher.finish(&pieces), FileHasher::hash(data), "{length}");
        }
    }
}
