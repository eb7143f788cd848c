//! `zsync` and `zsyncmake`, and zsync's control files with the other commands.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use gosync_testkit::corpus::{self, edit};
use gosync_testkit::peers;

use crate::support::{Run, Scratch, have_the_same};

fn scratch() -> (Scratch, Vec<u8>) {
    let scratch = Scratch::new();
    let old = corpus::text(1, 300_000);
    let new = edit::insert(&old, 2, 5, 100);
    scratch.write("old.img", &old);
    scratch.write("site/new.img", &new);
    (scratch, new)
}

/// As README.md tells a user of zsync.
#[test]
fn three_commands() {
    let (scratch, new) = scratch();
    assert_eq!(scratch.run(&["zsyncmake", "site/new.img", "-o", "site/new.img.zsync"]).code, 0);
    let server = scratch.serve();
    let url = format!("{}/site/new.img.zsync", server.url);
    let run = scratch.run(&["zsync", "-i", "old.img", &url]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(scratch.read("new.img") == new);
    fs::remove_file(scratch.path("new.img")).unwrap();
    let done = scratch.json(&["patch", "old.img", &url]);
    assert!(scratch.read("old.img") == new);
    assert!(done["fetched_bytes"].as_u64().unwrap() < 30_000, "{done}");
}

#[test]
fn other_commands_know_a_control_file() {
    let (scratch, new) = scratch();
    assert_eq!(scratch.json(&["build", "site/new.img", "--format", "zsync"])["format"], "zsync");
    let index = "site/new.img.zsync";
    assert_eq!(scratch.json(&["inspect", index])["target_bytes"].as_u64(), Some(new.len() as u64));
    let missing = scratch.json(&["diff", "old.img", index, "--report", "page"])["missing_bytes"].as_u64().unwrap();
    assert!(missing > 500 && missing < 30_000);
    let page = String::from_utf8(scratch.read("page")).unwrap();
    assert!(page.contains("<h1>new.img</h1>") && page.contains("<svg"), "{page}");
    assert_eq!(scratch.run(&["verify", "old.img", index]).code, 3);
    let foretold = scratch.json(&["patch", "old.img", index, "--dry-run"]);
    assert_eq!(foretold["missing_bytes"].as_u64(), Some(missing));
    let done = scratch.json(&["patch", "old.img", index, "site/new.img", "out"]);
    assert_eq!(done["fetched_bytes"].as_u64(), Some(missing));
    assert!(scratch.read("out") == new);
    assert_eq!(scratch.run(&["verify", "out", index]).code, 0);
    let streamed = scratch.run(&["patch", "old.img", index, "-o", "-"]);
    assert!(streamed.stdout == new, "{}", streamed.stderr);
}

#[cfg(unix)]
#[test]
fn by_the_names_of_the_tools() {
    let (scratch, new) = scratch();
    for name in ["zsync", "zsyncmake"] {
        std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin!("gosync"), scratch.path(name)).unwrap();
    }
    let run = |name: &str, args: &[&str], input: Stdio| {
        let mut command = Command::new(scratch.path(name));
        command.args(args).current_dir(scratch.path("")).stdin(input);
        Run::of(command)
    };
    let make = ["-b", "1024", "-u", "site/new.img", "-f", "new.img", "-o", "x.zsync", "--compat", "0.6.2"];
    assert_eq!(run("zsyncmake", &[&make[..], &["site/new.img"]].concat(), Stdio::null()).code, 0);
    assert!(String::from_utf8_lossy(&scratch.read("x.zsync")).contains("\nBlocksize: 1024\n"));
    let done = run("zsync", &["-q", "-s", "-i", "old.img", "-o", "out", "x.zsync"], Stdio::null());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(scratch.read("out") == new);
    assert!(run("zsync", &["-V"], Stdio::null()).stdout.starts_with(b"gosync-zsync "));

    let file = fs::File::open(scratch.path("site/new.img")).unwrap();
    let piped = run("zsyncmake", &["-"], file.into());
    assert!(piped.stdout.starts_with(b"zsync: 0.6.2\nSafe: File-Hash\nBlocksize: 2048\n"), "{}", piped.stderr);
}

/// What zsyncmake takes is taken; what each asks for is so in any case, and said where not.
#[test]
fn options_of_zsyncmake() {
    let scratch = Scratch::new();
    scratch.write("x.gz", b"\x1f\x8b\x08 as it is");
    assert_eq!(scratch.run(&["zsyncmake", "x.gz", "-o", "plain"]).code, 0);
    let plain = scratch.read("plain");
    for (options, warns) in [(&["-C"][..], true), (&["-Z"], false), (&["-e"], false), (&["-C", "-e", "-Z"], false)] {
        let run = scratch.run(&[&["zsyncmake", "x.gz", "-o", "made"][..], options].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(run.stderr.contains("warning: x.gz is taken as it is, as with -Z"), warns, "{options:?}");
        assert!(scratch.read("made") == plain && !String::from_utf8_lossy(&plain).contains("Recompress"));
    }
    scratch.run(&["zsyncmake", "x.gz", "-z", "-Z"]).assert_failed(2, "cannot be used with");
}

#[test]
fn kept_control_files() {
    let (scratch, new) = scratch();
    assert_eq!(scratch.run(&["zsyncmake", "site/new.img", "-o", "site/new.img.zsync"]).code, 0);
    let date = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let made = fs::File::options().write(true).open(scratch.path("site/new.img.zsync")).unwrap();
    made.set_modified(date).unwrap();
    let server = scratch.serve();
    let url = format!("{}/site/new.img.zsync", server.url);
    let get = || scratch.json(&["zsync", "-k", "kept", "-i", "old.img", "-o", "out", &url]);
    assert!(get()["index_bytes"].as_u64().unwrap() > 1000);
    assert_eq!(fs::metadata(scratch.path("kept")).unwrap().modified().unwrap(), date);
    assert!(scratch.read("kept") == scratch.read("site/new.img.zsync"));
    fs::remove_file(scratch.path("out")).unwrap();
    // Not even sent again, and its URLs are still relative to where it is from.
    made.set_len(3).unwrap();
    made.set_modified(date).unwrap();
    assert!(get()["requests"].as_u64().unwrap() > 0);
    assert!(scratch.read("out") == new);
}

#[test]
fn names_that_control_files_give() {
    let (scratch, new) = scratch();
    for (given, location, expected) in [
        ("new-2.img", "site/new.zsync", "new-2.img"),
        (".bashrc", "site/new.zsync", "new"),
        ("other.img", "site/new.img.zsync", "new.img"),
    ] {
        assert_eq!(scratch.run(&["zsyncmake", "-f", given, "-u", "new.img", "-o", location, "site/new.img"]).code, 0);
        let run = scratch.run(&["zsync", location]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(scratch.read(expected) == new, "{given}");
        fs::remove_file(scratch.path(expected)).unwrap();
        assert_eq!(run.stderr.contains("warning: "), given != expected);
    }
    scratch.run(&["zsyncmake", "-f", "a/b", "site/new.img"]).assert_failed(2, "not a plain file name");
}

/// Build scripts and other makers write what zsync passes over.
#[test]
fn odd_control_files() {
    let (scratch, new) = scratch();
    assert_eq!(scratch.run(&["zsyncmake", "-f", "new.img", "site/new.img", "-o", "site/new.img.zsync"]).code, 0);
    let control = scratch.read("site/new.img.zsync");
    let name_at = control.windows(18).position(|window| window == b"Filename: new.img\n").unwrap();
    for (line, behind, name) in [
        (&b"Filename: linux-unsigned/new-2.img\n"[..], &b""[..], "new-2.img"),
        (b"Filename: /etc/passwd\n", b"", "new"),
        (b"Filename: new\x1b[2J\n", b"", "new"),
        (b"Filename: new.img\nProducer: pyzsync 1.2.2\n", b"", "new.img"),
        (b"Filename: new.img\n", b"\n", "new.img"),
    ] {
        let bytes = [&control[..name_at], line, &control[name_at + 18..], behind].concat();
        scratch.write("site/new.zsync", &bytes);
        let run = scratch.run(&["zsync", "-i", "old.img", "site/new.zsync"]);
        let what = String::from_utf8_lossy(line);
        assert_eq!(run.code, 0, "{what}: {}", run.stderr);
        assert!(
            run.stderr.contains("warning: site/new.zsync: ") && run.stderr.contains("; this is ignored"),
            "{}",
            run.stderr
        );
        assert!(scratch.read(name) == new, "{what}");
        fs::remove_file(scratch.path(name)).unwrap();
        let run = scratch.run(&["patch", "old.img", "site/new.zsync", "-o", "out"]);
        assert_eq!(run.code, 0, "{what}: {}", run.stderr);
        assert!(scratch.read("out") == new && run.stderr.contains("; this is ignored"), "{what}: {}", run.stderr);
    }
}

/// The lines that zsync ends with are on standard output, as there, unless they are not wanted.
#[test]
fn closing_lines() {
    let (scratch, new) = scratch();
    assert_eq!(scratch.run(&["zsyncmake", "site/new.img", "-o", "site/new.img.zsync"]).code, 0);
    let run = scratch.run(&["zsync", "-i", "old.img", "-o", "ignored", "-o", "out", "site/new.img.zsync"]);
    let text = String::from_utf8(run.stdout).unwrap();
    let counts = text.strip_prefix("verifying download...checksum matches OK\nused ").unwrap();
    let (local, fetched) = counts.trim_end().split_once(" local, fetched ").unwrap();
    let [local, fetched] = [local, fetched].map(|number| number.parse::<usize>().unwrap());
    assert!(local > 0 && fetched > 0 && local + fetched == new.len(), "{counts}");
    for quiet in ["-q", "-s", "--json"] {
        let run = scratch.run(&["zsync", quiet, "-i", "old.img", "-o", "out", "site/new.img.zsync"]);
        assert!(!String::from_utf8(run.stdout).unwrap().contains("used "), "{quiet}");
    }
    assert_eq!(scratch.names(), ["old.img", "out", "site"]);
}

#[test]
fn certificates_are_always_checked() {
    let scratch = Scratch::new();
    let run = scratch.run(&["zsync", "--no-check-certificate", "x.zsync"]);
    run.assert_failed(2, "hint: have a certificate or its authority trusted with --ca-certificate");
    scratch.run(&["zsync", "--no-check-certificate=false", "x.zsync"]).assert_failed(1, "x.zsync");
}

/// Without a file zsyncmake reads standard input; what it writes is named by `-f`.
#[test]
fn makers_read_standard_input() {
    let (scratch, new) = scratch();
    let run = |args: &[&str]| {
        let mut command = scratch.command(args);
        command.stdin(fs::File::open(scratch.path("site/new.img")).unwrap());
        let run = Run::of(command);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        run.stdout
    };
    let piped = run(&["zsyncmake"]);
    assert!(piped.starts_with(b"zsync: 0.6.2\nSafe: File-Hash\nBlocksize: 2048\n"));
    assert!(run(&["zsyncmake", "-o", "made"]).is_empty() && scratch.read("made") == piped);
    assert!(run(&["zsyncmake", "-f", "named.img", "-u", "site/new.img"]).is_empty());
    assert!(scratch.read("named.img.zsync").windows(19).any(|window| window == b"Filename: named.img"));
    assert!(run(&["zsyncmake", "-b", "512", "-b", "0", "-e", "-e", "-f", "named.img", "site/new.img"]).is_empty());
    assert!(String::from_utf8_lossy(&scratch.read("named.img.zsync")).contains("\nBlocksize: 2048\n"));
    let done = scratch.json(&["patch", "old.img", "named.img.zsync", "site/new.img", "-o", "out"]);
    assert!(scratch.read("out") == new && done["matched_bytes"].as_u64() > Some(0));
}

#[test]
fn strong_hashes_of_zsync_0_8() {
    let (scratch, new) = scratch();
    for hash in ["MD4", "MD5", "SHA-224"] {
        assert_eq!(scratch.run(&["zsyncmake", "-s", hash, "site/new.img", "-o", "site/new.zsync"]).code, 0);
        let control = scratch.read("site/new.zsync");
        let line = format!("\nStrong-Hash-Algorithm: {hash}\n");
        assert_eq!(String::from_utf8_lossy(&control).contains(&line), hash != "MD4");
        let done = scratch.json(&["zsync", "-i", "old.img", "-o", "out", "site/new.zsync"]);
        assert!(scratch.read("out") == new && done["matched_bytes"].as_u64() > Some(200_000), "{hash}: {done}");
    }
    scratch.run(&["zsyncmake", "-s", "SHA-1", "site/new.img"]).assert_failed(2, "MD4, MD5, SHA-224");
    scratch.run(&["zsyncmake", "-s", "MD5", "--compat", "0.6.2", "site/new.img"]).assert_failed(2, "no hash but MD4");
}

#[test]
fn failures() {
    let (scratch, _) = scratch();
    scratch.write("x.zsync", b"zsync: 0.6.2\nBlocksize: 2048\nLength: 9\nFilename: ../x\n\n");
    scratch.run(&["zsync", "x.zsync"]).assert_failed(3, "bad name");
    scratch.run(&["zsync", "old.img"]).assert_failed(3, "not a control file");
    // In words that zsync's own tests look for.
    assert_eq!(scratch.run(&["zsyncmake", "-o", "site/new.img.zsync", "site/new.img"]).code, 0);
    let len = scratch.read("site/new.img").len();
    scratch.write("site/new.img", &vec![7; len]);
    let words = "Not all of the required data could be downloaded";
    scratch.run(&["zsync", "-o", "out", "site/new.img.zsync"]).assert_failed(3, words);
    scratch.write("site/new.img", &scratch.read("old.img"));
    assert_eq!(scratch.run(&["zsyncmake", "-o", "site/new.img.zsync", "site/new.img"]).code, 0);
    let control = scratch.read("site/new.img.zsync");
    let sums = control.windows(7).position(|window| window == b"SHA-1: ").unwrap() + 7;
    let mut other = control.clone();
    other[sums] = if other[sums] == b'0' { b'1' } else { b'0' };
    scratch.write("site/new.img.zsync", &other);
    scratch.run(&["zsync", "-o", "out", "site/new.img.zsync"]).assert_failed(3, "checksum mismatch");
    assert!(!scratch.path("out").exists());
    scratch.write("empty", b"");
    scratch.run(&["zsyncmake", "empty"]).assert_failed(1, "refuse control files of an empty file");
    scratch.run(&["zsyncmake", "-b", "1000", "old.img"]).assert_failed(2, "no power of two");
    scratch.run(&["zsync", "-A", "secret", "x.zsync"]).assert_failed(2, "-A wants a host");
    assert_eq!(scratch.run(&["zsyncmake", "-u", "absent", "-o", "y.zsync", "old.img"]).code, 0);
    let lost = scratch.run(&["zsync", "-o", "out", "y.zsync"]);
    lost.assert_failed(4, "no URL that can be used");
    assert!(lost.stderr.contains("-u"), "{}", lost.stderr);
}

#[test]
fn large_and_sparse() {
    const LENGTH: u64 = (4 << 30) + 12_345;
    let scratch = Scratch::new();
    corpus::write_sparse(&scratch.path("new"), 1, LENGTH, 4, 300_000).unwrap();
    assert_eq!(scratch.run(&["zsyncmake", "-b", "65536", "--compat", "0.6.2", "new"]).code, 0);
    fs::create_dir(scratch.path("old")).unwrap();
    corpus::write_sparse(&scratch.path("old/seed"), 1, LENGTH, 4, 300_000).unwrap();
    let done = scratch.json(&["zsync", "-i", "old/seed", "-o", "out", "new.zsync"]);
    assert_eq!((done["output_bytes"].as_u64(), done["fetched_bytes"].as_u64()), (Some(LENGTH), Some(0)));
    assert!(have_the_same(scratch.open("new"), scratch.open("out")));
}

/// Puts `lines` into the header of a control file.
fn add_lines(scratch: &Scratch, name: &str, lines: &str) {
    let control = scratch.read(name);
    let end = control.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    scratch.write(name, &[&control[..end], lines.as_bytes(), &control[end..]].concat());
}

/// Neither name can be used to replace what the control file is not the control file of.
#[test]
fn names_of_compressed_targets() {
    if peers::require("gzip").is_none() {
        return;
    }
    let commands = b"# a file that a shell reads\n";
    let header = "Recompress: 1f8b0800000000000003 --best\n";
    for (named, expected) in [
        (".bashrc", "app.gz"),
        ("other.gz", "app.gz"),
        ("app-2.img.gz", "app-2.img.gz"),
        ("app", "app.gz"),
        ("APP", "app.gz"),
    ] {
        let scratch = Scratch::new();
        scratch.write("site/app", commands);
        scratch.write(".bashrc", b"mine");
        assert_eq!(scratch.run(&["zsyncmake", "-o", "site/app.zsync", "site/app"]).code, 0);
        add_lines(&scratch, "site/app.zsync", &format!("Z-Filename: {named}\n{header}"));
        let run = scratch.run(&["zsync", "site/app.zsync"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(scratch.read(".bashrc"), b"mine");
        let mut names = [".bashrc", "site", expected];
        names.sort_unstable();
        assert_eq!(scratch.names(), names, "{named}: {}", run.stderr);
        assert!(scratch.read(expected).starts_with(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
    }
    let scratch = Scratch::new();
    scratch.write("site/app", commands);
    assert_eq!(scratch.run(&["zsyncmake", "-o", "site/app.zsync", "site/app"]).code, 0);
    add_lines(&scratch, "site/app.zsync", "Recompress: 1f8b08000000000000030a7265626f6f740a --best\n");
    scratch.run(&["zsync", "site/app.zsync"]).assert_failed(3, "for Recompress");
}

/// A gzip file that was published is made again, to the byte.
#[test]
fn gzip_files() {
    if peers::require("zsyncmake").is_none() || peers::require("gzip").is_none() {
        return;
    }
    for (gzip, make, expected) in [
        (&["-9"][..], &["-e"][..], "x.img.gz"),
        (&["-n"], &["-e"], "x.img.gz"),
        (&["-c", "--rsyncable"], &["-e"], "x.img.gz"),
        (&["-6"], &["-C"], "x.img"),
        (&["-6"], &["-Z"], "x.img.gz"),
        (&[], &["-z"], "x.img"),
    ] {
        let scratch = Scratch::new();
        let data = corpus::text(3, 200_000);
        scratch.write("site/x.img", &data);
        scratch.write("old", &edit::insert(&data, 4, 3, 50));
        let run = |program: &str, args: &[&str]| {
            let mut command = Command::new(peers::require(program).unwrap());
            let done = command.args(args).current_dir(scratch.path("site")).output().unwrap();
            assert!(done.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&done.stderr));
            done.stdout
        };
        let published = if gzip.is_empty() { "x.img" } else { "x.img.gz" };
        if !gzip.is_empty() {
            let out = run("gzip", &[gzip, &["-k", "x.img"]].concat());
            if !out.is_empty() {
                scratch.write("site/x.img.gz", &out);
            }
        }
        run("zsyncmake", &[make, &["-o", "x.zsync", published]].concat());
        let done = scratch.run(&["zsync", "-i", "old", "site/x.zsync"]);
        assert_eq!(done.code, 0, "{gzip:?} {make:?}: {}", done.stderr);
        assert!(scratch.read(expected) == scratch.read(&format!("site/{expected}")), "{gzip:?} {make:?}");
        assert_eq!(scratch.names(), ["old", "site", expected], "{gzip:?} {make:?}");
    }
}

/// As zsync does: a seed is unpacked where the target is in a gzip file too.
#[test]
fn compressed_seeds() {
    let (Some(zsyncmake), Some(gzip)) = (peers::require("zsyncmake"), peers::require("gzip")) else { return };
    let (scratch, new) = scratch();
    let old = scratch.read("old.img");
    let pack = |name: &str| {
        let packed = Command::new(&gzip).args(["-9", "-n", "-c", name]).current_dir(scratch.path("")).output().unwrap();
        packed.stdout
    };
    let packed = pack("old.img");
    scratch.write("old.img.gz", &packed);
    scratch.write("cut-off.gz", &packed[..packed.len() / 2]);
    scratch.write("plain.gz", &old);
    let published = pack("site/new.img");
    scratch.write("site/new.img.gz", &published);
    for make in ["-C", "-e"] {
        let mut command = Command::new(&zsyncmake);
        let made = command.args([make, "-o", "new.zsync", "new.img.gz"]).current_dir(scratch.path("site")).output();
        assert!(made.unwrap().status.success());
        for (seed, least, warns) in
            [("old.img", 0.9, false), ("old.img.gz", 0.9, false), ("plain.gz", 0.9, false), ("cut-off.gz", 0.3, true)]
        {
            let run = scratch.run(&["zsync", "-i", seed, "-o", "out", "site/new.zsync", "--json"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            let stdout = String::from_utf8(run.stdout).unwrap();
            let done: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
            let matched = done["matched_bytes"].as_u64().unwrap() as f64 / new.len() as f64;
            assert!(matched >= least && (matched < 0.9) == warns, "{make} {seed}: {matched}");
            assert_eq!(run.stderr.contains("warning: cannot unpack all of cut-off.gz"), warns, "{}", run.stderr);
            let (name, expected) = if make == "-e" { ("out.gz", &published) } else { ("out", &new) };
            assert!(scratch.read(name) == *expected, "{make} {seed}");
            fs::remove_file(scratch.path(name)).unwrap();
            // What is asked for by its whole name has that name, and a file beside it is let be.
            scratch.write("new", b"mine");
            scratch.json(&["zsync", "-i", seed, "-o", "new.gz", "site/new.zsync"]);
            assert!(scratch.read("new.gz") == *expected && scratch.read("new") == b"mine", "{make} {seed}");
            fs::remove_file(scratch.path("new.gz")).unwrap();
            assert!(!scratch.names().iter().any(|name| name.starts_with('.')), "{:?}", scratch.names());
        }
    }
    // What is there under the name of the compressed target is a seed as well.
    fs::rename(scratch.path("old.img.gz"), scratch.path("new.img.gz")).unwrap();
    let done = scratch.json(&["zsync", "site/new.zsync"]);
    assert!(done["matched_bytes"].as_u64().unwrap() > 200_000, "{done}");
    assert!(scratch.read("new.img.gz") == published);
    // And so it is for the other commands.
    scratch.write("old.img.gz", &packed);
    let missing = scratch.json(&["diff", "old.img.gz", "site/new.zsync"])["missing_bytes"].as_u64().unwrap();
    assert!(missing > 500 && missing < 30_000);
    let foretold = scratch.json(&["patch", "old.img.gz", "site/new.zsync", "-o", "out", "--dry-run"]);
    let done = scratch.json(&["patch", "old.img.gz", "site/new.zsync", "-o", "out"]);
    assert!(scratch.read("out") == new);
    assert_eq!(foretold["fetched_bytes"], done["fetched_bytes"]);
    assert!(done["fetched_bytes"].as_u64().unwrap() < missing, "{done}");
}
