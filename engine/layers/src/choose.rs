//! Which layers an index has, and how long its sums are.

/// Records of the coarsest layer that a client always fetches, at most: some 200 kB.
const COARSE_BLOCKS: u64 = 1 << 14;

/// The block sizes of a target of `length` bytes in bytes, from the coarsest to the finest.
///
/// A client pays for the coarsest layer whatever happens, so that is bounded, and for the
/// others in proportion to the change. The finest is what a single changed byte costs: the
/// smaller, the longer the index, which matters where it is read as a whole. With compressed
/// frames of that size, small ones are the more costly, as what is said around each range
/// is longer than they are.
///
/// A range costs what a server says before its part of the answer, about 110 bytes, and
/// eight bytes for each record. So eight parts to a block cost a scattered change the
/// fewest bytes, and four or sixteen hardly more.
pub fn block_sizes(length: u64, compressed: bool) -> Vec<u32> {
    let coarse = length.div_ceil(COARSE_BLOCKS).next_power_of_two().clamp(64 << 10, 16 << 20) as u32;
    let leaf = match (compressed, length.div_ceil(1 << 30)) {
        (_, 17..) => 1024,
        (true, _) => 512,
        (false, 2..) => 256,
        (false, _) => 128,
    };
    let coarser = |size: &u32| match size * PARTS {
        size if compressed && size == COARSE_FRAME / 2 => Some(COARSE_FRAME),
        size => Some(size),
    };
    // A layer between that is twice as large is only worth it for the frames.
    let least = if compressed { 2 } else { 4 };
    let mut sizes: Vec<u32> =
        std::iter::successors(Some(leaf), coarser).take_while(|size| size * least <= coarse).collect();
    sizes.push(coarse);
    sizes.reverse();
    sizes
}

/// Parts that a block is divided into, more or less of the coarsest.
const PARTS: u32 = 8;

/// Bytes of a coarse frame of a compressed payload, at most.
pub const COARSE_FRAME: u32 = 64 << 10;

/// The binary logarithm of the odds against a wrong match anywhere.
pub const ODDS: u8 = 32;

/// Bits of a weak sum.
const WEAK_BITS: u64 = 32;

/// Bytes of a strong sum, for layers that end with `leaf` and odds of [`ODDS`].
///
/// A single block is believed where it was expected, in one place or two; so a record has
/// as many bits as there are such places, and those of the odds. What a search finds is
/// believed when two neighbours confirm each other. One layer alone has nothing finer to
/// go on with when they do not: its sums suffice without, see [`suffice_alone`].
pub fn strong_len(length: u64, sizes: &[u32]) -> usize {
    let leaf = sizes.last().copied().unwrap_or(1);
    let places = if sizes.len() == 1 { log(length.saturating_mul(2)) } else { 1 };
    let bits = log(length.div_ceil(leaf.into())) + places + u64::from(ODDS);
    (bits.saturating_sub(WEAK_BITS).div_ceil(8) as usize).clamp(3, 16)
}

/// Whether a record with a strong sum of `strong_len` bytes tells one of `blocks` blocks
/// from all that is at any place of a seed of twice the target's length, at these odds.
pub fn suffice_alone(strong_len: usize, blocks: u32, length: u64, odds: u8) -> bool {
    let needed = log(blocks.into()) + log(length.saturating_mul(2)) + u64::from(odds);
    WEAK_BITS + 8 * strong_len as u64 >= needed
}

/// The binary logarithm, rounded up.
fn log(number: u64) -> u64 {
    number.max(2).checked_next_power_of_two().map_or(64, |power| power.ilog2().into())
}

/// What to salt the sums of a target with: something that is the same whenever and
/// wherever its index is made, and that another file has otherwise.
pub fn salt(length: u64, start: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("gosync index v2 salt");
    let digest = hasher.update(&length.to_le_bytes()).update(start).finalize();
    let (salt, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_le_bytes(*salt)
}

/// Bytes of the target's beginning that its salt is made of.
pub const SALTED: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_descend_and_the_coarsest_layer_is_bounded() {
        assert_eq!(block_sizes(0, false), [65536, 8192, 1024, 128]);
        assert_eq!(block_sizes(1 << 30, false), block_sizes(0, false));
        assert_eq!(block_sizes(2 << 30, false), [131_072, 16_384, 2048, 256]);
        assert_eq!(block_sizes(16 << 30, false), [1 << 20, 131_072, 16_384, 2048, 256]);
        assert_eq!(block_sizes(1 << 30, true), [65536, 4096, 512]);
        assert_eq!(block_sizes(2 << 30, true), [131_072, 65_536, 4096, 512]);
        assert_eq!(block_sizes(300 << 30, true), [16 << 20, 4 << 20, 524_288, 65_536, 8192, 1024]);
        for length in [1, 57 << 20, 1 << 30, 300 << 30, 1 << 40, u64::MAX >> 12] {
            for compressed in [false, true] {
                let sizes = block_sizes(length, compressed);
                assert!(crate::format::check_sizes(&sizes).is_ok(), "{sizes:?}");
                assert!(length.div_ceil(sizes[0].into()) <= COARSE_BLOCKS || sizes[0] == 16 << 20);
                let ratios = sizes.windows(2).map(|pair| pair[0] / pair[1]);
                assert!(ratios.clone().all(|ratio| (2..=32).contains(&ratio)), "{sizes:?}");
            }
        }
    }

    #[test]
    fn sums_are_as_long_as_the_odds_demand() {
        // 18 bits of blocks, 1 of places and 32 of odds, less the 32 of the weak sum.
        assert_eq!(strong_len(57 << 20, &[65536, 256]), 3);
        assert_eq!(strong_len(300 << 30, &[1 << 20, 1024]), 4);
        // With 27 bits of places.
        assert_eq!(strong_len(57 << 20, &[256]), 6);
        assert!(suffice_alone(6, 57 << 12, 57 << 20, 32) && !suffice_alone(5, 57 << 12, 57 << 20, 32));
        assert!((3..=16).contains(&strong_len(u64::MAX, &[64])));
    }

    #[test]
    fn salts_differ() {
        assert_eq!(salt(5, b"start"), salt(5, b"start"));
        assert_ne!(salt(5, b"start"), salt(6, b"start"));
        assert_ne!(salt(5, b"start"), salt(5, b"Start"));
    }
}
