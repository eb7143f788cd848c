//! Encoders that are not known: the fingerprint of the recipe is another than theirs here.

use std::fs;

use gosync_chunks::{ErrorKind, FileHash, ReadAt, TargetName};
use gosync_layers::format::LayeredIndex;
use gosync_packed::{Encoder, Options, Recipe, open};
use gosync_publish::{Build, BuildOptions, PayloadOut};
use gosync_testkit::packed;
use gosync_testkit::source::MemorySource;
use gosync_unpack::{PackedInfo, PackedTarget};
use gosync_update::Target;

use crate::{Published, deflate, members};

/// Publishes a zip file whose last members zlib makes at level 1, in a way that is not known here.
fn publish() -> Published {
    let members = members(50_000, None);
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    let fast = |plain: &[u8]| {
        let mut packed = Vec::new();
        std::io::Read::read_to_end(&mut Encoder::zlib(1).deflate(plain), &mut packed).unwrap();
        packed
    };
    let last = members[7].1;
    let file = packed::zip(&members, |plain| if plain >= last { fast(plain) } else { deflate(plain) });
    let mut published = Published::new(&file);
    let mut recipe = published.info.recipe.to_bytes();
    let level_1 = recipe.windows(4).position(|bytes| bytes == [1, 1, 8, 0]).unwrap();
    recipe[level_1 + 4] ^= 1;
    published.info.recipe = Recipe::from_bytes(&recipe).unwrap();
    let opened = open(&file, &Options::default(), &()).unwrap();
    published.index = index(&opened, &published.info);
    published
}

/// The same index with another section. Its payload is the same too.
fn index(opened: &dyn ReadAt, info: &PackedInfo) -> LayeredIndex {
    let build = Build {
        target: opened,
        called: "new",
        name: None,
        sections: vec![info.section()],
        options: &BuildOptions { compress: Some(3), ..BuildOptions::default() },
        progress: &(),
    };
    let name = TargetName::new("new.gosync-payload").unwrap();
    build.index(Some(PayloadOut { name, out: &mut std::io::sink() })).unwrap()
}

#[test]
fn streams_are_fetched_as_they_are() {
    let published = publish();
    let unknown: u64 = published.info.recipe.unknown().map(|stream| stream.packed.len()).sum();
    assert!(0 < unknown && unknown < published.file.len() as u64 / 2, "{unknown}");
    let (info, _) = PackedInfo::of(&published.index).unwrap().unwrap();
    assert_eq!(info, published.info);

    let out = published.at("out");
    let packed = MemorySource::new(published.file.clone());
    let target = PackedTarget::new(&published.index, &info).with_published(Some(&packed));
    let report = published.update(&target, &[], &published.source(), &out, &()).unwrap();
    assert!(fs::read(&out).unwrap() == published.file);
    let finished = report.finished.unwrap();
    assert!((unknown..unknown + 1000).contains(&finished.transfer.bytes), "{finished:?}");

    // Where all are known nothing is asked of it.
    let known = Published::new(&published.file);
    let nothing = MemorySource::new(Vec::new());
    let target = known.target().with_published(Some(&nothing));
    let report = known.update(&target, &[], &known.source(), &known.at("out"), &()).unwrap();
    assert_eq!(report.finished.unwrap().transfer.bytes, 0);
}

#[test]
fn without_them_or_with_others_it_fails_and_what_was_fetched_stays() {
    let published = publish();
    let out = published.at("out");
    fs::write(&out, "old").unwrap();
    let mut wrong = published.file.clone();
    let first = published.info.recipe.unknown().next().unwrap().packed.start as usize;
    wrong[first + 100] ^= 1;
    let wrong = MemorySource::new(wrong);
    for (packed, expected) in [(None, " streams of the packed file"), (Some(&wrong), "comes out with the hash")] {
        let packed = packed.map(|packed| packed as _);
        let target = PackedTarget::new(&published.index, &published.info).with_published(packed);
        let error = published.update(&target, &[], &published.source(), &out, &()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let kind = if packed.is_some() { ErrorKind::Corrupt } else { ErrorKind::Other };
        assert!(error.kind() == kind && error.is_resumable());
        assert_eq!(fs::read(&out).unwrap(), b"old");
        assert_eq!(published.names(), [".out.gosync-journal", ".out.gosync-part", "out"]);
        let finish = target.finish().unwrap();
        assert_ne!(finish.file_hash(), FileHash([0; 32]));
    }
    let packed = MemorySource::new(published.file.clone());
    let target = PackedTarget::new(&published.index, &published.info).with_published(Some(&packed));
    let report = published.update(&target, &[], &MemorySource::new(Vec::new()), &out, &()).unwrap();
    assert!(report.report.fetched == 0 && fs::read(&out).unwrap() == published.file);
}
