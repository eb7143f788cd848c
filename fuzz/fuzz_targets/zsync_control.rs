#![no_main]

#[path = "../properties/zsync.rs"]
mod zsync;

libfuzzer_sys::fuzz_target!(|data: &[u8]| zsync::control(data));
