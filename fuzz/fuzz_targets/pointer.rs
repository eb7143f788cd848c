#![no_main]

#[path = "../properties/pointer.rs"]
mod pointer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| pointer::pointer(data));
