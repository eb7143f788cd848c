//! Directories, published and brought up to date by the command.

use std::fs;
use std::process::Command;

use gosync_testkit::corpus;

use crate::support::{Run, Scratch};

/// Two versions of a directory, with `count` small files in each.
fn versions(count: u64) -> Scratch {
    let scratch = Scratch::new();
    for number in 0..count {
        let path = format!("site/pages/{}/page {number}.html", number % 7);
        scratch.write(&path, &corpus::text(number, 1500 + number as usize * 7));
    }
    scratch.write("site/moved", &corpus::random(1, 50_000));
    fs::create_dir(scratch.path("new")).unwrap();
    let mut copy = Command::new("cp");
    copy.arg("-a").args([scratch.path("site"), scratch.path("new")]);
    assert_eq!(Run::of(copy).code, 0);
    fs::create_dir(scratch.path("new/site/deep")).unwrap();
    fs::rename(scratch.path("new/site/moved"), scratch.path("new/site/deep/moved")).unwrap();
    scratch.write("new/site/pages/3/page 3.html", b"all new");
    scratch.write("new/site/added.txt", b"added");
    scratch.write("site/gone.txt", b"gone");
    scratch
}

fn counts(done: &serde_json::Value) -> [u64; 5] {
    ["unchanged", "changed", "moved", "added", "removed"]
        .map(|what| done[format!("files_{what}")].as_u64().unwrap_or_else(|| panic!("{what} in {done}")))
}

/// That two directories have the same files.
#[track_caller]
fn assert_same(scratch: &Scratch, one: &str, other: &str) {
    let mut diff = Command::new("diff");
    diff.args(["-r", "-x", ".gosync"]).args([scratch.path(one), scratch.path(other)]);
    let run = Run::of(diff);
    assert_eq!(run.code, 0, "{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
}

#[test]
fn many_files_have_a_payload_and_few_are_as_they_are() {
    for (count, beside) in [(30, "site.gosync-listing"), (250, "site.gosync-payload")] {
        let scratch = versions(count);
        let built = scratch.json(&["build", "new/site"]);
        assert_eq!((built["files"].as_u64(), built["directory"].as_bool()), (Some(count + 2), Some(true)));
        let mut names: Vec<String> = crate::support::names(&scratch.path("new"));
        names.retain(|name| name != "site");
        assert_eq!(names, ["site.gosync", beside]);

        let server = scratch.serve();
        let index = format!("{}/new/site.gosync", server.url);
        let expected = [count - 1, 1, 0, 2, 0];
        assert_eq!(counts(&scratch.json(&["diff", "site", &index])), expected);
        let foretold = scratch.json(&["patch", "site", &index, "-n", "--delete"]);
        assert_eq!(counts(&foretold), [count - 1, 1, 1, 1, 1]);
        assert!(scratch.path("site/gone.txt").exists() && !scratch.path("site/.gosync").exists());

        let made = scratch.json(&["patch", "site", &index, "-o", "out"]);
        assert!(made["fetched_bytes"].as_u64().unwrap() < 15_000, "{made}");
        assert_same(&scratch, "out", "new/site");
        let done = scratch.json(&["patch", "site", &index, "--delete"]);
        assert_eq!(counts(&done), [count - 1, 1, 1, 1, 1]);
        assert_same(&scratch, "site", "new/site");
        assert_eq!(scratch.json(&["verify", "site", &index])["ok"], true);
        let again = scratch.json(&["patch", "site", &index, "--delete"]);
        assert_eq!(counts(&again), [count + 2, 0, 0, 0, 0]);
        assert_eq!(again["fetched_bytes"], 0);
    }
}

#[test]
fn what_changed_is_told_and_found() {
    let scratch = versions(5);
    assert_eq!(scratch.run(&["build", "new/site", "--exclude", "*.txt"]).code, 0);
    let run = scratch.run(&["patch", "site", "new/site.gosync", "--delete", "-n"]);
    let listed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(listed, "add     deep/\nmove    deep/moved from moved\nchange  pages/3/page 3.html\n");
    assert_eq!(scratch.run(&["patch", "site", "new/site.gosync", "--delete"]).code, 0);
    assert!(scratch.path("site/gone.txt").exists(), "what was left out is not removed");

    scratch.write("site/pages/1/page 1.html", b"damaged");
    fs::remove_file(scratch.path("site/deep/moved")).unwrap();
    let run = scratch.run(&["verify", "site", "new/site.gosync"]);
    run.assert_failed(3, "1 missing, 1 different, 0 with another mode");
    let listed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(listed, "missing    deep/moved\ndifferent  pages/1/page 1.html\n");

    let run = scratch.run(&["inspect", "new/site.gosync"]);
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(told.contains("directory") && told.contains("6 files of ") && told.contains("*.txt"), "{told}");
}

#[cfg(unix)]
#[test]
fn directories_that_change_are_told_too() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = versions(5);
    fs::create_dir_all(scratch.path("new/site/empty/deeper")).unwrap();
    fs::create_dir(scratch.path("site/left")).unwrap();
    fs::set_permissions(scratch.path("new/site/pages/1"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(scratch.run(&["build", "new/site", "--exclude", "*.txt", "--exclude", "moved"]).code, 0);
    let run = scratch.run(&["patch", "site", "new/site.gosync", "--delete", "-n"]);
    let expected = [
        "remove  left/",
        "add     deep/",
        "add     empty/",
        "add     empty/deeper/",
        "change  pages/3/page 3.html",
        "change  pages/1/",
    ];
    assert_eq!(String::from_utf8(run.stdout).unwrap().lines().collect::<Vec<_>>(), expected);
    assert_eq!(scratch.run(&["patch", "site", "new/site.gosync", "--delete"]).code, 0);
    let run = scratch.run(&["patch", "site", "new/site.gosync", "--delete", "-n"]);
    assert_eq!((run.code, run.stdout.as_slice()), (0, &b""[..]), "{}", run.stderr);
}

#[test]
fn contents_may_be_elsewhere_and_are_checked() {
    let scratch = versions(5);
    assert_eq!(scratch.run(&["build", "new/site"]).code, 0);
    fs::rename(scratch.path("new/site"), scratch.path("elsewhere")).unwrap();
    let server = scratch.serve();
    let source = format!("{}/elsewhere", server.url);
    let run = scratch.run(&["patch", "out", "new/site.gosync", &source]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_same(&scratch, "out", "elsewhere");
    scratch.write("elsewhere/added.txt", b"wrong");
    let run = scratch.run(&["patch", "fresh", "new/site.gosync", &source]);
    run.assert_failed(3, "");
    assert!(!scratch.path("fresh").exists());
}

#[test]
fn directories_and_files_are_told_apart() {
    let scratch = versions(5);
    scratch.write("file", b"a file");
    for name in ["file", "new/site"] {
        assert_eq!(scratch.run(&["build", name]).code, 0);
    }
    for command in ["patch", "diff", "verify"] {
        scratch.run(&[command, "file", "new/site.gosync"]).assert_failed(2, "is no directory, but");
        scratch.run(&[command, "site", "file.gosync"]).assert_failed(2, "is a directory, but");
    }
    scratch.run(&["patch", "file", "file.gosync", "--delete"]).assert_failed(2, "is for directories");
    scratch.run(&["build", "file", "--exclude", "x"]).assert_failed(2, "is for directories");
    scratch.run(&["build", "site", "--format", "zsync"]).assert_failed(2, "gosync's own format");
    scratch.run(&["build", "site", "--part", "1/2"]).assert_failed(2, "gosync's own format");
    scratch.run(&["build", "site", "--exclude", "a["]).assert_failed(2, "cannot be understood");
    scratch.run(&["patch", "site", "new/site.gosync", "-o", "-"]).assert_failed(2, "standard output");
    scratch.run(&["diff", "site", "new/site.gosync", "--report", "x.html"]).assert_failed(2, "--report");
}

#[test]
fn times_are_as_late_as_the_environment_says() {
    let scratch = versions(3);
    let indexes = ["1000000000", "1000000000"].map(|epoch| {
        let mut command = scratch.command(&["build", "new/site", "-o", "x.gosync"]);
        command.env("SOURCE_DATE_EPOCH", epoch);
        assert_eq!(Run::of(command).code, 0);
        scratch.write("new/site/added.txt", b"added");
        scratch.read("x.gosync")
    });
    assert!(indexes[0] == indexes[1]);
    let mut command = scratch.command(&["build", "new/site"]);
    command.env("SOURCE_DATE_EPOCH", "soon");
    Run::of(command).assert_failed(2, "SOURCE_DATE_EPOCH");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_counts_as_a_change_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let scratch = Scratch::new();
    for tree in ["old", "new"] {
        scratch.write(&format!("{tree}/sub/file"), b"the same");
        let file = fs::File::open(scratch.path(&format!("{tree}/sub/file"))).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    let changed = |delete: &[&str]| {
        scratch.json(&["build", "new"]);
        let [first, again] = [(); 2].map(|()| {
            let done = scratch.json(&[&["patch", "old", "new.gosync"], delete].concat());
            done["changed"].as_bool().unwrap_or_else(|| panic!("{done}"))
        });
        assert!(!again, "a second time nothing is to be done");
        first
    };
    changed(&[]);
    assert!(!changed(&[]));
    fs::create_dir(scratch.path("new/empty")).unwrap();
    assert!(changed(&[]) && scratch.path("old/empty").is_dir());
    fs::set_permissions(scratch.path("new/sub"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(changed(&[]));
    symlink("sub", scratch.path("new/link")).unwrap();
    assert!(changed(&[]) && fs::read_link(scratch.path("old/link")).unwrap() == std::path::Path::new("sub"));
    fs::remove_dir(scratch.path("new/empty")).unwrap();
    assert!(changed(&["--delete"]) && !scratch.path("old/empty").exists());
}
