//! Our own format.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use gosync::{Damage, Format, FormatError, Index, ReadOptions};
use gosync_chunks::{ByteRange, NameError, TargetName};
use gosync_sums::FileHasher;
use proptest::prelude::*;

use crate::by_hand::ByHand;
use crate::support::verify;
use crate::{bytes, golden_data, native_index, read};

/// 50 bytes of a target in blocks of 64.
fn fifty() -> Vec<u8> {
    ByHand::new(&golden_data(50), &[64], "fifty").bytes()
}

#[test]
fn byte_for_byte_at_every_boundary() {
    let data = golden_data(5 * 128 + 1);
    for len in [0, 1, 63, 64, 65, 127, 128, 129, 5 * 128 - 1, 5 * 128, 5 * 128 + 1] {
        for (sizes, name) in [(&[64][..], "a"), (&[128, 64], "a name of a file.bin"), (&[1 << 24, 256, 64], "ab")] {
            let expected = ByHand::new(&data[..len], sizes, name).bytes();
            let index = native_index(&data[..len], sizes, name);
            assert_eq!(bytes(&index), expected, "{len} {name:?}");
            assert_eq!(read(&expected).unwrap(), index, "{len} {name:?}");
        }
    }
}

/// Several nodes of the tree, and records that are written and read in several pieces.
#[test]
fn more_than_a_mebibyte() {
    let data = golden_data((2 << 20) + 4097);
    let sizes = [1 << 21, 4096, 64];
    let expected = ByHand::new(&data, &sizes, "x").bytes();
    let index = native_index(&data, &sizes, "x");
    assert!(bytes(&index) == expected);
    assert!(bytes(&read(&expected).unwrap()) == expected);
}

#[test]
fn what_an_index_says() {
    let data = golden_data(1000);
    let index = read(&bytes(&native_index(&data, &[512, 64], "data.bin"))).unwrap();
    let info = index.info();
    assert_eq!((info.format, info.version.as_str()), (Format::Layered, "2"));
    assert_eq!((info.weak_len, info.strong_len, info.odds), (4, 3, Some(32)));
    assert_eq!(info.target_name.as_ref().map(TargetName::as_str), Some("data.bin"));
    assert_eq!((info.length, info.file_hash), (1000, Some(FileHasher::hash(&data))));
    let layers: Vec<_> = info.layers.iter().map(|layer| (layer.block_size, layer.blocks, layer.index_bytes)).collect();
    assert_eq!(layers, [(512, 2, 14), (64, 16, 112)]);
    assert!(!matches!(index, Index::GoSync(_)));
    let head = index.layered().unwrap().head();
    assert_eq!(info.index_bytes, head.len() as u64 + 14 + 112 + 32);

    let nameless = read(&ByHand { strong_len: 16, salt: 7, ..ByHand::new(&data, &[64], "") }.bytes()).unwrap();
    let nameless = nameless.info();
    assert_eq!((nameless.target_name, nameless.strong_len), (None, 16));
}

#[test]
fn cut_at_every_length_and_one_byte_more() {
    let mut index = fifty();
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
    for data in [golden_data(300), Vec::new()] {
        let index = ByHand { sections: &[(7, b"more")], ..ByHand::new(&data, &[128, 64], "three") }.bytes();
        assert!(read(&index).is_ok());
        for bit in 0..8 * index.len() {
            let mut flipped = index.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&flipped).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn damage_has_a_name() {
    let data = golden_data(300);
    let index = ByHand { sections: &[(7, b"more")], ..ByHand::new(&data, &[128, 64], "three") }.bytes();
    let end = index.len();
    let named = [
        (end - 1, Damage::Section { id: 7 }, "section 7"),
        (end - 5, Damage::Tree, "the tree of hashes"),
        (end - 37, Damage::Layer { layer: 1, block_size: 64 }, "layer 1 (blocks of 64 bytes)"),
        (end - 36 - 40 - 1, Damage::Layer { layer: 0, block_size: 128 }, "layer 0 (blocks of 128 bytes)"),
    ];
    for (at, expected, words) in named {
        let mut damaged = index.clone();
        damaged[at] ^= 0x10;
        let error = read(&damaged).unwrap_err();
        assert!(matches!(&error, FormatError::Damaged { what } if *what == expected), "{error:?}");
        let text = format!("the index is corrupt: {words} does not have the hash that the header gives");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn sections_of_later_versions() {
    let data = golden_data(50);
    let sections: [(u32, &[u8]); 3] = [(7, b"first"), (8, b""), (0x7fff_ffff, b"third")];
    let index = ByHand { sections: &sections, ..ByHand::new(&data, &[64], "fifty") }.bytes();
    assert_eq!(bytes(&read(&index).unwrap()), index, "kept");
    for len in 8..index.len() {
        assert!(matches!(read(&index[..len]), Err(FormatError::Truncated { .. })), "{len}");
    }

    let critical = [(7, &b"first"[..]), (0x8000_0000, b"")];
    let index = ByHand { sections: &critical, ..ByHand::new(&data, &[64], "fifty") }.bytes();
    assert!(matches!(read(&index), Err(FormatError::Unsupported { value: 0x8000_0000, .. })));
}

#[test]
fn errors_say_what_is_wrong() {
    let message = |change: fn(&mut Vec<u8>)| {
        let mut index = fifty();
        change(&mut index);
        read(&index).unwrap_err().to_string()
    };
    assert_eq!(
        message(|index| index[8] = 1),
        "version 1 of the gosync format is not supported; a newer gosync may read it"
    );
    assert_eq!(
        message(|index| index[10] = 1),
        "the index has flags 1, which is not supported; a newer gosync may read it"
    );
    assert_eq!(message(|index| index[14] = 2), "the index is corrupt: the header is too long");
    assert_eq!(message(|index| index[30] ^= 2), "the index is corrupt: the checksum of the header does not hold");
    assert_eq!(
        message(|index| index.insert(7, b'\r')),
        "the index is corrupt: its line ends were translated, as if it were text"
    );
}

/// A head whose checksum holds, with some bytes of the header other than [`fifty`]'s.
fn absurd(at: usize, value: &[u8]) -> Result<Index, FormatError> {
    let mut index = fifty();
    index[16 + at..][..value.len()].copy_from_slice(value);
    let head = (16 + u32::from_le_bytes(index[12..16].try_into().unwrap()) as usize).next_multiple_of(8);
    let checksum = *blake3::hash(&index[..head]).as_bytes();
    index[head..head + 32].copy_from_slice(&checksum);
    read(&index)
}

#[test]
fn absurd_headers() {
    let start = Instant::now();
    // The name, as long as "fifty", so that nothing else moves.
    assert!(matches!(absurd(8, b"a/b.c"), Err(FormatError::Name(NameError::NotPlain(_)))));
    assert!(matches!(absurd(8, b"....."), Err(FormatError::Name(NameError::NoName(_)))));
    assert!(matches!(absurd(8, b"\xff\xff\xff\xff\xff"), Err(FormatError::Corrupt { .. })));
    // Lengths.
    assert!(matches!(absurd(13, &u64::MAX.to_le_bytes()), Err(FormatError::Layout(_))));
    assert!(matches!(absurd(13, &(1u64 << 38).to_le_bytes()), Err(FormatError::Layout(_))), "2^32 blocks");
    assert!(matches!(absurd(13, &(3u64 << 36).to_le_bytes()), Err(FormatError::TooLarge { .. })));
    assert!(matches!(absurd(13, &129u64.to_le_bytes()), Err(FormatError::Truncated { .. })));
    assert!(matches!(absurd(13, &0u64.to_le_bytes()), Err(FormatError::Trailing { .. })));
    // Kinds and lengths of sums.
    assert!(matches!(absurd(53, &[1]), Err(FormatError::Unsupported { what: "weak sums of kind", value: 1 })));
    assert!(matches!(absurd(54, &[3]), Err(FormatError::Unsupported { what: "strong sums of kind", value: 3 })));
    assert!(matches!(absurd(55, &[0]), Err(FormatError::Corrupt { .. })));
    assert!(matches!(absurd(55, &[17]), Err(FormatError::Corrupt { .. })));
    // Layers.
    assert!(matches!(absurd(65, &0u64.to_le_bytes()), Err(FormatError::Corrupt { .. })));
    assert!(matches!(absurd(65, &u64::MAX.to_le_bytes()), Err(FormatError::Corrupt { .. })));
    for size in [0, 1, 32, 63, 65, 96, 1 << 25, u32::MAX] {
        assert!(matches!(absurd(73, &u32::to_le_bytes(size)), Err(FormatError::Corrupt { .. })), "{size}");
    }
    assert!(matches!(absurd(77, &[5]), Err(FormatError::Corrupt { .. })));
    // An option is there or not.
    assert!(matches!(absurd(110, &[2]), Err(FormatError::Corrupt { .. })));
    // Layers that do not descend, and too many.
    for sizes in [&[64, 64][..], &[64, 128], &[256, 64, 128]] {
        let index = ByHand { strong_len: 4, ..ByHand::new(b"data", sizes, "x") }.bytes();
        assert!(matches!(read(&index), Err(FormatError::Corrupt { .. })), "{sizes:?}");
    }
    let index = ByHand::new(b"data", &[64; 17], "x").bytes();
    assert!(matches!(read(&index), Err(FormatError::Corrupt { .. })));
    // Sections as long as can be.
    let mut index = ByHand { sections: &[(7, b"")], ..ByHand::new(b"", &[64], "") }.bytes();
    let at = index.len() - 32 - 7 - 44 + 4;
    let at = (at - 8..at + 8).find(|&at| index[at - 4..at + 8] == [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    index[at..at + 8].fill(0xff);
    let head = index.len() - 32;
    let checksum = *blake3::hash(&index[..head]).as_bytes();
    index[head..].copy_from_slice(&checksum);
    assert!(matches!(read(&index), Err(FormatError::TooLarge { .. })));
    assert!(start.elapsed() < Duration::from_secs(2), "nothing is set aside for what is not there");
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
    let index = fifty();
    let len = index.len() as u64;
    let mut endless = Endless { start: index, given: 0 };
    let read = Index::read(&mut endless, &ReadOptions { max_bytes: len - 1, ..ReadOptions::default() });
    assert!(matches!(read, Err(FormatError::TooLarge { len: declared, limit }) if declared == len && limit == len - 1));
    assert!(endless.given < len, "refused before the sums are read");

    endless.given = 0;
    let read = Index::read(&mut endless, &ReadOptions { max_bytes: len, ..ReadOptions::default() });
    assert!(matches!(read, Err(FormatError::Trailing { .. })));
    assert_eq!(endless.given, len + 1);
}

#[test]
fn data_that_was_made_to_have_the_sums_is_wrong_all_the_same() {
    let target = golden_data((3 << 20) + 5);
    let mut forged = target.clone();
    forged[(1 << 20) - 1] ^= 1;
    forged[1 << 20] ^= 1;
    forged[3 << 20] ^= 1;
    // As if XXH3 gave the same for both.
    let index = ByHand { hashed: Some(&target), ..ByHand::new(&forged, &[65_536, 4096], "forged") }.bytes();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &forged).unwrap();
    let verdict = verify(&read(&index).unwrap(), file.path());
    let wrong = [ByteRange { start: 0, end: 2 << 20 }, ByteRange { start: 3 << 20, end: (3 << 20) + 5 }];
    assert_eq!((verdict.is_good(), verdict.wrong), (false, wrong.to_vec()));
}

proptest! {
    #[test]
    fn round_trips(
        data in prop::collection::vec(any::<u8>(), 0..2000),
        logs in prop::collection::btree_set(6u32..=24, 1..6),
        name in "[a-zé ]{0,20}[a-z]",
    ) {
        let sizes: Vec<u32> = logs.iter().rev().map(|log| 1 << log).collect();
        let expected = ByHand::new(&data, &sizes, &name).bytes();
        let index = native_index(&data, &sizes, &name);
        prop_assert_eq!(&bytes(&index), &expected);
        prop_assert_eq!(read(&expected).unwrap(), index);
    }

    #[test]
    fn bytes_after_the_magic(tail in prop::collection::vec(any::<u8>(), 0..300), own in any::<bool>()) {
        let magic: &[u8] = if own { b"\x89GOSYNC\n\x02\0\0\0" } else { b"G0S9NC\0\0\x02\0\x01\0" };
        let input = [magic, &tail].concat();
        if let Ok(index) = read(&input) {
            prop_assert_eq!(bytes(&index), input);
        }
    }
}
