#![no_main]

#[path = "../properties/multipart.rs"]
mod multipart;

libfuzzer_sys::fuzz_target!(|data: &[u8]| multipart::multipart(data));
