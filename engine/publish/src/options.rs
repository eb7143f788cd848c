//! How to make an index.

/// How to make an index.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// Sizes of blocks in bytes, from the coarsest layer to the finest; chosen by the
    /// target's length when there are none.
    pub block_sizes: Vec<u32>,
    /// How hard to compress the payload, in zstd's levels from 1 to 15, where there is one.
    pub compress: Option<i32>,
}

/// Bytes of a fine frame of a compressed payload, at most: the power of two that
/// [`PayloadLayout`] allows.
pub(crate) const MAX_FINE_FRAME: u32 = 32 << 10;
