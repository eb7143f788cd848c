//! The corpora of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/packed.rs"]
mod properties;

use gosync_testkit::fuzz::replay;

#[test]
fn files() {
    replay("packed_file", |_, data| properties::file(data));
}

#[test]
fn recipes() {
    replay("packed_recipe", |_, data| properties::recipe(data));
}
