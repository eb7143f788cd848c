#![no_main]

#[path = "../properties/librsync.rs"]
#[allow(dead_code, reason = "the other targets use the rest")]
mod librsync;

libfuzzer_sys::fuzz_target!(|data: &[u8]| librsync::deltas(data));
