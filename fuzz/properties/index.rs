//! What holds for any bytes that are read as an index. The fuzz targets and the test
//! that replays their corpus both come here.

use std::sync::Arc;

use gosync::publish::IndexPart;
use gosync::update::{Seeds, Update};
use gosync::{Index, ReadOptions};
use gosync_blocksources::MemorySource;

/// Reading bytes as go-sync's index either fails or loses nothing.
pub(crate) fn legacy(data: &[u8]) {
    if let Ok(index @ Index::GoSync(_)) = Index::read(data, &ReadOptions::default()) {
        assert_eq!(write(&index), data);
    }
}

/// Reading bytes as our index, or as a part of one, either fails or loses nothing, and what
/// follows such an index ends with the target that it describes, or with an error. The hashes
/// would keep a fuzzer out, so the bytes are also tried with hashes that hold.
pub(crate) fn native(data: &[u8]) {
    check_native(data);
    check_part(data);
    let mut mended = data.to_vec();
    if mend_head(&mut mended).is_some() {
        check_part(&mended);
    }
    if mend(&mut mended).is_some() {
        check_native(&mended);
    }
}

fn check_part(data: &[u8]) {
    let Ok(part) = IndexPart::read(Arc::new(data.to_vec())) else { return };
    let mut bytes = Vec::new();
    part.write(&mut bytes).expect("a vector takes everything");
    assert_eq!(bytes, data);
    assert!(part.range().start <= part.range().end && part.range().end <= part.target_length());
    let _ = part.check();
}

fn check_native(data: &[u8]) {
    let Ok(index) = Index::read(data, &ReadOptions::default()) else { return };
    assert_eq!(write(&index), data);
    if index.layered().is_some_and(|index| index.length() < 1 << 20) {
        descend(&index);
    }
}

/// Sums that nothing has, or everything: no descent through them goes wrong.
fn descend(index: &Index) {
    let (target, info) = (index.target(), index.info());
    let source = MemorySource::new(vec![0; info.length as usize]);
    let update = Update { target: &*target, seeds: &Seeds::default(), source: &source, progress: &() };
    let found = update.compare().expect("no seeds can be read");
    assert_eq!(found.plan.cut().length(), info.length);
    let mut out = Vec::new();
    if update.to_stream(&mut out).is_ok() {
        assert_eq!(info.file_hash.expect("our own has one").0, *blake3::hash(&out).as_bytes());
    }
}

fn write(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.write(&mut bytes).expect("a vector takes everything");
    assert_eq!(bytes.len() as u64, index.info().index_bytes);
    bytes
}

/// Puts all hashes right that there is room for; `None` where there is none.
fn mend(index: &mut [u8]) -> Option<()> {
    let header_len = number(index, 12, 4)? as usize;
    let head = (16 + header_len).next_multiple_of(8);
    // Name, length, hash of the target, kinds, salt.
    let name_len = number(index, 16, 8)?;
    let length_at = 24usize.checked_add(usize::try_from(name_len).ok()?)?;
    let length = number(index, length_at, 8)?;
    let strong_len = number(index, length_at + 42, 1)?;
    let layers = number(index, length_at + 52, 8)?.min(16);
    let (mut at, mut bulk) = (length_at + 60, head + 32);
    for _ in 0..layers {
        let record_len = 4 + strong_len + number(index, at + 4, 1)?;
        let blocks = length.div_ceil(number(index, at, 4)?.max(1));
        bulk = put_hash(index, at + 5, bulk, blocks.checked_mul(record_len)?)?;
        at += 37;
    }
    at += 1;
    if index.get(at - 1)? == &1 {
        at = usize::try_from(number(index, at, 8)?).ok()?.checked_add(at + 25)?;
    }
    bulk = put_hash(index, at, bulk, length.div_ceil(1 << 20).checked_mul(32)?)?;
    let sections = number(index, at + 32, 8)?.min(16);
    at += 40;
    for _ in 0..sections {
        let len = number(index, at + 4, 8)?;
        bulk = put_hash(index, at + 12, bulk, len)?;
        at += 44;
    }
    mend_head(index)
}

/// Puts the hash of the head right.
fn mend_head(index: &mut [u8]) -> Option<()> {
    let head = (16 + number(index, 12, 4)? as usize).next_multiple_of(8);
    put_hash(index, head, 0, head as u64).map(|_| ())
}

/// The little-endian number in `len` bytes at `at`.
fn number(index: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = index.get(at..at.checked_add(len)?)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// Puts the hash of `len` bytes from `start` at `at`, and tells where they end.
fn put_hash(index: &mut [u8], at: usize, start: usize, len: u64) -> Option<usize> {
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    let hash = *blake3::hash(index.get(start..end)?).as_bytes();
    index.get_mut(at..at.checked_add(32)?)?.copy_from_slice(&hash);
    Some(end)
}
