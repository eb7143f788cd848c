//! Data of every kind that behaves differently under a rolling checksum, made by code.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use gosync_chunks::ByteRange;

use crate::Random;

pub mod edit;
pub mod slow;
pub mod tree;
mod words;

use words::word;

/// Bytes without any pattern, like compressed or encrypted data.
pub fn random(seed: u64, length: usize) -> Vec<u8> {
    Random::new(seed).bytes(length)
}

/// Zeros: every block equals every other.
pub fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

/// The same `period` bytes again and again: blocks match at many offsets.
///
/// # Panics
///
/// When `period` is 0.
pub fn periodic(seed: u64, period: usize, length: usize) -> Vec<u8> {
    assert!(period > 0, "a period has a byte at least");
    let pattern = random(seed, period);
    pattern.iter().copied().cycle().take(length).collect()
}

/// English-like words in lines of about 70 characters, and now and then an empty line.
pub fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut text = Vec::with_capacity(length + 32);
    let mut column = 0;
    while text.len() < length {
        let word = word(&mut random);
        text.extend_from_slice(word.as_bytes());
        column += word.len() + 1;
        if column > 70 {
            text.extend_from_slice(if random.one_in(12) { b".\n\n" } else { b"\n" });
            column = 0;
        } else {
            text.push(b' ');
        }
    }
    text.truncate(length);
    text
}

/// Nothing but `a` and `b`: sums of the bytes crowd together, so that weak sums of
/// rsync's kind hit by chance all the time.
pub fn two_letters(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = random(seed, length);
    bytes.iter_mut().for_each(|byte| *byte = if *byte & 1 == 0 { b'a' } else { b'b' });
    bytes
}

/// Records of 64 bytes like a table's: an ascending number, a few fields of small
/// range, a short name, and padding.
pub fn records64(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut records = Vec::with_capacity(length + 64);
    let mut time = 1_700_000_000u64;
    for number in 0..length.div_ceil(64) as u64 {
        time += random.below(5) as u64;
        let mut record = [0; 64];
        record[..8].copy_from_slice(&number.to_le_bytes());
        record[8..16].copy_from_slice(&time.to_le_bytes());
        record[16] = random.below(4) as u8;
        record[17] = random.below(100) as u8;
        let name = word(&mut random).as_bytes();
        record[20..20 + name.len()].copy_from_slice(name);
        records.extend_from_slice(&record);
    }
    records.truncate(length);
    records
}

/// 32-bit little-endian numbers, counting from 0: neighbouring blocks differ by little.
pub fn counters(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4) as u32).flat_map(u32::to_le_bytes).take(length).collect()
}

/// Every kind of data above in `length` bytes, with a name for messages.
pub fn all(seed: u64, length: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut tree = tree::source_tree_tar(seed, 1 + length / 4096);
    tree.truncate(length);
    tree.resize(length, 0);
    vec![
        ("random", random(seed, length)),
        ("zeros", zeros(length)),
        ("period of 1000", periodic(seed, 1000, length)),
        ("text", text(seed, length)),
        ("two letters", two_letters(seed, length)),
        ("records of 64", records64(seed, length)),
        ("counters", counters(length)),
        ("source tree", tree),
    ]
}

/// Writes a file of `length` bytes that is a hole but for `islands` pieces of
/// `island_length` random bytes, one in each of as many equal sections, and returns
/// where they lie.
///
/// The bytes of island i are [`random`]`(seed + i, island_length)`.
///
/// # Errors
///
/// When the file cannot be written, or exists already.
///
/// # Panics
///
/// When a section is shorter than an island.
pub fn write_sparse(
    path: &Path,
    seed: u64,
    length: u64,
    islands: usize,
    island_length: usize,
) -> io::Result<Vec<ByteRange>> {
    let mut place = Random::new(seed);
    let mut file = File::create_new(path)?;
    file.set_len(length)?;
    let section = length / islands.max(1) as u64;
    (0..islands as u64)
        .map(|island| {
            let slack = section.checked_sub(island_length as u64).expect("an island fits in its section");
            let start = island * section + place.below(slack as usize + 1) as u64;
            file.seek(SeekFrom::Start(start))?;
            file.write_all(&random(seed + island, island_length))?;
            Ok(ByteRange::at(start, island_length as u64))
        })
        .collect()
}

/// `A.bin` of the golden vectors: 20,000 bytes of a linear congruential generator
/// (ANSI C's `rand`, modulo 2^31, seed 12345, bits 16 to 23 of each state).
pub fn lcg_a() -> Vec<u8> {
    let mut state = 12_345u32;
    (0..20_000)
        .map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            (state >> 16) as u8
        })
        .collect()
}

/// `B.bin` of the golden vectors: [`lcg_a`] with 14 bytes put in at 7,000 and 100 bytes
/// taken out at 15,000.
pub fn lcg_b() -> Vec<u8> {
    let a = lcg_a();
    [&a[..7000], b"INSERTED-BYTES", &a[7000..15_000], &a[15_100..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::{ReadAt, StrongHasher};
    use gosync_files::LocalFile;
    use gosync_sums::Md5;

    fn md5(data: &[u8]) -> String {
        format!("{:?}", Md5::full().sum(data))
    }

    /// Lengths, ends and sums of the files that the real tools were given.
    #[test]
    fn golden_files_are_the_golden_files() {
        let (a, b) = (lcg_a(), lcg_b());
        assert_eq!((a.len(), b.len()), (20_000, 19_914));
        assert_eq!((a[..4].to_vec(), a[19_998..].to_vec()), (vec![0xdc, 0x04, 0x65, 0xaa], vec![0xae, 0xe7]));
        assert_eq!(&b[7000..7014], b"INSERTED-BYTES");
        assert_eq!(md5(&a[..2048]), "2948ee7e66903541b42c47b18a957f7f");
        assert_eq!(md5(&a), "859d2f635947453c88e3252d9a40bac7");
        assert_eq!(md5(&b), "99d9aa4b2cd9bae0f3295c54673f710f");
    }

    #[test]
    fn every_length_is_the_length_asked_for() {
        for length in [0, 1, 3, 63, 64, 65, 1000, 4097] {
            for (name, data) in all(7, length) {
                assert_eq!(data.len(), length, "{name}");
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        for ((name, one), (_, same)) in all(1, 5000).into_iter().zip(all(1, 5000)) {
            assert!(one == same, "{name}");
        }
        for ((name, one), (_, other)) in all(1, 5000).into_iter().zip(all(2, 5000)) {
            assert_eq!(one == other, ["zeros", "counters"].contains(&name), "{name}");
        }
    }

    #[test]
    fn kinds_are_what_they_say() {
        let periodic = periodic(1, 100, 1050);
        assert_eq!(periodic[..950], periodic[100..]);
        assert!(two_letters(1, 1000).iter().all(|byte| b"ab".contains(byte)));
        assert_eq!(counters(6), [0, 0, 0, 0, 1, 0]);
        let records = records64(1, 6400);
        assert_eq!(records[64 * 50..][..8], 50u64.to_le_bytes());
        let text = String::from_utf8(text(1, 10_000)).unwrap();
        assert!(text.lines().count() > 100 && text.lines().all(|line| line.len() < 90));
    }

    #[test]
    fn sparse_files_are_zeros_but_for_their_islands() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        let length = 3_000_000;
        let islands = write_sparse(&path, 5, length, 3, 5000).unwrap();
        assert!(islands.windows(2).all(|pair| pair[0].end <= pair[1].start));

        let mut expected = zeros(length as usize);
        for (number, island) in islands.iter().enumerate() {
            expected[island.start as usize..island.end as usize].copy_from_slice(&random(5 + number as u64, 5000));
        }
        assert!(std::fs::read(&path).unwrap() == expected);
        assert_eq!(LocalFile::open(&path).unwrap().size(), length);
        assert!(write_sparse(&path, 5, length, 3, 5000).is_err(), "never overwrites");
    }
}
