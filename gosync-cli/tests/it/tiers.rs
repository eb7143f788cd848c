//! The same bytes and the same counts with all instructions and numbers of threads.

use gosync_testkit::corpus::{self, edit};

use crate::support::{FORMATS, Scratch};

const TIERS: [&str; 5] = ["portable", "neon", "sse4.2", "avx2", "avx512"];
const COUNTS: [&str; 8] = [
    "matched_bytes",
    "missing_bytes",
    "missing_ranges",
    "repeated_bytes",
    "comparisons",
    "weak_hits",
    "false_weak_hits",
    "strong_sums",
];

#[test]
fn all_tiers_and_threads_agree() {
    for (name, old) in corpus::all(21, 3_000_000) {
        let scratch = Scratch::new();
        let new = edit::scatter(&edit::insert(&edit::move_ranges(&old, 1, 4, 50_000), 2, 20, 500), 3, 20);
        scratch.write("old", &old);
        scratch.write("new", &new);
        let run = |args: &[&str], tier: &str, threads: &str| {
            scratch.run(&[args, &["--tier", tier, "-p", threads, "-q"]].concat())
        };
        let mut tiers = 0;
        for format in FORMATS {
            // Layers; and a size that is no power of two, nor a multiple of any vector.
            let layers = if format == "gosync" { ["--layers", "4096,512,64"] } else { ["--block-size", "1811"] };
            let build = ["build", "new", "--format", format, layers[0], layers[1]];
            assert_eq!(run(&build, "portable", "1").code, 0);
            let index = scratch.read("new.gosync");
            let expected = scratch.json(&["diff", "old", "new.gosync", "--tier", "portable", "-p", "1"]);
            for tier in TIERS {
                let built = run(&build, tier, "2");
                if built.code == 2 {
                    assert!(built.stderr.contains("does not run"), "{}", built.stderr);
                    continue;
                }
                tiers += 1;
                assert!(scratch.read("new.gosync") == index, "{name}, {format}, {tier}");
                let found = scratch.json(&["diff", "old", "new.gosync", "--tier", tier, "-p", "3"]);
                for count in COUNTS {
                    assert_eq!(found[count], expected[count], "{name}, {format}, {tier}, {count}");
                }
                assert_eq!(run(&["patch", "old", "new.gosync", "-o", "out"], tier, "2").code, 0);
                assert!(scratch.read("out") == new, "{name}, {format}, {tier}");
            }
        }
        assert!(tiers >= 2, "there is always the portable one");
    }
}

#[test]
fn a_tier_that_there_is_not() {
    let scratch = Scratch::new();
    scratch.write("new", b"data");
    scratch.run(&["build", "new", "--tier", "mmx"]).assert_failed(2, "no tier \"mmx\"");
}
