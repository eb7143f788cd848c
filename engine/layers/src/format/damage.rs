//! What of an index is damaged.

use std::fmt;

/// A part of an index that is not as the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The sums of a layer.
    Layer {
        /// Which, from 0, the coarsest.
        layer: usize,
        /// Its block size in bytes.
        block_size: u32,
    },
    /// The tree of hashes that tells which part of a target is wrong.
    Tree,
    /// A section.
    Section {
        /// Which.
        id: u32,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { layer, block_size } => write!(formatter, "layer {layer} (blocks of {block_size} bytes)"),
            Self::Tree => formatter.write_str("the tree of hashes"),
            Self::Section { id } => write!(formatter, "section {id}"),
        }
    }
}
