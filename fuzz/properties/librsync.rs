//! What holds for any bytes that are read as librsync's, and for any two files. The fuzz
//! targets and the test that replays their corpus both come here.

use std::io::Cursor;

use gosync_librsync::{
    DeltaJob, DeltaOptions, Error, Signature, SignatureKind, SignatureLoader, SignatureOptions, StrongLen,
    apply_limited, delta, signature,
};

/// However the bytes are cut, the same signature is read, and deltas can be made of it. The
/// first byte tells how they are cut.
pub(crate) fn signatures(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let whole = Signature::read(data);
    let mut loader = SignatureLoader::default();
    let cut = data.chunks(usize::from(size).max(1)).try_for_each(|piece| loader.update(piece));
    match (&whole, cut.and_then(|()| loader.finish())) {
        (Ok(whole), Ok(cut)) => {
            assert_eq!(*whole, cut);
            assert_eq!(
                12 + u64::from(whole.block_count()) * u64::from(4 + whole.header().strong_len),
                data.len() as u64
            );
            let report = delta(whole, data, std::io::sink(), &DeltaOptions::default()).expect("memory can be read");
            assert_eq!(report.new_bytes(), data.len() as u64);
        }
        (whole, cut) => assert_eq!(whole.as_ref().err().map(Error::code), cut.err().map(|error| error.code())),
    }
}

/// The first byte tells where a basis ends and a delta begins; what comes of it is bounded.
pub(crate) fn deltas(data: &[u8]) {
    const LIMIT: u64 = 1 << 16;
    let Some((&split, data)) = data.split_first() else { return };
    let (basis, delta) = data.split_at(data.len().min(split.into()));
    let mut made = Vec::new();
    let report = apply_limited(Cursor::new(basis), delta, &mut made, LIMIT);
    assert!(made.len() as u64 <= LIMIT);
    if let Ok(report) = report {
        assert_eq!((report.new_bytes(), report.delta_bytes), (made.len() as u64, delta.len() as u64));
    }
}

/// The first bytes choose the sums and lengths and how much is the basis; the others are the
/// basis and the new file.
pub(crate) fn roundtrip(data: &[u8]) {
    let [block_len, choices, split, data @ ..] = data else { return };
    let (basis, new) = data.split_at(data.len() * usize::from(*split) / 255);
    let options = SignatureOptions {
        kind: SignatureKind::ALL[usize::from(choices % 4)],
        block_len: Some(u32::from(*block_len).max(1)),
        strong_len: StrongLen::Maximum,
        basis_len: None,
    };
    let (mut sums, mut difference, mut fed, mut made) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    signature(basis, &mut sums, &options).expect("memory can be read");
    let read = Signature::read(sums.as_slice()).expect("just written");
    delta(&read, new, &mut difference, &DeltaOptions::default()).expect("memory can be read");

    let index = read.index();
    let mut job = DeltaJob::new(&index, &DeltaOptions::default(), &mut fed);
    new.chunks(usize::from(choices / 4) + 1).for_each(|piece| job.update(piece, &mut fed));
    job.finish(&mut fed);
    assert_eq!(fed, difference, "the job and the call do the same");

    apply_limited(Cursor::new(basis), difference.as_slice(), &mut made, new.len() as u64).expect("it is its delta");
    assert_eq!(made, new);
}
