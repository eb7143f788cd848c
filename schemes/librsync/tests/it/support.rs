//! Calls in memory, on as many threads as are asked for.

use std::io::Cursor;

use gosync_librsync::{
    DeltaOptions, Error, PatchOptions, Signature, SignatureKind, SignatureOptions, StrongLen, delta, patch, signature,
};

pub(crate) fn options(kind: SignatureKind, block_len: u32, strong_len: u32, basis: &[u8]) -> SignatureOptions {
    let strong_len = if strong_len == 0 { StrongLen::Maximum } else { StrongLen::Bytes(strong_len) };
    let block_len = (block_len > 0).then_some(block_len);
    SignatureOptions { kind, block_len, strong_len, basis_len: Some(basis.len() as u64) }
}

pub(crate) fn signature_of(basis: &[u8], options: &SignatureOptions) -> Vec<u8> {
    let mut output = Vec::new();
    let report = signature(basis, &mut output, options).unwrap();
    assert_eq!((report.basis_bytes, report.signature_bytes), (basis.len() as u64, output.len() as u64));
    output
}

pub(crate) fn diff(signature: &[u8], new: &[u8]) -> Vec<u8> {
    diff_with(signature, new, &DeltaOptions::default())
}

pub(crate) fn diff_with(signature: &[u8], new: &[u8], options: &DeltaOptions) -> Vec<u8> {
    let mut output = Vec::new();
    let report = delta(&Signature::read(signature).unwrap(), new, &mut output, options).unwrap();
    assert_eq!((report.new_bytes(), report.delta_bytes), (new.len() as u64, output.len() as u64));
    output
}

pub(crate) fn apply(basis: &[u8], delta: &[u8]) -> Result<Vec<u8>, Error> {
    let mut output = Vec::new();
    let report = patch(Cursor::new(basis), delta, &mut output, &PatchOptions::default())?;
    assert_eq!((report.new_bytes(), report.delta_bytes), (output.len() as u64, delta.len() as u64));
    Ok(output)
}

pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
