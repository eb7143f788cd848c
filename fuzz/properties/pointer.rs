//! What holds for any bytes that are read as a pointer. The fuzz target and the test that replays
//! its corpus both come here.

use gosync::pointer::{MAX_NAME_LEN, Pointer};
use gosync::publication::Versions;

/// What is read has one form, and names nothing but plain files; also where its checksum is put
/// right, which no fuzzer hits upon.
pub(crate) fn pointer(data: &[u8]) {
    one(data);
    if let Some(len) = data.get(12..16).map(|len| u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize)
        && let Some(covered) = data.get(..len.saturating_add(16))
    {
        one(&[covered, blake3::hash(covered).as_bytes(), &data[covered.len()..]].concat());
    }
    if let Some(versions) = std::str::from_utf8(data).ok().and_then(|text| Versions::read("fox", text)) {
        assert_eq!(Versions::read("fox", &versions.text()), Some(versions.clone()));
        assert!(versions.names().all(|name| name.starts_with("fox-") && !name.contains(['/', '\\', '\0'])));
    }
}

fn one(data: &[u8]) {
    let Ok((pointer, len)) = Pointer::read(data) else { return };
    assert!(Pointer::begins(data));
    assert_eq!(pointer.encode(), data[..len]);
    assert!(pointer.serial > 0 && pointer.expires_at.is_none_or(|at| at > pointer.published_at));
    for name in [&pointer.name, &pointer.index] {
        assert!(name.as_str().len() <= MAX_NAME_LEN && !name.as_str().contains(['/', '\\', '\0', '\n']));
    }
    for cut in 0..len {
        assert!(Pointer::read(&data[..cut]).is_err());
    }
}
