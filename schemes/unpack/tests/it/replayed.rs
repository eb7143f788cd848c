//! The corpora of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/unpack.rs"]
mod properties;

use gosync_testkit::fuzz::replay;

#[test]
fn sections() {
    replay("packed_section", |_, data| properties::section(data));
}

#[test]
fn updates() {
    replay("packed_update", |_, data| properties::update(data));
}
