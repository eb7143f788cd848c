//! From one version to the next.

use std::fs;

use gosync_packed::Encoder;
use gosync_testkit::{corpus, packed};
use gosync_unpack::Unpack;
use gosync_update::verify;

use crate::{Published, build, deflate, members, zip};

#[test]
fn what_did_not_change_is_not_fetched() {
    let (old, new) = (zip(&members(200_000, None)), zip(&members(200_000, Some(4))));
    let published = Published::new(&new);
    let (old_path, out) = (published.at("old"), published.at("out"));
    fs::write(&old_path, &old).unwrap();
    let target = published.target();
    let report = published.update(&target, std::slice::from_ref(&old_path), &published.source(), &out, &()).unwrap();
    assert!(fs::read(&out).unwrap() == new);
    let fetched = report.report.transfer.bytes;
    // Two insertions of 300 bytes; the whole member has 60 kB as it is packed.
    assert!(fetched < 6000, "{fetched} bytes");
    assert_eq!(report.finished.unwrap().bytes, new.len() as u64);
    assert_eq!(report.finished.unwrap().transfer.bytes, 0);
    assert!(verify(&target, &out, &()).unwrap().is_good());
    let verified = verify(&target, &old_path, &()).unwrap();
    assert!(!verified.is_good() && verified.verdict.expected_length == new.len() as u64);
    let mut wrong = new.clone();
    wrong[1000] ^= 1;
    fs::write(&old_path, &wrong).unwrap();
    let verified = verify(&target, &old_path, &()).unwrap();
    assert!(verified.verdict.wrong_hash.is_some() && !verified.is_good());

    // It is there already, whatever else is.
    let report = published.update(&target, std::slice::from_ref(&out), &published.source(), &out, &()).unwrap();
    assert!(!report.changed && report.finished.is_none());
    assert_eq!(published.names(), ["old", "out"]);
}

/// A tar.gz, of which the old version is there unpacked, packed otherwise, or not at all.
#[test]
fn seeds_are_seen_as_the_target_is() {
    let (old, new) = (corpus::text(1, 500_000), corpus::edit::insert(&corpus::text(1, 500_000), 3, 2, 100));
    let published = Published::new(&packed::gzip(&new, deflate));
    let level = |plain: &[u8]| {
        let mut packed = Vec::new();
        std::io::Read::read_to_end(&mut Encoder::zlib(1).deflate(plain), &mut packed).unwrap();
        packed
    };
    let zipped = packed::zip(&[("old", &old)], level);
    for (name, seed) in [("plain", old.clone()), ("gzip", packed::gzip(&old, level)), ("zip", zipped)] {
        let (seed_path, out) = (published.at("seed"), published.at("out"));
        fs::write(&seed_path, seed).unwrap();
        let target = published.target();
        let report = published.update(&target, &[seed_path], &published.source(), &out, &()).unwrap();
        assert!(fs::read(&out).unwrap() == published.file, "{name}");
        assert!(report.report.transfer.bytes < 6000, "{name}: {} bytes", report.report.transfer.bytes);
        fs::remove_file(&out).unwrap();
    }
    let target = published.target();
    let report = published.update(&target, &[], &published.source(), &published.at("out"), &()).unwrap();
    assert!(fs::read(published.at("out")).unwrap() == published.file && report.report.transfer.bytes > 100_000);
}

#[test]
fn what_does_not_pay_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let text = corpus::text(1, 400_000);
    let half = |packed: &[u8]| [packed::gzip(&text, deflate), packed.to_vec()].concat();
    let packed = packed::gzip(&text, deflate).len();
    for (name, file, pays, can) in [
        ("plain", text.clone(), false, false),
        ("empty", Vec::new(), false, false),
        ("short", packed::gzip(&text[..50_000], deflate), false, true),
        ("packed", packed::gzip(&text, deflate), true, true),
        ("mostly packed", half(&corpus::random(1, packed / 2)), true, true),
        ("hardly packed", half(&corpus::random(1, packed * 2)), false, true),
    ] {
        fs::write(&path, file).unwrap();
        let payload = directory.path().join("file.gosync-payload");
        for (unpack, expected) in [(Unpack::IfItPays, pays), (Unpack::IfItCan, can)] {
            assert_eq!(build(&path, unpack).is_some(), expected, "{name}, {unpack:?}");
            assert_eq!(fs::remove_file(&payload).is_ok(), expected, "{name}, {unpack:?}");
        }
    }
}
