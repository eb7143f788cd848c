//! Realistic other versions of some data; the same arguments give the same version.

use std::collections::BTreeSet;

use crate::Random;

/// Inserts up to `max_length` random bytes at each of `count` places.
pub fn insert(data: &[u8], seed: u64, count: usize, max_length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = Vec::with_capacity(data.len() + count * max_length);
    let mut done = 0;
    for place in places(&mut random, data.len() + 1, count) {
        edited.extend_from_slice(&data[done..place]);
        let length = random.below(max_length) + 1;
        edited.extend(random.bytes(length));
        done = place;
    }
    edited.extend_from_slice(&data[done..]);
    edited
}

/// Takes up to `max_length` bytes out at each of `count` places.
pub fn delete(data: &[u8], seed: u64, count: usize, max_length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = Vec::with_capacity(data.len());
    let mut done = 0;
    for place in places(&mut random, data.len(), count) {
        let end = (place + random.below(max_length) + 1).min(data.len());
        if place > done {
            edited.extend_from_slice(&data[done..place]);
        }
        done = done.max(end);
    }
    edited.extend_from_slice(&data[done..]);
    edited
}

/// Replaces up to `max_length` bytes by random ones at each of `count` places.
pub fn overwrite(data: &[u8], seed: u64, count: usize, max_length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = data.to_vec();
    for place in places(&mut random, data.len(), count) {
        let end = (place + random.below(max_length) + 1).min(data.len());
        random.fill(&mut edited[place..end]);
    }
    edited
}

/// Takes a range of up to `max_length` bytes out and puts it in elsewhere, `count` times.
pub fn move_ranges(data: &[u8], seed: u64, count: usize, max_length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = data.to_vec();
    for _ in 0..count {
        if edited.is_empty() {
            break;
        }
        let start = random.below(edited.len());
        let end = (start + random.below(max_length) + 1).min(edited.len());
        let moved: Vec<u8> = edited.drain(start..end).collect();
        let place = random.below(edited.len() + 1);
        edited.splice(place..place, moved);
    }
    edited
}

/// Inserts `length` random bytes after every full `every` bytes.
///
/// # Panics
///
/// When `every` is 0.
pub fn insert_every(data: &[u8], seed: u64, every: usize, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = Vec::with_capacity(data.len() + (data.len() / every + 1) * length);
    for piece in data.chunks(every) {
        edited.extend_from_slice(piece);
        if piece.len() == every {
            edited.extend(random.bytes(length));
        }
    }
    edited
}

/// Changes `count` single bytes (all of them, where there are fewer).
pub fn scatter(data: &[u8], seed: u64, count: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut edited = data.to_vec();
    for place in places(&mut random, data.len(), count) {
        edited[place] ^= random.range(1..256) as u8;
    }
    edited
}

/// Puts one byte in front, so that no block stands at its old place.
pub fn shift_by_one(data: &[u8]) -> Vec<u8> {
    [b"\x5a".as_slice(), data].concat()
}

/// Every edit above, in a dose that leaves most of `data` as it was, with a name for
/// messages. Unedited, emptied and unrelated data are in it too.
pub fn all(data: &[u8], seed: u64) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("unchanged", data.to_vec()),
        ("insertions", insert(data, seed, 5, 300)),
        ("deletions", delete(data, seed, 5, 300)),
        ("overwrites", overwrite(data, seed, 5, 300)),
        ("moved ranges", move_ranges(data, seed, 5, data.len() / 8 + 1)),
        ("a byte every 10,000", insert_every(data, seed, 10_000, 1)),
        ("scattered bytes", scatter(data, seed, data.len() / 5000 + 1)),
        ("shifted by one", shift_by_one(data)),
        ("first half", data[..data.len() / 2].to_vec()),
        ("twice", [data, data].concat()),
        ("empty", Vec::new()),
        ("unrelated", crate::corpus::random(seed ^ 0xdead, data.len())),
    ]
}

/// `count` different places below `bound`, ascending; fewer where there are not so many.
fn places(random: &mut Random, bound: usize, count: usize) -> BTreeSet<usize> {
    let count = count.min(bound);
    let mut places = BTreeSet::new();
    while places.len() < count {
        places.insert(random.below(bound));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    fn data() -> Vec<u8> {
        corpus::random(1, 50_000)
    }

    #[test]
    fn lengths_change_as_they_should() {
        let data = data();
        let inserted = insert(&data, 2, 5, 100).len() - data.len();
        assert!((5..=500).contains(&inserted), "{inserted}");
        let deleted = data.len() - delete(&data, 2, 5, 100).len();
        assert!((5..=500).contains(&deleted), "{deleted}");
        assert_eq!(overwrite(&data, 2, 5, 100).len(), data.len());
        assert_eq!(move_ranges(&data, 2, 5, 1000).len(), data.len());
        assert_eq!(insert_every(&data, 2, 10_000, 3).len(), data.len() + 15);
        assert_eq!(insert_every(&data[..9_999], 2, 10_000, 3), data[..9_999]);
        assert_eq!(shift_by_one(&data)[1..], data);
    }

    #[test]
    fn scattering_changes_exactly_so_many_bytes() {
        let data = data();
        for count in [0, 1, 100] {
            let scattered = scatter(&data, 3, count);
            assert_eq!(data.iter().zip(&scattered).filter(|(old, new)| old != new).count(), count);
        }
        assert!(scatter(&data[..2], 3, 100).iter().zip(&data).all(|(new, old)| new != old));
    }

    #[test]
    fn moving_keeps_every_byte() {
        let mut data = data();
        let mut moved = move_ranges(&data, 4, 7, 9000);
        assert!(moved != data);
        data.sort_unstable();
        moved.sort_unstable();
        assert!(moved == data);
    }

    #[test]
    fn edits_are_deterministic_and_take_any_length() {
        for length in [0, 1, 2, 9_999, 10_000, 20_001] {
            let data = corpus::random(5, length);
            for ((name, one), (_, same)) in all(&data, 6).into_iter().zip(all(&data, 6)) {
                assert!(one == same, "{name}");
            }
        }
        let data = data();
        for (name, edited) in all(&data, 6).into_iter().skip(1) {
            assert!(edited != data, "{name}");
        }
    }
}
