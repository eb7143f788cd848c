//! The bytes of recipes.

use gosync_packed::{Encoder, Options, Recipe, open};

use crate::tools::mixed;
use crate::zip::zip;

fn recipe() -> Vec<u8> {
    let bytes = zip(&[&mixed(1, 1000), b"short", &mixed(2, 1000)], Encoder::zlib(6));
    open(&bytes, &Options::default(), &()).unwrap().recipe().to_bytes()
}

/// A gzip file of three bytes: these bytes are what FORMAT.md says, for ever.
#[test]
fn bytes_are_as_specified() {
    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x4c\x4a\x06\0\xc2\x41\x24\x35\x03\0\0\0".to_vec();
    let opened = open(&packed, &Options::default(), &()).unwrap();
    let bytes = opened.recipe().to_bytes();
    let fingerprint = &bytes[7..15];
    // The version, 23 bytes, one encoder: zlib at level 6 with memory 8.
    assert_eq!(bytes[..7], [1, 23, 1, 1, 6, 8, 0]);
    // One stream: one of the encoder 0, 10 bytes before it, 5 of it, 3 in it, nothing to be
    // corrected and nothing in these.
    assert_eq!(bytes[15..], [1, 1, 0, 10, 5, 3, 0, 0]);
    // It changes only when the encoder does, which is then another.
    assert_eq!(u64::from_le_bytes(fingerprint.try_into().unwrap()), FINGERPRINT);
}

/// Of zlib at level 6.
const FINGERPRINT: u64 = 17_481_461_456_066_074_070;

#[test]
fn what_encoders_are_used_for() {
    let inner = zip(&[&mixed(1, 10_000)], Encoder::zlib(1));
    let bytes = zip(&[&mixed(2, 20_000), &mixed(3, 30_000), &inner], Encoder::zlib(6));
    let opened = open(&bytes, &Options::default(), &()).unwrap();
    let uses = opened.recipe().uses();
    let found: Vec<_> = uses.iter().map(|it| (it.encoder, it.streams, it.plain_bytes, it.correction_bytes)).collect();
    let sum = 50_000 + inner.len() as u64;
    assert_eq!(found, [(Some(Encoder::zlib(6)), 3, sum, 0), (Some(Encoder::zlib(1)), 1, 10_000, 0)]);
    let time = |threads| opened.recipe().closing_time(threads).as_secs_f64();
    assert!(0.0 < time(64) && time(64) < 1.0 && time(1) < 10.0);
}

#[test]
fn what_is_cut_or_longer_is_refused() {
    let bytes = recipe();
    assert!(Recipe::from_bytes(&bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(Recipe::from_bytes(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
    let error = Recipe::from_bytes(&[&bytes[..], &[0]].concat()).unwrap_err();
    assert_eq!(error.to_string(), "the recipe is damaged: something follows its end");
}

#[test]
fn what_cannot_be_is_refused() {
    // One stream of five bytes, 10 behind the beginning of 23, by the only encoder.
    let head = |encoders: u8| {
        let mut bytes = vec![1, 23, encoders];
        (0..encoders).for_each(|_| bytes.extend([9; 12]));
        bytes
    };
    let read = |rest: &[u8]| Recipe::from_bytes(&[&head(1)[..], rest].concat()).map_err(|error| error.to_string());
    assert!(read(&[1, 1, 0, 10, 5, 3, 0, 0]).is_ok());
    for (rest, what) in [
        (&[1, 1, 1, 10, 5, 3, 0, 0][..], "a run of streams is wrong"),
        (&[1, 0, 0, 10, 5, 3, 0, 0], "a run of streams is wrong"),
        (&[1, 2, 0, 10, 5, 3, 0, 0], "a run of streams is wrong"),
        (&[1, 1, 0, 19, 5, 3, 0, 0], "a stream is not in the file"),
        (&[1, 1, 0, 10, 0, 3, 0, 0], "a stream is not in the file"),
        (&[200, 1, 1, 0, 10, 5, 3, 0, 0], "it ends too early"),
        (&[1, 1, 0, 10, 5, 0x83, 0, 0, 0], "a number is longer than it need be"),
        (&[1, 1, 0, 10, 5, 3, 0, 1, 0, 0, 0, 0], "nothing is nested where something should be"),
        (&[1, 1, 0, 10, 5, 3, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0], "something is of a stream that is not there"),
        (&[1, 1, 0, 10, 5, 3, 1, 1, 1, 0, 0], "something is of a stream that is not there"),
        (&[1, 1, 0, 10, 5, 3, 1, 0, 9, 0, 0], "it ends too early"),
        (&[1, 1, 0, 10, 5, 3, 0, 1, 0, 1, 1, 0, 0, 4, 1, 0, 0], "a stream is not in the file"),
    ] {
        assert_eq!(read(rest), Err(format!("the recipe is damaged: {what}")), "{rest:?}");
    }
    // Two deep is deep enough.
    let two = [1, 1, 0, 10, 5, 3, 0, 1, 0, 1, 1, 0, 0, 3, 9, 0, 0];
    assert!(read(&two).is_ok());
    let three = [1, 1, 0, 10, 5, 3, 0, 1, 0, 1, 1, 0, 0, 3, 9, 0, 1, 0, 1, 1, 0, 0, 9, 9, 0, 0];
    assert_eq!(read(&three), Err("the recipe is damaged: streams are nested too deep".into()));
    let error = Recipe::from_bytes(&[2, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "the recipe is damaged: it has another version");
}
