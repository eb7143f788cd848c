#![no_main]

#[path = "../properties/layers.rs"]
mod layers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| layers::layers(data));
