//! librsync's work: ours beside rdiff and fast_rsync.

use std::path::Path;

use super::section::{Pace, Section, gosync, variants};
use crate::bench::accounting::Invocation;
use crate::bench::case::{Cases, Moved, Product};
use crate::bench::corpora::Corpus;
use crate::bench::labels::{BUILD, DIFF, one_thread};
use crate::bench::report;
use crate::bench::results::Results;

pub(super) const SECTION: Section = Section {
    name: "librsync",
    corpora: &["scipy", "random", "identical"],
    round_trips: &[],
    pace: Pace::Rounds,
    cases,
    text,
};

const WORKS: [&str; 3] = ["signature", "delta", "patch"];

/// The two kinds of signature: the name, that of the file, and rdiff's options.
pub(super) const KINDS: [(&str, &str, &[&str]); 2] =
    [("BLAKE2", "blake2", &["-b", "2048"]), ("MD4", "md4", &["-b", "2048", "-H", "md4", "-R", "rollsum"])];

fn cases(cases: &mut Cases<'_>) {
    if let Some(program) = cases.programs.find("gosync") {
        for (kind, file, options) in KINDS {
            let label = format!("gosync rdiff, {kind}");
            let threads = [(one_thread(&label), "1"), (format!("{label}, 2 threads"), "2")];
            for (case, threads) in threads {
                let run = |words: &[&str], files: &[&Path]| {
                    gosync(program, &["-p", threads], &[&["rdiff"], words].concat(), files)
                };
                let name = format!("own-{file}-{threads}");
                like_rdiff(cases, ("gosync", &case, &name), WORKS, Patching::Alone, (kind, options), &run);
            }
        }
    }
    peers(cases, WORKS, Patching::Alone);
}

/// What the work of patching is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patching {
    /// Applying a delta that is there.
    Alone,
    /// Making it too.
    Whole,
}

/// rdiff and fast_rsync, under the names that a section has for signature, delta and patch.
pub(super) fn peers(cases: &mut Cases<'_>, works: [&'static str; 3], patching: Patching) {
    let programs = cases.programs;
    if let Some(program) = programs.find("rdiff") {
        for (kind, file, options) in KINDS {
            let run = |words: &[&str], files: &[&Path]| Invocation::new(program, words, files).pinned();
            let (label, name) = (format!("rdiff, {kind}"), format!("rdiff-{file}"));
            like_rdiff(cases, ("rdiff", &label, &name), works, patching, (kind, options), &run);
        }
    }
    if let Some(program) = programs.find("fast_rsync") {
        let run = |words: &[&str], files: &[&Path]| Invocation::new(program, words, files).pinned();
        let names = ("fast_rsync", "fast_rsync, MD4", "fast_rsync");
        like_rdiff(cases, names, works, patching, ("", &[]), &run);
    }
}

/// Signature and delta of the peers, without the patch.
pub(super) fn signing(cases: &mut Cases<'_>, [signing, scanning]: [&'static str; 2]) {
    let programs = cases.programs;
    let (seed, target, bytes) = (cases.corpus.seed.clone(), cases.corpus.target.clone(), cases.seed_bytes());
    for (kind, file, options) in KINDS {
        let Some(program) = programs.find("rdiff") else { return };
        let (signature, label) = (cases.file(&format!("rdiff-{file}.signature")), format!("rdiff, {kind}"));
        let run = |words: &[&str], files: &[&Path]| Invocation::new(program, words, files).pinned();
        let make = run(&[options, &["signature"]].concat(), &[&seed, &signature]);
        let case = cases.add(signing, "rdiff", &label).run(make).makes(&signature).bytes(bytes);
        case.product(&format!("signature, {kind}"), Product::File(signature.clone()));
        cases.add(scanning, "rdiff", &label).run(run(&["delta"], &[&signature, &target])).needs(&[&signature]);
    }
}

/// The signature is of the old version, as its users have it. Programs of the same kind of
/// signature have to write the same signatures and deltas; fast_rsync's deltas may differ.
fn like_rdiff(
    cases: &mut Cases<'_>,
    (program, label, name): (&'static str, &str, &str),
    [signing, scanning, applying]: [&'static str; 3],
    patching: Patching,
    (kind, options): (&str, &[&str]),
    run: &dyn Fn(&[&str], &[&Path]) -> Invocation,
) {
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (signature, delta) = (cases.file(&format!("{name}.signature")), cases.file(&format!("{name}.delta")));
    let (out, seed_bytes) = (cases.file("out"), cases.seed_bytes());
    let case = cases.add(signing, program, label);
    case.run(run(&[options, &["signature"]].concat(), &[&seed, &signature])).makes(&signature).bytes(seed_bytes);
    if !kind.is_empty() {
        case.product(&format!("signature, {kind}"), Product::File(signature.clone()));
    }
    cases.add(scanning, program, label).run(run(&["delta"], &[&signature, &target])).needs(&[&signature]);
    let make = run(&["delta"], &[&signature, &target, &delta]);
    let case = cases.add(applying, program, label);
    let case = match patching {
        Patching::Alone => case.prepare(Invocation::new(Path::new("rm"), &["-f"], &[&delta])).prepare(make),
        Patching::Whole => case.removes(&[&delta]).run(make),
    };
    case.run(run(&["patch"], &[&seed, &delta, &out]))
        .needs(&[&signature])
        .output(&out)
        .moved(Moved::Files(vec![signature, delta.clone()]));
    if !kind.is_empty() {
        case.product(&format!("delta, {kind}"), Product::File(delta));
    }
}

/// Signature and delta of ours with each tier, for large files.
pub(super) fn tiers(cases: &mut Cases<'_>, program: &Path) {
    let (seed, target, seed_bytes) = (cases.corpus.seed.clone(), cases.corpus.target.clone(), cases.seed_bytes());
    for (kind, file, options) in KINDS {
        let kept = cases.file(&format!("own-{file}.signature"));
        let label = format!("gosync rdiff, {kind}");
        for (case, variant) in variants(&label) {
            let made = if case == one_thread(&label) { kept.clone() } else { cases.file("again.signature") };
            let variant: Vec<&str> = variant.iter().map(String::as_str).collect();
            let words = [&["rdiff"], options, &["signature"]].concat();
            cases
                .add(BUILD, "gosync", &case)
                .run(gosync(program, &variant, &words, &[&seed, &made]))
                .makes(&made)
                .bytes(seed_bytes)
                .product(&format!("signature, {kind}"), Product::File(made.clone()));
            let delta = gosync(program, &variant, &["rdiff", "delta"], &[&kept, &target]);
            cases.add(DIFF, "gosync", &case).run(delta).needs(&[&kept]);
        }
    }
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## librsync's signature, delta and patch\n\n\
         `gosync rdiff` beside rdiff and fast_rsync, blocks of 2,048, one core but for the rows of two threads. The\n\
         delta of the first two goes nowhere while it is timed; that of rdiff and ours is compared byte by byte in the\n\
         run, as are the signatures.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    for work in WORKS {
        text += &format!("\n### {}\n\n", report::capitalised(work));
        text += &report::matrix(section, work, &one_thread("gosync rdiff, MD4"));
    }
    text += "\n### Two threads\n\nWall time of one thread divided by that of two.\n\n";
    text += &report::scaling(section);
    text += "\nThe same bytes as rdiff's";
    text + &report::violations(section)
}
