//! What a scan knows of one tile of positions.

/// Positions in a tile: its bytes, hashes, words and masks stay in the first-level cache.
pub(crate) const TILE: usize = 1024;

/// Positions that one mask has bits for.
pub(crate) const GROUP: usize = 64;

/// The groups of a tile.
pub(crate) const GROUPS: usize = TILE / GROUP;

/// Memory for one tile after another. No vector in it lies across two cache lines.
#[repr(align(64))]
pub(crate) struct Tile {
    /// The hash of the key at each position; a machine may have an order of its own within a group.
    pub(crate) hashes: [[u32; GROUP]; GROUPS],
    /// Of pairs, the hash of the second key, in the same order.
    pub(crate) behind: [[u32; GROUP]; GROUPS],
    /// Bit `i` is set where the key at position `i` of the group may be in the sieve.
    pub(crate) masks: [u64; GROUPS],
}

impl Tile {
    pub(crate) fn new() -> Self {
        Self { hashes: [[0; GROUP]; GROUPS], behind: [[0; GROUP]; GROUPS], masks: [0; GROUPS] }
    }
}

/// The bytes that the windows of a tile lose and gain, one of each for a position.
#[derive(Clone, Copy)]
pub(crate) struct Strips<'a> {
    pub(crate) outgoing: &'a [u8],
    /// What the first window gains, and the second of a pair loses.
    pub(crate) incoming: &'a [u8],
    /// What the second window of a pair gains.
    pub(crate) next: &'a [u8],
}

/// The window that moves, and of a pair the second.
#[derive(Clone, Copy)]
pub(crate) struct Windows<Sum> {
    pub(crate) first: Sum,
    pub(crate) second: Option<Sum>,
}

/// The hash of a pair from those of its keys.
#[inline(always)]
pub(crate) fn join(first: u32, second: u32) -> u32 {
    // The hash of a key that has only its high bits has only those too.
    first ^ second.rotate_left(16)
}
