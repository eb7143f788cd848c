//! Nothing of the user's is lost: what was fetched, what is in the way, what has an odd name.

use gosync_testkit::corpus;

use crate::support::Scratch;

/// `new` with its index, and `old`, which has the first half of it.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let new = corpus::random(1, 300_000);
    scratch.write("old", &new[..150_000]);
    scratch.write("new", &new);
    assert_eq!(scratch.run(&["build", "new"]).code, 0);
    scratch
}

#[test]
fn a_seed_that_cannot_be_read_is_said_to_be() {
    let scratch = scratch();
    scratch.write("sub/file", b"");
    let run = scratch.run(&["patch", "old", "new.gosync", "-o", "out", "--seed", "sub"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("warning: sub: it cannot be read"), "{}", run.stderr);
    let done = scratch.json(&["patch", "old", "new.gosync", "-o", "out", "--seed", "sub"]);
    assert!(done["warnings"][0].as_str().unwrap().starts_with("sub: it cannot be read"), "{done}");
    assert!(scratch.read("out") == scratch.read("new"));
    let run = scratch.run(&["diff", "old", "new.gosync", "--seed", "sub"]);
    assert!(run.code == 0 && run.stderr.contains("warning: sub: it cannot be read"), "{}", run.stderr);
}

#[test]
fn what_a_killed_rdiff_left_is_gone_after_the_next() {
    let scratch = scratch();
    assert_eq!(scratch.run(&["rdiff", "signature", "old", "sums"]).code, 0);
    assert_eq!(scratch.run(&["rdiff", "delta", "sums", "new", "delta"]).code, 0);
    let before = scratch.names();
    scratch.write(".made.gosync-part", b"half of it");
    assert_eq!(scratch.run(&["rdiff", "patch", "old", "delta", "made"]).code, 0);
    assert!(scratch.read("made") == scratch.read("new"));
    assert_eq!(scratch.names().len(), before.len() + 1);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::support::Run;
    use std::process::Command;

    /// Runs a shell's line in the directory, in which `$G` is the command.
    fn shell(scratch: &Scratch, line: &str) -> Run {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(scratch.path("")).env("G", assert_cmd::cargo::cargo_bin!("gosync"));
        Run::of(command)
    }

    #[test]
    fn a_limit_on_files_is_an_error() {
        let scratch = scratch();
        let run = shell(&scratch, "ulimit -f 200; exec $G patch old new.gosync");
        run.assert_failed(1, "File too large");
        assert!(scratch.read("old") == scratch.read("new")[..150_000]);
    }

    #[test]
    fn pipes_are_not_waited_for_and_streams_go_through() {
        let scratch = scratch();
        assert_eq!(shell(&scratch, "mkfifo pipe").code, 0);
        for args in [&["build", "pipe"][..], &["patch", "old", "new.gosync", "pipe", "-o", "out"]] {
            scratch.run(args).assert_failed(if args[0] == "patch" { 4 } else { 1 }, "is a pipe, not a file");
        }
        scratch.run(&["patch", "old", "new.gosync", "-o", "pipe"]).assert_failed(1, "pipe is a pipe, not a file");
        scratch.run(&["diff", "old", "new.gosync", "--report", "pipe"]).assert_failed(1, "cannot write pipe");
        for line in [
            "$G patch old new.gosync -o /dev/stdout | cmp - new",
            "$G patch old new.gosync -o /dev/stdout >out && cmp out new",
            "$G patch /dev/null new.gosync -o out && cmp out new",
            "$G patch old new.gosync -o out --seed pipe && cmp out new",
            "cat new.gosync | $G inspect /dev/stdin | grep -q blocks",
            "$G inspect /dev/stdin <new.gosync | grep -q blocks",
            "$G inspect new.gosync --signed-part /dev/stdout | grep -q blocks",
            "$G diff old new.gosync --report /dev/null",
        ] {
            let run = shell(&scratch, line);
            assert_eq!(run.code, 0, "{line}: {}", run.stderr);
        }
    }

    /// Other systems take names that are UTF-8 only.
    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_text() {
        let scratch = scratch();
        let run = shell(
            &scratch,
            r#"n=$(printf 'caf\351.img'); cp new "$n"; $G build "$n" && $G inspect "$n.gosync" &&
            $G verify "$n" "$n.gosync" && $G diff old "$n.gosync" --source "$n" &&
            $G patch old "$n.gosync" -o out && cmp out new && $G patch old "$n.gosync" "$n" "$n.out" && cmp "$n.out" new &&
            $G build "$n" --format go-sync -o "$n.index" && $G patch old "$n.index" --source "$n" -o out && cmp out new"#,
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interruption_while_the_index_is_awaited_keeps_what_came() {
        use std::process::Stdio;
        use std::time::{Duration, Instant};
        let scratch = Scratch::new();
        let new = corpus::random(2, 2 << 20);
        scratch.write("new", &new);
        scratch.write("old", &new[..1 << 20]);
        assert_eq!(scratch.run(&["build", "new", "--block-size", "128"]).code, 0);
        let server = scratch.serve();
        let url = format!("{}/new.gosync", server.url);
        for (name, code) in [("-INT", 130), ("-TERM", 143)] {
            let mut command = scratch.command(&["patch", "old", &url, "--limit-rate", "20KB"]);
            let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
            let start = Instant::now();
            while !scratch.path(".old.gosync-part").exists() {
                assert!(start.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
                std::thread::sleep(Duration::from_millis(2));
            }
            let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
            assert!(status.success());
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{stderr}");
            assert!(stderr.starts_with("interrupted"), "{stderr}");
            assert!(scratch.read("old") == new[..1 << 20]);
            // The next run of the test begins anew.
            let _ = std::fs::remove_file(scratch.path(".old.gosync-part"));
        }
    }
}
