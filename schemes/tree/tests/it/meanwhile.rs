//! What others do to a directory, and what stops an update.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gosync_chunks::{ErrorKind, Phase, Progress};
use gosync_testkit::corpus;
use gosync_tree::TreeOptions;

use crate::trees::{Ground, described, write};

/// Does something as soon as a phase begins, once.
struct When<F> {
    phase: Phase,
    is_done: AtomicBool,
    act: F,
}

impl<F: Fn() + Sync> Progress for When<F> {
    fn begin(&self, phase: Phase, _: u64) {
        if phase == self.phase && !self.is_done.swap(true, Ordering::Relaxed) {
            (self.act)();
        }
    }
}

fn when<F: Fn() + Sync>(phase: Phase, act: F) -> When<F> {
    When { phase, is_done: AtomicBool::new(false), act }
}

const DELETE: TreeOptions = TreeOptions { delete: true, checksum: false, owner: false, xattrs: false, link: false };

fn versions(ground: &Ground) -> PathBuf {
    for (name, seed) in [("tree", 1), ("new", 2)] {
        for path in ["a", "b", "d/c"] {
            write(&ground.at(name).join(path), &corpus::random(seed + path.len() as u64, 10_000), seed);
        }
    }
    write(&ground.at("tree/gone"), b"it goes", 3);
    ground.at("tree")
}

#[test]
fn what_somebody_changes_meanwhile_is_kept_and_told() {
    let ground = Ground::new();
    let tree = versions(&ground);
    write(&ground.at("new/e"), b"it comes", 3);
    let published = ground.publish("new", true);
    let act = || {
        fs::write(tree.join("a"), b"mine").unwrap();
        fs::remove_file(tree.join("gone")).unwrap();
        fs::write(tree.join("gone"), b"mine too").unwrap();
        fs::write(tree.join("e"), b"and mine").unwrap();
    };
    let report = published.update(&[], DELETE, &when(Phase::Copy, act), |update| update.to_directory(&tree)).unwrap();
    let mut kept: Vec<_> = report.kept.iter().map(|kept| String::from_utf8_lossy(&kept.path).into_owned()).collect();
    kept.sort();
    assert_eq!(kept, ["a", "e", "gone"]);
    for (name, data) in [("a", "mine"), ("gone", "mine too"), ("e", "and mine")] {
        assert_eq!(fs::read_to_string(tree.join(name)).unwrap(), data);
    }
    assert_eq!(fs::read(tree.join("d/c")).unwrap(), fs::read(ground.at("new/d/c")).unwrap());
    // The next run is told of them as it sees them.
    assert!(published.patch(&tree).kept.is_empty());
    assert_eq!(described(&tree), described(&ground.at("new")));
}

#[test]
fn a_directory_that_becomes_a_link_leads_nowhere() {
    let ground = Ground::new();
    let tree = versions(&ground);
    let elsewhere = ground.at("elsewhere");
    write(&elsewhere.join("c"), b"not to be touched", 1);
    write(&elsewhere.join("more"), b"nor this", 1);
    let before = described(&elsewhere);
    let published = ground.publish("new", true);
    let act = || {
        fs::rename(tree.join("d"), ground.at("aside")).unwrap();
        symlink(&elsewhere, tree.join("d")).unwrap();
    };
    let report = published.update(&[], DELETE, &when(Phase::Copy, act), |update| update.to_directory(&tree)).unwrap();
    assert!(report.kept.iter().any(|kept| kept.path == b"d/c"), "{:?}", report.kept);
    assert_eq!(described(&elsewhere), before);

    // Before it begins, a link is what the tree has, and is replaced.
    published.patch(&tree);
    assert_eq!((described(&elsewhere), described(&tree)), (before, described(&ground.at("new"))));
}

#[test]
fn the_folder_that_is_worked_in_is_no_link() {
    let ground = Ground::new();
    let tree = versions(&ground);
    fs::create_dir(ground.at("elsewhere")).unwrap();
    symlink(ground.at("elsewhere"), tree.join(".gosync")).unwrap();
    let published = ground.publish("new", true);
    let made = published.update(&[], DELETE, &(), |update| update.to_directory(&tree));
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Output);
    assert_eq!(fs::read_dir(ground.at("elsewhere")).unwrap().count(), 0);
}

#[test]
fn without_the_wish_nothing_is_removed() {
    let ground = Ground::new();
    let tree = versions(&ground);
    write(&tree.join("mine/x"), b"mine", 3);
    let published = ground.publish("new", true);
    let update = |options| published.update(&[], options, &(), |update| update.to_directory(&tree));
    let report = update(TreeOptions::default()).unwrap();
    assert_eq!((report.counts.removed, report.counts.changed), (0, 3));
    assert!(tree.join("gone").exists() && tree.join("mine/x").exists());

    fs::remove_file(tree.join("a")).unwrap();
    write(&tree.join("a/deep"), b"mine", 3);
    let refused = update(TreeOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("is a directory here"), "{refused}");
    assert!(tree.join("a/deep").exists());
    assert_eq!(update(DELETE).unwrap().counts.removed, 3);
    assert_eq!(described(&tree), described(&ground.at("new")));
}

#[test]
fn two_at_once_are_refused() {
    let ground = Ground::new();
    let tree = versions(&ground);
    let published = ground.publish("new", true);
    let refused = std::sync::Mutex::new(None);
    let act = || {
        let second = published.update(&[], DELETE, &(), |update| update.to_directory(&tree));
        *refused.lock().unwrap() = Some(second.unwrap_err().to_string());
    };
    published.update(&[], DELETE, &when(Phase::Copy, act), |update| update.to_directory(&tree)).unwrap();
    let refused = refused.into_inner().unwrap().unwrap();
    assert!(refused.contains("another process is updating"), "{refused}");
    assert_eq!(described(&tree), described(&ground.at("new")));
}

/// Wishes to stop at the n-th time that it is asked.
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn is_cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn what_is_stopped_anywhere_has_changed_nothing_and_goes_on() {
    let ground = Ground::new();
    let tree = versions(&ground);
    let before = described(&tree);
    let published = ground.publish("new", true);
    let mut stopped = 0;
    for patience in (0..).step_by(3) {
        let made = published.update(&[], DELETE, &Impatient(patience.into()), |update| update.to_directory(&tree));
        match made {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
        }
        let now = described(&tree);
        // The root itself has a new folder in it.
        assert_eq!(now[1..], before[1..], "{patience}");
        stopped += 1;
    }
    assert!(stopped > 3, "{stopped}");
    assert_eq!(described(&tree), described(&ground.at("new")));
}
