//! Every example runs, and says what it should.

use std::process::Command;

/// What the program at `path` prints.
fn run(path: &str) -> String {
    let output = Command::new(path).output().expect("the program is built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn rolling_sum() {
    let said = run(env!("CARGO_BIN_EXE_rolling_sum"));
    let hits = |sum: &str| -> u64 {
        let line = said.lines().find(|line| line.starts_with(sum)).unwrap();
        line.split(", ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    assert!(said.starts_with("2048 different blocks of 2048 bytes\n"), "{said}");
    assert!(hits("Rsync") > 100 * hits("RabinKarp").max(1), "{said}");
}

#[test]
fn own_scheme() {
    let said = run(env!("CARGO_BIN_EXE_own_scheme"));
    assert!(said.starts_with("stopped, resumed and verified: "), "{said}");
}

#[test]
fn two_files() {
    let said = run(env!("CARGO_BIN_EXE_two_files"));
    assert!(said.starts_with("stopped, resumed and verified: "), "{said}");
}

#[test]
fn progress_and_cancel() {
    let said = run(env!("CARGO_BIN_EXE_progress_and_cancel"));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.contains(&"stopped: the old file is as it was"), "{said}");
    assert!(lines.last().is_some_and(|line| line.starts_with("done: ")), "{said}");
    assert!(lines.iter().any(|line| line.starts_with("fetch: ")), "{said}");
}

#[test]
fn own_source() {
    let said = run(env!("CARGO_BIN_EXE_own_source"));
    assert_eq!(said, "300000 bytes of 3 pieces, in 3 reads\n");
}

#[test]
fn librsync_sockets() {
    let said = run(env!("CARGO_BIN_EXE_librsync_sockets"));
    assert!(said.starts_with("4000024 bytes from a delta of "), "{said}");
}

#[test]
fn publish_tar() {
    let said = run(env!("CARGO_BIN_EXE_publish_tar"));
    assert_eq!(said, "2 files of the archive; 1 changed, 1 came, 1 went\n");
}
