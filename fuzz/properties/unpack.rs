//! What holds for any bytes that are taken for the section of a packed file, and for any two files.
//! The fuzz targets and the test that replays their corpora both come here.

use std::fs;

use gosync_blocksources::{FileSource, SourceOptions};
use gosync_publish::BuildOptions;
use gosync_unpack::{PackedInfo, PackedTarget, Unpack, build_file};
use gosync_update::{FileOptions, Seeds, Update, verify};

/// What a section says is the same when it is written again.
pub(crate) fn section(data: &[u8]) {
    let Ok(info) = PackedInfo::read(data) else { return };
    assert_eq!(PackedInfo::read(&info.section().bytes), Ok(info));
}

/// Cuts `data` in two, as its first byte says: the first file becomes the second, if that can be
/// opened.
pub(crate) fn update(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let (old, new) = data.split_at(data.len() * usize::from(*cut) / 256);
    let directory = tempfile::tempdir().expect("there is room");
    let at = |name: &str| directory.path().join(name);
    let (path, payload) = (at("new"), at("new.gosync-payload"));
    fs::write(&path, new).expect("there is room");
    fs::write(at("old"), old).expect("there is room");
    let (options, sources) = (BuildOptions::default(), SourceOptions::default());
    let made = build_file(&path, &payload.clone().into(), Unpack::IfItCan, &options, &sources, &());
    let Some(made) = made.expect("it can be read") else { return };
    let (info, _) = PackedInfo::of(&made.index).expect("it was just made").expect("it is of a packed file");
    assert_eq!(info, made.info);
    let target = PackedTarget::new(&made.index, &info);
    let seeds = Seeds::open([at("old")], &target, &()).expect("there is room");
    let source = FileSource::open(&payload).expect("it was just written");
    let update = Update { target: &target, seeds: &seeds, source: &source, progress: &() };
    update.to_file(&at("old"), &FileOptions::default()).expect("all of it is there");
    assert_eq!(fs::read(at("old")).expect("it was just written"), new);
    assert!(verify(&target, &at("old"), &()).expect("it can be read").is_good());
}
