//! `gosync rdiff`, beside the real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gosync_testkit::corpus::{self, edit};
use gosync_testkit::peers;

use crate::support::{Run, Scratch};

/// The versions that all tests here are about.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let old = corpus::text(1, 300_000);
    scratch.write("new", &edit::insert(&old, 2, 5, 2000));
    scratch.write("old", &old);
    scratch
}

fn rdiff(scratch: &Scratch, args: &[&str]) -> Run {
    scratch.run(&[&["rdiff"], args].concat())
}

/// Runs a shell's line in the directory, in which `rdiff` is this.
#[cfg(unix)]
fn shell(scratch: &Scratch, rdiff: &Path, line: &str) -> Run {
    let directory = scratch.path("bin");
    fs::create_dir_all(&directory).unwrap();
    let link = directory.join("rdiff");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(rdiff, link).unwrap();
    let mut paths = vec![directory];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(scratch.path("")).env("PATH", std::env::join_paths(paths).unwrap());
    Run::of(command)
}

fn ours() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("gosync").to_owned()
}

#[cfg(unix)]
#[test]
fn the_lines_of_the_readme() {
    let scratch = scratch();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let lines: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let lines: Vec<_> = lines.into_iter().filter(|line| line.starts_with("rdiff ")).collect();
    assert_eq!(lines.len(), 3);
    for line in lines {
        let run = shell(&scratch, &ours(), line);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}");
    }
    assert!(scratch.read("made") == scratch.read("new"));
}

/// What either program is asked, and with what exit code both answer. `old` and `new` are
/// there, `sums` and `delta` are theirs, `empty` is empty.
const LINES: &[(&str, i32)] = &[
    ("rdiff signature old out && rm out", 0),
    ("rdiff -b 512 -S 8 -H md4 -R rollsum sig old out", 0),
    ("rdiff --hash=md4 --rollsum=rollsum --block-size=100 --sum-size=-1 -f signature old out", 0),
    ("rdiff signature <old >out", 0),
    ("{ dd bs=1000 count=1 2>errors >skipped; rdiff signature; } <old >out", 0),
    ("cat old | rdiff signature >out", 0),
    ("cat old | rdiff signature - - | cat >out", 0),
    ("cat old | rdiff -S -1 signature - - >out", 0),
    ("rdiff -f signature empty out", 0),
    ("rdiff -f delta sums new out", 0),
    ("cat new | rdiff delta sums >out", 0),
    ("rdiff delta - new <sums >out", 0),
    ("rdiff delta empty-sums new >out", 0),
    ("rdiff -f patch old delta out", 0),
    ("cat delta | rdiff patch old >out", 0),
    ("rdiff -b 100 -b 200 -H md4 -H blake2 -f -f signature old out", 0),
    ("rdiff -b 0x200 -S 010 signature old out", 0),
    ("rdiff -b 010 -I 0x10 -O 0 signature old out", 0),
    ("rdiff -b=128 --sum-size= signature old out", 0),
    ("rdiff -b ' +16' -S -1 signature old out", 0),
    ("rdiff -b 33554432 signature old out", 0),
    ("rdiff -b 33554432 -f signature old big && rdiff delta big new out", 0),
    ("rdiff --stats signature old out 2>errors && grep -q 'signature statistics' errors", 0),
    ("{ cat delta; echo behind; } | rdiff patch old >out", 0),
    ("{ cat sums; printf 123; } | rdiff delta - new >out", 0),
    ("{ cat sums; printf 1234; } | rdiff delta - new >out", 103),
    ("rdiff --version | grep -q 'rdiff (librsync 2.3.2)'", 0),
    ("rdiff -V | grep -q Copyright", 0),
    ("rdiff --nonsense signature old 2>&1 | grep -q 'unknown option: --nonsense'", 0),
    ("rdiff -x signature old 2>&1 | grep -q 'unknown option: -x'", 0),
    ("rdiff signature old new 2>&1 | grep -q 'File exists \"new\", aborting!'", 0),
    ("rdiff -b 08 signature old out", 101),
    ("rdiff -b 0x signature old out", 101),
    ("rdiff -b 2147483648 signature old out", 101),
    ("rdiff -S -2 signature old >out", 108),
    ("rdiff signature absent out", 100),
    ("rdiff signature old absent/out", 100),
    ("rdiff signature old new", 100),
    ("rdiff delta sums absent out", 100),
    ("rdiff patch old delta new", 100),
    ("rdiff", 101),
    ("rdiff nonsense", 101),
    ("rdiff delta", 101),
    ("rdiff patch", 101),
    ("rdiff --nonsense signature old", 101),
    ("rdiff -b many signature old", 101),
    ("rdiff -H sha1 signature old", 101),
    ("rdiff -R adler signature old", 101),
    ("head -c 100 delta | rdiff patch old >out", 103),
    ("head -c 100 sums | rdiff delta - new >out", 103),
    ("rdiff patch empty delta >out", 103),
    ("printf 'rs\\0026\\0\\0\\010\\0\\0\\0\\0\\020' | rdiff delta - new >out", 104),
    ("rdiff patch old new >out", 104),
    ("printf 'rs\\0026\\377' | rdiff patch old >out", 106),
    ("rdiff -S 33 signature old >out", 108),
    ("rdiff -H md4 -S 17 signature old >out", 108),
];

#[cfg(unix)]
#[test]
fn answers_as_the_real_one() {
    let scratch = scratch();
    scratch.write("empty", b"");
    let real = peers::require("rdiff");
    let prepare = "rm -f out; rdiff -f signature old sums && rdiff -f delta sums new delta && rdiff -f signature empty empty-sums";
    for (line, code) in LINES {
        let answer = |program: &Path| {
            assert_eq!(shell(&scratch, program, prepare).code, 0);
            let run = shell(&scratch, program, line);
            assert_eq!(run.code, *code, "{} as {line}: {}", program.display(), run.stderr);
            assert!(!run.stderr.contains("panicked"), "{line}: {}", run.stderr);
            scratch.path("out").exists().then(|| scratch.read("out"))
        };
        let answered = answer(&ours());
        let Some(real) = &real else { continue };
        assert!(answer(real) == answered || *code != 0, "{line}: other bytes");
    }
}

/// Which says of each that it has no bytes.
#[cfg(target_os = "linux")]
#[test]
fn files_that_the_kernel_makes_up() {
    let scratch = scratch();
    scratch.write("read", &fs::read("/proc/version").unwrap());
    assert_eq!(rdiff(&scratch, &["-b", "50", "signature", "read", "sums"]).code, 0);
    assert_eq!(rdiff(&scratch, &["-b", "50", "signature", "/proc/version", "out"]).code, 0);
    assert!(scratch.read("out") == scratch.read("sums"));
    let done = scratch.json(&["rdiff", "delta", "sums", "/proc/version", "delta"]);
    assert_eq!(done["copied_bytes"].as_u64(), Some(scratch.read("read").len() as u64));
}

#[test]
fn nothing_is_replaced_before_the_work_succeeded() {
    let scratch = scratch();
    assert_eq!(rdiff(&scratch, &["signature", "old", "sums"]).code, 0);
    assert_eq!(rdiff(&scratch, &["delta", "sums", "new", "delta"]).code, 0);
    let delta = scratch.read("delta");
    scratch.write("cut", &delta[..delta.len() - 1]);
    let names = scratch.names();
    rdiff(&scratch, &["-f", "patch", "old", "cut", "new"]).assert_failed(103, "cut cannot be used");
    rdiff(&scratch, &["patch", "old", "delta", "new"]).assert_failed(100, "cannot write the new file");
    assert_eq!(scratch.names(), names, "nothing is left behind");
    // Onto its own basis.
    assert_eq!(rdiff(&scratch, &["patch", "old", "delta", "old", "-f"]).code, 0);
    assert!(scratch.read("old") == scratch.read("new"));
}

#[cfg(unix)]
#[test]
fn links_and_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = scratch();
    let mode = |name: &str| fs::metadata(scratch.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(shell(&scratch, &ours(), "umask 027; rdiff signature old sums").code, 0);
    assert_eq!(mode("sums"), 0o640);
    fs::set_permissions(scratch.path("sums"), fs::Permissions::from_mode(0o604)).unwrap();
    symlink("sums", scratch.path("link")).unwrap();
    assert_eq!(rdiff(&scratch, &["-f", "-b", "100", "signature", "old", "link"]).code, 0);
    assert!(scratch.path("link").is_symlink());
    assert_eq!(mode("sums"), 0o604);
    assert_eq!(scratch.read("sums")[4..8], [0, 0, 0, 100]);
    // What is no plain file is written to as it is.
    let piped =
        shell(&scratch, &ours(), "mkfifo pipe && { cat pipe >seen & rdiff -f -b 100 signature old pipe; wait; }");
    assert!(piped.code == 0 && scratch.read("seen") == scratch.read("sums"), "{}", piped.stderr);
}

#[test]
fn statistics() {
    let scratch = scratch();
    let run = rdiff(&scratch, &["-s", "-b", "1000", "signature", "old", "sums"]);
    assert!(
        run.stderr.contains("signature statistics: signature[300 blocks, 1000 bytes per block] speed["),
        "{}",
        run.stderr
    );
    let run = rdiff(&scratch, &["delta", "sums", "new", "delta", "--statistics"]);
    let delta = scratch.read("delta").len();
    for words in ["delta statistics: literal[", "] copy[", " cmdbytes, 0 false] speed["] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let done = scratch.json(&["rdiff", "-f", "delta", "sums", "new", "delta"]);
    assert_eq!(done["delta_bytes"].as_u64(), Some(delta as u64));
    assert_eq!(done["new_bytes"].as_u64(), Some(scratch.read("new").len() as u64));
    let run = rdiff(&scratch, &["-s", "patch", "old", "delta", "made"]);
    assert!(run.stderr.contains("patch statistics: literal["), "{}", run.stderr);
    let weak = rdiff(&scratch, &["-f", "-S", "2", "signature", "old", "sums"]);
    assert!(weak.code == 0 && weak.stderr.contains("warning: hashes of 2 bytes"), "{}", weak.stderr);
}
