//! The sums that a scan can roll.

use crate::machine::{self, Machine, Task};
use crate::tier::Tier;
use crate::{polynomial, rsync};

/// Which rolling checksum. The crate's documentation has the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RollingSum {
    /// rsync's sum without offset, as in go-sync and zsync.
    Rsync,
    /// rsync's sum with 31 added to every byte, as in librsync's rollsum.
    Librsync,
    /// A polynomial modulo 2^32, as in librsync's RabinKarp and our own format.
    RabinKarp,
}

impl RollingSum {
    /// The sum of `block`: the key that a scan looks for.
    pub fn key(self, block: &[u8]) -> u32 {
        machine::run(tier_for(block), Key { sum: self, block })
    }

    #[cfg(test)]
    pub(crate) fn key_with_tier(self, tier: Tier, block: &[u8]) -> u32 {
        machine::run(tier, Key { sum: self, block })
    }

    /// The key of a block with this `key`, with `zeros` more bytes behind it that are zero.
    pub fn with_zeros(self, key: u32, zeros: usize) -> u32 {
        match self {
            Self::Rsync => rsync::with_zeros(key, zeros, 0),
            Self::Librsync => rsync::with_zeros(key, zeros, rsync::LIBRSYNC_OFFSET),
            Self::RabinKarp => key.wrapping_mul(polynomial::power(polynomial::MULTIPLIER, zeros)),
        }
    }

    /// Writes the keys of the consecutive blocks in `data` to `keys`. The last block may be
    /// short.
    ///
    /// # Panics
    ///
    /// When `block_size` is 0, or there is not exactly one key for each block.
    pub fn sum_blocks(self, data: &[u8], block_size: usize, keys: &mut [u32]) {
        self.sum_blocks_with_tier(Tier::detect(), data, block_size, keys);
    }

    /// As [`RollingSum::sum_blocks`], on a certain tier.
    ///
    /// # Panics
    ///
    /// As [`RollingSum::sum_blocks`], and when this machine does not run the tier.
    pub fn sum_blocks_with_tier(self, tier: Tier, data: &[u8], block_size: usize, keys: &mut [u32]) {
        assert_eq!(keys.len(), data.len().div_ceil(block_size), "one key for each block");
        machine::run(tier, Blocks { sum: self, data, block_size, keys });
    }

    /// [`RollingSum::key`] on a certain machine.
    #[inline(always)]
    pub(crate) fn key_on<M: Machine>(self, machine: M, block: &[u8]) -> u32 {
        match self {
            Self::Rsync => rsync::key(machine.rsync_halves(block), block.len(), 0),
            Self::Librsync => rsync::key(machine.rsync_halves(block), block.len(), rsync::LIBRSYNC_OFFSET),
            Self::RabinKarp => machine.polynomial(block),
        }
    }
}

/// Vectors cost more than they save below this many bytes.
const SHORT: usize = 128;

fn tier_for(block: &[u8]) -> Tier {
    if block.len() < SHORT { Tier::Portable } else { Tier::detect() }
}

struct Key<'a> {
    sum: RollingSum,
    block: &'a [u8],
}

impl Task for Key<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<M: Machine>(self, machine: M) -> u32 {
        self.sum.key_on(machine, self.block)
    }
}

struct Blocks<'a> {
    sum: RollingSum,
    data: &'a [u8],
    block_size: usize,
    keys: &'a mut [u32],
}

impl Task for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    fn run<M: Machine>(self, machine: M) {
        let Self { sum, data, block_size, keys } = self;
        for (block, key) in data.chunks(block_size).zip(keys) {
            *key = sum.key_on(machine, block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::tested;
    use proptest::prelude::*;

    const SUMS: [RollingSum; 3] = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp];

    /// Byte after byte, from the formulas in the crate's documentation.
    fn by_definition(sum: RollingSum, block: &[u8]) -> u32 {
        let rsync = |offset: u32| {
            let (a, b) = block.iter().fold((0u16, 0u16), |(a, b), &byte| {
                let a = a.wrapping_add((u32::from(byte) + offset) as u16);
                (a, b.wrapping_add(a))
            });
            u32::from(b) << 16 | u32::from(a)
        };
        match sum {
            RollingSum::Rsync => rsync(0),
            RollingSum::Librsync => rsync(31),
            RollingSum::RabinKarp => {
                block.iter().fold(1, |sum: u32, &byte| sum.wrapping_mul(0x0810_4225).wrapping_add(byte.into()))
            }
        }
    }

    fn check_blocks(sum: RollingSum, data: &[u8], block_size: usize) {
        let expected: Vec<u32> = data.chunks(block_size).map(|block| by_definition(sum, block)).collect();
        let same = |what: &str, work: &dyn Fn(&mut [u32])| {
            let mut keys = vec![7; expected.len()];
            work(&mut keys);
            assert_eq!(keys, expected, "{sum:?}, blocks of {block_size} in {}, {what}", data.len());
        };
        for tier in tested() {
            same(&tier.to_string(), &|keys| sum.sum_blocks_with_tier(tier, data, block_size, keys));
            if tier != Tier::Portable {
                same("512 bits", &|keys| {
                    machine::run_wide(tier, Blocks { sum, data, block_size, keys });
                });
            }
        }
        same("one by one", &|keys| {
            data.chunks(block_size).zip(keys).for_each(|(block, key)| *key = sum.key(block));
        });
    }

    #[test]
    fn blocks_of_every_length_at_every_alignment() {
        let data = golden_data();
        for sum in SUMS {
            for length in (0..300).chain([2047, 2048, 2049]) {
                let exact: Box<[u8]> = data[..length].into();
                check_blocks(sum, &exact, 4096);
            }
            for offset in 0..64 {
                check_blocks(sum, &data[offset..], 2048);
            }
            for block_size in [1, 7, 16, 63, 64, 65] {
                check_blocks(sum, &data[..1000], block_size);
            }
            check_blocks(sum, &[255; 200_000], 70_000);
        }
    }

    #[test]
    fn zeros_behind_a_block() {
        let padded = [golden_data(), vec![0; 1000]].concat();
        for sum in SUMS {
            for zeros in [0, 1, 999, 1000] {
                assert_eq!(sum.with_zeros(sum.key(&padded[..20_000]), zeros), sum.key(&padded[..20_000 + zeros]));
            }
        }
    }

    #[test]
    #[should_panic(expected = "one key for each block")]
    fn too_few_keys_are_refused() {
        RollingSum::Rsync.sum_blocks(&[0; 11], 10, &mut [0]);
    }

    proptest! {
        #[test]
        fn blocks_of_any_size(
            sum in prop::sample::select(&SUMS[..]),
            // Miri takes minutes for more.
            data in prop::collection::vec(any::<u8>(), 0..if cfg!(miri) { 50 } else { 5000 }),
            repeats in 1usize..30,
            block_size in 1usize..70_000,
        ) {
            check_blocks(sum, &data.repeat(repeats), block_size);
        }
    }

    /// 20,000 bytes of `x = (x * 1103515245 + 12345) mod 2^31`, the data of the golden sums.
    fn golden_data() -> Vec<u8> {
        let mut x = 12345u32;
        (0..20_000)
            .map(|_| {
                x = x.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7fff_ffff;
                (x >> 16) as u8
            })
            .collect()
    }

    /// Sums of the first 2,048 bytes, from files made by go-sync, zsyncmake 0.6.2 and rdiff 2.3.2.
    #[test]
    fn golden_sums() {
        let data = golden_data();
        let block = &data[..2048];
        assert_eq!(RollingSum::Rsync.key(block).to_le_bytes(), [0x08, 0x04, 0xef, 0x40], "go-sync's bytes on disk");
        let zsync = RollingSum::Rsync.key(block).rotate_left(16);
        assert_eq!(zsync, 0x0408_40ef, "zsync writes a before b");
        assert_eq!(RollingSum::Librsync.key(block), 0xbcef_fc08);
        assert_eq!(RollingSum::RabinKarp.key(block), 0x9505_48b5);
    }

    #[test]
    fn sums_of_nothing() {
        assert_eq!(RollingSum::Rsync.key(&[]), 0);
        assert_eq!(RollingSum::Librsync.key(&[]), 0);
        assert_eq!(RollingSum::RabinKarp.key(&[]), 1, "so that leading zeros count");
        assert_ne!(RollingSum::RabinKarp.key(&[0]), RollingSum::RabinKarp.key(&[0, 0]));
    }
}
