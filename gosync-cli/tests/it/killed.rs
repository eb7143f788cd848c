//! Updates of directories that are killed, and the run after.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gosync_testkit::Random;
use gosync_testkit::trees::scenarios::{Edit, SCENARIOS, make};
use gosync_testkit::trees::{copy, described, write};

use crate::support::{Run, Scratch, names};

/// What an update leaves for the next one, in a folder of its own.
const LEFT: [&str; 3] = ["listing", "lock", "section"];

/// A file of the user's, which the publisher left out.
const MINE: &str = "mine.local";

/// Two versions of a tree, published both with a payload and as it is.
struct Versions {
    scratch: Scratch,
    /// What the old one is to become.
    expected: Vec<String>,
}

impl Versions {
    fn of(edit: Edit, is_compressed: bool) -> Self {
        let scratch = Scratch::in_memory();
        let (old, new) = (scratch.path("old"), scratch.path("new"));
        make(&old);
        copy(&old, &new);
        edit(&new);
        write(&old.join(MINE), b"mine", 7);
        // As time goes by: what a run was told of stays as it was.
        gosync_testkit::trees::date(&old, 4);
        let form = if is_compressed { "--compress" } else { "--no-compress" };
        assert_eq!(scratch.run(&["build", "new", form, "--exclude", "*.local"]).code, 0);
        Self { expected: described(&new), scratch }
    }

    fn start(&self, tree: &str) -> Child {
        let mut command = self.scratch.command(&["patch", tree, "new.gosync", "--delete", "--quiet"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Kills an update `after` it was started, runs it again, and tells whether it was killed.
    fn kill(&self, what: &str, after: Duration) -> bool {
        let tree = self.scratch.path("tree");
        copy(&self.scratch.path("old"), &tree);
        let mut child = self.start("tree");
        thread::sleep(after);
        child.kill().unwrap();
        let was_killed = !child.wait().unwrap().success();
        assert_eq!(fs::read(tree.join(MINE)).unwrap(), b"mine", "{what}, killed after {after:?}");
        let run = self.scratch.run(&["patch", "tree", "new.gosync", "--delete"]);
        assert_eq!(run.code, 0, "{what}, killed after {after:?}: {}", run.stderr);
        self.assert_updated(&tree, &format!("{what}, killed after {after:?}"));
        assert_eq!(names(&tree.join(".gosync")), LEFT, "{what}, killed after {after:?}");
        assert!(self.scratch.names().iter().all(|name| !name.contains("part")), "{:?}", self.scratch.names());
        let mut remove = Command::new("rm");
        remove.arg("-rf").arg(&tree);
        assert_eq!(Run::of(remove).code, 0);
        was_killed
    }

    fn assert_updated(&self, tree: &Path, what: &str) {
        let mut found = described(tree);
        found.retain(|line| !line.contains(MINE));
        assert_eq!(found, self.expected, "{what}");
    }
}

/// At moments that are different each time.
#[test]
fn every_scenario_is_gone_on_with_after_twenty_kills() {
    const TIMES: usize = 20;
    let cores = thread::available_parallelism().map_or(2, usize::from).min(SCENARIOS.len());
    let killed: usize = thread::scope(|scope| {
        let some = |core: usize| {
            let mine = SCENARIOS.iter().enumerate().skip(core).step_by(cores);
            mine.map(|(number, (what, edit))| {
                let versions = Versions::of(*edit, number % 2 == 0);
                copy(&versions.scratch.path("old"), &versions.scratch.path("timed"));
                let start = Instant::now();
                assert!(versions.start("timed").wait().unwrap().success(), "{what}");
                let whole = start.elapsed().as_micros() as usize;
                let mut random = Random::new(number as u64);
                let moments = (0..TIMES).map(|_| Duration::from_micros(random.below(whole) as u64));
                moments.filter(|after| versions.kill(what, *after)).count()
            })
            .sum::<usize>()
        };
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || some(core))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(killed * 2 > TIMES * SCENARIOS.len(), "only {killed} were killed in time");
}

/// Whether something is to be done or not.
#[test]
fn what_a_killed_run_had_made_goes_with_the_next() {
    let scratch = Scratch::in_memory();
    for (tree, seed) in [("tree", 1), ("new", 2)] {
        write(&scratch.path(tree).join("a"), &gosync_testkit::corpus::random(seed, 50_000), seed);
    }
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    for _ in ["changed", "as it was"] {
        write(&scratch.path("tree/.gosync/new/0"), b"half of a file", 1);
        write(&scratch.path("tree/.gosync/journal.part"), b"half of a journal", 1);
        assert_eq!(scratch.run(&["patch", "tree", "new.gosync"]).code, 0);
        assert_eq!(described(&scratch.path("tree")), described(&scratch.path("new")));
        assert_eq!(names(&scratch.path("tree/.gosync")), LEFT);
    }
}

#[test]
fn a_full_disk_changes_nothing_and_is_gone_on_with() {
    let scratch = Scratch::in_memory();
    for (tree, seed) in [("tree", 1), ("new", 2)] {
        write(&scratch.path(tree).join("a"), &gosync_testkit::corpus::random(seed, 200_000), seed);
        write(&scratch.path(tree).join("d/b"), &gosync_testkit::corpus::random(seed + 2, 50_000), seed);
    }
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    let before = described(&scratch.path("tree"));
    // What is fetched, and then what is made of it, exceeds so many KiB.
    for limit in [100, 230] {
        let line = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" patch tree new.gosync");
        let mut shell = Command::new("bash");
        shell.args(["-c", &line]).arg(assert_cmd::cargo::cargo_bin!("gosync")).current_dir(scratch.path(""));
        let run = Run::of(shell);
        if run.code == 0 {
            continue;
        }
        run.assert_failed(1, "cannot write");
        assert_eq!(described(&scratch.path("tree"))[1..], before[1..]);
        assert!(!scratch.path("tree/.gosync/new").exists() && !scratch.path("tree/.gosync/journal").exists());
    }
    assert_eq!(scratch.run(&["patch", "tree", "new.gosync"]).code, 0);
    assert_eq!(described(&scratch.path("tree")), described(&scratch.path("new")));
    assert_eq!(names(&scratch.path("tree/.gosync")), LEFT);
}

#[test]
fn who_reads_a_file_reads_on_in_the_old_one() {
    use std::io::Read;
    let scratch = Scratch::in_memory();
    for (tree, seed) in [("tree", 1), ("new", 2)] {
        write(&scratch.path(tree).join("a"), &gosync_testkit::corpus::random(seed, 50_000), seed);
    }
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    let before = scratch.read("tree/a");
    let mut held = scratch.open("tree/a");
    let mut read = vec![0; 10_000];
    held.read_exact(&mut read).unwrap();
    assert_eq!(scratch.run(&["patch", "tree", "new.gosync"]).code, 0);
    held.read_to_end(&mut read).unwrap();
    assert!(read == before && scratch.read("tree/a") == scratch.read("new/a"));
}

/// As another user than root, whom no mode holds back.
#[test]
fn what_is_in_a_read_only_directory_is_updated_and_stays_so() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let scratch = Scratch::in_memory();
    let mode = |path: &str, mode| fs::set_permissions(scratch.path(path), fs::Permissions::from_mode(mode)).unwrap();
    for (tree, seed) in [("tree", 1), ("new", 2)] {
        for path in ["d/a", "d/e/b"] {
            write(&scratch.path(tree).join(path), &gosync_testkit::corpus::random(seed, 5000), seed);
        }
        write(&scratch.path(tree).join("d/e").join(tree), b"only here", seed);
        mode(&format!("{tree}/d/a"), 0o444);
        mode(&format!("{tree}/d/e"), 0o555);
        mode(&format!("{tree}/d"), 0o555);
    }
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    let mut give = Command::new("chown");
    give.args(["-R", &NOBODY.to_string()]).arg(scratch.path("tree"));
    let mut command = scratch.command(&["patch", "tree", "new.gosync", "--delete"]);
    if Run::of(give).code == 0 {
        mode("", 0o755);
        command.uid(NOBODY);
    }
    let run = Run::of(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(described(&scratch.path("tree")), described(&scratch.path("new")));
    // Who is not root could not remove them.
    ["tree/d", "tree/d/e", "new/d", "new/d/e"].iter().for_each(|path| mode(path, 0o755));
}
