//! What happens to trees, from an old version to a new one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{Phase, Progress};
use gosync_testkit::trees::copy;
use gosync_testkit::trees::scenarios::{SCENARIOS, make};
use gosync_tree::{FileCounts, TreeOptions};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::trees::{Ground, described};

#[test]
fn every_scenario_in_place_and_to_a_new_directory_and_back() {
    SCENARIOS.par_iter().enumerate().for_each(|(number, (name, edit))| {
        let is_compressed = number % 2 == 0;
        let ground = Ground::new();
        let (old, new) = (ground.at("old"), ground.at("new"));
        make(&old);
        copy(&old, &new);
        edit(&new);
        let what = format!("{name}, compressed: {is_compressed}");
        let expected = described(&new);
        let published = ground.publish("new", is_compressed);

        let fresh = ground.at("fresh");
        let options = gosync_tree::TreeOptions::default();
        let seeds = [old.clone()];
        published.update(&seeds, options, &(), |update| update.to_directory(&fresh)).expect(&what);
        assert_eq!(described(&fresh), expected, "{what}, to a new one");
        assert!(!fresh.join(".gosync").exists(), "{what}");

        let tree = ground.at("tree");
        copy(&old, &tree);
        let report = published.patch(&tree);
        assert_eq!(described(&tree), expected, "{what}");
        assert!(report.kept.is_empty(), "{what}: {:?}", report.kept);
        let again = published.patch(&tree);
        assert_eq!((again.work.fetched, again.work.transfer.bytes), (0, 0), "{what}");
        assert_eq!(again.counts, FileCounts { unchanged: again.counts.unchanged, ..FileCounts::default() }, "{what}");
        assert!(published.update(&[], options, &(), |update| update.verify(&tree)).unwrap().is_good(), "{what}");

        let before = described(&old);
        let back = ground.publish("old", is_compressed);
        back.patch(&tree);
        assert_eq!(described(&tree), before, "{what}, back");
        let _ = fs::set_permissions(new.join("other"), Permissions::from_mode(0o755));
    });
}

/// Bytes that were searched for blocks.
#[derive(Debug, Default)]
struct Searched(AtomicU64);

impl Progress for Searched {
    fn begin(&self, phase: Phase, bytes: u64) {
        if phase == Phase::Compare {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

#[test]
fn what_moved_is_renamed_and_not_copied() {
    for (name, edit) in SCENARIOS.iter().filter(|(name, _)| ["rename a directory", "four swapped"].contains(name)) {
        let ground = Ground::new();
        let (old, new) = (ground.at("old"), ground.at("new"));
        make(&old);
        copy(&old, &new);
        edit(&new);
        let inodes = |tree: &Path| {
            let at = |path: &str| fs::metadata(tree.join(path)).ok().map(|found| found.ino());
            [at("dir/large"), at("renamed/large"), at("dir/c"), at("a"), at("b")]
        };
        let before = inodes(&old);
        ground.publish("new", true).patch(&old);
        let after = inodes(&old);
        assert_eq!(described(&old), described(&new));
        match *name {
            "rename a directory" => assert_eq!((before[0], after[0]), (after[1], None), "{name}"),
            // What has another name stays where that is.
            _ => assert_eq!([after[2], after[3], after[4]], [before[0], before[4], before[2]], "{name}"),
        }
    }
}

#[test]
fn what_moved_or_was_copied_costs_no_payload() {
    let free = [
        "nothing",
        "rename one",
        "rename a directory",
        "move four",
        "move into a subdirectory",
        "duplicated twice",
        "renamed and duplicated twice",
        "four swapped",
        "directories swapped",
        "swap and duplicate",
        "a directory becomes a link",
        "a directory becomes a file",
        "hard links made",
        "hard links broken",
        "modes and times only",
        "becomes empty",
    ];
    SCENARIOS.par_iter().filter(|(name, _)| free.contains(name)).for_each(|(name, edit)| {
        let ground = Ground::new();
        let (old, new) = (ground.at("old"), ground.at("new"));
        make(&old);
        copy(&old, &new);
        edit(&new);
        let published = ground.publish("new", false);
        // Were any file asked for, it could not be had.
        fs::remove_dir_all(&new).unwrap();
        fs::create_dir(&new).unwrap();
        // Nor are blocks of it looked for: only those of the listing are.
        let searched = Searched::default();
        let options = TreeOptions { delete: true, ..TreeOptions::default() };
        let report = published.update(&[], options, &searched, |update| update.to_directory(&old)).unwrap();
        assert_eq!(report.matched_bytes, report.output_bytes, "{name}");
        assert!(searched.0.load(Ordering::Relaxed) < 20_000, "{name}: {searched:?}");
    });
}
