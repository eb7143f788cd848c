//! Listings of directories, and the sections that go with them.

use gosync_tree::{Kind, Listing, TreeInfo};

/// What is read has one form, and leads nowhere out of its directory.
pub(crate) fn listing(data: &[u8]) {
    let _ = TreeInfo::read(data);
    let Ok(listing) = Listing::read(data) else { return };
    assert_eq!(listing.encode(), data);
    for (number, entry) in listing.entries().iter().enumerate() {
        assert_eq!(listing.find(&entry.path), Some(number));
        let names = || entry.path.split(|&byte| byte == b'/');
        let is_root = number == 0 && entry.path.is_empty();
        assert!(is_root || names().all(|name| !matches!(name, b"" | b"." | b"..") && !name.contains(&0)));
        if let Kind::HardLink { of } = entry.kind {
            assert!(of < number && matches!(listing.entries()[of].kind, Kind::File(..)));
        }
    }
}
