//! Data near a run, on which rolling sums collide: what it takes beside random data.

use std::path::Path;

use super::librsync::KINDS;
use super::local::OURS;
use super::section::{Pace, Section, gosync};
use super::zsync;
use crate::bench::accounting::Invocation;
use crate::bench::case::Cases;
use crate::bench::labels::{DIFF, one_thread};
use crate::bench::report::{self, CPU};
use crate::bench::results::{Measured, Results};
use crate::bench::statistics::median_of_ratios;
use crate::bench::table::{Table, figure};

pub(super) const SECTION: Section = Section {
    name: "slow",
    corpora: &[
        BASE,
        "two-letters",
        "sparse",
        "slow-ones-64",
        "slow-ones-256",
        "slow-ones-1024",
        "slow-ff",
        "slow-short-runs",
        "slow-long-runs",
        "slow-ramp",
        "slow-nearly-zeros",
        "slow-spikes",
        "slow-period-2",
        "slow-period-7",
        "slow-period-4096",
        "slow-repeated-text",
        "slow-numbered",
    ],
    round_trips: &[],
    pace: Pace::Rounds,
    cases,
    text,
};

/// The data that all others are set against.
const BASE: &str = "random";

/// The search of the first halves of both versions.
const HALF: &str = "diff of halves";

/// Times that of random data, or that of the program whose results are reproduced: the most that
/// is wanted.
const MOST: f64 = 4.0;

/// Ours, and the program whose results it has to reproduce.
const REPRODUCED: [(&str, &str); 3] =
    [("gosync zsync", "zsync"), ("gosync rdiff, BLAKE2", "rdiff, BLAKE2"), ("gosync rdiff, MD4", "rdiff, MD4")];

fn cases(cases: &mut Cases<'_>) {
    let programs = cases.programs;
    if let Some(program) = programs.find("gosync") {
        for (label, name, options) in OURS {
            let build = [&["build"], options, &["-o"]].concat();
            ours(cases, program, label, (name, &build));
        }
        let make = [&["zsyncmake"], &zsync::COMPATIBLE[..], &["-u", "target", "-o"]].concat();
        ours(cases, program, REPRODUCED[0].0, ("zsync", &make));
    }
    if let Some(client) = programs.find("zsync") {
        let (index, target) = (cases.file("zsync.zsync"), cases.target());
        let words = [&zsync::PLAIN[..], &["-u", "target", "-o"]].concat();
        let make = Invocation::new(&client.with_file_name("zsyncmake"), &words, &[&index, &target]);
        zsync::scan_piece(cases, DIFF, (&cases.corpus.seed.clone(), cases.seed_bytes()), "zsync", make);
    }
    for (kind, name, options) in KINDS {
        let (seed, target) = (cases.corpus.seed.clone(), cases.corpus.target.clone());
        let (signature, bytes) = (cases.file(&format!("{name}.signature")), cases.seed_bytes());
        let words = [options, &["signature"]].concat();
        let files: [&Path; 2] = [&signature, &target];
        if let Some(program) = programs.find("gosync") {
            let make = gosync(program, &[], &[&["rdiff", "--force"], &words[..]].concat(), &[&seed, &signature]);
            let run = gosync(program, &["-p", "1"], &["rdiff", "delta"], &files);
            let label = one_thread(&format!("gosync rdiff, {kind}"));
            cases.add(DIFF, "gosync", &label).prepare(make).run(run).needs(&[&signature]).bytes(bytes);
        }
        if let Some(program) = programs.find("rdiff") {
            let make = Invocation::new(program, &[&["--force"], &words[..]].concat(), &[&seed, &signature]);
            let run = Invocation::new(program, &["delta"], &files).pinned();
            cases.add(DIFF, "rdiff", &format!("rdiff, {kind}")).prepare(make).run(run).needs(&[&signature]);
        }
    }
}

/// A search of all, and one of the first half, with an index that `build` makes.
fn ours(cases: &mut Cases<'_>, program: &Path, label: &str, (name, build): (&str, &[&str])) {
    let (seed, target, label) = (cases.corpus.seed.clone(), cases.target(), one_thread(label));
    let run = |seed: &Path, index: &Path| gosync(program, &["-q", "-p", "1"], &["diff"], &[seed, index]);
    let make = |index: &Path, target: &Path| gosync(program, &["-q"], build, &[index, target]);
    let (index, half_index) = (cases.file(&format!("{name}.index")), cases.file(&format!("{name}.half.index")));
    let (half_seed, half_target) = (cases.file("half.seed"), cases.file("half.target"));
    let halves = [cases.seed_bytes(), cases.target_bytes()].map(|bytes| (bytes / 2).to_string());
    let half = |which: usize, from: &Path, to: &Path| {
        Invocation::new(Path::new("head"), &["-c", &halves[which]], &[from]).stdout(to)
    };
    let (cut_seed, cut_target) = (half(0, &seed, &half_seed), half(1, &target, &half_target));
    let bytes = cases.seed_bytes();
    let case = cases.add(DIFF, "gosync", &label).prepare(make(&index, &target)).run(run(&seed, &index));
    case.needs(&[&index]).bytes(bytes);
    let case = cases.add(HALF, "gosync", &label).prepare(cut_seed).prepare(cut_target);
    let case = case.prepare(make(&half_index, &half_target)).run(run(&half_seed, &half_index));
    case.needs(&[&half_index]).bytes(bytes / 2);
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## Slow kinds of data\n\n\
         Rolling sums of what is near a run collide, and blocks of it overlap, so that a search that takes each hit\n\
         seriously sums a block at every byte. A search of ours has a budget for hits; where results have to be those of\n\
         zsync or rdiff, it has only what it knows of data that repeats itself. Blocks of 2,048, one core.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    text += "\n### By the byte, beside random data\n\n\
             Processor time of a diff or delta: of *random* in seconds, of the others as multiples of what the same program\n\
             takes for *random*.\n\n";
    text += &beside_random(section);
    text += &above(section);
    text += "\n### Beside the programs whose results are reproduced\n\n\
             Their processor time as multiples of ours: above 1, ours is ahead.\n\n";
    text += &beside_peers(section);
    text += "\n### Twice as much\n\n\
             Processor time divided by that of the first halves of both versions.\n\n";
    text + &growth(section)
}

fn beside_random(section: &Measured) -> String {
    let cases = section.cases(DIFF);
    let mut table = Table::new(["CPU"].into_iter().chain(cases.iter().map(|case| short(case))));
    for corpus in section.corpora(DIFF) {
        let cells = cases.iter().map(|case| {
            let Some(row) = section.find(corpus, DIFF, case) else { return String::new() };
            let cell = match corpus {
                BASE => report::median(row, CPU).map(|cpu| format!("{} s", figure(cpu))),
                _ => times(section, corpus, case).map(figure),
            };
            cell.unwrap_or_else(|| report::short_complaint(row))
        });
        table.row([corpus.to_owned()].into_iter().chain(cells));
    }
    table.render()
}

/// What takes more than it should.
fn above(section: &Measured) -> String {
    let ours = section.cases(DIFF).into_iter().filter(|case| case.ends_with(&one_thread("")));
    let is_slow = |corpus: &str, case: &str| {
        let times = times(section, corpus, case).filter(|times| *times > MOST)?;
        let peer = REPRODUCED.iter().find(|(ours, _)| *ours == short(case)).map(|(_, peer)| *peer);
        let is_as_slow =
            peer.and_then(|peer| ahead(section, corpus, case, peer)).is_some_and(|ahead| ahead * MOST >= 1.0);
        (!is_as_slow).then(|| format!("{corpus} with {} {}", short(case), figure(times)))
    };
    let slow: Vec<String> = ours
        .flat_map(|case| section.corpora(DIFF).into_iter().filter_map(move |corpus| is_slow(corpus, case)))
        .collect();
    let slow = if slow.is_empty() { "none of these".to_owned() } else { slow.join(", ") };
    format!(
        "\nOf ours above {MOST} times random, and above {MOST} times the program whose results it reproduces: {slow}.\n"
    )
}

fn beside_peers(section: &Measured) -> String {
    let mut table = Table::new(["CPU"].into_iter().chain(REPRODUCED.iter().map(|(_, peer)| *peer)));
    for corpus in section.corpora(DIFF) {
        let cells = REPRODUCED.iter().map(|(ours, peer)| {
            let row = section.find(corpus, DIFF, peer);
            let complaint = || row.map_or_else(String::new, report::short_complaint);
            ahead(section, corpus, &one_thread(ours), peer).map_or_else(complaint, figure)
        });
        table.row([corpus.to_owned()].into_iter().chain(cells));
    }
    table.render()
}

fn growth(section: &Measured) -> String {
    let cases = section.cases(HALF);
    let mut table = Table::new(["CPU"].into_iter().chain(cases.iter().map(|case| short(case))));
    for corpus in section.corpora(HALF) {
        let cells = cases.iter().map(|case| {
            let rows = section.find(corpus, DIFF, case).zip(section.find(corpus, HALF, case));
            let growth = rows.and_then(|(all, half)| Some(report::median(all, CPU)? / report::median(half, CPU)?));
            growth.map_or_else(String::new, figure)
        });
        table.row([corpus.to_owned()].into_iter().chain(cells));
    }
    table.render()
}

/// How many times what it takes for random data a program takes for a corpus.
fn times(section: &Measured, corpus: &str, case: &str) -> Option<f64> {
    let cpu = |corpus| report::median(section.find(corpus, DIFF, case)?, CPU);
    Some(cpu(corpus)? / cpu(BASE)?)
}

/// How many times what ours takes for a corpus a peer takes.
fn ahead(section: &Measured, corpus: &str, ours: &str, peer: &str) -> Option<f64> {
    let cpu = |case| section.find(corpus, DIFF, case).map(|row| row.cpu.as_slice());
    median_of_ratios(cpu(peer)?, cpu(ours)?)
}

/// A case without what all of ours have in common.
fn short(case: &str) -> &str {
    case.strip_suffix(one_thread("").as_str()).unwrap_or(case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Row;

    fn section(rows: &[(&str, &str, &str, f64)]) -> Measured {
        let row = |&(corpus, work, case, cpu): &(&str, &str, &str, f64)| {
            let program = if case.starts_with("gosync") { "gosync" } else { "rdiff" };
            let [corpus, work, program, case] = [corpus, work, program, case].map(str::to_owned);
            Row { corpus, work, program, case, cpu: vec![cpu], ..Row::default() }
        };
        Measured { rows: rows.iter().map(row).collect(), ..Measured::default() }
    }

    #[test]
    fn slow_is_what_is_above_random_and_above_what_is_reproduced() {
        let rdiff = "gosync rdiff, MD4, 1 thread";
        let section = section(&[
            ("random", DIFF, "gosync, 2048, 1 thread", 1.0),
            ("random", DIFF, rdiff, 1.0),
            ("random", DIFF, "rdiff, MD4", 3.0),
            ("slow-ff", DIFF, "gosync, 2048, 1 thread", 5.0),
            ("slow-ff", DIFF, rdiff, 40.0),
            ("slow-ff", DIFF, "rdiff, MD4", 10.0),
            ("slow-ramp", DIFF, rdiff, 41.0),
            ("slow-ramp", DIFF, "rdiff, MD4", 10.0),
        ]);
        let text = above(&section);
        assert!(text.ends_with(": slow-ff with gosync, 2048 5.00, slow-ramp with gosync rdiff, MD4 41.0.\n"), "{text}");
        assert!(beside_peers(&section).contains("| slow-ff |  |  | 0.25 |\n"), "{}", beside_peers(&section));
        let table = beside_random(&section);
        assert!(table.contains("| random | 1.00 s | 1.00 s | 3.00 s |\n| slow-ff | 5.00 | 40.0 | 3.33 |\n"), "{table}");
    }

    #[test]
    fn growth_is_that_of_halves() {
        let case = "gosync, 2048, 1 thread";
        let section = section(&[("slow-ff", DIFF, case, 5.0), ("slow-ff", HALF, case, 2.0)]);
        assert!(growth(&section).ends_with("| slow-ff | 2.50 |\n"), "{}", growth(&section));
    }
}
