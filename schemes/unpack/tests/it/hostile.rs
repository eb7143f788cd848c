//! Indexes that contradict themselves.

use std::fs;

use gosync_chunks::{ErrorKind, FileHash, TargetName};
use gosync_layers::format::{FormatError, LayeredIndex, ReadOptions};
use gosync_packed::{Options, open};
use gosync_publish::{Build, BuildOptions, PayloadOut};
use gosync_unpack::{PackedInfo, PackedTarget, SECTION};

use crate::{Published, members, zip};

/// An index of `target` that says `info` of it, with a payload or without.
fn index(target: &[u8], info: &PackedInfo, is_compressed: bool) -> LayeredIndex {
    let build = Build {
        target: &target,
        called: "new",
        name: None,
        sections: vec![info.section()],
        options: &BuildOptions { compress: Some(3), ..BuildOptions::default() },
        progress: &(),
    };
    let mut out = std::io::sink();
    let name = TargetName::new("new.gosync-payload").unwrap();
    build.index(is_compressed.then_some(PayloadOut { name, out: &mut out })).unwrap()
}

#[test]
fn a_reader_that_does_not_know_the_section_refuses_it() {
    let published = Published::new(&zip(&members(10_000, None)));
    let mut bytes = Vec::new();
    published.index.write(&mut bytes).unwrap();
    let error = LayeredIndex::read(&bytes[..], &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, FormatError::Unsupported { what: "section", value: 0x8000_0002 }), "{error}");
    let options = ReadOptions { sections: &[SECTION], ..ReadOptions::default() };
    assert_eq!(LayeredIndex::read(&bytes[..], &options).unwrap(), published.index);
    // In the section, which comes last.
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    assert!(LayeredIndex::read(&bytes[..], &options).is_err());
}

#[test]
fn a_recipe_goes_with_its_index() {
    let published = Published::new(&zip(&members(10_000, None)));
    let of = |index: &LayeredIndex| PackedInfo::of(index).map_err(|error| (error.kind(), error.to_string()));
    let flat = vec![7; published.index.length() as usize];
    assert!(of(&index(&flat, &published.info, true)).is_ok());
    let damaged =
        |what: &str| Err((ErrorKind::Corrupt, format!("what the index says of its packed file is damaged: {what}")));
    assert_eq!(of(&index(&flat[1..], &published.info, true)), damaged("its recipe is for another target"));
    let no_payload = damaged("the index has no payload of what is in the file");
    assert_eq!(of(&index(&flat, &published.info, false)), no_payload);
}

/// What is right by its sums, and is not what the recipe is for.
#[test]
fn what_cannot_be_closed_takes_no_name() {
    let file = zip(&members(10_000, None));
    let published = Published::new(&file);
    let opened = open(&file, &Options::default(), &()).unwrap();
    let mut flat = vec![0; published.index.length() as usize];
    gosync_chunks::ReadAt::read_exact_at(&opened, 0, &mut flat).unwrap();
    let out = published.at("out");
    fs::write(&out, "old").unwrap();
    let update = |flat: &[u8], info: &PackedInfo| {
        let index = index(flat, info, true);
        let target = PackedTarget::new(&index, info);
        fs::write(published.at("seed"), flat).unwrap();
        let seeds = [published.at("seed")];
        let error = published.update(&target, &seeds, &published.source(), &out, &()).unwrap_err();
        assert_eq!((error.kind(), fs::read(&out).unwrap()), (ErrorKind::Corrupt, b"old".to_vec()), "{error}");
        error.to_string()
    };
    let other_hash = PackedInfo { file_hash: FileHash([7; 32]), ..published.info.clone() };
    assert!(update(&flat, &other_hash).contains("comes out with the hash"));
    // In the first member.
    flat[100..5000].fill(0);
    assert_eq!(update(&flat, &published.info), "the packed file cannot be made of what is in it");
}
