//! go-sync's format.

use std::time::{Duration, Instant};

use gosync::{Format, FormatError, Index, ReadOptions};
use gosync_chunks::{BlockId, StrongHasher};
use gosync_sums::Md5;
use proptest::prelude::*;

use crate::{bytes, golden_data, legacy_index, read, rsync};

/// The index of `data`, put together from the format's description alone.
fn by_hand(data: &[u8], block_size: u32) -> Vec<u8> {
    let mut index = b"G0S9NC\x00\x00\x02\x00\x01\x00".to_vec();
    index.extend((data.len() as i64).to_le_bytes());
    index.extend(block_size.to_le_bytes());
    for block in data.chunks(block_size as usize) {
        index.extend(rsync(block).to_le_bytes());
        index.extend(Md5::full().sum(block).as_bytes());
    }
    index
}

#[test]
fn the_golden_data_byte_for_byte() {
    let data = golden_data(20_000);
    let expected = by_hand(&data, 2048);
    assert_eq!(expected.len(), 24 + 10 * 20);
    assert_eq!(expected[24..28], [0x08, 0x04, 0xef, 0x40], "as go-sync writes it");
    let md5 = u128::from_be_bytes(expected[28..44].try_into().unwrap());
    assert_eq!(md5, 0x2948_ee7e_6690_3541_b42c_47b1_8a95_7f7f);
    assert_eq!(bytes(&legacy_index(&data, 2048)), expected);

    let index = read(&expected).unwrap();
    assert_eq!(index, legacy_index(&data, 2048));
    let info = index.info();
    assert_eq!((info.format, info.version.as_str()), (Format::GoSync, "0.2.1"));
    assert_eq!((info.weak_len, info.strong_len), (4, 16));
    assert_eq!((info.file_hash, info.target_name), (None, None));
    let Index::GoSync(index) = &index else { panic!("{index:?}") };
    let signature = index.signature();
    assert_eq!(signature.weak(BlockId(9)), rsync(&data[9 * 2048..]), "the last block is not padded");
    assert!(signature.verify(BlockId(9), &data[9 * 2048..]).is_ok());
}

/// Enough records that they are written and read in several pieces.
#[test]
fn many_records() {
    let data = golden_data(20_000);
    for block_size in [1, 2, 3, 20_000, 20_001] {
        let expected = by_hand(&data, block_size);
        assert!(bytes(&legacy_index(&data, block_size)) == expected, "{block_size}");
        assert!(bytes(&read(&expected).unwrap()) == expected, "{block_size}");
    }
}

#[test]
fn other_versions() {
    let mut index = by_hand(b"data", 4);
    index[8..12].copy_from_slice(&[7, 0, 0xff, 1]);
    let read_again = read(&index).unwrap();
    assert_eq!(read_again.info().version, "0.7.511");
    assert_eq!(bytes(&read_again), index);

    index[6] = 1;
    let version = read(&index).unwrap_err();
    assert!(matches!(&version, FormatError::Version { version, .. } if version == "1.7.511"));
    assert_eq!(
        version.to_string(),
        "version 1.7.511 of the go-sync format is not supported; a newer gosync may read it"
    );
}

#[test]
fn cut_at_every_length_and_one_byte_more() {
    let mut index = by_hand(&golden_data(50), 20);
    for len in 8..index.len() {
        let read = read(&index[..len]);
        assert!(matches!(read, Err(FormatError::Truncated { len: at }) if at == len as u64), "{len}");
    }
    for len in 0..8 {
        assert!(read(&index[..len]).is_err(), "{len}");
    }
    let len = index.len() as u64;
    index.push(0);
    assert!(matches!(read(&index), Err(FormatError::Trailing { len: at }) if at == len));
    index.extend([0; 19]);
    assert!(matches!(read(&index), Err(FormatError::Trailing { .. })), "a whole record too many");
}

#[test]
fn every_flipped_bit_is_an_error_or_another_index() {
    let index = by_hand(&golden_data(50), 20);
    let whole = read(&index).unwrap();
    for bit in 0..8 * index.len() {
        let mut flipped = index.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = read(&flipped) {
            assert_ne!(read, whole, "bit {bit}");
        }
    }
}

fn header(length: i64, block_size: u32) -> Vec<u8> {
    let mut header = by_hand(&[], 1);
    header[12..20].copy_from_slice(&length.to_le_bytes());
    header[20..24].copy_from_slice(&block_size.to_le_bytes());
    header.resize(100, 0);
    header
}

#[test]
fn absurd_sizes_fail_at_once() {
    let start = Instant::now();
    for length in [-1, i64::MIN] {
        assert!(matches!(read(&header(length, 8192)), Err(FormatError::Corrupt { .. })), "{length}");
    }
    for (length, block_size) in [(1, 0), (1, 1 << 31), (1, (16 << 20) + 1), (1 << 60, 8192), (1 << 60, 16 << 20)] {
        assert!(matches!(read(&header(length, block_size)), Err(FormatError::Layout(_))), "{length} {block_size}");
    }
    // A layout that can be, in an index larger than the default limit.
    let most = header(u32::MAX.into(), 1);
    let expected = 24 + 20 * u64::from(u32::MAX);
    assert!(matches!(read(&most), Err(FormatError::TooLarge { len, .. }) if len == expected));
    // And without a limit: nothing is set aside for what is not there.
    let unlimited = ReadOptions { max_bytes: u64::MAX, ..ReadOptions::default() };
    let read = Index::read(most.as_slice(), &unlimited);
    match size_of::<usize>() {
        4 => assert!(matches!(read, Err(FormatError::TooLarge { .. })), "no memory has room for it: {read:?}"),
        _ => assert!(matches!(read, Err(FormatError::Truncated { len: 100 })), "{read:?}"),
    }
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[test]
fn the_limit_is_exact() {
    let index = by_hand(&golden_data(50), 20);
    let limit = |max_bytes| Index::read(index.as_slice(), &ReadOptions { max_bytes, ..ReadOptions::default() });
    assert!(limit(84).is_ok());
    assert!(matches!(limit(83), Err(FormatError::TooLarge { len: 84, limit: 83 })));
}

proptest! {
    #[test]
    fn round_trips(data in prop::collection::vec(any::<u8>(), 0..500), block_size in 1u32..600) {
        let expected = by_hand(&data, block_size);
        let index = legacy_index(&data, block_size);
        prop_assert_eq!(&bytes(&index), &expected);
        prop_assert_eq!(read(&expected).unwrap(), index);
    }
}
