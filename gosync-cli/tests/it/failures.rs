//! What cannot be read, written or reached; nothing is lost.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use gosync_testkit::corpus;

use crate::support::{Scratch, names};

/// `new` and its index, and an old version that has half of it.
fn published() -> (Scratch, Vec<u8>) {
    let scratch = Scratch::new();
    let target = corpus::random(1, 4 << 20);
    scratch.write("new", &target);
    scratch.write("old", &target[..2 << 20]);
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    (scratch, target)
}

#[test]
fn what_is_secret_in_a_url_is_not_shown() {
    let scratch = Scratch::new();
    let url = "https://me:hunter2@example.org:99999/x.gosync?token=sesame";
    for args in [
        &["inspect", url][..],
        &["patch", "old", url],
        &["patch", "old", "new.gosync", url],
        &["patch", "old", "new.gosync", "--source", url],
        &["patch", url, "new.gosync", "--json"],
        &["diff", "old", "new.gosync", "--proxy", url],
        &["zsync", url],
        &["zsync", "x.zsync", "-u", url],
        &["build", "new", "-o", url],
        &["build", url],
        &["inspect", url, "--no-such-option"],
        &[url],
        &["inspect", "ftp://me:hunter2@example.org/x?token=sesame"],
    ] {
        let run = scratch.run(args);
        assert!(run.code != 0, "{args:?}");
        let shown = run.stderr + &String::from_utf8(run.stdout).unwrap();
        assert!(!shown.contains("hunter2") && !shown.contains("sesame"), "{args:?}: {shown}");
    }
}

#[test]
fn what_is_not_there() {
    let (scratch, _) = published();
    scratch.run(&["build", "absent"]).assert_failed(1, "cannot read absent");
    scratch.run(&["inspect", "absent.gosync"]).assert_failed(1, "cannot read absent.gosync");
    scratch.run(&["diff", "old", "."]).assert_failed(1, "cannot read .");
    scratch.run(&["verify", "absent", "new.gosync"]).assert_failed(1, "cannot read absent");
    scratch.run(&["patch", "old", "new.gosync", "absent"]).assert_failed(4, "cannot find absent");
    scratch.run(&["patch", "old", "new.gosync", "-o", "no/such/out"]).assert_failed(1, "no/such");
    scratch.run(&["serve", "new"]).assert_failed(1, "cannot serve new");
    for place in ["http://host/x", "https://host/x", "ssh://host/x"] {
        for more in [&[][..], &["--compress"], &["--format", "zsync"]] {
            let run = scratch.run(&[&["build", "new", "-o", place][..], more].concat());
            run.assert_failed(2, "cannot be written to");
        }
    }
    assert_eq!(scratch.run(&["frobnicate"]).code, 2);
    assert_eq!(scratch.run(&["build", "new", "--block-size", "0"]).code, 2);
    assert_eq!(scratch.run(&["patch", "old", "ftp://host/x.gosync"]).code, 2);
}

#[test]
fn servers_that_are_not_there_or_have_no_ranges() {
    let (scratch, target) = published();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/new");
    scratch.run(&["patch", "old", "new.gosync", &url, "--retries", "0"]).assert_failed(4, "cannot reach http://");
    scratch.run(&["diff", "old", &format!("{url}.gosync"), "--retries=0"]).assert_failed(4, "cannot reach");
    let server = scratch.serve();
    scratch.run(&["patch", "old", "new.gosync", &format!("{}/absent", server.url)]).assert_failed(4, "404");

    // Answers 200 with the whole file to everything, as simple servers do.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/new", listener.local_addr().unwrap());
    let body = target.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, body) = (stream.unwrap(), body.clone());
            std::thread::spawn(move || {
                read_request(&mut stream);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            });
        }
    });
    // What is missing is picked out of it.
    assert_eq!(scratch.run(&["patch", "old", "new.gosync", &url]).code, 0);
    assert!(scratch.read("old") == target);
    assert_eq!(scratch.run(&["patch", "absent", "new.gosync", &url]).code, 0);
    assert!(scratch.read("absent") == target);
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

#[test]
fn an_output_that_is_a_directory() {
    let (scratch, _) = published();
    std::fs::create_dir(scratch.path("directory")).unwrap();
    scratch.run(&["patch", "old", "new.gosync", "-o", "directory"]).assert_failed(1, "is a directory, not a file");
    assert_eq!(scratch.names(), ["directory", "new", "new.gosync", "old"]);
}

/// What has no room here is no trouble of a source that could be back later.
#[cfg(unix)]
#[test]
fn no_room_for_what_is_built() {
    let (scratch, _) = published();
    let before = scratch.names();
    for (more, what) in [("--compress", "new.gosync-payload"), ("-o x", "x"), ("--format zsync", "new.zsync")] {
        let line = format!("trap '' XFSZ; ulimit -f 8; exec \"$0\" build new --quiet {more}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).arg(assert_cmd::cargo::cargo_bin!("gosync")).current_dir(scratch.path(""));
        let run = crate::support::Run::of(command);
        run.assert_failed(1, &format!("cannot write {what}"));
        assert!(run.stderr.contains("File too large") && !run.stderr.contains("source"), "{}", run.stderr);
        assert_eq!(scratch.names(), before);
    }
}

/// A file system of its own, where this may make one.
#[cfg(target_os = "linux")]
struct Mount(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Mount {
    #[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
    fn new(at: &std::path::Path, options: &str) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mut command = std::process::Command::new("mount");
        let mounted = command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).stderr(Stdio::null()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("\nSKIPPED: may not mount a file system here\n");
        None
    }

    fn make_read_only(&self) {
        let mut command = std::process::Command::new("mount");
        assert!(command.args(["-o", "remount,ro"]).arg(&self.0).status().unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_read_only_one() {
    let (scratch, _) = published();
    let old = scratch.read("old");
    let Some(disk) = Mount::new(&scratch.path("disk"), "size=3m") else { return };
    std::fs::write(disk.0.join("app"), &old[..1 << 20]).unwrap();
    scratch.run(&["patch", "disk/app", "new.gosync"]).assert_failed(1, "make room, or give another output");
    assert!(scratch.read("disk/app") == old[..1 << 20], "the old file is untouched");
    assert_eq!(names(&disk.0), ["app"], "and alone");

    disk.make_read_only();
    scratch.run(&["patch", "disk/app", "new.gosync"]).assert_failed(1, "Read-only file system");
    assert!(scratch.read("disk/app") == old[..1 << 20]);
    scratch.run(&["build", "new", "-o", "disk/index"]).assert_failed(1, "Read-only file system");
}
