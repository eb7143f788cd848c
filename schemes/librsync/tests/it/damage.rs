//! What is cut off, corrupt, hostile or for another file.

use std::io::{self, Cursor, Read};
use std::time::Instant;

use gosync_librsync::{
    BasisCheck, DeltaOptions, Error, PatchOptions, Signature, SignatureKind, SignatureOptions, Stream, apply_limited,
    delta, patch, signature,
};
use gosync_testkit::corpus;

use crate::support::{apply, diff, options, signature_of};

fn example() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (old, new) = (corpus::lcg_a(), corpus::lcg_b());
    let delta = diff(&signature_of(&old, &SignatureOptions::default()), &new);
    (old, new, delta)
}

#[test]
fn every_cut_of_a_delta_is_noticed() {
    let (old, _, delta) = example();
    for end in 0..delta.len() {
        assert!(matches!(apply(&old, &delta[..end]), Err(Error::Truncated { stream: Stream::Delta })), "{end}");
    }
}

#[test]
fn every_cut_of_a_signature_is_noticed() {
    let old = corpus::lcg_a();
    let whole = signature_of(&old, &options(SignatureKind::Md4Rollsum, 2048, 0, &old));
    for end in 0..whole.len() {
        let read = Signature::read(&whole[..end]);
        // Up to three bytes behind a record are let be, as by rdiff.
        if end >= 12 && (end - 12) % 20 < 4 {
            assert_eq!(u64::from(read.unwrap().block_count()), (end as u64 - 12) / 20);
        } else {
            assert!(matches!(read, Err(Error::Truncated { stream: Stream::Signature })), "{end}");
        }
    }
}

/// The codes are those of rdiff 2.3.2.
#[test]
fn commands_that_there_are_not() {
    let old = corpus::lcg_a();
    for (bytes, code) in [
        (b"\x72\x73\x01\x36".as_slice(), 104),
        (b"rs\x026\x55\0", 106),
        (b"rs\x026\xff", 106),
        (b"rs\x026\x41\0\0", 106),
        (b"rs\x026\x45\0\0\0", 106),
        (b"rs\x026\x44\xff\xff\xff\xff\xff\xff\xff\xff\0", 106),
        (b"rs\x026\x54\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", 106),
        (b"rs\x026\x44\x7f\xff\xff\xff\xff\xff\xff\xff\0", 103),
        (b"rs\x026\x46\0\xff\xff\0", 103),
        (b"rs\x026\x4a\xff\xff\x10\0\0", 103),
        (b"rs\x026\x42\x01", 103),
    ] {
        assert_eq!(apply(&old, bytes).unwrap_err().code(), code, "{bytes:x?}");
    }
    for behind in ["", "more", "\u{55}"] {
        let mut made = Vec::new();
        let delta = [b"rs\x026\x01x\0", behind.as_bytes()].concat();
        let report = patch(Cursor::new(&old), delta.as_slice(), &mut made, &PatchOptions::default()).unwrap();
        assert_eq!((made.as_slice(), report.delta_bytes), (&b"x"[..], 7), "bytes behind the end are not seen");
    }
}

/// The codes are rdiff 2.3.2's.
#[test]
fn headers_that_there_are_not() {
    for (magic, block_len, strong_len, code) in [
        (0x7273_0135u32, 2048u32, 16u32, 104),
        (0x7273_0236, 2048, 16, 104),
        (0x7273_0136, 0, 16, 106),
        (0x7273_0136, u32::MAX, 16, 106),
        (0x7273_0136, 2048, 17, 108),
        (0x7273_0137, 2048, 33, 106),
        (0x7273_0147, 2048, u32::MAX, 106),
    ] {
        let header = [magic, block_len, strong_len].map(u32::to_be_bytes).concat();
        let error = Signature::read(header.as_slice()).unwrap_err();
        assert_eq!(error.code(), code, "{magic:x}, {block_len}, {strong_len}: {error}");
    }
}

#[test]
fn the_wrong_basis_is_refused_where_it_is_known() {
    let (old, new, delta) = example();
    let check = BasisCheck::of(old.as_slice()).unwrap();
    let patched = |basis: &[u8]| {
        let (mut made, options) = (Vec::new(), PatchOptions { expected_basis: Some(check), ..PatchOptions::default() });
        patch(Cursor::new(basis), delta.as_slice(), &mut made, &options).map(|_| made)
    };
    assert!(patched(&old).unwrap() == new);
    let mut other = old.clone();
    other[19_999] ^= 1;
    for wrong in [&other, &old[1..], &[]] {
        assert!(matches!(patched(wrong), Err(Error::WrongBasis { expected, .. }) if expected == check));
    }
    assert!(apply(&other, &delta).is_ok(), "and not where it is not");
}

#[test]
fn the_limit_holds() {
    let (old, new, delta) = example();
    let limited = |delta: &[u8], limit: usize| {
        let mut made = Vec::new();
        let result = apply_limited(Cursor::new(&old), delta, &mut made, limit as u64);
        assert!(made.len() <= limit, "{}", made.len());
        result
    };
    assert_eq!(limited(&delta, new.len()).unwrap().new_bytes(), new.len() as u64);
    assert!(matches!(limited(&delta, new.len() - 1), Err(Error::TooLong { .. })));
    let bomb = [b"rs\x026".as_slice(), &b"\x46\0\x4e\x20".repeat(1000), b"\0"].concat();
    assert!(matches!(limited(&bomb, 1 << 20), Err(Error::TooLong { limit: 0x10_0000 })));
}

/// Fails after a few bytes.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.0.min(buffer.len());
        self.0 -= len;
        if len == 0 { Err(io::Error::other("gone")) } else { Ok(len) }
    }
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let (old, ..) = example();
    let stream = |result: Result<(), Error>| match result.unwrap_err() {
        Error::Read { stream, source } => (stream, source.to_string()),
        other => panic!("{other}"),
    };
    let gone = |stream: Stream| (stream, "gone".to_owned());
    let sums = signature_of(&old, &SignatureOptions::default());
    let read = Signature::read(sums.as_slice()).unwrap();
    for left in [0, 5000, 3 << 20] {
        let signed = signature(Failing(left), io::sink(), &SignatureOptions::default());
        assert_eq!(stream(signed.map(drop)), gone(Stream::Basis));
        let compared = delta(&read, Failing(left), io::sink(), &DeltaOptions::default());
        assert_eq!(stream(compared.map(drop)), gone(Stream::New));
    }
    assert_eq!(stream(Signature::read(Failing(3)).map(drop)), gone(Stream::Signature));
    let patched = patch(Cursor::new(&old), Failing(0), io::sink(), &PatchOptions::default());
    assert_eq!(stream(patched.map(drop)), gone(Stream::Delta));
}

/// Spaces have the rollsum of zeros where blocks have a multiple of 4,096 bytes, so rdiff sums
/// a whole block at every byte of them: minutes for a file that takes others a second.
#[test]
fn what_keeps_rdiff_for_minutes_is_linear() {
    const LEN: usize = 8 << 20;
    const BLOCK: u32 = 4096;
    let kind = SignatureKind::Md4Rollsum;
    let key = |byte: u8| signature_of(&[byte; BLOCK as usize], &options(kind, BLOCK, 0, &[]))[12..16].to_vec();
    assert_eq!(key(0), key(b' '), "the data is as it should be");
    let time = |old: &[u8], new: &[u8]| {
        let sums = signature_of(old, &options(kind, BLOCK, 0, old));
        let start = Instant::now();
        let delta = diff(&sums, new);
        assert!(apply(old, &delta).unwrap() == new);
        start.elapsed()
    };
    let random = time(&corpus::random(1, LEN), &corpus::random(2, LEN));
    let period = corpus::periodic(3, 700, LEN + 350);
    for (name, old, new) in [
        ("spaces", corpus::zeros(LEN), vec![b' '; LEN]),
        ("zeros", corpus::zeros(LEN), corpus::zeros(LEN - 1)),
        ("a period", period[..LEN].to_vec(), period[350..].to_vec()),
    ] {
        // Without care it is thousands of times.
        let took = time(&old, &new);
        assert!(took < random * 30, "{name}: {took:?}, and {random:?} for random data");
    }
}

/// All blocks have one rolling sum, and no two the same strong sum.
#[test]
fn a_crowd_of_blocks_with_one_rolling_sum() {
    // Where a byte goes up by one, and its neighbours two and two further on down and up, both halves stay.
    let mut old = Vec::new();
    for at in 0..3000u32 {
        let mut block = [100u8; 128];
        for bit in (0..12).filter(|bit| at >> bit & 1 == 1) {
            let place = bit * 8;
            for (offset, by) in [(0, 1i8), (2, -2), (4, 1)] {
                block[place + offset] = block[place + offset].wrapping_add_signed(by);
            }
        }
        old.extend_from_slice(&block);
    }
    let sums = signature_of(&old, &options(SignatureKind::Md4Rollsum, 128, 0, &old));
    let keys: std::collections::HashSet<_> = sums[12..].chunks(20).map(|record| &record[..4]).collect();
    assert_eq!(keys.len(), 1, "the data is as it should be");
    let mut new: Vec<u8> = old.chunks(128).rev().flatten().copied().collect();
    new.insert(0, 7);
    let delta = diff(&sums, &new);
    assert!(delta.len() < 3000 * 7, "every block is found: {}", delta.len());
    assert!(apply(&old, &delta).unwrap() == new);
}
