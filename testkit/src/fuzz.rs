//! The corpora of fuzz targets, replayed by ordinary tests.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the corpus of a target is.
pub fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

/// Gives every file of the corpus of `target` to `property`, with its name.
///
/// # Panics
///
/// When there are fewer than three, or one is not small: they are in the tree.
pub fn replay(target: &str, property: impl Fn(&str, &[u8])) {
    let mut count = 0;
    for entry in fs::read_dir(corpus(target)).expect("a corpus") {
        let path = entry.expect("a file of it").path();
        let data = fs::read(&path).expect("a file that can be read");
        assert!(data.len() < 1024, "{} is not small", path.display());
        property(&path.file_name().unwrap_or_default().to_string_lossy(), &data);
        count += 1;
    }
    assert!(count >= 3, "{target} has its seeds");
}
