#![no_main]

#[path = "../properties/inflate.rs"]
mod inflate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| inflate::inflate(data));
