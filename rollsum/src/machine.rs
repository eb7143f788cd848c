//! The steps that the scan and the sums are made of, in scalar code and in lanes.

#[cfg(target_arch = "x86_64")]
use fearless_simd::Simd;
use fearless_simd::{Level, SimdBase, dispatch};

#[cfg(target_arch = "x86_64")]
use crate::avx512;
use crate::lanes::{self, Native, Vectors};
use crate::rolling::Rolling;
use crate::sieve::View;
use crate::tier::Tier;
use crate::tile::{GROUP, Strips, Tile, Windows, join};
use crate::{polynomial, rsync};

/// Does the steps in one way.
pub(crate) trait Machine: Copy {
    /// Moves a window on by as many bytes as there are, and leaves the hash of its key
    /// after each.
    fn roll<Sum: Rolling>(self, sum: &mut Sum, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]);

    /// Sets bit `i` of each mask for hash `i` of its 64, where it may be in the sieve.
    fn probe(self, sieve: View<'_>, hashes: &[[u32; GROUP]], masks: &mut [u64]);

    /// Moves `windows` on over a tile, and leaves in it the hashes of all keys and which of
    /// them may be in the sieve. Behind the last position may be anything.
    #[inline(always)]
    fn tile<Sum: Rolling>(self, windows: &mut Windows<Sum>, strips: Strips<'_>, sieve: View<'_>, tile: &mut Tile) {
        tile_in_steps(self, windows, strips, sieve, tile);
    }

    /// Where in its group of a tile the hash of a position is.
    #[inline(always)]
    fn place(self, at: usize) -> usize {
        at
    }

    /// Both sums of rsync's, without offset; the low 16 bits count.
    fn rsync_halves(self, block: &[u8]) -> (u32, u32);

    /// The polynomial of a block.
    fn polynomial(self, block: &[u8]) -> u32;
}

/// [`Machine::tile`], step by step.
#[inline(always)]
fn tile_in_steps<M: Machine, Sum: Rolling>(
    machine: M,
    windows: &mut Windows<Sum>,
    strips: Strips<'_>,
    sieve: View<'_>,
    tile: &mut Tile,
) {
    let Strips { outgoing, incoming, next } = strips;
    let Windows { first, second } = windows;
    let Tile { hashes, behind, masks } = tile;
    let count = outgoing.len();
    machine.roll(first, outgoing, incoming, &mut hashes.as_flattened_mut()[..count]);
    if let Some(second) = second {
        machine.roll(second, incoming, next, &mut behind.as_flattened_mut()[..count]);
        for (hash, behind) in hashes.as_flattened_mut()[..count].iter_mut().zip(behind.as_flattened()) {
            *hash = join(*hash, *behind);
        }
    }
    let groups = count.div_ceil(GROUP);
    machine.probe(sieve, &hashes[..groups], &mut masks[..groups]);
}

/// What is done on any machine.
pub(crate) trait Task {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<M: Machine>(self, machine: M) -> Self::Output;
}

/// Does `task` on the machine that `tier` stands for, with its instructions turned on.
///
/// # Panics
///
/// When this machine does not run the tier.
pub(crate) fn run<T: Task>(tier: Tier, task: T) -> T::Output {
    if tier == Tier::Portable {
        return task.run(Scalar);
    }
    let level: Level = tier.level().unwrap_or_else(|| panic!("this machine does not run {tier}"));
    dispatch!(level, simd => task.run(Lanes(Native(simd))))
}

/// As [`run`], in vectors of 512 bits on whatever `tier` has: for sums of blocks, since AVX-512 scans in its own way.
#[cfg(test)]
pub(crate) fn run_wide<T: Task>(tier: Tier, task: T) -> Option<T::Output> {
    tier.level().map(|level| dispatch!(level, simd => task.run(Lanes(lanes::Wide(simd)))))
}

/// One byte after another.
#[derive(Clone, Copy)]
struct Scalar;

impl Machine for Scalar {
    #[inline(always)]
    fn roll<Sum: Rolling>(self, sum: &mut Sum, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        sum.roll_bytes(outgoing, incoming, hashes);
    }

    #[inline(always)]
    fn probe(self, sieve: View<'_>, hashes: &[[u32; GROUP]], masks: &mut [u64]) {
        sieve.probe(hashes, masks);
    }

    #[inline(always)]
    fn rsync_halves(self, block: &[u8]) -> (u32, u32) {
        rsync::halves(block, (0, 0))
    }

    #[inline(always)]
    fn polynomial(self, block: &[u8]) -> u32 {
        polynomial::sum(block, polynomial::SEED)
    }
}

/// A vector of bytes after another; what does not fill one, in scalar code.
#[derive(Clone, Copy)]
struct Lanes<V>(V);

impl<V: Vectors> Lanes<V> {
    #[inline(always)]
    fn whole_vectors(length: usize) -> usize {
        length - length % V::U8::LEN
    }
}

impl<V: Vectors> Machine for Lanes<V> {
    #[inline(always)]
    fn roll<Sum: Rolling>(self, sum: &mut Sum, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        let whole = Self::whole_vectors(hashes.len());
        sum.roll_lanes(self.0, &outgoing[..whole], &incoming[..whole], &mut hashes[..whole]);
        Scalar.roll(sum, &outgoing[whole..], &incoming[whole..], &mut hashes[whole..]);
    }

    #[inline(always)]
    fn probe(self, sieve: View<'_>, hashes: &[[u32; GROUP]], masks: &mut [u64]) {
        lanes::probe(self.0, sieve, hashes, masks);
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn tile<Sum: Rolling>(self, windows: &mut Windows<Sum>, strips: Strips<'_>, sieve: View<'_>, tile: &mut Tile) {
        match self.0.level().level() {
            Level::Avx512(avx512) => avx512::tile(avx512, windows, strips, sieve, tile),
            _ => tile_in_steps(self, windows, strips, sieve, tile),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn place(self, at: usize) -> usize {
        if matches!(self.0.level().level(), Level::Avx512(_)) { avx512::place(at) } else { at }
    }

    #[inline(always)]
    fn rsync_halves(self, block: &[u8]) -> (u32, u32) {
        let (vectors, rest) = block.split_at(Self::whole_vectors(block.len()));
        rsync::halves(rest, lanes::rsync_sum(self.0, vectors))
    }

    #[inline(always)]
    fn polynomial(self, block: &[u8]) -> u32 {
        let (vectors, rest) = block.split_at(Self::whole_vectors(block.len()));
        let sum = lanes::polynomial_sum(self.0, vectors);
        polynomial::sum(rest, sum)
    }
}
