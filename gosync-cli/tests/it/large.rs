//! Large files: sparse, repetitive, and how much memory they take.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

#[cfg(target_os = "linux")]
use gosync_testkit::hostile::{Behaviour, Hostile};
use gosync_testkit::{corpus, peers};

#[cfg(target_os = "linux")]
use crate::hostile;
use crate::support::{FORMATS, Scratch, have_the_same};
#[cfg(target_os = "linux")]
use crate::{
    proxy::{Line, Proxy},
    resume::kill_twenty_times,
};

#[cfg(unix)]
fn on_disk(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).unwrap().blocks() * 512
}

#[cfg(unix)]
#[test]
fn more_than_four_gigabytes_with_holes() {
    const LENGTH: u64 = (4 << 30) + 12_345;
    let scratch = Scratch::new();
    let islands = corpus::write_sparse(&scratch.path("new"), 1, LENGTH, 8, 300_000).unwrap();
    let old = scratch.path("old");
    std::fs::hard_link(scratch.path("new"), &old).unwrap();
    std::fs::remove_file(&old).unwrap();
    // The old version lacks one island, and has another one elsewhere.
    let mut file = File::create_new(&old).unwrap();
    file.set_len(LENGTH - 1_000_000).unwrap();
    for (number, island) in islands.iter().enumerate().skip(1) {
        let start = if number == 2 { island.start + 4321 } else { island.start };
        file.seek(SeekFrom::Start(start)).unwrap();
        file.write_all(&corpus::random(1 + number as u64, 300_000)).unwrap();
    }
    drop(file);
    let server = scratch.serve();
    for format in FORMATS {
        assert_eq!(scratch.run(&["build", "new", "--format", format, "--block-size", "8192"]).code, 0);
        let index = format!("{}/new.gosync", server.url);
        let missing = scratch.json(&["diff", "old", &index])["missing_bytes"].as_u64().unwrap();
        assert!(missing > 290_000 && missing < 1_000_000, "{missing}");
        let done = scratch.json(&["patch", "old", &index, "-o", "out"]);
        assert_eq!(done["fetched_bytes"].as_u64(), Some(missing));
        assert_eq!(std::fs::metadata(scratch.path("out")).unwrap().len(), LENGTH);
        let room = on_disk(&scratch.path("out"));
        assert!(room < 16 << 20, "holes stay holes: {room} bytes on disk");
        assert!(have_the_same(scratch.open("new"), scratch.open("out")));
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
}

/// The exit code of a command and its peak resident memory in bytes, as Python is told of it.
#[cfg(unix)]
fn measured(scratch: &Scratch, args: &[&str]) -> Option<(i32, u64)> {
    const MEASURE: &str = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; \
                           print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)";
    let python = peers::require("python3")?;
    let output = Command::new(python)
        .args(["-c", MEASURE])
        .arg(assert_cmd::cargo::cargo_bin!("gosync"))
        .args(args)
        .current_dir(scratch.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout).unwrap();
    let (code, peak) = line.trim().split_once(' ').unwrap();
    Some((code.parse().unwrap(), peak.parse().unwrap()))
}

/// The peak of a command that succeeds.
#[cfg(unix)]
fn peak_memory(scratch: &Scratch, args: &[&str]) -> Option<u64> {
    measured(scratch, args).map(|(code, peak)| {
        assert_eq!(code, 0, "{args:?}");
        peak
    })
}

/// More than the command may use is at every server, and comes in whatever way.
#[cfg(target_os = "linux")]
#[test]
fn no_server_makes_it_take_more_memory() {
    use Behaviour::{FirstRangeOnly, LeavesOut, OnePart, PartsMerged, PartsReversed, RefusesSeveral, WrongRange};
    const LENGTH: usize = 48 << 20;
    let scratch = Scratch::new();
    let (new, old) = hostile::versions(LENGTH);
    scratch.write("new", &new);
    scratch.write("old", &old);
    scratch.write("none", b"");
    drop(old);
    assert_eq!(scratch.run(&["build", "new", "--block-size", "8KiB"]).code, 0);
    std::fs::remove_file(scratch.path("new")).unwrap();
    let limit = (32 << 20) + std::fs::metadata(scratch.path("new.gosync")).unwrap().len() * 3 / 2;
    for (behaviour, expected, _) in hostile::behaviours(LENGTH) {
        // Only where a part is there, several ranges are asked for.
        let seed = match behaviour {
            RefusesSeveral(_) | FirstRangeOnly | LeavesOut | PartsReversed | PartsMerged | OnePart | WrongRange => {
                "old"
            }
            _ => "none",
        };
        let server = Hostile::start(new.clone(), behaviour);
        let (url, options) = (server.url(), hostile::options(behaviour));
        // Each thread has a piece of its own.
        let args =
            [&["patch", seed, "new.gosync", &url, "-o", "out", "--quiet", "--threads", "2"][..], &options].concat();
        let Some((code, peak)) = measured(&scratch, &args) else { return };
        println!("{behaviour:?}: exit code {code}, {} MiB", peak >> 20);
        assert!(peak < limit, "{behaviour:?}: {peak} bytes, {limit} are allowed");
        assert!(expected.contains(&code), "{behaviour:?}: exit code {code}");
        for left in ["out", ".out.gosync-part", ".out.gosync-journal"] {
            let _ = std::fs::remove_file(scratch.path(left));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_gigabyte_is_patched_in_little_memory() {
    const LENGTH: usize = 1 << 30;
    let scratch = Scratch::new();
    let block = corpus::random(1, 64 << 20);
    let mut new = File::create_new(scratch.path("new")).unwrap();
    let mut old = File::create_new(scratch.path("old")).unwrap();
    for part in 0..LENGTH / block.len() {
        // Every part is another one, and the old version lacks a quarter of each.
        let data: Vec<u8> = block.iter().map(|byte| byte.wrapping_add(part as u8 * 7)).collect();
        new.write_all(&data).unwrap();
        old.write_all(&data[data.len() / 4..]).unwrap();
    }
    drop((new, old));
    let server = scratch.serve();
    for format in FORMATS {
        assert_eq!(scratch.run(&["build", "new", "--format", format, "--block-size", "4096"]).code, 0);
        let index_bytes = std::fs::metadata(scratch.path("new.gosync")).unwrap().len();
        let index = format!("{}/new.gosync", server.url);
        for args in [
            &["build", "new", "--format", format, "--block-size", "4096", "--quiet"][..],
            &["patch", "old", &index, "-o", "out", "--quiet"],
            &["verify", "out", "new.gosync", "--quiet"],
        ] {
            let Some(peak) = peak_memory(&scratch, args) else { return };
            assert!(peak < (64 << 20) + index_bytes * 3 / 2, "{args:?}: {peak} bytes, the index has {index_bytes}");
        }
    }
}

/// Each run has up to a gigabyte to look through before it goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_gigabyte_is_killed_twenty_times() {
    const LENGTH: u64 = 1 << 30;
    let scratch = Scratch::new();
    let block = corpus::random(1, 64 << 20);
    let mut new = File::create_new(scratch.path("new")).unwrap();
    for part in 0..LENGTH / block.len() as u64 {
        let data: Vec<u8> = block.iter().map(|byte| byte.wrapping_add(part as u8 * 7)).collect();
        new.write_all(&data).unwrap();
        if part == 3 {
            scratch.write("old", &data);
        }
    }
    drop(new);
    assert_eq!(scratch.run(&["build", "new", "--block-size", "16KiB"]).code, 0);
    let server = scratch.serve();
    let proxy = Proxy::new(&server, Line { rate: Some(96 << 20), ..Line::default() });
    let to_fetch = LENGTH - block.len() as u64;
    let killed = kill_twenty_times(&scratch, &proxy, to_fetch, || {
        assert_eq!(std::fs::metadata(scratch.path("old")).unwrap().len(), block.len() as u64);
    });
    let before = proxy.passed();
    let index_bytes = std::fs::metadata(scratch.path("new.gosync")).unwrap().len();
    let url = format!("{}/new", proxy.url);
    let Some(peak) = peak_memory(&scratch, &["patch", "old", "new.gosync", &url, "--quiet"]) else { return };
    assert!(peak < (64 << 20) + index_bytes * 3 / 2, "{peak} bytes, the index has {index_bytes}");
    assert!(have_the_same(scratch.open("new"), scratch.open("old")));
    assert_eq!(scratch.names(), ["new", "new.gosync", "old"]);
    let all = killed + proxy.passed() - before;
    // A request has two megabytes.
    assert!(all < to_fetch * 21 / 20 + 20 * (2 << 20), "{all} bytes instead of {to_fetch}");
}

/// Zeros and short periods must not be slower, byte for byte, than four times random data.
#[test]
fn repetitive_data_is_not_slow() {
    const LENGTH: usize = 64 << 20;
    let scratch = Scratch::new();
    scratch.write("random", &corpus::random(1, LENGTH));
    scratch.write("other", &corpus::random(2, LENGTH));
    scratch.write("zeros", &corpus::zeros(LENGTH));
    scratch.write("spaces", &vec![b' '; LENGTH]);
    scratch.write("period", &corpus::periodic(3, 700, LENGTH));
    let mut phase = corpus::periodic(3, 700, LENGTH + 350);
    phase.drain(..350);
    scratch.write("phase", &phase);
    for format in FORMATS {
        let seconds = |seed: &str, target: &str| {
            assert_eq!(scratch.run(&["build", target, "-o", "index", "--format", format]).code, 0);
            let times = (0..3).map(|_| scratch.json(&["diff", seed, "index"])["seconds"].as_f64().unwrap());
            times.fold(f64::INFINITY, f64::min)
        };
        let random = seconds("random", "other");
        for (seed, target) in [
            ("zeros", "zeros"),
            ("zeros", "random"),
            ("random", "zeros"),
            ("spaces", "zeros"),
            ("zeros", "spaces"),
            ("period", "period"),
            ("period", "phase"),
            ("period", "random"),
            ("random", "period"),
        ] {
            let time = seconds(seed, target);
            assert!(time < 4.0 * random + 0.05, "{format}, {target} from {seed}: {time} s, at random {random} s");
        }
    }
}

/// Signature and delta are those of the real rdiff, and the delta leads to the new file.
fn as_rdiff_does(scratch: &Scratch, options: &[&str]) {
    let rdiff = peers::require("rdiff");
    let step = |args: &[&str], ours: &str| {
        assert_eq!(scratch.run(&[&["rdiff"], args, &[ours]].concat()).code, 0);
        let Some(rdiff) = &rdiff else { return };
        let run = Command::new(rdiff).args(args).arg("theirs").current_dir(scratch.path("")).status().unwrap();
        assert!(run.success());
        assert!(scratch.read(ours) == scratch.read("theirs"), "{ours}");
        std::fs::remove_file(scratch.path("theirs")).unwrap();
    };
    step(&[options, &["signature", "old"]].concat(), "sums");
    step(&["delta", "sums", "new"], "delta");
    let mut patch = scratch.command(&["rdiff", "patch", "old", "delta"]).stdout(Stdio::piped()).spawn().unwrap();
    let made = patch.stdout.take().unwrap();
    let is_same = have_the_same(made, scratch.open("new"));
    assert!(patch.wait().unwrap().success() && is_same);
}

#[test]
fn a_gigabyte_as_rdiff_does() {
    let scratch = Scratch::new();
    let block = corpus::random(1, 64 << 20);
    let mut new = File::create_new(scratch.path("new")).unwrap();
    let mut old = File::create_new(scratch.path("old")).unwrap();
    for part in 0..16u8 {
        let mut data: Vec<u8> = block.iter().map(|byte| byte.wrapping_add(part * 7)).collect();
        old.write_all(&data).unwrap();
        data.drain(..usize::from(part) * 1001);
        data[30 << 20..][..usize::from(part) << 16].fill(part);
        new.write_all(&data).unwrap();
    }
    drop((new, old));
    as_rdiff_does(&scratch, &["-H", "md4", "-R", "rollsum", "-b", "2048"]);
}

#[cfg(unix)]
#[test]
fn more_than_four_gigabytes_as_rdiff_does() {
    const LENGTH: u64 = (4 << 30) + 12_345;
    let scratch = Scratch::new();
    corpus::write_sparse(&scratch.path("old"), 1, LENGTH, 8, 300_000).unwrap();
    let islands = corpus::write_sparse(&scratch.path("new"), 1, LENGTH, 8, 300_000).unwrap();
    // One island differs, and the last is moved on by a few bytes.
    let mut file = File::options().write(true).open(scratch.path("new")).unwrap();
    file.seek(SeekFrom::Start(islands[3].start)).unwrap();
    file.write_all(&corpus::random(99, 300_000)).unwrap();
    file.seek(SeekFrom::Start(islands[7].start + 4321)).unwrap();
    file.write_all(&corpus::random(8, 300_000)).unwrap();
    drop(file);
    as_rdiff_does(&scratch, &[]);
}
