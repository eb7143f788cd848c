//! The corpus of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/patch.rs"]
mod patch;
#[path = "../../../../fuzz/properties/index.rs"]
mod properties;
#[path = "../../../../fuzz/properties/signature.rs"]
mod signature;

use std::fs;
use std::path::PathBuf;

use crate::golden::{assert_bytes, assert_file};
use crate::native::by_hand_with;
use crate::{golden_data, legacy_index, native_index, root};

fn corpus(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

fn replay(target: &str, property: fn(&[u8])) {
    let mut count = 0;
    for entry in fs::read_dir(corpus(target)).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        assert!(data.len() < 1024, "{} is not small", path.display());
        property(&data);
        count += 1;
    }
    assert!(count >= 3, "{target} has its seeds");
}

#[test]
fn seeds() {
    let data = golden_data(100);
    let native = corpus("index_native");
    assert_file(&native.join("empty"), &native_index(&[], 4096, 16, None));
    assert_file(&native.join("one-block"), &native_index(&data, 100, 32, Some("one")));
    assert_file(&native.join("short-last-block"), &native_index(&data, 30, 5, Some("a longer name.bin")));
    let sections: [(u32, &[u8]); 2] = [(1, b"skipped"), (2, b"")];
    assert_bytes(&native.join("sections"), &by_hand_with(&data, 50, 16, "s", &sections));
    assert_bytes(&native.join("critical-section"), &by_hand_with(&data, 50, 16, "s", &[(1 << 31, b"")]));
    let legacy = corpus("index_legacy");
    assert_file(&legacy.join("empty"), &legacy_index(&[], 8192));
    assert_file(&legacy.join("one-block"), &legacy_index(&data, 100));
    assert_file(&legacy.join("short-last-block"), &legacy_index(&data, 30));
}

#[test]
fn native() {
    replay("index_native", properties::native);
}

#[test]
fn legacy() {
    replay("index_legacy", properties::legacy);
}

#[test]
fn compare_patch() {
    replay("compare_patch", patch::patch);
}

#[test]
fn signatures() {
    replay("signature", signature::signature);
}
