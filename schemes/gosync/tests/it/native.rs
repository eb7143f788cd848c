//! Our own format.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use gosync::{Format, FormatError, Index, ReadOptions, TargetName};
use gosync_chunks::{BlockId, FileHash};
use gosync_rollsum::Kind;
use proptest::prelude::*;

use crate::{CHECK_MULTIPLIER, KEY_MULTIPLIER, bytes, golden_data, native_index, polynomial, read};

/// The index of `data`, put together from FORMAT.md alone.
fn by_hand(data: &[u8], block_size: u32, strong_len: usize, name: &str) -> Vec<u8> {
    by_hand_with(data, block_size, strong_len, name, &[])
}

/// The same with sections: the id and the content of each.
pub(crate) fn by_hand_with(
    data: &[u8],
    block_size: u32,
    strong_len: usize,
    name: &str,
    sections: &[(u32, &[u8])],
) -> Vec<u8> {
    let mut index = b"\x89GOSYNC\n\x01\x00\x00\x00".to_vec();
    index.extend((64 + name.len() as u32 + 12 * sections.len() as u32).to_le_bytes());
    index.extend((name.len() as u64).to_le_bytes());
    index.extend(name.bytes());
    index.extend((data.len() as u64).to_le_bytes());
    index.extend(block_size.to_le_bytes());
    index.extend([1, 8, 1, strong_len as u8]);
    index.extend(blake3::hash(data).as_bytes());
    index.extend((sections.len() as u64).to_le_bytes());
    for (id, content) in sections {
        index.extend(id.to_le_bytes());
        index.extend((content.len() as u64).to_le_bytes());
    }
    while !index.len().is_multiple_of(8) {
        index.push(0);
    }
    index.extend(blake3::hash(&index).as_bytes());

    let bulk = index.len();
    let blocks = || data.chunks(block_size as usize);
    for multiplier in [KEY_MULTIPLIER, CHECK_MULTIPLIER] {
        index.extend(blocks().flat_map(|block| polynomial(block, multiplier).to_le_bytes()));
    }
    for block in blocks() {
        index.extend(&blake3::hash(block).as_bytes()[..strong_len]);
    }
    index.extend(sections.iter().flat_map(|(_, content)| *content));
    let checksum = blake3::hash(&index[bulk..]);
    index.extend(checksum.as_bytes());
    index
}

#[test]
fn byte_for_byte_at_every_boundary() {
    let data = golden_data(5 * 64 + 1);
    for len in [0, 1, 63, 64, 65, 127, 128, 129, 5 * 64, 5 * 64 + 1] {
        for (strong_len, name) in [(16, ""), (1, "a"), (32, "a name of a file.bin")] {
            let expected = by_hand(&data[..len], 64, strong_len, name);
            let index = native_index(&data[..len], 64, strong_len, Some(name).filter(|name| !name.is_empty()));
            assert_eq!(bytes(&index), expected, "{len} {name:?}");
            assert_eq!(read(&expected).unwrap(), index, "{len} {name:?}");
        }
    }
}

/// Enough blocks that each column is written and read in several pieces.
#[test]
fn many_blocks() {
    let data = golden_data(40_000);
    let expected = by_hand(&data, 1, 3, "x");
    let index = read(&expected).unwrap();
    assert!(bytes(&index) == expected);
    assert_eq!(index.signature().memory(), 40_000 * (8 + 3), "no more memory than the sums take");
}

#[test]
fn what_an_index_says() {
    let data = golden_data(1000);
    let index = read(&bytes(&native_index(&data, 300, 16, Some("data.bin")))).unwrap();
    assert_eq!((index.format(), index.format_version().as_str()), (Format::Gosync, "1"));
    assert_eq!((index.weak_len(), index.strong_len()), (8, 16));
    assert_eq!(index.target_name().map(TargetName::as_str), Some("data.bin"));
    assert_eq!(index.file_hash(), Some(FileHash::of(&data)));
    let signature = index.into_signature();
    assert_eq!((signature.layout().length(), signature.layout().block_size()), (1000, 300));
    for (block, bytes) in data.chunks(300).enumerate() {
        let id = BlockId(block as u32);
        assert!(signature.verify(id, bytes).is_ok());
        let weak = signature.weak(id);
        assert_eq!((weak.key, weak.check), (Kind::Wide.key(bytes), Kind::Wide.check(bytes)), "the sums that roll");
    }
}

#[test]
fn cut_at_every_length_and_one_byte_more() {
    let mut index = by_hand(&golden_data(50), 20, 16, "fifty");
    for len in 0..index.len() {
        let read = read(&index[..len]);
        if len < 8 {
            assert!(matches!(read, Err(FormatError::NotAnIndex)), "{len}");
        } else {
            assert!(matches!(read, Err(FormatError::Truncated { len: at }) if at == len as u64), "{len}");
        }
    }
    let len = index.len() as u64;
    index.push(0);
    assert!(matches!(read(&index), Err(FormatError::Trailing { len: at }) if at == len));
}

#[test]
fn every_flipped_bit_is_an_error() {
    for data in [golden_data(50), Vec::new()] {
        let index = by_hand(&data, 20, 16, "fifty");
        assert!(read(&index).is_ok());
        for bit in 0..8 * index.len() {
            let mut flipped = index.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&flipped).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn sections_of_later_versions() {
    let data = golden_data(50);
    let index = by_hand_with(&data, 20, 16, "fifty", &[(7, b"first"), (8, b""), (0x7fff_ffff, b"third")]);
    assert_eq!(read(&index).unwrap(), native_index(&data, 20, 16, Some("fifty")), "skipped");
    for len in 8..index.len() {
        assert!(matches!(read(&index[..len]), Err(FormatError::Truncated { .. })), "{len}");
    }

    let critical = by_hand_with(&data, 20, 16, "fifty", &[(7, b"first"), (0x8000_0000, b"")]);
    assert!(matches!(read(&critical), Err(FormatError::Unsupported { value: 0x8000_0000, .. })));
}

#[test]
fn errors_say_what_is_wrong() {
    let index = by_hand(&golden_data(50), 20, 16, "fifty");
    let message = |change: fn(&mut Vec<u8>)| {
        let mut index = index.clone();
        change(&mut index);
        read(&index).unwrap_err().to_string()
    };
    assert_eq!(
        message(|index| index[8] = 2),
        "version 2 of the gosync format is not supported; a newer gosync may read it"
    );
    assert_eq!(
        message(|index| index[10] = 1),
        "the index has flags 1, which is not supported; a newer gosync may read it"
    );
    assert_eq!(message(|index| index[14] = 2), "the index is corrupt: the header is too long");
    assert_eq!(message(|index| index[30] ^= 2), "the index is corrupt: the checksum of the header does not hold");
    assert_eq!(message(|index| index[150] ^= 2), "the index is corrupt: the checksum of the sums does not hold");
    assert_eq!(
        message(|index| index.insert(7, b'\r')),
        "the index is corrupt: its line ends were translated, as if it were text"
    );
}

/// Hands out an index without end, and counts.
struct Endless {
    start: Vec<u8>,
    given: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.start.len().saturating_sub(self.given as usize);
        let len = if left > 0 { left.min(buffer.len()) } else { buffer.len() };
        if left > 0 {
            buffer[..len].copy_from_slice(&self.start[self.given as usize..][..len]);
        }
        self.given += len as u64;
        Ok(len)
    }
}

#[test]
fn no_more_is_read_than_the_limit() {
    let start = Instant::now();
    let index = by_hand(&golden_data(50), 20, 16, "fifty");
    let len = index.len() as u64;
    let mut endless = Endless { start: index, given: 0 };
    let read = Index::read(&mut endless, &ReadOptions { max_bytes: len - 1 });
    assert!(matches!(read, Err(FormatError::TooLarge { len: declared, limit }) if declared == len && limit == len - 1));
    assert!(endless.given < len, "refused before the sums are read");

    endless.given = 0;
    let read = Index::read(&mut endless, &ReadOptions { max_bytes: len });
    assert!(matches!(read, Err(FormatError::Trailing { .. })));
    assert_eq!(endless.given, len + 1);
    assert!(start.elapsed() < Duration::from_millis(500));
}

proptest! {
    #[test]
    fn round_trips(
        data in prop::collection::vec(any::<u8>(), 0..500),
        block_size in 1u32..600,
        strong_len in 1usize..=32,
        name in "[a-zé ]{0,20}[a-z]",
    ) {
        let expected = by_hand(&data, block_size, strong_len, &name);
        let index = native_index(&data, block_size, strong_len, Some(&name));
        prop_assert_eq!(&bytes(&index), &expected);
        prop_assert_eq!(read(&expected).unwrap(), index);
    }

    #[test]
    fn bytes_after_the_magic(tail in prop::collection::vec(any::<u8>(), 0..300), own in any::<bool>()) {
        let magic: &[u8] = if own { b"\x89GOSYNC\n\x01\0\0\0" } else { b"G0S9NC\0\0\x02\0\x01\0" };
        let input = [magic, &tail].concat();
        if let Ok(index) = read(&input) {
            prop_assert_eq!(bytes(&index), input);
        }
    }
}
