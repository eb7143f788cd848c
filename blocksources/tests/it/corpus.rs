//! Replays what the fuzzers found, and what they began with.

#[path = "../../../fuzz/properties/multipart.rs"]
mod multipart;
#[path = "../../../fuzz/properties/sftp.rs"]
mod sftp;

use std::fs;
use std::path::Path;

/// The inputs of a fuzz target.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() > 5);
    inputs
}

#[test]
fn multipart() {
    for input in inputs("multipart") {
        // Cut in every way.
        for size in [input[0], 1, 2, 3, 255] {
            multipart::multipart(&[&[size], &input[1..]].concat());
        }
    }
}

#[test]
fn sftp_sessions() {
    for input in inputs("sftp") {
        sftp::session(&input);
        // Wherever the connection breaks.
        (0..input.len()).for_each(|end| sftp::session(&input[..end]));
    }
}
