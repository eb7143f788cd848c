//! How hard to try.

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How hard to try, in zstd's levels, 1 to 15. Coarse frames, which take the least of the
    /// time, are made two levels higher.
    pub level: i32,
    /// The bytes in the largest block that a client fetches whole, a multiple of a coarse frame:
    /// its bytes cannot be read before all are there, so no frame in one has a region in it.
    pub whole: u64,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { level: 3, whole: 1 << 16 }
    }
}
