#![no_main]

#[path = "../properties/sftp.rs"]
mod sftp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sftp::session(data));
