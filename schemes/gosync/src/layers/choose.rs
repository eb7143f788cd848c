//! Which layers an index has, and how long its sums are.

/// Records of the coarsest layer that a client always fetches, at most: some 200 kB.
const COARSE_BLOCKS: u64 = 1 << 14;

/// The block sizes of a target of `length` bytes in bytes, from the coarsest to the finest.
///
/// A client pays for the coarsest layer whatever happens, so that is bounded, and for the
/// others in proportion to the change. The finest is what a single changed byte costs.
pub(crate) fn block_sizes(length: u64) -> Vec<u32> {
    let coarse = length.div_ceil(COARSE_BLOCKS).next_power_of_two().clamp(16 << 10, 16 << 20) as u32;
    let leaf = if length <= 4 << 30 { 256 } else { 1024 };
    let mut sizes = vec![coarse];
    let mut size = coarse;
    while size > leaf {
        size = (size / 8).max(leaf);
        sizes.push(size);
    }
    sizes
}

/// The binary logarithm of the odds against a wrong match anywhere.
pub(crate) const ODDS: u8 = 32;

/// Bytes of a strong sum: with the weak sum as many bits as there are pairs of a block of
/// the finest layer and a place in a seed of up to twice the target's length, and
/// [`ODDS`] more.
pub(crate) fn strong_len(length: u64, leaf: u32) -> usize {
    let log = |number: u64| u64::from(number.max(2).next_power_of_two().ilog2());
    let bits = log(length.div_ceil(leaf.into())) + log(length.saturating_mul(2)) + u64::from(ODDS);
    (bits.saturating_sub(32).div_ceil(8) as usize).clamp(4, 16)
}

/// What to salt the sums of a target with: something that is the same whenever and
/// wherever its index is made, and that another file has otherwise.
pub(crate) fn salt(length: u64, start: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("gosync index v2 salt");
    let digest = hasher.update(&length.to_le_bytes()).update(start).finalize();
    let (salt, _) = digest.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_le_bytes(*salt)
}

/// Bytes of the target's beginning that its salt is made of.
pub(crate) const SALTED: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_descend_and_the_coarsest_layer_is_bounded() {
        assert_eq!(block_sizes(0), [16384, 2048, 256]);
        assert_eq!(block_sizes(1 << 30), [65536, 8192, 1024, 256]);
        for length in [1, 57 << 20, 1 << 30, 300 << 30, 1 << 40, u64::MAX >> 12] {
            let sizes = block_sizes(length);
            assert!(crate::format::check_sizes(&sizes).is_ok(), "{sizes:?}");
            assert!(length.div_ceil(sizes[0].into()) <= COARSE_BLOCKS || sizes[0] == 16 << 20);
        }
    }

    #[test]
    fn sums_are_as_long_as_the_odds_demand() {
        // 18 bits of blocks, 27 of places and 32 of odds, less the 32 of the weak sum.
        assert_eq!(strong_len(57 << 20, 256), 6);
        assert_eq!(strong_len(0, 256), 4);
        assert_eq!(strong_len(300 << 30, 1024), 9);
        assert!(strong_len(u64::MAX, 64) <= 16);
    }

    #[test]
    fn salts_differ() {
        assert_eq!(salt(5, b"start"), salt(5, b"start"));
        assert_ne!(salt(5, b"start"), salt(6, b"start"));
        assert_ne!(salt(5, b"start"), salt(5, b"Start"));
    }
}
