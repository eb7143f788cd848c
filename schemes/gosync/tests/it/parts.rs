//! An index in parts: whichever they are, merged they are the bytes of one build.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync::publish::{BuildOptions, IndexPart, MergeError, PartError, Publisher, Shard};
use gosync::{Error, ErrorKind, Format, FormatError, publish};
use gosync_chunks::ByteRange;
use gosync_testkit::{Random, corpus};

use crate::support::{build, options, with_publisher};

const MIB: usize = 1 << 20;

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, data: &[u8]) -> PathBuf {
        fs::write(self.at(name), data).unwrap();
        self.at(name)
    }

    /// Makes a part of the index of `target`, whose name tells which.
    fn part(&self, target: &Path, (number, count): (u32, u32), options: &BuildOptions) -> PathBuf {
        let path = self.at(&format!("{}.{number}-of-{count}", target.file_name().unwrap().to_str().unwrap()));
        let shard = Shard::new(number, count).unwrap();
        let part = with_layered(options, |publisher| publisher.part(target, shard, &path.clone().into())).unwrap();
        assert_eq!(part.encoded_len(), path.metadata().unwrap().len());
        part.check().unwrap();
        path
    }

    fn merge(&self, parts: &[PathBuf]) -> Result<Vec<u8>, Error> {
        let out = self.at("merged.gosync");
        let location = out.clone().into();
        with_layered(&BuildOptions::default(), |publisher| {
            let index = publisher.merge(parts, &location)?;
            publisher.write(&index, &location)?;
            assert!(index.layered().unwrap().damage().unwrap().is_none());
            Ok(fs::read(out).unwrap())
        })
    }
}

fn with_layered<T>(options: &BuildOptions, publish: impl FnOnce(&Publisher<'_>) -> T) -> T {
    with_publisher(Format::Layered, options, publish)
}

/// Why parts make no index.
fn merge_error(error: &Error) -> Option<&MergeError> {
    match error {
        Error::Publish(publish::Error::Merge(error)) => Some(error),
        _ => None,
    }
}

/// Text, noise, zeros with and without data between, and repetitions.
fn target(length: usize) -> Vec<u8> {
    let kinds = [corpus::text(1, MIB), corpus::random(2, MIB / 2), vec![0; 5 * MIB / 2], b"again ".repeat(MIB / 4)];
    let mut target: Vec<u8> = kinds.concat().into_iter().cycle().take(length).collect();
    if let Some(byte) = target.get_mut(3 * MIB) {
        *byte = 1;
    }
    target
}

/// Which parts of how many make up a whole: all of `count`, some of them in parts themselves, in any order.
fn cover(count: u32, random: &mut Random) -> Vec<(u32, u32)> {
    let mut cover: Vec<(u32, u32)> = (1..=count).map(|number| (number, count)).collect();
    for _ in 0..random.below(3) {
        let (number, count) = cover.swap_remove(random.below(cover.len()));
        let by = random.range(2..5) as u32;
        cover.extend((1..=by).map(|at| ((number - 1) * by + at, count * by)));
    }
    random.shuffle(&mut cover);
    cover
}

#[test]
fn parts_of_any_number_make_the_index_of_one_build() {
    const NO_SIZES: &[u32] = &[];
    let mut random = Random::new(5);
    for (length, sizes, compress) in [
        (0, NO_SIZES, None),
        (0, NO_SIZES, Some(3)),
        (1, NO_SIZES, Some(1)),
        (MIB, NO_SIZES, None),
        (MIB + 1, NO_SIZES, Some(3)),
        (5 * MIB, &[65_536, 4096, 512], None),
        (5 * MIB + 70_001, &[4096], None),
        (5 * MIB + 333, &[2 << 20, 128 << 10, 1 << 10], None),
        (3 * MIB - 1, NO_SIZES, Some(1)),
        (3 * MIB + 5, &[4096, 512], Some(1)),
        (3 * MIB + 5, &[128 << 10, 64 << 10, 32 << 10], Some(1)),
    ] {
        let scratch = Scratch::new();
        let path = scratch.write("target", &target(length));
        let options = options(sizes, compress);
        let payload = scratch.at("target.gosync-payload");
        let beside = compress.map(|_| payload.clone().into());
        let index = with_layered(&options, |publisher| publisher.build(&path, beside.as_ref()));
        let expected = crate::bytes(&index.unwrap());
        let expected_payload = compress.map(|_| fs::read(&payload).unwrap());
        // Every part makes the tables of a payload anew.
        for &count in if compress.is_some() { &[3][..] } else { &[1, 2, 5] } {
            let _ = fs::remove_file(&payload);
            let cover = cover(count, &mut random);
            let parts: Vec<PathBuf> = cover.iter().map(|&which| scratch.part(&path, which, &options)).collect();
            assert!(scratch.merge(&parts).unwrap() == expected, "{length} {sizes:?} {compress:?} {cover:?}");
            assert!(expected_payload == compress.map(|_| fs::read(&payload).unwrap()), "{length} {cover:?}");
        }
    }
}

#[test]
fn of_the_rest_of_the_target_only_the_beginning_matters() {
    let scratch = Scratch::new();
    let length = 300 << 30;
    let data = corpus::random(1, 100_000);
    let make = |name: &str, garbage: &[(u64, &[u8])]| {
        let path = scratch.at(name).join("target");
        fs::create_dir(scratch.at(name)).unwrap();
        let mut file = fs::File::create(&path).unwrap();
        file.set_len(length).unwrap();
        for (at, piece) in [&[(0, &data[..65_536]), (150 << 30, &data[..])], garbage].concat() {
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(piece).unwrap();
        }
        fs::read(scratch.part(&path, (5001, 10_000), &options(&[16 << 20, 64 << 10, 4 << 10], None))).unwrap()
    };
    let part = make("one", &[]);
    assert!(part.len() < 200_000);
    assert!(part == make("other", &[(100 << 10, &data), (149 << 30, &data), (200 << 30, &data)]));
    assert!(part != make("another", &[((150 << 30) + 200_000, &data)]));
}

#[test]
fn parts_that_do_not_go_together() {
    let scratch = Scratch::new();
    let path = scratch.write("target", &target(3 * MIB + 5));
    let plain = options(&[4096, 256], None);
    let parts: Vec<PathBuf> = (1..=4).map(|number| scratch.part(&path, (number, 4), &plain)).collect();
    let part = |at: usize| parts[at].clone();
    let merged = |which: &[usize]| scratch.merge(&which.iter().map(|&at| part(at)).collect::<Vec<_>>()).unwrap_err();
    let check = |error: Error, expected: &Path, message: &str| match merge_error(&error) {
        Some(MergeError::Part { path, source }) => {
            assert_eq!((path.as_path(), error.kind()), (expected, ErrorKind::Usage));
            assert!(source.to_string().contains(message), "{source}");
        }
        _ => panic!("{error}"),
    };
    check(merged(&[3, 0, 1]), &part(3), "the bytes 2097152..3145728 of the target, next to its own, are in none");
    check(merged(&[1, 2, 3]), &part(1), "0..1048576");
    check(merged(&[2, 0, 1]), &part(2), "3145728..3145733");
    check(merged(&[0, 1, 2, 1, 3]), &part(1), "target.2-of-4 has too");
    let half = scratch.part(&path, (2, 2), &plain);
    check(scratch.merge(&[part(0), part(1), part(2), half.clone()]).unwrap_err(), &half, "target.3-of-4 has too");
    assert!(matches!(merge_error(&scratch.merge(&[]).unwrap_err()), Some(MergeError::NoParts)));

    let others = [
        ("other/target", target(3 * MIB + 6), plain.clone(), "the target's length differs"),
        ("other/target", target(3 * MIB + 5), options(&[4096, 512], None), "the size of blocks differs"),
        ("other/target", target(3 * MIB + 5), options(&[4096, 256], Some(3)), "the compression differs"),
        ("other/target", corpus::random(8, 3 * MIB + 5), plain.clone(), "the target's beginning differs"),
        ("other/name", target(3 * MIB + 5), plain.clone(), "the target's name differs"),
    ];
    fs::create_dir(scratch.at("other")).unwrap();
    for (name, data, options, message) in others {
        let target = scratch.write(name, &data);
        let other = scratch.part(&target, (4, 4), &options);
        check(scratch.merge(&[part(0), part(1), part(2), other.clone()]).unwrap_err(), &other, message);
    }
}

#[test]
fn damaged_parts_are_refused() {
    let scratch = Scratch::new();
    let path = scratch.write("target", &target(2 * MIB));
    let compressed = options(&[65_536, 16_384], Some(1));
    let parts = [scratch.part(&path, (1, 2), &compressed), scratch.part(&path, (2, 2), &compressed)];
    let refused = |wrong: &Path, message: &str| {
        let error = scratch.merge(&parts).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let Some(MergeError::Part { path, source }) = merge_error(&error) else { panic!("{error:?} for {message}") };
        assert_eq!(path, wrong);
        assert!(source.to_string().contains(message), "{source}");
    };
    let good = fs::read(&parts[1]).unwrap();
    let header_len = 16 + u32::from_le_bytes(good[12..16].try_into().unwrap()) as usize;
    let head_len = header_len.next_multiple_of(8);
    // Damage to the head, to the sums, at the end and behind it.
    for (at, message) in
        [(0, "no part"), (8, "version"), (20, "checksum"), (head_len + 40, "hash"), (good.len() - 1, "hash")]
    {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs::write(&parts[1], &bad).unwrap();
        refused(&parts[1], message);
    }
    for (bad, message) in [
        (&good[..good.len() - 1], "cut off"),
        (&good[..head_len], "cut off"),
        (&good[..10], "no part"),
        (&[&good[..], b"."].concat(), "more follow"),
        (&crate::bytes(&build(&path, Format::Layered, &[]).unwrap()), "no part"),
    ] {
        fs::write(&parts[1], bad).unwrap();
        refused(&parts[1], message);
    }
    // A sound checksum over what makes no sense: start and end are before the last hash.
    let range_at = header_len - 48;
    for (start, end) in [(0, 1), (1, 2 << 20), (1 << 20, 0), (1 << 20, 3 << 20), (u64::MAX, u64::MAX)] {
        let mut bad = good.clone();
        bad[range_at..range_at + 16].copy_from_slice(&[u64::to_le_bytes(start), u64::to_le_bytes(end)].concat());
        let checksum = *blake3::hash(&bad[..head_len]).as_bytes();
        bad[head_len..head_len + 32].copy_from_slice(&checksum);
        fs::write(&parts[1], &bad).unwrap();
        refused(&parts[1], "impossible range");
    }
    fs::write(&parts[1], &good).unwrap();
    let payload = scratch.at("target.2-of-2.gosync-payload");
    let content = fs::read(&payload).unwrap();
    let mut bad = content.clone();
    bad[5] ^= 1;
    for bad in [&bad[..], &content[1..], b""] {
        fs::write(&payload, bad).unwrap();
        refused(&parts[1], "the payload beside it");
    }
    fs::remove_file(&payload).unwrap();
    let unreadable = scratch.merge(&parts).unwrap_err();
    let named = payload.display().to_string();
    assert!(matches!(unreadable, Error::Publish(publish::Error::Read { target, .. }) if target == named));
    assert!(!scratch.at("target.gosync-payload").exists(), "no half of a payload");
    fs::write(&payload, content).unwrap();
    scratch.merge(&parts).unwrap();

    let reads = |bytes: &[u8]| IndexPart::read(Arc::new(bytes.to_vec())).map(|part| part.range());
    assert_eq!(reads(&good).unwrap(), ByteRange { start: 1 << 20, end: 2 << 20 });
    for len in 0..head_len + 32 {
        assert!(matches!(
            reads(&good[..len]),
            Err(PartError::NotAPart | PartError::Format(FormatError::Truncated { .. }))
        ));
    }
}
