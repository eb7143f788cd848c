//! Packed files in directories.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gosync_blocksources::{Location, MemorySource, SourceOptions};
use gosync_chunks::{ErrorKind, Phase, Progress, TargetName};
use gosync_layers::format::{LayeredIndex, Section};
use gosync_packed::{Encoder, Options, open};
use gosync_publish::{Build, BuildOptions, PayloadOut};
use gosync_testkit::Random;
use gosync_testkit::packed::{gzip, zip};
use gosync_tree::{FileCounts, SECTION, TreeBuild, TreeBuildOptions, TreeInfo, TreeOptions, TreeSource, TreeUpdate};

use crate::hostile::{number, text};
use crate::trees::{Ground, described, write};

fn deflate(level: u8) -> impl Fn(&[u8]) -> Vec<u8> {
    move |plain| {
        let mut packed = Vec::new();
        Encoder::zlib(level).deflate(plain).read_to_end(&mut packed).unwrap();
        packed
    }
}

fn random(seed: u64, len: usize) -> Vec<u8> {
    Random::new(seed).bytes(len)
}

/// Words that compress to about a third, others for each seed.
fn words(seed: u64, len: usize) -> Vec<u8> {
    random(seed, len).iter().map(|byte| b"etaoin shrdlu.\n"[usize::from(byte % 15)]).collect()
}

/// A zip file of three members, of which `changed` begins the second.
fn archive(seed: u64, changed: &[u8]) -> Vec<u8> {
    let members = [1, 2, 3].map(|member| words(seed * 10 + member, 150_000));
    let second = [changed, &members[1]].concat();
    zip(&[("one", &members[0]), ("two", &second), ("three", &members[2])], deflate(6))
}

/// A tree with packed files of several kinds, one of which says `changed`.
fn tree(at: &Path, changed: &[u8]) {
    write(&at.join("lib/a.jar"), &archive(1, b""), 1);
    write(&at.join("lib/b.jar"), &archive(2, changed), 2);
    let inner = gzip(&archive(3, changed), deflate(9));
    write(&at.join("nested.gz"), &inner, 3);
    write(&at.join("plain.txt"), &words(4, 90_000), 4);
    write(&at.join("short.gz"), &gzip(b"too short to be opened", deflate(6)), 5);
}

#[test]
fn what_is_in_packed_files_is_compared_and_they_come_out_as_they_were() {
    let ground = Ground::new();
    tree(&ground.at("old"), b"");
    tree(&ground.at("new"), b"a new version");
    let published = ground.publish_unpacked("new");
    let packed = published.info.packed.as_ref().unwrap();
    assert_eq!(packed.files, 3);
    assert!(packed.opened_bytes > packed.bytes * 3 / 2, "{packed:?}");
    let expected = described(&ground.at("new"));

    let old = ground.at("old");
    let forecast = published.update(&[], TreeOptions::default(), &(), |update| update.compare(&old)).unwrap();
    assert_eq!((forecast.closed.files, forecast.closed.unknown_bytes), (2, 0));
    let report = published.patch(&old);
    assert_eq!(described(&old), expected);
    assert_eq!((report.closed.files, report.counts.changed), (2, 2));
    assert!(report.work.fetched < 20_000, "{:?}", report.work);
    assert!(report.matched_bytes > report.opened_bytes / 10 * 9, "{report:?}");

    let again = published.patch(&old);
    assert_eq!((again.work.fetched, again.work.transfer.bytes, again.closed.files), (0, 0, 0));
    assert!(published.update(&[], TreeOptions::default(), &(), |update| update.verify(&old)).unwrap().is_good());

    // Without an old version, beside one, and from files that are given.
    let fresh = ground.at("fresh");
    assert_eq!(published.patch(&fresh).closed.files, 3);
    assert_eq!(described(&fresh), expected);
    tree(&ground.at("seed"), b"");
    let seeds = ["seed/lib/b.jar", "seed/lib/a.jar", "seed/nested.gz"].map(|name| ground.at(name));
    let other = ground.at("other");
    let report = published.update(&seeds, TreeOptions::default(), &(), |update| update.to_directory(&other)).unwrap();
    assert_eq!(described(&other), expected);
    assert!(report.work.fetched < 150_000, "{:?}", report.work);
}

#[test]
fn what_only_moves_is_neither_opened_nor_fetched() {
    let ground = Ground::new();
    tree(&ground.at("old"), b"");
    tree(&ground.at("new"), b"");
    fs::rename(ground.at("new/lib/b.jar"), ground.at("new/lib/c.jar")).unwrap();
    let published = ground.publish_unpacked("new");
    let report = published.patch(&ground.at("old"));
    assert_eq!(described(&ground.at("old")), described(&ground.at("new")));
    assert_eq!((report.closed.files, report.counts.moved), (0, 1));
}

/// What is unpacked here is a seed for a packed file, and the other way round.
#[test]
fn packed_and_unpacked_are_seeds_for_each_other() {
    let ground = Ground::new();
    for (member, name) in [(11, "one"), (12, "two"), (13, "three")] {
        write(&ground.at("loose").join(name), &words(member, 150_000), 1);
    }
    write(&ground.at("packed/all.zip"), &archive(1, b""), 1);
    // A directory without packed files looks into none.
    let loose = ground.publish("loose", true);
    let packed = ground.publish_unpacked("packed");
    assert_eq!(packed.info.packed.as_ref().unwrap().files, 1);
    let report = packed.patch(&ground.at("loose"));
    assert!(report.work.fetched < 10_000, "{:?}", report.work);
    assert_eq!(described(&ground.at("loose")), described(&ground.at("packed")));
    let report = loose.patch(&ground.at("loose"));
    assert_eq!(report.closed.files, 0);
}

/// The recipes that were there last are a seed for those of the next version.
#[test]
fn recipes_that_did_not_change_are_not_fetched_again() {
    let ground = Ground::new();
    for name in ["old", "new"] {
        for jar in 0..30 {
            let file = gzip(&words(jar, 150_000), deflate(if jar % 2 == 0 { 9 } else { 6 }));
            write(&ground.at(name).join(format!("{jar}.gz")), &file, 1);
        }
    }
    write(&ground.at("new/7.gz"), &gzip(&words(99, 150_001), deflate(1)), 2);
    let published = ground.publish_unpacked("old");
    let tree = ground.at("tree");
    published.patch(&tree);
    let recipes = fs::read(tree.join(".gosync/recipes")).unwrap_or_default();
    assert!(recipes.is_empty(), "a new directory has none");
    published.patch(&tree);
    assert_eq!(described(&tree), described(&ground.at("old")));
    let length = published.info.packed.as_ref().unwrap().recipes_length;
    assert_eq!(fs::read(tree.join(".gosync/recipes")).unwrap().len() as u64, length);

    let next = ground.publish_unpacked("new");
    let report = next.patch(&tree);
    assert_eq!(described(&tree), described(&ground.at("new")));
    assert_eq!(report.closed.files, 1);
    assert!(report.work.fetched < 160_000, "{:?}", report.work);

    // A version without packed files leaves none.
    ground.publish("new", true).patch(&tree);
    assert!(!tree.join(".gosync/recipes").exists());
}

/// Stops when packed files begin to be closed.
#[derive(Default)]
struct StopClosing(AtomicBool);

impl Progress for StopClosing {
    fn advance(&self, phase: Phase, _: u64) {
        self.0.fetch_or(phase == Phase::Close, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_run_that_was_stopped_is_gone_on_with() {
    let ground = Ground::new();
    tree(&ground.at("old"), b"");
    tree(&ground.at("new"), &words(77, 100_000));
    let published = ground.publish_unpacked("new");
    let old = ground.at("old");
    let before = described(&old);
    let stop = StopClosing::default();
    let stopped = published.update(&[], TreeOptions::default(), &stop, |update| update.to_directory(&old));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(described(&old), before);
    let report = published.patch(&old);
    assert_eq!(described(&old), described(&ground.at("new")));
    assert!(report.work.kept > 100_000 && report.work.fetched == 0, "{:?}", report.work);
}

#[test]
fn nothing_is_opened_where_that_does_not_pay() {
    let ground = Ground::new();
    write(&ground.at("tree/noise.gz"), &gzip(&random(1, 200_000), deflate(6)), 1);
    write(&ground.at("tree/a.txt"), &words(1, 100_000), 1);
    let mut build = TreeBuild::scan(&ground.at("tree"), &TreeBuildOptions::default(), &()).unwrap();
    assert!(build.is_mostly_packed().unwrap());
    let opened = build.unpack(&()).unwrap();
    // What noise opens to is as long, and is worth it: one byte more in it moves all that follows.
    assert_eq!(opened, 1);
    fs::remove_file(ground.at("tree/noise.gz")).unwrap();
    let mut build = TreeBuild::scan(&ground.at("tree"), &TreeBuildOptions::default(), &()).unwrap();
    assert!(!build.is_mostly_packed().unwrap());
    assert_eq!((build.unpack(&()).unwrap(), build.info().packed.as_ref()), (0, None));
}

/// An index that is made by hand, as FORMAT.md says, of a directory with one packed file.
struct ByHand {
    index: LayeredIndex,
    info: TreeInfo,
    payload: MemorySource,
    ground: Ground,
}

impl ByHand {
    /// The recipe is as `edit` leaves it.
    fn new(edit: impl FnOnce(&mut Vec<u8>), has_payload: bool) -> Result<Self, gosync_update::Error> {
        let ground = Ground::new();
        let file = gzip(&words(5, 100_000), deflate(1));
        write(&ground.at("site/new/x.gz"), &file, 1);
        let listing = TreeBuild::scan(&ground.at("site/new"), &TreeBuildOptions::default(), &()).unwrap();
        let listing = listing.listing().to_vec();
        let opened = open(&file, &Options::default(), &()).unwrap();
        let mut flat = vec![0; opened.recipe().flat_len() as usize];
        gosync_chunks::ReadAt::read_exact_at(&opened, 0, &mut flat).unwrap();

        let mut recipe = opened.recipe().to_bytes();
        edit(&mut recipe);
        let mut recipes = Vec::new();
        number(&mut recipes, 0);
        number(&mut recipes, flat.len() as u64);
        recipes.extend(blake3::hash(&flat).as_bytes());
        text(&mut recipes, &recipe);
        let mut section = vec![2];
        number(&mut section, listing.len() as u64);
        section.extend(blake3::hash(&listing).as_bytes());
        [2, 1, file.len() as u64, 0].iter().for_each(|field| number(&mut section, *field));
        number(&mut section, recipes.len() as u64);
        section.extend(blake3::hash(&recipes).as_bytes());
        [1, file.len() as u64, flat.len() as u64].iter().for_each(|field| number(&mut section, *field));

        let mut target = [listing, recipes].concat();
        target.resize(target.len().next_multiple_of(512), 0);
        target.extend(flat);
        let sections = vec![Section { id: SECTION, bytes: section }];
        let options = &BuildOptions { block_sizes: vec![4096, 512], compress: has_payload.then_some(3) };
        let build = Build { target: &target, called: "it", name: None, sections, options, progress: &() };
        let mut payload = Vec::new();
        let name = TargetName::new("payload").unwrap();
        let index = build.index(has_payload.then_some(PayloadOut { name, out: &mut payload })).unwrap();
        let info = TreeInfo::of(&index)?.unwrap();
        Ok(Self { index, info, payload: MemorySource::new(payload), ground })
    }

    fn patch(&self, files: Option<&Location>) -> Result<gosync_tree::TreeReport, gosync_update::Error> {
        let (sources, location) = (SourceOptions::default(), Location::Path("it".into()));
        let source = TreeSource::Payload { source: &self.payload, location: &location, files, options: &sources };
        let options = TreeOptions::default();
        let update = TreeUpdate { index: &self.index, info: &self.info, source, seeds: &[], options, progress: &() };
        update.to_directory(&self.ground.at("out"))
    }
}

#[test]
fn bytes_are_as_specified() {
    let by_hand = ByHand::new(|_| (), true).unwrap();
    by_hand.patch(None).unwrap();
    assert_eq!(described(&by_hand.ground.at("out")), described(&by_hand.ground.at("site/new")));
}

#[test]
fn streams_of_unknown_encoders_are_fetched_as_they_were_published() {
    // Its fingerprint is another.
    let edit = |recipe: &mut Vec<u8>| {
        let encoder = recipe.windows(4).position(|bytes| bytes == [1, 1, 8, 0]).unwrap();
        recipe[encoder + 4] ^= 1;
    };
    let by_hand = ByHand::new(edit, true).unwrap();
    let error = by_hand.patch(None).unwrap_err();
    assert!(error.to_string().contains("1 streams of x.gz"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Other);
    let nowhere = Location::Path(by_hand.ground.at("nowhere"));
    assert_eq!(by_hand.patch(Some(&nowhere)).unwrap_err().kind(), ErrorKind::NotFound);
    let files = Location::Path(by_hand.ground.at("site/new"));
    let report = by_hand.patch(Some(&files)).unwrap();
    assert_eq!(described(&by_hand.ground.at("out")), described(&by_hand.ground.at("site/new")));
    assert!(report.closed.unknown_bytes > 10_000 && report.work.fetched == 0, "what was fetched first was kept");
    assert_eq!(report.counts, FileCounts { added: 1, ..FileCounts::default() });
}

#[test]
fn recipes_of_others_are_refused() {
    let shorter = |recipe: &mut Vec<u8>| recipe[1] ^= 1;
    let damaged = |recipe: &mut Vec<u8>| recipe.truncate(5);
    let other_level = |recipe: &mut Vec<u8>| {
        let encoder = recipe.windows(4).position(|bytes| bytes == [1, 1, 8, 0]).unwrap();
        let other = gzip(&words(5, 1000), deflate(6));
        let other = open(&other, &Options::default(), &()).unwrap().recipe().to_bytes();
        let from = other.windows(4).position(|bytes| bytes == [1, 6, 8, 0]).unwrap();
        recipe[encoder..encoder + 12].copy_from_slice(&other[from..from + 12]);
    };
    type Edit<'a> = &'a dyn Fn(&mut Vec<u8>);
    let edits: [Edit<'_>; 3] = [&shorter, &damaged, &other_level];
    for (number, edit) in edits.iter().enumerate() {
        let by_hand = ByHand::new(edit, true).unwrap();
        let error = by_hand.patch(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{number}: {error}");
        assert!(!by_hand.ground.at("out").exists());
    }
    let error = ByHand::new(|_| (), false).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
