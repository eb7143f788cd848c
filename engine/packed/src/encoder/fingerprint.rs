//! What tells that an encoder is still the one that a recipe was made with.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::encoder::settings::Encoder;

/// Length of the corpus in bytes.
pub(crate) const CORPUS_LEN: usize = 200_000;

/// A hash (FNV-1a, 64 bits) of what `encoder` makes of the corpus. It is against mistakes, of
/// ours mostly, and not against malice: what is closed is compared with the published hash.
pub(crate) fn fingerprint(encoder: Encoder) -> u64 {
    // It is always the same, takes milliseconds, and thousands of recipes name the same few encoders.
    static KNOWN: Mutex<Vec<(Encoder, u64)>> = Mutex::new(Vec::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, fingerprint)) = known().iter().find(|(other, _)| *other == encoder) {
        return *fingerprint;
    }
    let fingerprint = made(encoder);
    known().push((encoder, fingerprint));
    fingerprint
}

fn made(encoder: Encoder) -> u64 {
    let mut out = Vec::new();
    encoder.deflate(&corpus()[..]).read_to_end(&mut out).expect("memory can be read");
    out.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How long `encoder` takes for the corpus.
pub(crate) fn time(encoder: Encoder) -> Duration {
    let corpus = corpus();
    let start = Instant::now();
    io::copy(&mut encoder.deflate(&corpus[..]), &mut io::sink()).expect("memory can be read");
    start.elapsed()
}

/// Bytes that are like text, like records and like noise by turns, with repetitions from near
/// and far: 200,000 bytes, which is more than a window and more than a block.
fn corpus() -> Vec<u8> {
    let mut state = 1u64;
    let mut next = |bound: u64| {
        // Knuth's linear congruential generator, MMIX.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut bytes: Vec<u8> = Vec::with_capacity(CORPUS_LEN + 300);
    while bytes.len() < CORPUS_LEN {
        match next(8) {
            0 => (0..next(40)).for_each(|_| bytes.push(next(256) as u8)),
            1 => {
                let byte = next(256) as u8;
                (0..next(300)).for_each(|_| bytes.push(byte));
            }
            2 => (0..next(20)).for_each(|_| bytes.extend([next(4) as u8, 0, next(2) as u8, 0])),
            3 | 4 if bytes.len() > 300 => {
                let distance = 1 + next(bytes.len().min(40_000) as u64 - 1) as usize;
                (0..3 + next(60)).for_each(|_| bytes.push(bytes[bytes.len() - distance]));
            }
            _ => (0..next(30)).for_each(|_| bytes.push(b"etaoin shrdlu.\n"[(next(15) * next(15) / 15) as usize])),
        }
    }
    bytes.truncate(CORPUS_LEN);
    bytes
}
