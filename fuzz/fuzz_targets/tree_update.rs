#![no_main]

#[path = "../properties/trees.rs"]
mod trees;

libfuzzer_sys::fuzz_target!(|data: &[u8]| trees::trees(data));
