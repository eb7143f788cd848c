//! Directories, brought from one version to the next.

use std::path::{Path, PathBuf};

use super::network;
use super::section::{Pace, Section, gosync};
use crate::bench::accounting::Invocation;
use crate::bench::case::{Case, Cases, Moved};
use crate::bench::report::{self, CPU, MEMORY, WALL};
use crate::bench::results::{Measured, Results, Row};
use crate::bench::table::{Table, figure, grouped};
use crate::bench::ways::Shell;

pub(super) const SECTION: Section = Section {
    name: "trees",
    corpora: &["modules", "linux", "scipy-files", "disk", "unchanged", "one-line", "moved"],
    round_trips: network::ROUND_TRIPS,
    pace: Pace::Once,
    cases,
    text,
};

/// Corpora in which hardly anything changes: of interest is what gosync and rsync make of that.
const LITTLE: [&str; 3] = ["unchanged", "one-line", "moved"];

const OURS: &str = "gosync";
const RSYNC: &str = "rsync -az --delete";
const WHOLE: &str = "all of it, as a tar file by zstd -3";

fn cases(cases: &mut Cases<'_>) {
    let is_little = LITTLE.contains(&cases.corpus.name);
    for (round_trip, url) in cases.urls {
        let (work, is_first) = (network::work(*round_trip), *round_trip == 0);
        let remote = format!("{url}/own/new.gosync");
        let case = ours(cases, work, (OURS, &[], remote.as_ref()), is_first);
        if let Some(case) = case {
            case.moved(Moved::Served);
        }
        if !is_little {
            packed(cases, work, url, is_first);
            casync(cases, work, url, is_first);
        }
    }
    for (round_trip, shell) in cases.shells {
        let work = network::work(*round_trip);
        let remote = shell.url(&cases.file("own/new.gosync"));
        let options = ["--ssh", shell.command.as_str()];
        let json = cases.file("json");
        if let Some(case) = ours(cases, work, ("gosync, over ssh", &options, remote.as_ref()), false) {
            case.moved(Moved::Json(json, &["index_bytes", "fetched_bytes"]));
        }
        rsync(cases, work, shell);
    }
    if !is_little {
        whole(cases);
    }
}

/// Ours, in a directory that it brought about itself, so that it knows what was there.
fn ours<'c>(
    cases: &'c mut Cases<'_>,
    work: &'static str,
    (label, options, remote): (&str, &[&str], &Path),
    is_first: bool,
) -> Option<&'c mut Case> {
    let program = cases.programs.find("gosync")?;
    let (old, new, out) = (cases.corpus.seed.clone(), cases.corpus.target.clone(), cases.file("out"));
    let (before, mine, index) = (cases.file("before"), cases.file("mine"), cases.file("own/new.gosync"));
    let folders = Invocation::new(Path::new("mkdir"), &[], &[&before, &cases.file("own")]);
    let copy = Invocation::new(Path::new("cp"), &["-a"], &[&old, &mine]);
    let known = before.join("old.gosync");
    let publish =
        |path: &Path, index: &Path| gosync(program, &["-q"], &["build", "--compress"], &[path, "-o".as_ref(), index]);
    let preparations = [
        folders,
        copy,
        publish(&old, &known),
        gosync(program, &["-q"], &["patch"], &[&mine, &known]),
        publish(&new, &index),
    ];
    let words = [&["patch", "--delete"], options].concat();
    let run = gosync(program, &["-q", "--json"], &words, &[&out, remote]).stdout(&cases.file("json"));
    let case = cases.add(work, "gosync", label).run(run).needs(&[&index]).output(&out).copies(&mine, &out);
    if is_first {
        preparations.into_iter().for_each(|preparation| _ = case.prepare(preparation));
    }
    Some(case.bound_by(&index))
}

/// Ours on a tar file of all of it, which its users would unpack.
fn packed(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(program) = cases.programs.find("gosync") else { return };
    let [old, new] = [("old.tar", &cases.corpus.seed), ("new.tar", &cases.corpus.target)]
        .map(|(name, tree)| (cases.file(name), tar(tree, &cases.file(name))));
    let (out, index) = (cases.file("out.tar"), cases.file("tar.gosync"));
    let build = gosync(program, &["-q"], &["build", "--compress"], &[&new.0, "-o".as_ref(), &index]);
    let remote = format!("{url}/tar.gosync");
    let run = gosync(program, &["-q"], &["patch"], &[&old.0, remote.as_ref(), "-o".as_ref(), &out]);
    let case = cases.add(work, "gosync", "gosync, of a tar file").run(run).needs(&[&index]).removes(&[&out]);
    if is_first {
        [old.1, new.1, build].into_iter().for_each(|preparation| _ = case.prepare(preparation));
    }
    case.moved(Moved::Served);
}

/// The tar file at `path` of a tree.
fn tar(tree: &Path, path: &Path) -> Invocation {
    let words = ["--sort=name", "--numeric-owner", "--sparse", "-cf"];
    Invocation::new(Path::new("tar"), &words, &[path, "-C".as_ref(), tree, ".".as_ref()])
}

/// With zstd and a store, from the old tree to a new one.
fn casync(cases: &mut Cases<'_>, work: &'static str, url: &str, is_first: bool) {
    let Some(program) = cases.programs.find("casync") else { return };
    let (seed, target, out) = (cases.corpus.seed.clone(), cases.corpus.target.clone(), cases.file("out"));
    let (index, store) = (cases.file("casync.caidx"), cases.file("casync.castr"));
    let with_store = format!("--store={}", store.display());
    let make = Invocation::new(program, &["make", "--compression=zstd", &with_store], &[&index, &target]);
    let from = [format!("--store={url}/casync.castr/"), format!("--seed={}", seed.display())];
    let remote = format!("{url}/casync.caidx");
    let run = Invocation::new(program, &["extract", &from[0], &from[1]], &[remote.as_ref(), &out]);
    let case = cases.add(work, "casync", "casync, zstd").run(run).needs(&[&index]).output(&out).moved(Moved::Served);
    network::prepare(case, is_first, make);
}

/// By ssh, from the same sshd.
fn rsync(cases: &mut Cases<'_>, work: &'static str, shell: &Shell) {
    let Some(program) = cases.programs.find("rsync") else { return };
    let (seed, out, statistics) = (cases.corpus.seed.clone(), cases.file("out"), cases.file("statistics"));
    let slash = |path: &Path| -> PathBuf { format!("{}/", path.display()).into() };
    let from = format!("{}:{}", shell.login, slash(&cases.corpus.target).display());
    let words = ["-az", "--delete", "--stats", "-e", &shell.command];
    let run = Invocation::new(program, &words, &[from.as_ref(), &slash(&out)]).stdout(&statistics);
    let case = cases.add(work, "rsync", RSYNC).run(run).copies(&seed, &out).output(&out);
    case.moved(Moved::RsyncStatistics(statistics));
}

/// What nobody should have to exceed.
fn whole(cases: &mut Cases<'_>) {
    let Some(program) = cases.programs.find("zstd") else { return };
    let (tar, whole) = (cases.file("new.tar"), cases.file("whole"));
    let run = Invocation::new(program, &["-q", "-f", "-3", "-o"], &[&whole, &tar]);
    cases.add(network::work(0), "zstd", WHOLE).run(run).makes(&whole);
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## Directories\n\n\
         From an nginx and an sshd on this machine, directly and through a proxy that delays every byte so that a round\n\
         trip takes 40 ms. gosync has an index and a compressed payload; bytes and requests are those of nginx's log,\n\
         over ssh those that gosync counts, and of rsync those of `--stats`. Processor time and memory are those of the\n\
         client, and of rsync those of its ends here. *Of a tar file* is gosync on tar files of both versions, which\n\
         nobody has unpacked. casync makes a new directory; the others change the old one.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    for corpus in section.corpora(network::work(0)) {
        text += &format!("\n### Update of {corpus}\n\n{}", table(section, corpus));
    }
    text += "\n### What is promised of directories\n\n";
    let mut table = Table::new(["of", "promised", "measured", "kept"]).left(4);
    for promise in promises(section) {
        table.row(promise);
    }
    text += &table.render();
    text + "\nMemory within 64 MiB and 1.5 times the index" + &report::violations(section)
}

fn table(section: &Measured, corpus: &str) -> String {
    let mut table = Table::new(["", "0 ms: wall s", "40 ms: wall s", "CPU s", "memory, MB", "bytes", "requests"]);
    let works = [0, 40].map(network::work);
    for case in section.cases(works[0]) {
        let [Some(near), far] = works.map(|work| section.find(corpus, work, case)) else { continue };
        let wall = |row: Option<&Row>| {
            row.map_or_else(String::new, |row| {
                report::median(row, WALL).map_or_else(|| report::short_complaint(row), figure)
            })
        };
        let number = |number: Option<u64>| number.map_or_else(String::new, grouped);
        table.row([
            case.to_owned(),
            wall(Some(near)),
            wall(far),
            report::median(near, CPU).map_or_else(String::new, figure),
            report::median(near, MEMORY).map_or_else(String::new, |bytes| figure(bytes / 1e6)),
            number(near.moved),
            number(near.requests),
        ]);
    }
    table.render()
}

/// What is promised of a corpus, what was measured, and whether that is within it.
fn promises(section: &Measured) -> Vec<[String; 4]> {
    let mut promises = Vec::new();
    for corpus in section.corpora(network::work(0)) {
        let find = |round_trip, case| section.find(corpus, network::work(round_trip), case);
        let Some((near, far)) = find(0, OURS).zip(find(40, OURS)) else { continue };
        let mut add = |what: &str, measured: Option<f64>, most: Option<f64>, unit: &str| {
            if let Some((measured, most)) = measured.zip(most) {
                let shown = |number: f64| if unit == "s" { figure(number) } else { grouped(number as u64) };
                let kept = if measured <= most { "yes" } else { "**no**" };
                let promised = format!("{what} {} {unit}", shown(most));
                promises.push([corpus.to_owned(), promised, format!("{} {unit}", shown(measured)), kept.to_owned()]);
            }
        };
        let bytes = |row: Option<&Row>| row.and_then(|row| row.moved).map(|bytes| bytes as f64);
        let others = section.rows.iter().filter(|row| row.corpus == corpus && !row.is_ours() && row.case != WHOLE);
        let fewest = others.filter_map(|row| bytes(Some(row))).min_by(f64::total_cmp);
        add("fewest bytes; a peer has", bytes(Some(near)), fewest, "bytes");
        let slowest = find(40, RSYNC).and_then(|row| report::median(row, WALL));
        add("as quick at 40 ms as rsync with its", report::median(far, WALL), slowest, "s");
        add("no more than all of it,", bytes(Some(near)), bytes(find(0, WHOLE)), "bytes");
        match corpus {
            "unchanged" => {
                add("less than", bytes(Some(near)), Some(4000.0), "bytes");
                add("no more than", near.requests.map(|requests| requests as f64), Some(2.0), "requests");
                add("processor time below", report::median(near, CPU), Some(1.0), "s");
            }
            "one-line" => add("less than", bytes(Some(near)), Some(40_000.0), "bytes"),
            _ => {}
        }
    }
    promises
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_told_as_they_were_kept() {
        let row = |corpus: &str, round_trip, program: &str, case: &str, moved, wall| {
            let [corpus, work, program, case] = [corpus, network::work(round_trip), program, case].map(str::to_owned);
            let (cpu, wall) = (vec![0.5], vec![wall]);
            Row { corpus, work, program, case, cpu, wall, moved: Some(moved), requests: Some(1), ..Row::default() }
        };
        let mut rows = Vec::new();
        for (corpus, moved) in [("linux", 2000), ("unchanged", 100)] {
            for (round_trip, wall) in [(0, 1.0), (40, 2.0)] {
                rows.push(row(corpus, round_trip, "gosync", OURS, moved, wall));
                rows.push(row(corpus, round_trip, "rsync", RSYNC, 1000, 3.0));
            }
        }
        let promises = promises(&Measured { rows, ..Measured::default() });
        let kept: Vec<&str> = promises.iter().map(|promise| promise[3].as_str()).collect();
        assert_eq!(kept, ["**no**", "yes", "yes", "yes", "yes", "yes", "yes"], "{promises:?}");
        assert_eq!(promises[0][1..3], ["fewest bytes; a peer has 1,000 bytes", "2,000 bytes"]);
    }
}
