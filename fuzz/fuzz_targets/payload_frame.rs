#![no_main]

#[path = "../properties/payload.rs"]
mod payload;

libfuzzer_sys::fuzz_target!(|data: &[u8]| payload::frame(data));
