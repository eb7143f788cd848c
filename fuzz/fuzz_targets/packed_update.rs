#![no_main]

#[path = "../properties/unpack.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod unpack;

libfuzzer_sys::fuzz_target!(|data: &[u8]| unpack::update(data));
