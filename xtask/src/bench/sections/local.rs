//! Build, diff and patch on this machine, on every kind of data.

use std::path::Path;

use super::librsync::{self, Patching};
use super::section::{Pace, Section, gosync, variants};
use super::zsync;
use crate::bench::accounting::Invocation;
use crate::bench::case::{Cases, Moved, Product};
use crate::bench::corpora::Corpus;
use crate::bench::labels::{BUILD, DIFF, FORCED, PATCH, one_thread};
use crate::bench::report;
use crate::bench::results::Results;

pub(super) const SECTION: Section = Section {
    name: "local",
    corpora: &[
        "typescript",
        "scipy",
        "random",
        "identical",
        "shifted",
        "insertions",
        "scattered",
        "zeros",
        "periodic",
        "two-letters",
        "records",
        "counters",
        "sparse",
    ],
    round_trips: &[],
    pace: Pace::Rounds,
    cases,
    text,
};

/// Variants of ours: the name, the file name of the index, and how to build it.
pub(super) const OURS: [(&str, &str, &[&str]); 3] = [
    ("gosync, 2048", "own-2048", &["--block-size", "2048"]),
    ("gosync, default", "own", &[]),
    ("go-sync's format, 2048", "legacy-2048", &["--format", "go-sync", "--block-size", "2048"]),
];

/// Adds the cases of a program, which is at a path.
type Adder = fn(&mut Cases<'_>, &Path);

fn cases(cases: &mut Cases<'_>) {
    let programs = cases.programs;
    if let Some(program) = programs.find("gosync") {
        for (label, name, options) in OURS {
            ours(cases, program, label, name, options);
            patch(cases, program, label, name);
        }
    }
    librsync::peers(cases, [BUILD, DIFF, PATCH], Patching::Whole);
    zsync::makers(cases, BUILD);
    let adders: [(&str, Adder); 4] = [("rsync", rsync), ("xdelta3", xdelta3), ("casync", casync), ("bita", bita)];
    for (name, add) in adders {
        if let Some(program) = programs.find(name) {
            add(cases, program);
        }
    }
    copy(cases);
    // The section of large files has a row for each tier.
    cases.check_only(|case| case.label.ends_with(FORCED));
}

/// Build and diff with one thread, with two, and with each lesser tier of instructions.
pub(super) fn ours(cases: &mut Cases<'_>, program: &Path, label: &str, name: &str, build: &[&str]) {
    let (seed, target) = (cases.corpus.seed.clone(), cases.target());
    let (index, json, seed_bytes) = (cases.file(&format!("{name}.gosync")), cases.file("json"), cases.seed_bytes());
    let keys = &["index_bytes", "matched_bytes", "missing_bytes"];
    for (case, options) in variants(label) {
        let options: Vec<&str> = ["-q", "--json"].into_iter().chain(options.iter().map(String::as_str)).collect();
        // Of the first the index stays, for all that comes.
        let made = if case == one_thread(label) { index.clone() } else { cases.file("again.gosync") };
        let words = [&["build"], build, &["-o"]].concat();
        cases
            .add(BUILD, "gosync", &case)
            .run(gosync(program, &options, &words, &[&made, &target]))
            .makes(&made)
            .product(&format!("index, {label}"), Product::File(made.clone()))
            .bound_by(&index);
        cases
            .add(DIFF, "gosync", &case)
            .run(gosync(program, &options, &["diff"], &[&seed, &index]).stdout(&json))
            .needs(&[&index])
            .bytes(seed_bytes)
            .moved(Moved::Json(json.clone(), &["index_bytes", "missing_bytes"]))
            .product(&format!("diff, {label}"), Product::Json(json.clone(), keys))
            .bound_by(&index);
    }
}

fn patch(cases: &mut Cases<'_>, program: &Path, label: &str, name: &str) {
    let (seed, target) = (cases.corpus.seed.clone(), cases.target());
    let (index, json, out) = (cases.file(&format!("{name}.gosync")), cases.file("json"), cases.file("out"));
    for (case, threads) in [(one_thread(label), "1"), (label.to_owned(), "2")] {
        let options = ["-q", "--json", "-p", threads];
        cases
            .add(PATCH, "gosync", &case)
            .run(gosync(program, &options, &["patch"], &[&seed, &index, &target, &out]).stdout(&json))
            .needs(&[&index])
            .output(&out)
            .moved(Moved::Json(json.clone(), &["index_bytes", "fetched_bytes"]))
            .bound_by(&index);
    }
}

/// It has no index that could be kept: both ends work at once.
fn rsync(cases: &mut Cases<'_>, program: &Path) {
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (batch, script, statistics) = (cases.file("batch"), cases.file("batch.sh"), cases.file("statistics"));
    let (out, seed_bytes) = (cases.file("out"), cases.seed_bytes());
    let run = |option: &str, destination: &Path| {
        let words = ["--no-whole-file", "--ignore-times", "-B", "2048", option];
        Invocation::new(program, &words, &[&target, destination])
    };
    cases
        .add(DIFF, "rsync", "rsync")
        .run(run(&format!("--only-write-batch={}", batch.display()), &seed).pinned())
        .removes(&[&script])
        .makes(&batch)
        .bytes(seed_bytes);
    cases
        .add(PATCH, "rsync", "rsync")
        .run(run("--stats", &out).stdout(&statistics))
        .copies(&seed, &out)
        .output(&out)
        .moved(Moved::RsyncStatistics(statistics));
}

/// It has both versions at hand, which the others do not.
fn xdelta3(cases: &mut Cases<'_>, program: &Path) {
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (delta, out, seed_bytes) = (cases.file("delta"), cases.file("out"), cases.seed_bytes());
    // Its window into the old version is 64 MiB unless it is told to see more.
    let window = seed_bytes.clamp(1 << 26, (1 << 31) - 1).to_string();
    let run = |words: &[&str], files: &[&Path]| {
        let words = [words, &["-f", "-B", &window, "-s"]].concat();
        Invocation::new(program, &words, &[&[seed.as_path()], files].concat())
    };
    cases
        .add(DIFF, "xdelta3", "xdelta3")
        .run(run(&["-e"], &[&target, &delta]).pinned())
        .makes(&delta)
        .bytes(seed_bytes);
    cases
        .add(PATCH, "xdelta3", "xdelta3")
        .run(run(&["-e"], &[&target, &delta]))
        .run(run(&["-d"], &[&delta, &out]))
        .removes(&[&delta])
        .output(&out);
}

fn casync(cases: &mut Cases<'_>, program: &Path) {
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (index, store, out) = (cases.file("casync.caibx"), cases.file("casync.castr"), cases.file("out"));
    let with_store = format!("--store={}", store.display());
    let with_seed = format!("--seed={}", seed.display());
    cases
        .add(BUILD, "casync", "casync")
        .run(Invocation::new(program, &["make", &with_store], &[&index, &target]).pinned())
        .removes(&[&index, &store])
        .moved(Moved::Files(vec![index.clone(), store]));
    cases
        .add(PATCH, "casync", "casync")
        .run(Invocation::new(program, &["extract", &with_store, &with_seed], &[&index, &out]))
        .needs(&[&index])
        .output(&out);
}

fn bita(cases: &mut Cases<'_>, program: &Path) {
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (archive, out) = (cases.file("bita.cba"), cases.file("out"));
    // Uncompressed, as the others are.
    let compress = ["compress", "--compression", "none", "-i"];
    cases
        .add(BUILD, "bita", "bita")
        .run(Invocation::new(program, &compress, &[&target, &archive]).pinned())
        .makes(&archive);
    cases
        .add(PATCH, "bita", "bita")
        .run(Invocation::new(program, &["clone", "--seed"], &[&seed, &archive, &out]))
        .needs(&[&archive])
        .output(&out);
}

/// What no patch can do without.
fn copy(cases: &mut Cases<'_>) {
    let (target, out) = (cases.corpus.target.clone(), cases.file("out"));
    let run = Invocation::new(Path::new("cp"), &["--reflink=never"], &[&target, &out]);
    cases.add(PATCH, "cp", "cp, of the new version").run(run).output(&out);
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## On one machine: build, diff, patch\n\n\
         Old and new version are on the same disk and in the page cache. Blocks have 2,048 bytes; casync and bita cut by\n\
         content instead, into 64 KiB on average. Build and diff of one thread are held on one core; patch is not. rdiff\n\
         and fast_rsync keep the signature of the *old* version and scan the new one: the work is the same. rsync has\n\
         both ends on this machine. xdelta3 has both versions at hand, and its diff finds and compresses the differences.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    text += "\nPatch is everything that leads from the old version and the index to the new one, the diff or delta included.\n\
             What it takes above `cp` is finding the blocks, hashing, and syncing the result to disk, which `cp` does not do.\n";
    for (work, baseline) in [(BUILD, one_thread(OURS[0].0)), (DIFF, one_thread(OURS[0].0)), (PATCH, OURS[0].0.into())] {
        text += &format!("\n### {}\n\n", report::capitalised(work));
        text += &report::matrix(section, work, &baseline);
    }
    text += "\n### Two threads\n\nWall time of one thread divided by that of two.\n\n";
    text += &report::scaling(section);
    text += "\n### Promises\n\n\
             Every tier of instructions and one or two threads made the same index and found the same, on every corpus;\n\
             memory stayed within 64 MiB and 1.5 times the index. The run checks both, and fails where they do not hold";
    text += &report::violations(section);
    text
}
