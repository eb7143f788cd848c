//! Index files from the outside: against bytes put together by hand, against the
//! specification, and against bytes that are no index.

#![allow(clippy::unwrap_used, reason = "what the tests share fails as they do")]

mod by_hand;
mod compressed;
mod corpus;
mod golden;
mod layers;
mod legacy;
mod native;
mod opening;
mod parts;
mod pointer;
mod publication;
mod repair;
mod sections;
mod signature;
mod support;

use std::path::PathBuf;
use std::sync::Arc;

use gosync::{Format, FormatError, GoSyncIndex, Index, ReadOptions};
use gosync_rollsum::RollingSum;
use gosync_sums::{Md4, Md5, Rolling, SumOptions, sum_target};

/// FORMAT.md's multiplier, written down once more so that a change of it is noticed.
const KEY_MULTIPLIER: u32 = 0x0810_4225;

/// The first `len` bytes of `x = (x * 1103515245 + 12345) mod 2^31` from 12345, each
/// `x / 2^16 mod 256`: of 20,000, the SHA-256 begins with aed9f54d97186faf.
fn golden_data(len: usize) -> Vec<u8> {
    let mut x = 12345u32;
    let mut next = || {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7fff_ffff;
        (x >> 16) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The polynomial sum of FORMAT.md, by its definition.
fn polynomial(block: &[u8], multiplier: u32) -> u32 {
    block.iter().fold(1, |sum: u32, &byte| sum.wrapping_mul(multiplier).wrapping_add(byte.into()))
}

/// go-sync's weak sum, by its definition.
fn rsync(block: &[u8]) -> u32 {
    let (mut a, mut b) = (0u32, 0u32);
    for &byte in block {
        a = a.wrapping_add(byte.into());
        b = b.wrapping_add(a);
    }
    (a & 0xffff) | (b << 16)
}

fn native_index(data: &[u8], sizes: &[u32], name: &str) -> Index {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, data).unwrap();
    support::build(&path, Format::Layered, sizes).unwrap()
}

fn legacy_index(data: &[u8], block_size: u32) -> Index {
    let summed = sum_target(
        data,
        &SumOptions { block_size, file_hash: false },
        &Rolling(RollingSum::Rsync),
        Arc::new(Md5::full()),
        &(),
    )
    .unwrap();
    Index::GoSync(GoSyncIndex::new(summed.signature).unwrap())
}

fn bytes(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.write(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, index.info().index_bytes);
    bytes
}

fn read(bytes: &[u8]) -> Result<Index, FormatError> {
    Index::read(bytes, &ReadOptions::default())
}

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

#[test]
fn bytes_of_other_formats() {
    let others: [&[u8]; 8] = [
        b"",
        b"G",
        b"G0S9N",
        b"\x89GOSYNC",
        b"zsync: 0.6.2\nFilename: x\n",
        b"rs\x017\x00\x00\x08\x00",
        b"\x28\xb5\x2f\xfd\x00\x00\x00\x00\x00\x00",
        &[0; 100],
    ];
    for other in others {
        assert!(matches!(read(other), Err(FormatError::NotAnIndex)), "{other:?}");
    }
}

#[test]
fn sums_of_other_formats_are_refused() {
    let data = golden_data(100);
    let options = SumOptions { block_size: 10, file_hash: false };
    let index = |strong| {
        GoSyncIndex::new(sum_target(&data, &options, &Rolling(RollingSum::Rsync), strong, &()).unwrap().signature)
    };
    assert!(index(Arc::new(Md5::full())).is_ok());
    // Sums of the right width that another hash made, and sums of another width.
    assert!(index(Arc::new(Md4::full())).is_err());
    assert!(index(Arc::new(Md5::truncated(15).unwrap())).is_err());
}
