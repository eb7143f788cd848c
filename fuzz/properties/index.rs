//! What holds for any bytes that are read as an index. The fuzz targets and the test
//! that replays their corpus both come here.

use gosync::{Format, Index, ReadOptions};

/// Reading bytes as go-sync's index either fails or loses nothing.
pub(crate) fn legacy(data: &[u8]) {
    if let Ok(index) = Index::read(data, &ReadOptions::default())
        && index.format() == Format::GoSync
    {
        assert_eq!(write(&index), data);
    }
}

/// Reading bytes as our index either fails or loses nothing but sections that are
/// skipped. The checksums would keep a fuzzer out, so the bytes are also tried with
/// checksums that hold.
pub(crate) fn native(data: &[u8]) {
    check_native(data);
    if let Some(mended) = mend(data) {
        check_native(&mended);
    }
}

fn check_native(data: &[u8]) {
    let Ok(index) = Index::read(data, &ReadOptions::default()) else { return };
    let written = write(&index);
    if written.len() == data.len() || index.format() == Format::GoSync {
        assert_eq!(written, data);
    } else {
        assert!(written.len() < data.len(), "sections were skipped");
        assert_eq!(Index::read(written.as_slice(), &ReadOptions::default()).expect("just written"), index);
    }
}

fn write(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.write(&mut bytes).expect("a vector takes everything");
    assert_eq!(bytes.len() as u64, index.encoded_len());
    bytes
}

/// The bytes with both checksums put right, where they are long enough to have them.
fn mend(data: &[u8]) -> Option<Vec<u8>> {
    let header_len = u32::from_le_bytes(data.get(12..16)?.try_into().ok()?) as usize;
    let head = (16 + header_len).next_multiple_of(8);
    let bulk = head + 32;
    let end = data.len().checked_sub(32).filter(|&end| end >= bulk)?;
    let mut mended = data.to_vec();
    mended[head..bulk].copy_from_slice(blake3::hash(&data[..head]).as_bytes());
    mended[end..].copy_from_slice(blake3::hash(&data[bulk..end]).as_bytes());
    Some(mended)
}
