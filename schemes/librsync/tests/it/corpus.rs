//! The corpus of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/librsync.rs"]
mod properties;

use std::fs;
use std::path::Path;

fn replay(target: &str, property: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        assert!(data.len() < 1024, "{} is not small", path.display());
        property(&data);
        count += 1;
    }
    assert!(count >= 3, "{target} has its seeds");
}

#[test]
fn signatures() {
    replay("librsync_signature", properties::signatures);
}

#[test]
fn deltas() {
    replay("librsync_delta", properties::deltas);
}

#[test]
fn roundtrip() {
    replay("librsync_roundtrip", properties::roundtrip);
}
