//! Several groups under way at once.

use std::arch::x86_64::*;
use std::sync::atomic::{AtomicU32, Ordering};

use fearless_simd::prelude::*;
use fearless_simd::x86::Avx512;

use super::groups::Words;
use super::window::{Pair, Steps, Strip, Window};
use crate::rolling::Rolling;
use crate::sieve::View;
use crate::tile::{GROUP, Strips, Tile, Windows};

/// Where in its group the hash of a position is.
#[inline(always)]
pub(crate) fn place(at: usize) -> usize {
    at % 4 * (GROUP / 4) + at / 4
}

/// As [`Machine::tile`](crate::machine::Machine::tile).
#[inline(always)]
pub(crate) fn tile<Sum: Rolling>(
    avx512: Avx512,
    windows: &mut Windows<Sum>,
    Strips { outgoing, incoming, next }: Strips<'_>,
    sieve: View<'_>,
    tile: &mut Tile,
) {
    let groups = outgoing.len().div_ceil(GROUP);
    let [outgoing, incoming, next] = [Strip::new(outgoing), Strip::new(incoming), Strip::new(next)];
    let Windows { first, second } = windows;
    let mut window = Window::new(avx512, first.groups(avx512), outgoing, incoming);
    match second {
        None => pipeline(avx512, &mut window, groups, sieve, tile),
        Some(second) => {
            let mut pair = Pair { first: window, second: Window::new(avx512, second.groups(avx512), incoming, next) };
            pipeline(avx512, &mut pair, groups, sieve, tile);
            window = pair.first;
            second.take_groups(pair.second.sums);
        }
    }
    first.take_groups(window.sums);
}

/// Words of the sieve, of as many groups as are under way.
#[repr(align(64))]
struct Loaded([[AtomicU32; GROUP]; 4]);

#[inline(always)]
fn pipeline<S: Steps>(avx512: Avx512, steps: &mut S, groups: usize, sieve: View<'_>, tile: &mut Tile) {
    if gathers_pay() {
        pipeline_loading::<S, true>(avx512, steps, groups, sieve, tile);
    } else {
        pipeline_loading::<S, false>(avx512, steps, groups, sieve, tile);
    }
}

/// Whether gathers take less time than loads one by one. They do on Intel's processors from
/// Sapphire Rapids on, which are those with numbers of half precision. Earlier ones are made
/// slow by what keeps gathers from leaking data, and AMD's take a third longer up to Zen 4 and no
/// less on Zen 5.
#[inline(always)]
fn gathers_pay() -> bool {
    is_x86_feature_detected!("avx512fp16")
}

#[inline(always)]
fn pipeline_loading<S: Steps, const GATHER: bool>(
    avx512: Avx512,
    steps: &mut S,
    groups: usize,
    sieve: View<'_>,
    tile: &mut Tile,
) {
    let mut loaded = Loaded([const { [const { AtomicU32::new(0) }; GROUP] }; 4]);
    steps.begin(avx512, 0);
    for at in 0..groups + 2 {
        if at + 1 < groups {
            steps.begin(avx512, at + 1);
        }
        if at < groups {
            let places = tile.hashes[at].as_chunks_mut().0;
            for (hash, place) in steps.finish(avx512, at).into_iter().zip(places) {
                hash.store_array(place);
            }
        }
        if let Some(at) = at.checked_sub(1).filter(|&at| at < groups) {
            load::<GATHER>(sieve, &tile.hashes[at], &mut loaded.0[at % 4]);
        }
        if let Some(at) = at.checked_sub(2) {
            let mut words = [0; GROUP];
            for (word, loaded) in words.iter_mut().zip(&mut loaded.0[at % 4]) {
                *word = *loaded.get_mut();
            }
            tile.masks[at] = mask(avx512, sieve, &tile.hashes[at], &words);
        }
    }
}

/// Loads the words that hashes pick.
///
/// Where numbers are stored as usual, the compiler makes gathers of the loads. Atomic stores it
/// leaves alone.
#[inline(always)]
fn load<const GATHER: bool>(sieve: View<'_>, hashes: &[u32; GROUP], loaded: &mut [AtomicU32; GROUP]) {
    if GATHER {
        loaded.iter_mut().zip(hashes).for_each(|(loaded, &hash)| *loaded.get_mut() = sieve.word_to_gather(hash));
        return;
    }
    for (loaded, hashes) in loaded.as_chunks::<8>().0.iter().zip(hashes.as_chunks::<8>().0) {
        for (loaded, &hash) in loaded.iter().zip(hashes) {
            loaded.store(sieve.word(hash), Ordering::Relaxed);
        }
    }
}

/// Which of a group may be in the sieve.
#[inline(always)]
fn mask(avx512: Avx512, sieve: View<'_>, hashes: &[u32; GROUP], words: &[u32; GROUP]) -> u64 {
    let (_, shift) = sieve.shifts();
    let (hashes, words) = (hashes.as_chunks::<16>().0, words.as_chunks::<16>().0);
    let of = |vector: usize| {
        let (hash, word) = (Words::from_slice(avx512, &hashes[vector]), Words::from_slice(avx512, &words[vector]));
        passing(avx512, hash.into(), word.into(), shift)
    };
    spread(avx512, [of(0), of(1), of(2), of(3)])
}

fearless_simd::kernel!(
    /// Which words have the two bits that their hashes pick: the low five bits of a hash,
    /// and those `shift` further up.
    #[inline(always)]
    fn passing(avx512: Avx512, hashes: __m512i, words: __m512i, shift: u32) -> u16 {
        // What is rotated by counts modulo 32.
        let low = _mm512_rorv_epi32(words, hashes);
        let high = _mm512_rorv_epi32(words, _mm512_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32)));
        _mm512_test_epi32_mask(_mm512_and_si512(low, high), _mm512_set1_epi32(1))
    }
);

fearless_simd::kernel!(
    /// Bit `4j + k` is bit `j` of mask `k`.
    #[inline(always)]
    fn spread(avx512: Avx512, masks: [u16; 4]) -> u64 {
        const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
        let [m0, m1, m2, m3] = masks.map(u64::from);
        _pdep_u64(m0, EVERY_FOURTH)
            | _pdep_u64(m1, EVERY_FOURTH << 1)
            | _pdep_u64(m2, EVERY_FOURTH << 2)
            | _pdep_u64(m3, EVERY_FOURTH << 3)
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::Level;

    #[test]
    fn words_are_the_same_however_they_are_loaded() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            state ^ state >> 15
        };
        for bits in 0..=20 {
            let words: Vec<u32> = (0..1 << bits).map(|_| next()).collect();
            let sieve = View::new(&words);
            let mut hashes = [0; GROUP];
            hashes.fill_with(&mut next);
            (hashes[0], hashes[1], hashes[2]) = (0, u32::MAX, 1 << 31);
            let expected = hashes.map(|hash| sieve.word(hash));

            let check = |name: &str, load: &dyn Fn(&mut [AtomicU32; GROUP])| {
                let mut loaded = [const { AtomicU32::new(7) }; GROUP];
                load(&mut loaded);
                assert_eq!(loaded.map(AtomicU32::into_inner), expected, "{name}, 2^{bits} words");
            };
            check("one by one", &|loaded| load::<false>(sieve, &hashes, loaded));
            check("of plain code", &|loaded| load::<true>(sieve, &hashes, loaded));
            // As it is compiled in the scan.
            if let Some(avx512) = Level::new().as_avx512() {
                check("gathered", &|loaded| {
                    avx512.vectorize(
                        #[inline(always)]
                        || load::<true>(sieve, &hashes, loaded),
                    );
                });
            }
        }
    }
}
