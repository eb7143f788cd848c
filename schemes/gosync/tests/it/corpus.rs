//! The corpus of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/layers.rs"]
mod layers;
#[path = "../../../../fuzz/properties/patch.rs"]
mod patch;
#[path = "../../../../fuzz/properties/index.rs"]
mod properties;
#[path = "../../../../fuzz/properties/signature.rs"]
mod signature;

use std::fs;
use std::path::PathBuf;

use crate::by_hand::ByHand;
use crate::golden::{assert_bytes, assert_file};
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
    let short = golden_data(300);
    assert_file(&native.join("empty"), &native_index(&[], &[4096], "empty"));
    assert_file(&native.join("one-block"), &native_index(&data, &[128], "one"));
    assert_file(&native.join("layers"), &native_index(&short, &[256, 128, 64], "a longer name.bin"));
    assert_file(&native.join("zeros"), &native_index(&[0; 300], &[128, 64], "zeros"));
    let with = |sections| ByHand { sections, ..ByHand::new(&data, &[64], "s") }.bytes();
    assert_bytes(&native.join("sections"), &with(&[(1, b"skipped"), (2, b"")]));
    assert_bytes(&native.join("critical-section"), &with(&[(1 << 31, b"")]));
    let long = ByHand { strong_len: 16, ..ByHand::new(&data, &[64], "long sums") };
    assert_bytes(&native.join("long-sums"), &long.bytes());
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

#[test]
fn layers() {
    let layers = corpus("layers");
    // The choices, what part is the seed, and the data: see the property.
    let text = b"one fish, two fish, red fish, blue fish; ".repeat(12);
    assert_bytes(&layers.join("one-layer"), &[&[0, 128], &text[..]].concat());
    assert_bytes(&layers.join("shifted"), &[&[7, 100], &golden_data(300)[..], &golden_data(301)[1..]].concat());
    assert_bytes(&layers.join("zeros"), &[&[3, 40], &[0; 600][..], b"end"].concat());
    replay("layers", layers::layers);
}
