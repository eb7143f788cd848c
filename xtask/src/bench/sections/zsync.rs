//! zsync's work: ours beside zsync and zsync-rs.

use std::path::Path;

use super::network;
use super::section::{Pace, Section, gosync, variants};
use crate::bench::accounting::Invocation;
use crate::bench::case::{Case, Cases, Moved, Product, SERVED};
use crate::bench::corpora::Corpus;
use crate::bench::labels::{BUILD, DIFF, one_thread};
use crate::bench::report;
use crate::bench::results::Results;

pub(super) const SECTION: Section = Section {
    name: "zsync",
    corpora: &["typescript", "scipy", "random", "identical"],
    round_trips: network::ROUND_TRIPS,
    pace: Pace::Rounds,
    cases,
    text,
};

const MAKE: &str = "make";
const SCAN: &str = "scan";

/// zsyncmake's options: blocks of 2,048, and nothing compressed.
pub(super) const PLAIN: [&str; 4] = ["-b", "2048", "-C", "-e"];
/// Those of ours that make what zsyncmake 0.6.2 makes.
pub(super) const COMPATIBLE: [&str; 4] = ["--compat", "0.6.2", "-b", "2048"];

fn cases(cases: &mut Cases<'_>) {
    if let Some(program) = cases.programs.find("gosync") {
        for (label, name, options) in ours() {
            for (case, threads) in [(one_thread(label), "1"), (format!("{label}, 2 threads"), "2")] {
                let made = cases.file(&format!("own-{name}-{threads}.zsync"));
                let words = [&["zsyncmake"], options, &["-u", SERVED, "-o"]].concat();
                let run = gosync(program, &["-p", threads], &words, &[&made, &cases.target()]);
                let case = cases.add(MAKE, "gosync", &case).run(run).makes(&made);
                if name == "compatible" {
                    case.product("control file", Product::File(made));
                }
            }
        }
    }
    makers(cases, MAKE);
    if let Some(program) = cases.programs.find("gosync") {
        let (seed, json, bytes) = (cases.corpus.seed.clone(), cases.file("json"), cases.seed_bytes());
        let index = cases.file("own-compatible-1.zsync");
        for (case, threads) in [(one_thread("gosync zsync"), "1"), ("gosync zsync, 2 threads".into(), "2")] {
            let run = gosync(program, &["-q", "--json", "-p", threads], &["diff"], &[&seed, &index]).stdout(&json);
            cases.add(SCAN, "gosync", &case).run(run).needs(&[&index]).bytes(bytes);
        }
    }
    if let Some(client) = cases.programs.find("zsync") {
        let (seed, bytes) = (cases.corpus.seed.clone(), cases.seed_bytes());
        scanner(cases, SCAN, "zsync", client, (&seed, bytes));
    }
    clients(cases);
}

/// Control files of ours: those of zsyncmake 0.6.2, and better ones.
fn ours() -> [(&'static str, &'static str, &'static [&'static str]); 2] {
    [("gosync zsyncmake, compatible", "compatible", &COMPATIBLE), ("gosync zsyncmake", "default", &["-b", "2048"])]
}

/// Each maker: its program, the options, and the file that it makes.
fn all_makers(
    cases: &Cases<'_>,
) -> Vec<(&'static str, std::path::PathBuf, &'static [&'static str], std::path::PathBuf)> {
    let made = |name: &str| cases.file(&format!("{name}.zsync"));
    let find = |name| cases.programs.find(name);
    let zsync = find("zsync").map(|path| ("zsync", path.with_file_name("zsyncmake"), &PLAIN[..], made("zsync")));
    let again = find("zsync-rs").map(|path| ("zsync-rs", path.join("zsyncmake"), &PLAIN[..2], made("zsync-rs")));
    zsync.into_iter().chain(again).collect()
}

/// zsyncmake's work by the peers.
pub(super) fn makers(cases: &mut Cases<'_>, work: &'static str) {
    for (name, maker, options, made) in all_makers(cases) {
        let words = [options, &["-u", SERVED, "-o"]].concat();
        let run = Invocation::new(&maker, &words, &[&made, &cases.target()]).pinned();
        let case = cases.add(work, name, &format!("{name}'s zsyncmake")).run(run).makes(&made);
        if name == "zsync" {
            case.product("control file", Product::File(made));
        }
    }
}

/// zsync's scan of `seed`, and no more: the control file does not tell where the rest is, and
/// so it gives up. (zsync-rs reads control files from servers only.)
fn scanner<'c>(
    cases: &'c mut Cases<'_>,
    work: &'static str,
    label: &str,
    client: &Path,
    (seed, bytes): (&Path, u64),
) -> &'c mut Case {
    let (out, part) = (cases.file("out"), cases.file("out.part"));
    let index = cases.file("zsync.zsync");
    let files: [&Path; 5] = ["-i".as_ref(), seed, "-o".as_ref(), &out, &index];
    let run = Invocation::new(client, &["-q"], &files).may_fail().pinned();
    cases.add(work, "zsync", label).run(run).needs(&[&index]).removes(&[&out, &part]).bytes(bytes)
}

/// zsync's scan of a piece of the seed. Before it `cut` makes that, or what else is needed.
pub(super) fn scan_piece(cases: &mut Cases<'_>, work: &'static str, piece: (&Path, u64), label: &str, cut: Invocation) {
    if let Some(client) = cases.programs.find("zsync") {
        scanner(cases, work, label, client, piece).prepare(cut);
    }
}

/// Whole syncs from the web server.
fn clients(cases: &mut Cases<'_>) {
    let (seed, out, part) = (cases.corpus.seed.clone(), cases.file("out"), cases.file("out.part"));
    for (round_trip, url) in cases.urls {
        let work = network::work(*round_trip);
        let files = |index: &str| format!("{url}/{index}.zsync");
        if let Some(program) = cases.programs.find("gosync") {
            let rows = [
                ("gosync zsync", "own-default-1"),
                ("gosync zsync, of its compatible file", "own-compatible-1"),
                ("gosync zsync, of zsyncmake's file", "zsync"),
            ];
            for (label, index) in rows {
                let (index, needed) = (files(index), cases.file(&format!("{index}.zsync")));
                let files: [&Path; 5] = ["-i".as_ref(), &seed, "-o".as_ref(), &out, index.as_ref()];
                let run = gosync(program, &[], &["zsync", "-q"], &files);
                cases.add(work, "gosync", label).run(run).needs(&[&needed]).output(&out).moved(Moved::Served);
            }
        }
        network::zsync_clients(cases, work, url, &part);
        of_gzip(cases, work, url, &part, *round_trip == 0);
    }
}

/// Whole syncs out of a gzip file, which the control file that zsyncmake makes with it maps.
fn of_gzip(cases: &mut Cases<'_>, work: &'static str, url: &str, part: &Path, is_first: bool) {
    let (programs, Corpus { seed, name, .. }) = (cases.programs, cases.corpus.clone());
    let target = cases.target();
    // What is random cannot be compressed.
    let Some(zsync) = programs.find("zsync").filter(|_| ["typescript", "scipy"].contains(&name)) else { return };
    let (index, out, zipped) = (cases.file("gzip.zsync"), cases.file("out"), format!("{SERVED}.gz"));
    let make =
        Invocation::new(&zsync.with_file_name("zsyncmake"), &["-z", "-C", "-u", &zipped, "-o"], &[&index, &target]);
    let remote = format!("{url}/gzip.zsync");
    let files: [&Path; 5] = ["-i".as_ref(), &seed, "-o".as_ref(), &out, remote.as_ref()];
    let run = Invocation::new(zsync, &["-q"], &files);
    let case = cases.add(work, "zsync", "zsync, of its gzip").run(run).needs(&[&index]).output(&out);
    network::prepare(case, is_first, make).removes(&[part]).moved(Moved::Served);
    if let Some(program) = programs.find("gosync") {
        let run = gosync(program, &[], &["zsync", "-q"], &files);
        let case = cases.add(work, "gosync", "gosync zsync, of zsyncmake's gzip").run(run);
        case.needs(&[&index]).output(&out).moved(Moved::Served);
    }
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## zsync's control files and downloads\n\n\
         `gosync zsyncmake` and `gosync zsync` beside zsync and zsync-rs, blocks of 2,048. *Compatible* is a control\n\
         file with the very bytes of zsyncmake 0.6.2, whose SHA-1 is one chain and the limit; the run compares them.\n\
         *Scan* is the search of the old version alone. *Gzip* is a file that was compressed before, and mapped by\n\
         `zsyncmake -z`.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    for (work, baseline) in [(MAKE, one_thread(ours()[0].0)), (SCAN, one_thread("gosync zsync"))] {
        text += &format!("\n### {}\n\n", report::capitalised(work));
        text += &report::matrix(section, work, &baseline);
    }
    text += &network::tables(section);
    text += "\nThe same bytes as zsyncmake's";
    text + &report::violations(section)
}

/// Control files and scans of ours with each tier, and the peers, for large files.
pub(super) fn tiers(cases: &mut Cases<'_>) {
    let seed = cases.corpus.seed.clone();
    if let Some(program) = cases.programs.find("gosync") {
        let (kept, bytes) = (cases.file("own.zsync"), cases.seed_bytes());
        for (case, variant) in variants("gosync zsync") {
            let variant: Vec<&str> = variant.iter().map(String::as_str).collect();
            let made = if case == one_thread("gosync zsync") { kept.clone() } else { cases.file("again.zsync") };
            let words = [&["zsyncmake"], &COMPATIBLE[..], &["-u", SERVED, "-o"]].concat();
            let run = gosync(program, &variant, &words, &[&made, &cases.target()]);
            let built = cases.add(BUILD, "gosync", &case).run(run).makes(&made);
            built.product("control file", Product::File(made));
            let json = cases.file("json");
            let run = gosync(program, &[&["-q", "--json"], &variant[..]].concat(), &["diff"], &[&seed, &kept]);
            cases.add(DIFF, "gosync", &case).run(run.stdout(&json)).needs(&[&kept]).bytes(bytes);
        }
    }
    makers(cases, BUILD);
}
