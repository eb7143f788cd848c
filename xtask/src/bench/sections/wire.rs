//! Bytes on the wire: what each program moves for the same change.

use std::path::Path;

use super::network::{self, prepare};
use super::section::{Pace, Section};
use crate::bench::accounting::Invocation;
use crate::bench::case::{Cases, Moved, SERVED};
use crate::bench::corpora::Corpus;
use crate::bench::labels::{COMPRESSED, DEFAULT, WIRE};
use crate::bench::report;
use crate::bench::results::{Measured, Results, Row};
use crate::bench::table::{Table, grouped};

pub(super) const SECTION: Section = Section {
    name: "wire",
    corpora: &[
        "typescript",
        "scipy",
        "pyarrow",
        "unrelated",
        "json",
        "sqlite",
        "ext4",
        "changes-large",
        "identical-large",
        "random-large",
    ],
    round_trips: &[0],
    pace: Pace::Once,
    cases,
    text,
};

/// Ours with one layer of blocks, plain and compressed.
const FLAT: &str = "gosync, flat";
const FLAT_COMPRESSED: &str = "gosync, compressed, flat";

/// A seed that is of no use.
const UNRELATED: &str = "unrelated";

const BLOCKS: [&str; 5] = ["512", "1024", "2048", "4096", "8192"];

fn cases(cases: &mut Cases<'_>) {
    let Some((_, url)) = cases.urls.first() else { return };
    network::ours(cases, WIRE, url, DEFAULT, ("own", &[]), true);
    network::ours(cases, WIRE, url, COMPRESSED, ("own-compressed", &["--compress"]), true);
    // These are about other questions than that of the block size.
    if !cases.corpus.name.ends_with("-large") && cases.corpus.name != UNRELATED {
        for size in BLOCKS {
            let flat = format!("{FLAT} {size}");
            network::ours(cases, WIRE, url, &flat, ("own-flat", &["--block-size", size]), true);
            let flat = format!("{FLAT_COMPRESSED} {size}");
            network::ours(cases, WIRE, url, &flat, ("own-flat", &["--block-size", size, "--compress"]), true);
        }
    }
    zsync(cases, url);
    network::bita(cases, WIRE, url, true);
    network::casync(cases, WIRE, url, true);
    rsync(cases);
    bounds(cases);
}

/// Of the plain file, and of the file compressed by gzip, into which it looks.
fn zsync(cases: &mut Cases<'_>, url: &str) {
    let (seed, target, out, part) =
        (cases.corpus.seed.clone(), cases.target(), cases.file("out"), cases.file("out.part"));
    let programs = cases.programs;
    if let Some(program) = programs.find("zsync") {
        let maker = program.with_file_name("zsyncmake");
        let (plain, inside) = (cases.file("zsync.zsync"), cases.file("gzip.zsync"));
        let zipped = format!("{SERVED}.gz");
        let rows: [(&str, &Path, &str, &[&str]); 2] = [
            ("zsync", &plain, "zsync.zsync", &["-C", "-e", "-u", SERVED, "-o"]),
            ("zsync, gzip", &inside, "gzip.zsync", &["-z", "-C", "-u", &zipped, "-o"]),
        ];
        // Random bytes do not compress, and the large files are random.
        let count = if cases.corpus.name.ends_with("-large") { 1 } else { rows.len() };
        for (label, index, name, make) in rows.into_iter().take(count) {
            let remote = format!("{url}/{name}");
            let make = Invocation::new(&maker, make, &[index, &target]);
            let files: [&Path; 5] = ["-i".as_ref(), &seed, "-o".as_ref(), &out, remote.as_ref()];
            let run = Invocation::new(program, &["-q"], &files);
            let case = cases.add(WIRE, "zsync", label).run(run).needs(&[index]).output(&out);
            prepare(case, true, make).removes(&[&part]).moved(Moved::Served);
        }
    }
    if let Some(folder) = programs.find("zsync-rs") {
        let (index, remote) = (cases.file("zsync-rs.zsync"), format!("{url}/zsync-rs.zsync"));
        let make = Invocation::new(&folder.join("zsyncmake"), &["-u", SERVED, "-o"], &[&index, &target]);
        let files: [&Path; 5] = ["-i".as_ref(), &seed, "-o".as_ref(), &out, remote.as_ref()];
        let run = Invocation::new(&folder.join("zsync"), &[], &files);
        let case = cases.add(WIRE, "zsync-rs", "zsync-rs").run(run).needs(&[&index]).output(&out);
        prepare(case, true, make).removes(&[&part]).moved(Moved::Served);
    }
}

/// The protocol of two machines, whose other end a script starts here as ssh does there.
fn rsync(cases: &mut Cases<'_>) {
    let Some(program) = cases.programs.find("rsync") else { return };
    let Corpus { seed, target, .. } = cases.corpus.clone();
    let (out, statistics, shell) = (cases.file("out"), cases.file("statistics"), cases.file("shell"));
    let script = format!("printf '#!/bin/sh\\nshift\\nexec \"$@\"\\n' > {0} && chmod +x {0}", shell.display());
    let make = Invocation::new(Path::new("sh"), &["-c", &script], &[]);
    let (other, shell) = (format!("here:{}", target.display()), shell.display().to_string());
    let run = Invocation::new(program, &["-z", "--ignore-times", "--stats", "-e", &shell], &[other.as_ref(), &out]);
    let case = cases.add(WIRE, "rsync", "rsync -z").run(run.stdout(&statistics)).copies(&seed, &out).output(&out);
    case.prepare(make).moved(Moved::RsyncStatistics(statistics));
}

/// What is possible with both versions at hand.
fn bounds(cases: &mut Cases<'_>) {
    let Corpus { seed, target, name } = cases.corpus.clone();
    let (programs, delta) = (cases.programs, cases.file("delta"));
    let level = if name.ends_with("-large") { "-3" } else { "-12" };
    if let Some(program) = programs.find("zstd") {
        let from = format!("--patch-from={}", seed.display());
        let words = ["-q", "-f", level, "--long=31", &from, "-o"];
        let run = Invocation::new(program, &words, &[&delta, &target]);
        cases.add(WIRE, "zstd", "zstd --patch-from").run(run).makes(&delta);
        if name == UNRELATED {
            let run = Invocation::new(program, &["-q", "-f", "-3", "-o"], &[&delta, &target]);
            cases.add(WIRE, "zstd", "zstd -3, without a seed").run(run).makes(&delta);
        }
    }
    if let Some(program) = programs.find("xdelta3") {
        let window = cases.seed_bytes().clamp(1 << 26, (1 << 31) - 1).to_string();
        let level = if level == "-3" { "-1" } else { "-9" };
        let run = Invocation::new(program, &["-e", "-f", level, "-B", &window, "-s"], &[&seed, &target, &delta]);
        cases.add(WIRE, "xdelta3", "xdelta3").run(run).makes(&delta);
    }
}

/// The case with the fewest bytes, of those whose name begins with `prefix`.
fn best<'a>(section: &'a Measured, corpus: &str, prefix: &str) -> Option<(&'a str, u64)> {
    let is_meant = |row: &&Row| row.corpus == corpus && row.work == WIRE && row.case.starts_with(prefix);
    let rows = section.rows.iter().filter(is_meant);
    rows.filter_map(|row| Some((row.case.as_str(), row.moved?))).min_by_key(|row| row.1)
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## Bytes on the wire\n\n\
         Index and payload of a whole sync together, by the log of nginx, without headers. rsync talks to another rsync\n\
         as over ssh, and its bytes are those of `--stats`. xdelta3 and `zstd --patch-from` have both versions at hand;\n\
         the size of their delta is a lower bound. All programs run with their defaults, bita with brotli and casync with\n\
         zstd. *zsync, gzip* looks into a file that was compressed before. *Flat* is ours with a single layer of blocks,\n\
         of the size from 512 to 8,192 that is best for the pair: a publisher would have to find that out. With *large*\n\
         files zstd and xdelta3 run at their fastest levels.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    let corpora = section.corpora(WIRE);
    let mut table = Table::new(["bytes"].into_iter().chain(corpora.iter().copied()));
    let is_flat = |case: &str| case.starts_with(FLAT) || case.starts_with(FLAT_COMPRESSED);
    for case in section.cases(WIRE).into_iter().filter(|case| !is_flat(case)) {
        let cells = corpora.iter().map(|corpus| match section.find(corpus, WIRE, case) {
            None => String::new(),
            Some(row) => row.moved.map_or_else(|| report::short_complaint(row), grouped),
        });
        table.row([case.to_owned()].into_iter().chain(cells));
        let flat = if case == DEFAULT { FLAT } else { FLAT_COMPRESSED };
        if case == DEFAULT || case == COMPRESSED {
            let cells = corpora.iter().map(|corpus| {
                let flat = best(section, corpus, flat);
                flat.map_or_else(String::new, |(case, bytes)| {
                    format!("{} ({})", grouped(bytes), case.rsplit(' ').next().unwrap_or_default())
                })
            });
            table.row([format!("{flat}, best size")].into_iter().chain(cells));
        }
    }
    text += &format!("\n{}", table.render());
    let mut table = Table::new(["requests"].into_iter().chain(corpora.iter().copied()));
    for case in section.cases(WIRE).into_iter().filter(|case| !is_flat(case)) {
        let requests = |corpus: &&str| {
            let row = section.find(corpus, WIRE, case);
            row.and_then(|row| row.requests).map_or_else(String::new, grouped)
        };
        let cells: Vec<String> = corpora.iter().map(requests).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            table.row([case.to_owned()].into_iter().chain(cells));
        }
    }
    text += &format!("\n{}", table.render());
    text += "\nMemory within 64 MiB and 1.5 times the index";
    text + &report::violations(section)
}
