#![no_main]

#[path = "../properties/listing.rs"]
mod listing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| listing::listing(data));
