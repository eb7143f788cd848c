//! Pulling and pushing, through the real sshd.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use gosync_testkit::corpus;
use gosync_testkit::sshd::Sshd;
use serde_json::Value;

use crate::support::{Run, Scratch};

/// A far side, with this very command at it.
struct Far {
    sshd: Sshd,
    keys: tempfile::TempDir,
}

fn gosync() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("gosync").into()
}

impl Far {
    fn start() -> Option<Self> {
        let keys = tempfile::tempdir().unwrap();
        let sshd = Sshd::start(keys.path())?;
        Some(Self { sshd, keys })
    }

    /// Runs `gosync pull` of `path` there, with more arguments.
    fn pull(&self, scratch: &Scratch, path: &str, more: &[&str]) -> Run {
        self.run(scratch, "pull", &[], path, more)
    }

    /// Runs a command with arguments before and after `path` there.
    fn run(&self, scratch: &Scratch, command: &str, before: &[&str], path: &str, more: &[&str]) -> Run {
        let ssh: Vec<String> = self.sshd.arguments().iter().map(|word| word.to_str().unwrap().to_owned()).collect();
        let ssh = format!("ssh {} -p {}", ssh.join(" "), self.sshd.address().port());
        let far = format!("{}@127.0.0.1:{path}", self.sshd.user());
        let gosync = gosync();
        let fixed = [&far, "-e", &ssh, "--remote-gosync", gosync.to_str().unwrap()];
        scratch.run(&[&[command], before, &fixed[..], more].concat())
    }

    /// The same, which must succeed: what was told of the connection and at last.
    fn pulled(&self, scratch: &Scratch, path: &str, more: &[&str]) -> [Value; 2] {
        let run = self.pull(scratch, path, &[more, &["--json"]].concat());
        assert_eq!(run.code, 0, "{more:?}: {}", run.stderr);
        let events = String::from_utf8(run.stdout).unwrap();
        let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |name: &str| events.iter().rev().find(|event| event["event"] == name).unwrap().clone();
        [of("connection"), of("done")]
    }

    /// Lets the key do only `command`, as the documentation says.
    fn force(&self, command: &str) {
        let key = fs::read_to_string(self.keys.path().join("key.pub")).unwrap();
        let line = format!("restrict,command=\"{command}\" {key}");
        fs::write(self.keys.path().join("authorized_keys"), line).unwrap();
    }
}

/// What is in `there` of `scratch`, as a path for the far side.
fn there(scratch: &Scratch, name: &str) -> String {
    scratch.path("there").join(name).to_str().unwrap().trim_end_matches('/').to_owned()
}

#[test]
fn a_file() {
    let Some(far) = Far::start() else { return };
    let scratch = Scratch::new();
    let new = corpus::random(1, 2_000_000);
    let mut old = new.clone();
    old.splice(700_000..700_000, *b"something more");
    scratch.write("there/app.img", &new);
    scratch.write("app.img", &old);
    let path = there(&scratch, "app.img");

    let run = far.pull(&scratch, &path, &["app.img", "-n"]);
    assert!(run.code == 0 && run.stderr.contains("would fetch"), "{}", run.stderr);
    assert!(scratch.read("app.img") == old);
    let [connection, done] = far.pulled(&scratch, &path, &["app.img"]);
    assert!(scratch.read("app.img") == new);
    assert_eq!((&done["changed"], &done["output_bytes"]), (&true.into(), &2_000_000.into()));
    assert!(connection["received_bytes"].as_u64().unwrap() < 10_000, "{connection}");
    assert_eq!(connection["round_trips"], 3);

    let [connection, done] = far.pulled(&scratch, &path, &["app.img"]);
    assert_eq!((&done["changed"], &connection["round_trips"]), (&false.into(), &1.into()));
    assert!(connection["received_bytes"].as_u64().unwrap() < 50, "{connection}");
    let run = far.pull(&scratch, &path, &["app.img"]);
    assert!(run.stderr.contains("app.img: up to date already"), "{}", run.stderr);
    // The same content of another time, which is then the same.
    scratch.write("app.img", &new);
    let is_long = [(); 2].map(|()| far.pulled(&scratch, &path, &["app.img"])[0]["received_bytes"].as_u64() > Some(50));
    assert_eq!(is_long, [true, false]);

    // Into a directory, under its name.
    fs::create_dir(scratch.path("into")).unwrap();
    far.pulled(&scratch, &path, &["into"]);
    assert!(scratch.read("into/app.img") == new);
    assert_eq!(far.pulled(&scratch, &path, &["into"])[0]["round_trips"], 1);
    assert_eq!(scratch.names(), ["app.img", "into", "there"], "no litter");
}

#[test]
fn a_directory() {
    let Some(far) = Far::start() else { return };
    let scratch = Scratch::new();
    let large = corpus::random(2, 500_000);
    for (name, bytes) in [("a.txt", &b"first"[..]), ("b/large", &large), ("b/c/same", b"same"), ("x.log", b"log")] {
        scratch.write(&format!("there/{name}"), bytes);
    }
    scratch.write("site/stale", b"not there any more");
    let path = there(&scratch, "");
    let run = far.pull(&scratch, &path, &["site", "--delete", "--exclude", "*.log", "-n"]);
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(told.contains("a.txt") && told.contains("stale") && !told.contains("x.log"), "{told}{}", run.stderr);
    assert!(scratch.path("site/stale").exists());
    let [_, done] = far.pulled(&scratch, &path, &["site", "--delete", "--exclude", "*.log"]);
    assert_eq!((&done["files_added"], &done["files_removed"]), (&3.into(), &1.into()));
    assert!(scratch.read("site/b/large") == large && scratch.read("site/b/c/same") == b"same");
    assert!(!scratch.path("site/x.log").exists() && !scratch.path("site/stale").exists());

    let [connection, done] = far.pulled(&scratch, &path, &["site", "--delete", "--exclude", "*.log"]);
    assert_eq!((&done["changed"], &connection["round_trips"]), (&false.into(), &1.into()));
    let bytes = |name: &str| connection[name].as_u64().unwrap();
    assert!(bytes("received_bytes") + bytes("sent_bytes") < 300, "{connection}");
    far.pull(&scratch, &path, &["x.txt", "--checksum"]).assert_success();
    far.pull(&scratch, &there(&scratch, "a.txt"), &["a.txt", "--delete"])
        .assert_failed(2, "--delete is for directories");
    scratch.write("file", b"file");
    far.pull(&scratch, &path, &["file"]).assert_failed(2, "file is no directory");
}

#[test]
fn a_key_that_may_only_pull_from_one_directory() {
    let Some(far) = Far::start() else { return };
    let scratch = Scratch::new();
    scratch.write("root/dir/file", b"inside");
    scratch.write("outside", b"outside");
    let root = scratch.path("root");
    far.force(&format!("{} server --stdio --root {} --read-only", gosync().display(), root.display()));
    for path in ["dir/file", "/dir/file"] {
        far.pulled(&scratch, path, &["here"]);
        assert_eq!(scratch.read("here"), b"inside");
        fs::remove_file(scratch.path("here")).unwrap();
    }
    let outside = scratch.path("outside");
    for path in ["../outside", outside.to_str().unwrap(), "dir/../../outside", "none"] {
        let run = far.pull(&scratch, path, &["here"]);
        assert!(run.code == 4 && !scratch.path("here").exists(), "{path}: {}", run.stderr);
        assert!(!run.stderr.contains(root.to_str().unwrap()), "{path}: {}", run.stderr);
    }
    // Whatever else is asked for, the key does nothing else.
    let command = scratch.path("made");
    let run = far.pull(&scratch, "dir/file", &["here", "--remote-gosync", &format!("touch {};", command.display())]);
    assert!(run.code == 2 || !command.exists(), "{}", run.stderr);
}

#[test]
fn pushing() {
    let Some(far) = Far::start() else { return };
    let scratch = Scratch::new();
    let new = corpus::random(5, 1_000_000);
    let mut old = new.clone();
    old[500_000] ^= 1;
    scratch.write("app.img", &new);
    scratch.write("there/app.img", &old);
    // Both may be written in one tick of the clock, and are then taken for the same.
    let before = SystemTime::now() - Duration::from_secs(60);
    fs::File::options().write(true).open(scratch.path("there/app.img")).unwrap().set_modified(before).unwrap();
    scratch.write("site/a/b", b"first");
    scratch.write("site/c", b"second");
    let (there_, file) = (there(&scratch, ""), there(&scratch, "app.img"));
    let dry = far.run(&scratch, "push", &["app.img"], &file, &["-n"]);
    assert!(dry.stderr.contains("would send 256 B"), "{}", dry.stderr);
    assert!(scratch.read("there/app.img") == old);
    let run = far.run(&scratch, "push", &["app.img"], &format!("{there_}/"), &["-v"]);
    assert!(run.code == 0 && run.stderr.contains("matched"), "{}", run.stderr);
    assert!(scratch.read("there/app.img") == new);
    let again = far.run(&scratch, "push", &["app.img"], &file, &[]);
    assert!(again.stderr.contains("up to date already"), "{}", again.stderr);
    let site = there(&scratch, "site");
    far.run(&scratch, "push", &["site"], &site, &["--delete"]).assert_success();
    assert_eq!((scratch.read("there/site/a/b"), scratch.read("there/site/c")), (b"first".to_vec(), b"second".to_vec()));
    let again = far.run(&scratch, "push", &["site"], &site, &["--delete", "-v"]);
    assert!(again.stderr.contains("in 1 round trip"), "{}", again.stderr);
    far.run(&scratch, "push", &["site"], &file, &[]).assert_failed(4, "a file is there");
    far.run(&scratch, "push", &["none"], &file, &[]).assert_failed(1, "cannot read none");

    // A key that may only push beneath a directory, and one that may not.
    fs::create_dir(scratch.path("root")).unwrap();
    let root = scratch.path("root");
    for (option, is_done) in [("--read-only", false), ("--write-only", true)] {
        far.force(&format!("{} server --stdio --root {} {option}", gosync().display(), root.display()));
        let run = far.run(&scratch, "push", &["site"], "/new", &[]);
        assert_eq!((run.code == 0, root.join("new/a/b").exists()), (is_done, is_done), "{}", run.stderr);
    }
    far.pull(&scratch, "new/c", &["pulled"]).assert_failed(4, "nothing can be pulled from this place");
    let run = far.run(&scratch, "push", &["app.img"], "../there/evil", &[]);
    assert!(run.code == 4 && !scratch.path("there/evil").exists(), "{}", run.stderr);
}

#[test]
fn far_sides_that_are_none() {
    let Some(far) = Far::start() else { return };
    let scratch = Scratch::new();
    scratch.write("there/x", b"x");
    let path = there(&scratch, "x");
    far.force("exec /nowhere/gosync server --stdio");
    let run = far.pull(&scratch, &path, &["x"]);
    run.assert_failed(4, "there is no gosync at the far side, which ended with exit code 127");
    assert!(run.stderr.contains("hint: install gosync there"), "{}", run.stderr);
    far.force("echo Welcome to this machine; cat");
    far.pull(&scratch, &path, &["x"]).assert_failed(4, "what answers there is not gosync");
    far.force("head -c 5000000 /dev/zero >&2; exit 3");
    far.pull(&scratch, &path, &["x"]).assert_failed(4, "127.0.0.1");
    far.force("sleep 100");
    let run = far.pull(&scratch, &path, &["x", "--read-timeout", "1s"]);
    run.assert_failed(4, "cannot reach");
    fs::write(far.keys.path().join("authorized_keys"), "").unwrap();
    far.pull(&scratch, &path, &["x"]).assert_failed(4, "denied");
    assert_eq!(scratch.names(), ["there"]);
}

#[test]
fn places_that_are_none() {
    let scratch = Scratch::new();
    scratch.write("old", b"old");
    for (far, words) in
        [("old", "old is on this machine"), ("./a:b", "is on this machine"), ("C:\\dir\\file", "is on this machine")]
    {
        scratch.run(&["pull", far, "new"]).assert_failed(2, words);
    }
    for far in ["-oProxyCommand=id:x", "a b:x", "ssh://me:secret@host/x"] {
        let run = scratch.run(&["pull", "--", far, "new"]);
        assert!(run.code != 0 && !run.stderr.contains("secret"), "{}", run.stderr);
    }
    scratch.run(&["pull", "host:x", "-"]).assert_failed(2, "cannot go to standard output");
    let run = scratch.run(&["pull", "host:x", "new", "-e", "/nowhere/ssh"]);
    run.assert_failed(4, "cannot reach");
    let run = scratch.run(&["server"]);
    assert!(run.code == 2 && run.stderr.contains("--stdio"), "{}", run.stderr);
    let mut silent = scratch.command(&["server", "--stdio", "--root", "none"]);
    silent.arg(OsStr::new("-q"));
    Run::of(silent).assert_failed(1, "cannot read none");
}
