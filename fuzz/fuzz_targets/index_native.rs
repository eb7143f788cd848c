#![no_main]

#[path = "../properties/index.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod index;

libfuzzer_sys::fuzz_target!(|data: &[u8]| index::native(data));
