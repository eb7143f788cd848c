//! Whole syncs from a real web server, near and far.

use std::path::Path;

use super::section::{Pace, Section, gosync};
use crate::bench::accounting::Invocation;
use crate::bench::case::{Case, Cases, Moved, SERVED};
use crate::bench::report;
use crate::bench::results::{Measured, Results, Row};
use crate::bench::table::{Table, figure, grouped};

pub(super) const SECTION: Section = Section {
    name: "network",
    corpora: &["typescript", "scipy", "ranges"],
    round_trips: ROUND_TRIPS,
    pace: Pace::Rounds,
    cases,
    text,
};

pub(super) const ROUND_TRIPS: &[u32] = &[0, 40];

/// What a sync over a line with a round trip of so many milliseconds is called.
pub(super) fn work(round_trip: u32) -> &'static str {
    if round_trip == 0 { "sync at 0 ms" } else { "sync at 40 ms" }
}

fn cases(cases: &mut Cases<'_>) {
    for (round_trip, url) in cases.urls {
        let (work, is_first) = (work(*round_trip), *round_trip == 0);
        ours(cases, work, url, "gosync, default", ("own", &[]), is_first);
        ours(cases, work, url, "gosync, 2048", ("own-2048", &["--block-size", "2048"]), is_first);
        ours(cases, work, url, "gosync, compressed", ("own-compressed", &["--compress"]), is_first);
        zsync(cases, work, url, is_first);
        zsync_rs(cases, work, url, is_first);
        bita(cases, work, url, is_first);
        casync(cases, work, url, is_first);
    }
}

/// Ours with an index that is made before, of the options `build`.
pub(super) fn ours(
    cases: &mut Cases<'_>,
    work: &'static str,
    url: &str,
    label: &str,
    (name, build): (&str, &[&str]),
    is_first: bool,
) {
    let Some(program) = cases.programs.find("gosync") else { return };
    let (seed, target, out) = (cases.corpus.seed.clone(), cases.target(), cases.file("out"));
    let (index, json) = (cases.file(&format!("{name}.gosync")), cases.file("json"));
    let words = [&["build"], build, &["-o"]].concat();
    let make = gosync(program, &["-q"], &words, &[&index, &target]);
    let remote = format!("{url}/{name}.gosync");
    let run = gosync(program, &["-q", "--json"], &["patch"], &[&seed, remote.as_ref(), "-o".as_ref(), &out]);
    let case = cases.add(work, "gosync", label).needs(&[&index]).run(run.stdout(&json)).output(&out);
    prepare(case, is_first, make).moved(Moved::Served).bound_by(&index);
}

fn zsync(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(program) = cases.programs.find("zsync") else { return };
    let (maker, index, target) = (program.with_file_name("zsyncmake"), cases.file("zsync.zsync"), cases.target());
    let make = Invocation::new(&maker, &["-C", "-e", "-u", SERVED, "-o"], &[&index, &target]);
    let case = zsync_client(cases, work, url, "zsync", program, "zsync");
    prepare(case, is_first, make);
}

fn zsync_rs(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(folder) = cases.programs.find("zsync-rs") else { return };
    let (index, target) = (cases.file("zsync-rs.zsync"), cases.target());
    let make = Invocation::new(&folder.join("zsyncmake"), &["-u", SERVED, "-o"], &[&index, &target]);
    let case = zsync_client(cases, work, url, "zsync-rs", &folder.join("zsync"), "zsync-rs");
    prepare(case, is_first, make);
}

/// The peers' clients with their own control files, which are there.
pub(super) fn zsync_clients(cases: &mut Cases<'_>, work: &'static str, url: &str, part: &Path) {
    let programs = cases.programs;
    if let Some(program) = programs.find("zsync") {
        zsync_client(cases, work, url, "zsync", program, "zsync").removes(&[part]);
    }
    if let Some(folder) = programs.find("zsync-rs") {
        zsync_client(cases, work, url, "zsync-rs", &folder.join("zsync"), "zsync-rs").removes(&[part]);
    }
}

fn zsync_client<'c>(
    cases: &'c mut Cases<'_>,
    work: &'static str,
    url: &str,
    name: &'static str,
    client: &Path,
    index: &str,
) -> &'c mut Case {
    let (seed, out, part) = (cases.corpus.seed.clone(), cases.file("out"), cases.file("out.part"));
    let (remote, index) = (format!("{url}/{index}.zsync"), cases.file(&format!("{index}.zsync")));
    // Its bar of progress is written even where nobody looks, unless it is told to be quiet.
    let quiet: &[&str] = if name == "zsync" { &["-q"] } else { &[] };
    let run = Invocation::new(client, quiet, &["-i".as_ref(), &seed, "-o".as_ref(), &out, remote.as_ref()]);
    cases.add(work, name, name).run(run).needs(&[&index]).output(&out).removes(&[&part]).moved(Moved::Served)
}

/// As it installs: with brotli.
pub(super) fn bita(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(program) = cases.programs.find("bita") else { return };
    let (seed, target, out) = (cases.corpus.seed.clone(), cases.target(), cases.file("out"));
    let (archive, remote) = (cases.file("bita.cba"), format!("{url}/bita.cba"));
    let make = Invocation::new(program, &["compress", "--force-create", "-i"], &[&target, &archive]);
    let run = Invocation::new(program, &["clone", "--seed"], &[&seed, remote.as_ref(), &out]);
    let case = cases.add(work, "bita", "bita, brotli").run(run).needs(&[&archive]).output(&out).moved(Moved::Served);
    prepare(case, is_first, make);
}

/// As its users have it, with zstd.
pub(super) fn casync(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(program) = cases.programs.find("casync") else { return };
    let (seed, target, out) = (cases.corpus.seed.clone(), cases.target(), cases.file("out"));
    let (index, store) = (cases.file("casync.caibx"), cases.file("casync.castr"));
    let with_store = format!("--store={}", store.display());
    let make = Invocation::new(program, &["make", "--compression=zstd", &with_store], &[&index, &target]);
    let from = [format!("--store={url}/casync.castr/"), format!("--seed={}", seed.display())];
    let remote = format!("{url}/casync.caibx");
    let run = Invocation::new(program, &["extract", &from[0], &from[1]], &[remote.as_ref(), &out]);
    let case = cases.add(work, "casync", "casync, zstd").run(run).needs(&[&index]).output(&out).moved(Moved::Served);
    prepare(case, is_first, make);
}

/// What is served is made once, for the first of the cases that need it.
pub(super) fn prepare(case: &mut Case, is_first: bool, make: Invocation) -> &mut Case {
    if is_first { case.prepare(make) } else { case }
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## Whole syncs over HTTP\n\n\
         From an nginx on this machine with its default settings, directly and through a proxy that delays every byte\n\
         so that a round trip takes 40 ms. Time is from the command to the verified file. Bytes are the bodies of all\n\
         answers, index and payload, and with the requests are taken from nginx's log. bita's archive is compressed\n\
         with brotli and casync's with zstd, as their users have them; zsync fetches from the plain file.\n\n\
         How gosync asks: it sorts the missing ranges and joins those whose gap costs less than another range. Up to\n\
         200 ranges go into one request (`multipart/byteranges`), over up to six connections at once. The round trip and\n\
         the throughput measured so far decide how much a request carries, which gaps are bridged, and whether the\n\
         whole file is cheaper. If a server answers with the whole file, with an error, or with fewer ranges than were\n\
         asked for, gosync asks for single ranges in parallel from then on. A server without ranges is read as one\n\
         stream. No byte is taken whose `Content-Range` was not checked.\n\n\
         `ranges` is every tenth block of 16 KiB replaced: 410 scattered ranges in 64 MiB. At 40 ms layers cost round\n\
         trips, which follow one another: the index's beginning, each further layer in which something is missing, and\n\
         the payload.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    text + &tables(section) + &ending(section)
}

fn ending(section: &Measured) -> String {
    if section.violations.is_empty() { String::new() } else { "\nPromises".to_owned() + &report::violations(section) }
}

/// A table for each corpus, with both round trips beside each other.
pub(super) fn tables(section: &Measured) -> String {
    let mut text = String::new();
    let works = ROUND_TRIPS.iter().map(|round_trip| work(*round_trip));
    for corpus in section.corpora(work(0)) {
        let mut table = Table::new(["", "0 ms: wall s", "40 ms: wall s", "CPU s", "bytes", "requests"]);
        for case in section.cases(work(0)) {
            let rows: Vec<Option<&Row>> = works.clone().map(|work| section.find(corpus, work, case)).collect();
            let Some(near) = rows[0] else { continue };
            let wall = |row: Option<&Row>| {
                row.map_or_else(String::new, |row| {
                    report::median(row, report::WALL).map_or_else(|| report::short_complaint(row), figure)
                })
            };
            let number = |number: Option<u64>| number.map_or_else(String::new, grouped);
            table.row([
                case.to_owned(),
                wall(rows[0]),
                wall(rows[1]),
                report::median(near, report::CPU).map_or_else(String::new, figure),
                number(near.moved),
                number(near.requests),
            ]);
        }
        text += &format!("\n### Sync of {corpus}\n\n{}", table.render());
    }
    text
}
