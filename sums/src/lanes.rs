//! Sums of many blocks at once: one block in each lane of SIMD vectors.
//!
//! A hash is one long chain of dependent operations, so a core that computes one at a
//! time mostly waits. Blocks of one length go through the same operations in step,
//! with one block's word in each lane, and independent vectors between which the core
//! can switch. The kernels are generic over the width of the vectors; the crates that
//! hash one message at a time are their oracle, and take what fills too few lanes.

mod blake2b;
mod kernel;
mod md;
mod md4;
mod md5;
mod transpose;

pub(crate) use blake2b::Blake2bLanes;
pub(crate) use kernel::sum_many;
pub(crate) use md4::Md4Lanes;
pub(crate) use md5::Md5Lanes;

#[cfg(test)]
mod tests {
    use super::kernel::{HAVE_LANES, Kernel};
    use super::*;
    use crate::strong::{Blake2b256, Md4, Md5, level};
    use fearless_simd::Level;
    use gosync_chunks::StrongHasher;
    use gosync_testkit::tiers;
    use proptest::prelude::*;

    /// Every boundary of the hashes' chunks and paddings.
    const LENGTHS: [usize; 14] = [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 1024, 1025];
    const MOST_BLOCKS: usize = 40;

    /// Blocks that are all different, and not aligned.
    fn blocks(data: &[u8], length: usize) -> Vec<&[u8]> {
        (0..MOST_BLOCKS).map(|index| &data[index * 61..][..length]).collect()
    }

    fn data(length: usize) -> Vec<u8> {
        (0..length + MOST_BLOCKS * 61).map(|i| (i as u32 + 1).wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect()
    }

    fn check_hash<K: Kernel>(hasher: &dyn StrongHasher, length: usize, counts: &[usize]) {
        let data = data(length);
        let blocks = blocks(&data, length);
        let sum_len = hasher.sum_len();
        let expected: Vec<u8> = blocks.iter().flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
        for tier in tiers::tested() {
            let level = level(tier);
            for &count in counts {
                let mut sums = vec![0; count * sum_len];
                // In lanes even where they do not pay.
                let done = sum_many::<K>(level, &blocks[..count], Some(1), &mut sums);
                assert_eq!(done, if HAVE_LANES { count } else { 0 });
                assert!(
                    sums[..done * sum_len] == expected[..done * sum_len],
                    "{hasher:?}: {count} of {length} bytes on {tier}"
                );
            }
        }
    }

    fn check(length: usize, counts: &[usize]) {
        check_hash::<Md4Lanes>(&Md4::full(), length, counts);
        check_hash::<Md5Lanes>(&Md5::truncated(7).unwrap(), length, counts);
        check_hash::<Blake2bLanes>(&Blake2b256::truncated(20).unwrap(), length, counts);
    }

    #[test]
    fn any_number_of_blocks() {
        let counts: Vec<_> = (0..=MOST_BLOCKS).collect();
        for length in LENGTHS {
            check(length, &counts);
        }
    }

    #[test]
    fn every_short_length() {
        for length in 0..=300 {
            check(length, &[1 + length % MOST_BLOCKS]);
        }
    }

    #[test]
    fn long_blocks() {
        for length in [1023, 2047, 2048, 2049, 4095, 5000, 8191, 8192, 8193] {
            check(length, &[3, 25]);
        }
        for length in [65_535, 65_536, 65_537] {
            check(length, &[17]);
        }
    }

    #[test]
    fn leaves_what_does_not_pay() {
        let data = data(8192);
        let level = Level::baseline();
        let mut sums = [0; MOST_BLOCKS * 16];
        let one = sum_many::<Md5Lanes>(level, &blocks(&data, 8192)[..1], None, &mut sums[..16]);
        let all = sum_many::<Md5Lanes>(level, &blocks(&data, 8192), None, &mut sums);
        assert_eq!([one, all], [0, if HAVE_LANES { MOST_BLOCKS } else { 0 }]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn equals_one_by_one(length in 0usize..5000, count in 0..=MOST_BLOCKS) {
            check(length, &[count]);
        }
    }
}
