#![no_main]

#[path = "../properties/packed.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod packed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| packed::file(data));
