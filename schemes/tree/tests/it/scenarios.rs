//! What happens to trees, from an old version to a new one.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{Phase, Progress};
use gosync_testkit::corpus;
use gosync_tree::{FileCounts, TreeOptions};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::trees::{Ground, date, described, write};

/// How a tree is changed into the next version.
type Edit = fn(&Path);

/// A tree with something of everything.
fn make(tree: &Path) {
    for (number, name) in ["a", "b", "dir/c", "dir/sub/d", "dir/sub/e", "other/f"].iter().enumerate() {
        write(&tree.join(name), &corpus::text(number as u64, 20_000 + 1000 * number), 1);
    }
    write(&tree.join("empty"), b"", 2);
    write(&tree.join("dir/large"), &corpus::random(9, 300_000), 3);
    fs::set_permissions(tree.join("b"), Permissions::from_mode(0o750)).unwrap();
    symlink("a", tree.join("link")).unwrap();
    symlink("../nowhere", tree.join("dir/dangling")).unwrap();
    fs::hard_link(tree.join("a"), tree.join("dir/a-too")).unwrap();
    for directory in ["dir/sub", "dir", "other", ""] {
        date(&tree.join(directory), 4);
    }
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut data = fs::read(path).unwrap();
    edit(&mut data);
    // Not into the same file: another name of it may be elsewhere.
    fs::remove_file(path).unwrap();
    write(path, &data, 50);
}

fn swap(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(aside, other).unwrap();
}

const SCENARIOS: &[(&str, Edit)] = &[
    ("nothing", |_| {}),
    ("becomes empty", |tree| {
        for entry in fs::read_dir(tree).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() || path.is_file() { fs::remove_file(path) } else { fs::remove_dir_all(path) }.unwrap();
        }
    }),
    ("change one", |tree| change(&tree.join("b"), |data| data[10_000] ^= 1)),
    ("one becomes short", |tree| change(&tree.join("dir/c"), |data| data.truncate(3))),
    ("one becomes empty", |tree| change(&tree.join("dir/c"), Vec::clear)),
    ("small change early", |tree| change(&tree.join("dir/large"), |data| data.splice(5..7, [1; 9]).for_each(drop))),
    ("change in the middle", |tree| change(&tree.join("dir/large"), |data| data[150_000..150_100].fill(7))),
    ("grows", |tree| change(&tree.join("dir/sub/d"), |data| data.extend(corpus::random(5, 40_000)))),
    ("add and remove", |tree| {
        fs::remove_file(tree.join("dir/sub/e")).unwrap();
        write(&tree.join("dir/sub/new"), &corpus::random(7, 5000), 60);
    }),
    ("rename one", |tree| fs::rename(tree.join("dir/large"), tree.join("dir/larger")).unwrap()),
    ("rename a directory", |tree| fs::rename(tree.join("dir"), tree.join("renamed")).unwrap()),
    ("delete a folder", |tree| fs::remove_dir_all(tree.join("dir/sub")).unwrap()),
    ("move four", |tree| {
        for name in ["a", "b", "dir/c", "dir/large"] {
            fs::rename(tree.join(name), tree.join("other").join(Path::new(name).file_name().unwrap())).unwrap();
        }
    }),
    ("move into a subdirectory", |tree| {
        fs::create_dir(tree.join("new")).unwrap();
        fs::rename(tree.join("dir"), tree.join("new/dir")).unwrap();
    }),
    ("duplicated twice", |tree| {
        for name in ["one", "other/two"] {
            fs::copy(tree.join("dir/large"), tree.join(name)).unwrap();
        }
    }),
    ("renamed and duplicated twice", |tree| {
        for name in ["one", "other/two"] {
            fs::copy(tree.join("dir/large"), tree.join(name)).unwrap();
        }
        fs::rename(tree.join("dir/large"), tree.join("three")).unwrap();
    }),
    ("four swapped", |tree| {
        swap(&tree.join("a"), &tree.join("b"));
        swap(&tree.join("dir/c"), &tree.join("dir/large"));
        swap(&tree.join("b"), &tree.join("dir/large"));
    }),
    ("directories swapped", |tree| swap(&tree.join("dir"), &tree.join("other"))),
    ("swap and duplicate", |tree| {
        fs::copy(tree.join("a"), tree.join("a2")).unwrap();
        swap(&tree.join("a"), &tree.join("dir/sub/d"));
    }),
    ("links added, changed, removed", |tree| {
        symlink("dir/sub", tree.join("added")).unwrap();
        fs::remove_file(tree.join("link")).unwrap();
        symlink("dir/c", tree.join("link")).unwrap();
        fs::remove_file(tree.join("dir/dangling")).unwrap();
    }),
    ("a link becomes a file", |tree| {
        fs::remove_file(tree.join("link")).unwrap();
        write(&tree.join("link"), b"a file", 5);
    }),
    ("a link becomes a directory", |tree| {
        fs::remove_file(tree.join("dir/dangling")).unwrap();
        write(&tree.join("dir/dangling/x"), b"in it", 5);
    }),
    ("a directory becomes a link", |tree| {
        fs::rename(tree.join("dir/sub"), tree.join("real")).unwrap();
        symlink("../real", tree.join("dir/sub")).unwrap();
    }),
    ("a file becomes a directory", |tree| {
        let data = fs::read(tree.join("b")).unwrap();
        fs::remove_file(tree.join("b")).unwrap();
        write(&tree.join("b/deep/b"), &data, 6);
    }),
    ("a directory becomes a file", |tree| {
        fs::rename(tree.join("dir/sub/d"), tree.join("d")).unwrap();
        fs::remove_dir_all(tree.join("dir")).unwrap();
        fs::rename(tree.join("d"), tree.join("dir")).unwrap();
    }),
    ("the case of names", |tree| {
        fs::rename(tree.join("a"), tree.join("A")).unwrap();
        fs::rename(tree.join("dir"), tree.join("Dir")).unwrap();
        change(&tree.join("Dir/c"), |data| data.push(1));
    }),
    ("names of all kinds", |tree| {
        for name in [&b"not\xff text"[..], b"a\nb", b" ", b"-", b"%2e?#", &[b'x'; 255]] {
            write(&tree.join("dir").join(OsStr::from_bytes(name)), name, 7);
        }
    }),
    ("hard links made", |tree| {
        fs::hard_link(tree.join("dir/large"), tree.join("large-too")).unwrap();
        fs::remove_file(tree.join("b")).unwrap();
        fs::hard_link(tree.join("dir/c"), tree.join("b")).unwrap();
    }),
    ("hard links broken", |tree| {
        let data = fs::read(tree.join("a")).unwrap();
        fs::remove_file(tree.join("dir/a-too")).unwrap();
        write(&tree.join("dir/a-too"), &data, 1);
    }),
    ("one name of two is changed", |tree| change(&tree.join("dir/a-too"), |data| data.push(3))),
    ("modes and times only", |tree| {
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(tree.join("dir/sub"), Permissions::from_mode(0o700)).unwrap();
        date(&tree.join("other/f"), 99);
        date(&tree.join("other"), 98);
    }),
    ("a read-only directory", |tree| {
        write(&tree.join("other/new"), b"new", 8);
        fs::set_permissions(tree.join("other"), Permissions::from_mode(0o555)).unwrap();
    }),
];

/// Copies a tree with all that belongs to it.
fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

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
