#![no_main]

#[path = "../properties/patch.rs"]
mod patch;

libfuzzer_sys::fuzz_target!(|data: &[u8]| patch::patch(data));
