//! The corpora of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/inflate.rs"]
mod inflate;
#[path = "../../../../fuzz/properties/zsync.rs"]
mod properties;

use gosync_testkit::fuzz::replay;

#[test]
fn control_files() {
    replay("zsync_control", |name, data| {
        assert_eq!(gosync_zsync::Control::read(data).is_err(), name.starts_with("find-"), "{name}");
        properties::control(data);
    });
}

#[test]
fn deflate() {
    replay("zsync_inflate", |_, data| inflate::inflate(data));
}
