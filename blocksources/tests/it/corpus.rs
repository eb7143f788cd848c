//! Replays what the fuzzer found, and what it began with.

#[path = "../../../fuzz/properties/multipart.rs"]
mod multipart;

use std::fs;
use std::path::Path;

#[test]
fn multipart() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/multipart");
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() > 5);
    for input in inputs {
        // Cut in every way.
        for size in [input[0], 1, 2, 3, 255] {
            multipart::multipart(&[&[size], &input[1..]].concat());
        }
    }
}
