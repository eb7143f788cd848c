//! Data near a run, on which rolling sums collide and blocks overlap: slow for a search that
//! does not limit its work. Two of a kind from different seeds have hardly a block in common.

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

/// One of each kind, with its name.
pub fn all(seed: u64, length: usize) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a one in 64 zeros", spikes(seed, 64, (0, 1), length)),
        ("a one in 256 zeros", spikes(seed, 256, (0, 1), length)),
        ("a one in 1024 zeros", spikes(seed, 1024, (0, 1), length)),
        ("an FE in 256 FF", spikes(seed, 256, (0xff, 0xfe), length)),
        ("runs of two letters", runs(seed, 50, &[0, 1], length)),
        ("long runs", runs(seed, 500, &std::array::from_fn::<u8, 256, _>(|at| at as u8), length)),
        ("a ramp", ramp(seed, length)),
        ("nearly zeros", almost_zeros(seed, length)),
    ]
}
