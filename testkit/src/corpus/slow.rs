//! Data near a run, on which rolling sums collide and blocks overlap: slow for a search that
//! does not limit its work. Two of a kind from different seeds have hardly a block in common,
//! but for those that are called out of phase, repeated or alike.

use crate::Random;

/// `fill` with `value` at one place in `every`.
pub fn spikes(seed: u64, every: usize, (fill, value): (u8, u8), length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = vec![fill; length];
    for _ in 0..length / every {
        data[random.below(length)] = value;
    }
    data
}

/// Runs of `values` in turn by chance, of some `mean` bytes.
pub fn runs(seed: u64, mean: usize, values: &[u8], length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(length + 2 * mean);
    while data.len() < length {
        let (value, run) = (*random.pick(values), random.range(1..2 * mean));
        data.resize(data.len() + run, value);
    }
    data.truncate(length);
    data
}

/// Bytes that count, with a step left out every 255: all windows come again after so many bytes.
pub fn ramp(seed: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at + at / 255 + seed as usize) as u8).collect()
}

/// Zeros with a one now and then, in between at least 2,000 of them.
pub fn almost_zeros(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(length + 4096);
    while data.len() < length {
        data.resize(data.len() + random.below(2040), 0);
        data.push(1);
        data.resize(data.len() + 2000, 0);
    }
    data.truncate(length);
    data
}

/// Zeros with a one in front of every so many bytes, of which the first so many are left out.
pub fn spikes_every(seed: u64, every: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::from((at + seed as usize).is_multiple_of(every))).collect()
}

/// The same `period` bytes again and again, of which the first so many are left out.
pub fn out_of_phase(seed: u64, period: usize, length: usize) -> Vec<u8> {
    let pattern = super::random(1, period);
    pattern.iter().copied().cycle().skip(seed as usize % period).take(length).collect()
}

/// Pieces of one text in an order by chance.
pub fn repeated_text(seed: u64, length: usize) -> Vec<u8> {
    const LONGEST: usize = 20_000;
    let text = super::text(1, 200_000);
    let mut random = Random::new(seed);
    let mut data = Vec::with_capacity(length + LONGEST);
    while data.len() < length {
        let start = random.below(text.len() - LONGEST);
        data.extend_from_slice(&text[start..start + random.range(200..LONGEST)]);
    }
    data.truncate(length);
    data
}

/// Records of 512 bytes that are equal but for their numbers.
pub fn numbered(seed: u64, length: usize) -> Vec<u8> {
    const RECORD: usize = 512;
    let mut record = super::random(1, RECORD);
    let mut data = Vec::with_capacity(length + RECORD);
    let mut number = seed << 32;
    while data.len() < length {
        record[..8].copy_from_slice(&number.to_le_bytes());
        data.extend_from_slice(&record);
        number += 1;
    }
    data.truncate(length);
    data
}

/// Makes data of a kind from a seed, so many bytes.
pub type Make = fn(u64, usize) -> Vec<u8>;

/// Every kind: its name, and how it is made.
pub const KINDS: &[(&str, Make)] = &[
    ("ones-64", |seed, length| spikes(seed, 64, (0, 1), length)),
    ("ones-256", |seed, length| spikes(seed, 256, (0, 1), length)),
    ("ones-1024", |seed, length| spikes(seed, 1024, (0, 1), length)),
    ("ff", |seed, length| spikes(seed, 256, (0xff, 0xfe), length)),
    ("short-runs", |seed, length| runs(seed, 50, &[0, 1], length)),
    ("long-runs", |seed, length| runs(seed, 500, &std::array::from_fn::<u8, 256, _>(|at| at as u8), length)),
    ("ramp", ramp),
    ("nearly-zeros", almost_zeros),
    ("spikes", |seed, length| spikes_every(seed, 1000, length)),
    ("period-2", |seed, length| out_of_phase(seed, 2, length)),
    ("period-7", |seed, length| out_of_phase(seed, 7, length)),
    ("period-4096", |seed, length| out_of_phase(seed, 4096, length)),
    ("repeated-text", repeated_text),
    ("numbered", numbered),
];

/// One of each kind, with its name.
pub fn all(seed: u64, length: usize) -> Vec<(&'static str, Vec<u8>)> {
    KINDS.iter().map(|&(name, make)| (name, make(seed, length))).collect()
}
