//! The corpus of the fuzz target, replayed.

#[path = "../../../../fuzz/properties/zsync.rs"]
mod properties;

use std::fs;
use std::path::Path;

#[test]
fn control_files() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/zsync_control");
    let mut count = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        assert!(data.len() < 1024, "{} is not small", path.display());
        let is_find = path.file_name().unwrap().to_string_lossy().starts_with("find-");
        assert_eq!(gosync_zsync::Control::read(&data).is_err(), is_find, "{}", path.display());
        properties::control(&data);
        count += 1;
    }
    assert!(count >= 3, "the target has its seeds");
}
