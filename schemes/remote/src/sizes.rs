//! Which layers the index of something has that is served by the pipe.

/// Records of the coarsest layer, at most about so many: it is sent whole.
const COARSE_BLOCKS: u64 = 2 << 10;

/// Parts of a block, at most; with more there is another layer between.
const MOST_PARTS: u32 = 128;

/// The sizes of the blocks of a target of `length` bytes, from the coarsest to the finest.
///
/// Each layer costs a round trip, but the index no room anywhere. So there are fewer layers than in
/// an index that is published, and finer blocks than a server of HTTP would make worth their while.
pub(crate) fn block_sizes(length: u64) -> Vec<u32> {
    let finest: u32 = match length.div_ceil(64 << 20) {
        ..=1 => 256,
        2..=64 => 512,
        _ => 1024,
    };
    if length <= 32 << 10 {
        return vec![2 * finest];
    }
    let coarsest = length.div_ceil(COARSE_BLOCKS).next_power_of_two().clamp(4 << 10, 16 << 20) as u32;
    let ratio = coarsest / finest;
    match ratio > MOST_PARTS {
        true => vec![coarsest, finest << ratio.ilog2().div_ceil(2), finest],
        false => vec![coarsest, finest],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_layers::format::check_sizes;

    #[test]
    fn few_layers_with_a_short_first_one() {
        for length in [0, 1, 32 << 10, 33 << 10, 64 << 20, 119_000_000, 1 << 30, 5 << 30, 300 << 30, 1 << 40] {
            let sizes = block_sizes(length);
            assert!(check_sizes(&sizes).is_ok(), "{sizes:?}");
            assert!(sizes.len() <= 3);
            assert!(length.div_ceil(sizes[0].into()) <= COARSE_BLOCKS || sizes[0] == 16 << 20, "{sizes:?}");
        }
        assert_eq!(block_sizes(1 << 20), [4096, 256]);
        assert_eq!(block_sizes(119_000_000), [64 << 10, 512]);
        assert_eq!(block_sizes(1 << 30), [512 << 10, 16 << 10, 512]);
    }
}
