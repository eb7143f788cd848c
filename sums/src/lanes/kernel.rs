//! A hash in lanes, on the vectors of any processor.

use std::marker::PhantomData;

use fearless_simd::{Level, Simd, SimdInt};

/// The most 32-bit lanes that a vector has.
pub(super) const MOST_LANES: usize = 16;

/// Words are taken from bytes as they are in memory, and every hash here is little-endian.
pub(super) const HAVE_LANES: bool = cfg!(target_endian = "little");

/// A hash in lanes.
pub(crate) trait Kernel {
    /// The most messages that are worked on together.
    fn most<S: Simd>() -> usize;

    /// The fewest blocks that are faster summed in lanes than one by one.
    fn fewest<S: Simd>() -> usize;

    /// Writes the leading bytes of the sums of `blocks`, which are of one length, to
    /// `sums`. There is at least one block, and no more than `most` says.
    fn sum_lanes<S: Simd>(simd: S, blocks: &[&[u8]], sums: &mut [u8]);
}

/// Writes the leading bytes of the sums of the first of `blocks`, all of one length, to
/// `sums`, which has room for all. Returns how many it summed, and leaves what are fewer
/// than `fewest`: by default, those that lanes do not pay for.
pub(crate) fn sum_many<K: Kernel>(level: Level, blocks: &[&[u8]], fewest: Option<usize>, sums: &mut [u8]) -> usize {
    if blocks.is_empty() || !HAVE_LANES {
        return 0;
    }
    assert!(blocks.iter().all(|block| block.len() == blocks[0].len()), "blocks of one length");
    on(level, Task::<K> { blocks, fewest, sums, kernel: PhantomData })
}

struct Task<'a, K> {
    blocks: &'a [&'a [u8]],
    fewest: Option<usize>,
    sums: &'a mut [u8],
    kernel: PhantomData<K>,
}

/// Does `task` with the instructions of `level`. SSE4.2 is left out: it has nothing for
/// these kernels that is worth the time to compile them once more.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn on<K: Kernel>(level: Level, task: Task<'_, K>) -> usize {
    match level {
        Level::Avx512(simd) => simd.vectorize(
            #[inline(always)]
            || task.run(simd),
        ),
        Level::Avx2(simd) => simd.vectorize(
            #[inline(always)]
            || task.run(simd),
        ),
        _ => level.as_sse2().map_or(0, |simd| {
            simd.vectorize(
                #[inline(always)]
                || task.run(simd),
            )
        }),
    }
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn on<K: Kernel>(level: Level, task: Task<'_, K>) -> usize {
    fearless_simd::dispatch!(level, simd => task.run(simd))
}

impl<K: Kernel> Task<'_, K> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let Self { blocks, fewest, sums, .. } = self;
        let sum_len = sums.len() / blocks.len();
        let fewest = fewest.unwrap_or_else(K::fewest::<S>);
        let mut done = 0;
        while done < blocks.len() && blocks.len() - done >= fewest {
            let count = K::most::<S>().min(blocks.len() - done);
            K::sum_lanes(simd, &blocks[done..][..count], &mut sums[done * sum_len..][..count * sum_len]);
            done += count;
        }
        done
    }
}

#[inline(always)]
pub(super) fn rotate_left<S: Simd, V: SimdInt<S>, const BITS: u32>(vector: V, by: u32) -> V {
    (vector << by) | (vector >> (BITS - by))
}

/// Writes as much of `digest` as `sum` has room for.
pub(super) fn write_sum(sum: &mut [u8], digest: &[u8]) {
    sum.copy_from_slice(&digest[..sum.len()]);
}
