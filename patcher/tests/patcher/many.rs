//! Many staged files under one journal of the caller's, put in place in order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gosync_files::entry;
use gosync_patcher::{StageError, StagedFile};
use tempfile::TempDir;

use crate::case::{Case, names};
use crate::source::MemorySource;

/// A tree of three files, of which one is new, and the journal that a user of the library
/// keeps: a line for each file, from the temporary name to its own.
struct Tree {
    directory: TempDir,
    cases: BTreeMap<&'static str, Case>,
}

impl Tree {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("sub")).unwrap();
        fs::create_dir(directory.path().join("staging")).unwrap();
        fs::write(directory.path().join("first"), "old").unwrap();
        fs::write(directory.path().join("sub/second"), "old").unwrap();
        let cases = ["first", "sub/second", "sub/third"]
            .into_iter()
            .zip(1..)
            .map(|(name, seed)| (name, Case::random(seed, 50_000, 1000, [1, 1, 1])));
        Self { directory, cases: cases.collect() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn stage(&self) -> Vec<StagedFile> {
        let staged = self.cases.iter().enumerate().map(|(number, (name, case))| {
            let mut staged = StagedFile::create_at(&self.at(name), &self.at(&format!("staging/{number}"))).unwrap();
            let source = MemorySource::new(&case.target);
            case.with(&source, &(), |patch| patch.write_to_file(&mut staged)).unwrap();
            staged
        });
        staged.collect()
    }

    fn write_journal(&self) {
        let lines: Vec<String> = self.cases.keys().enumerate().map(|(at, name)| format!("{at} {name}\n")).collect();
        fs::write(self.at("journal"), lines.concat()).unwrap();
    }

    /// Does what the journal says, as far as it was not done.
    fn roll_forward(&self) {
        for line in fs::read_to_string(self.at("journal")).unwrap().lines() {
            let (number, name) = line.split_once(' ').unwrap();
            let staged = StagedFile::resume_at(&self.at(name), &self.at(&format!("staging/{number}"))).unwrap();
            if staged.is_resumed() {
                staged.complete().unwrap().put_in_place().unwrap();
            }
        }
        entry::sync_directory(&self.at("sub")).unwrap();
        fs::remove_file(self.at("journal")).unwrap();
    }

    fn check(&self) {
        for (name, case) in &self.cases {
            assert!(fs::read(self.at(name)).unwrap() == case.target, "{name}");
        }
        assert_eq!(names(self.directory.path()), ["first", "staging", "sub"]);
        assert_eq!(names(&self.at("sub")), ["second", "third"]);
        assert!(names(&self.at("staging")).is_empty());
    }
}

#[test]
fn all_in_order() {
    let tree = Tree::new();
    let complete: Vec<_> = tree.stage().into_iter().map(|staged| staged.complete().unwrap()).collect();
    assert_eq!(names(&tree.at("staging")), ["0", "1", "2"]);
    assert_eq!(fs::read(tree.at("first")).unwrap(), b"old", "nothing is in place yet");
    let targets: Vec<&Path> = complete.iter().map(|complete| complete.target()).collect();
    assert_eq!(targets, [tree.at("first"), tree.at("sub/second"), tree.at("sub/third")]);
    complete.into_iter().for_each(|complete| _ = complete.put_in_place().unwrap());
    tree.check();
}

#[test]
fn what_was_cut_off_between_two_is_rolled_forward() {
    for done in 0..=3 {
        let tree = Tree::new();
        let complete = tree.stage().into_iter().map(|staged| staged.complete().unwrap());
        let mut complete: Vec<_> = complete.collect();
        tree.write_journal();
        complete.drain(..done).for_each(|complete| _ = complete.put_in_place().unwrap());
        // As a kill leaves them.
        complete.into_iter().for_each(|complete| complete.keep());
        assert_eq!(names(&tree.at("staging")).len(), 3 - done);
        tree.roll_forward();
        tree.check();
    }
}

#[test]
fn what_fails_before_the_first_leaves_all_as_it_was() {
    let tree = Tree::new();
    let mut staged = tree.stage();
    let case = &tree.cases["sub/second"];
    let wrong = MemorySource::new(&vec![0; case.target.len()]);
    case.with(&wrong, &(), |patch| patch.write_to_file(&mut staged[1])).unwrap_err();
    let completed: Result<Vec<_>, _> = staged.into_iter().map(StagedFile::complete).collect();
    assert!(matches!(completed, Err(StageError::Unfinished { .. })));
    assert_eq!(fs::read(tree.at("first")).unwrap(), b"old");
    assert_eq!(names(&tree.at("sub")), ["second"]);
    assert!(names(&tree.at("staging")).is_empty());
}

#[test]
fn another_has_it() {
    let tree = Tree::new();
    let _staged = tree.stage();
    for stage in [StagedFile::create_at, StagedFile::resume_at] {
        let error = stage(&tree.at("first"), &tree.at("staging/0")).map(|_| ()).unwrap_err();
        assert!(matches!(error, StageError::Busy { .. }), "{error:?}");
    }
}
