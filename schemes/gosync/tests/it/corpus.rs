//! The corpus of the fuzz targets, replayed.

#[path = "../../../../fuzz/properties/layers.rs"]
mod layers;
#[path = "../../../../fuzz/properties/patch.rs"]
mod patch;
#[path = "../../../../fuzz/properties/payload.rs"]
mod payload;
#[path = "../../../../fuzz/properties/pointer.rs"]
mod pointer;
#[path = "../../../../fuzz/properties/index.rs"]
mod properties;
#[path = "../../../../fuzz/properties/signature.rs"]
mod signature;

use std::fs;

use gosync::publish::{Shard, build_file};
use gosync_chunks::ByteRange;
use gosync_chunks::frames::{FrameKind, PayloadLayout};
use gosync_payloads::frames::{EncodeOptions, Tables, encode};
use gosync_testkit::fuzz::{corpus, replay};

use crate::by_hand::ByHand;
use crate::golden::{assert_bytes, assert_file};
use crate::support::options;
use crate::{golden_data, legacy_index, native_index};

#[test]
fn seeds() {
    let data = golden_data(100);
    let native = corpus("index_native");
    let short = golden_data(300);
    assert_file(&native.join("empty"), &native_index(&[], &[4096], "empty"));
    assert_file(&native.join("one-block"), &native_index(&data, &[128], "one"));
    assert_file(&native.join("layers"), &native_index(&short, &[256, 128, 64], "a longer name.bin"));
    assert_file(&native.join("zeros"), &native_index(&[0; 300], &[128, 64], "zeros"));
    let with = |sections| ByHand { sections, ..ByHand::new(&data, &[64], "s") }.bytes();
    assert_bytes(&native.join("sections"), &with(&[(1, b"skipped"), (2, b"")]));
    assert_bytes(&native.join("critical-section"), &with(&[(1 << 31, b"")]));
    let long = ByHand { strong_len: 16, ..ByHand::new(&data, &[64], "long sums") };
    assert_bytes(&native.join("long-sums"), &long.bytes());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("part");
    fs::write(&path, &short).unwrap();
    let whole = Shard::new(1, 1).unwrap();
    let part = build_file(&path, &options(&[128, 64], None), &(), |build| build.part(whole, None)).unwrap();
    let mut bytes = Vec::new();
    part.write(&mut bytes).unwrap();
    assert_bytes(&native.join("part"), &bytes);
    let legacy = corpus("index_legacy");
    assert_file(&legacy.join("empty"), &legacy_index(&[], 8192));
    assert_file(&legacy.join("one-block"), &legacy_index(&data, 100));
    assert_file(&legacy.join("short-last-block"), &legacy_index(&data, 30));
}

#[test]
fn payload_seeds() {
    let target = b"the quick brown fox jumps over the lazy dog; ".repeat(6);
    let layout = PayloadLayout::new(270, 90, 180).unwrap().with_prefixes(60, 0).unwrap();
    let tables = Tables::train(&target, &layout, 3).unwrap();
    let mut payload = Vec::new();
    let all = ByteRange::at(0, 270);
    let lengths = encode(&target, &layout, &tables, all, &EncodeOptions::default(), &mut payload, &()).unwrap();
    let extents = lengths.extents(layout);
    let fine = extents.choose(&[ByteRange::at(100, 1)], 0).unwrap()[0];
    assert_eq!((fine.kind, fine.target), (FrameKind::Fine, ByteRange::at(90, 90)));
    let seed = |len: u16, prefix: &[&[u8]], frame: ByteRange| {
        let prefix = prefix.concat();
        let frame = &payload[frame.start as usize..frame.end as usize];
        [&(len - 1).to_le_bytes(), &(prefix.len() as u16).to_le_bytes(), &prefix[..], frame].concat()
    };
    let seeds = corpus("payload_frame");
    assert_bytes(&seeds.join("fine"), &seed(90, &[tables.preamble(), &target[30..90]], fine.payload));
    assert_bytes(&seeds.join("plain"), &seed(4, &[], ByteRange::at(fine.payload.start, 4)));
    assert_bytes(&seeds.join("repeated"), &seed(500, &[&[0; 8]], ByteRange::at(fine.payload.start, 1)));
}

#[test]
fn payload_frame() {
    replay("payload_frame", |_, data| payload::frame(data));
}

#[test]
fn native() {
    replay("index_native", |_, data| properties::native(data));
}

#[test]
fn legacy() {
    replay("index_legacy", |_, data| properties::legacy(data));
}

#[test]
fn compare_patch() {
    replay("compare_patch", |_, data| patch::patch(data));
}

#[test]
fn signatures() {
    replay("signature", |_, data| signature::signature(data));
}

#[test]
fn pointers() {
    replay("pointer", |_, data| pointer::pointer(data));
}

#[test]
fn layers() {
    let layers = corpus("layers");
    // The choices, what part is the seed, and the data: see the property.
    let text = b"one fish, two fish, red fish, blue fish; ".repeat(12);
    assert_bytes(&layers.join("one-layer"), &[&[0, 128], &text[..]].concat());
    assert_bytes(&layers.join("shifted"), &[&[7, 100], &golden_data(300)[..], &golden_data(301)[1..]].concat());
    assert_bytes(&layers.join("zeros"), &[&[3, 40], &[0; 600][..], b"end"].concat());
    replay("layers", |_, data| layers::layers(data));
}
