//! The corpus of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/librsync.rs"]
mod properties;

use gosync_testkit::fuzz::replay;

#[test]
fn signatures() {
    replay("librsync_signature", |_, data| properties::signatures(data));
}

#[test]
fn deltas() {
    replay("librsync_delta", |_, data| properties::deltas(data));
}

#[test]
fn roundtrip() {
    replay("librsync_roundtrip", |_, data| properties::roundtrip(data));
}
