//! Large files, tier by tier of instructions.

use std::path::Path;

use super::local::{self, OURS};
use super::section::{Pace, Section};
use super::{librsync, zsync};
use crate::bench::accounting::Invocation;
use crate::bench::case::Cases;
use crate::bench::labels::{BUILD, DIFF, FORCED, forced, one_thread};
use crate::bench::report::{self, CPU, MEMORY};
use crate::bench::results::{Measured, Results, Row};
use crate::bench::table::{Table, figure};

pub(super) const SECTION: Section = Section {
    name: "large",
    corpora: &["random-large", "identical-large"],
    round_trips: &[],
    pace: Pace::Slow,
    cases,
    text,
};

/// zsync's scan of a piece of the seed, since all of it would take minutes.
const ZSYNC_PIECE: &str = "zsync, of a sixteenth";

fn cases(cases: &mut Cases<'_>) {
    if let Some(program) = cases.programs.find("gosync") {
        for (label, name, options) in OURS.into_iter().filter(|ours| ours.1.ends_with("2048")) {
            local::ours(cases, program, label, name, options);
        }
        librsync::tiers(cases, program);
    }
    zsync::tiers(cases);
    // Patches of files of this size say nothing that those of smaller ones do not.
    librsync::signing(cases, [BUILD, DIFF]);
    if cases.programs.find("zsync").is_some() {
        let (piece, length) = (cases.file("piece"), (cases.seed_bytes() / 16).to_string());
        let cut = Invocation::new(Path::new("head"), &["-c", &length], &[&cases.corpus.seed]).stdout(&piece);
        zsync::scan_piece(cases, DIFF, (&piece, cases.seed_bytes() / 16), ZSYNC_PIECE, cut);
    }
}

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## Large files by tier of instructions\n\n\
         1 GiB in blocks of 2,048, that is 2¹⁹ blocks in the index. 10⁹ bytes a second of one core's processor time, files\n\
         and strong sums included; the best tier is what this machine has, the others are forced. *Two threads* is the\n\
         wall time of one thread divided by that of two. Of librsync's and zsync's formats, build is the signature and\n\
         the control file, and diff the delta and the scan. zsync scans a sixteenth of the old version with the whole\n\
         index, since all of it would take minutes.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + report::NOT_MEASURED };
    text += &report::stamp(section);
    let tables = [
        ("Diff, nothing in common", "random-large", DIFF),
        ("Diff, identical", "identical-large", DIFF),
        ("Build", "random-large", BUILD),
    ];
    for (heading, corpus, work) in tables {
        text += &format!("\n### {heading}\n\n{}", rates(section, corpus, work));
    }
    text += "\nWhat limits the rates is memory: at 2¹⁹ blocks what the scan looks sums up in is as large as a second-level cache,\n\
             and a third of a build is the kernel's copying from its page cache. The control file is held up by its SHA-1,\n\
             which is one chain.\n";
    text += "\nThe same bytes from every tier and one or two threads, and memory within its bound";
    text + &report::violations(section)
}

/// A line for each program, a column for each tier.
fn rates(section: &Measured, corpus: &str, work: &str) -> String {
    let cases = section.cases(work);
    let find = |case: &str| section.find(corpus, work, case);
    let mut tiers: Vec<&str> = Vec::new();
    for case in &cases {
        let tier = case.strip_suffix(FORCED).and_then(|case| case.rsplit(", ").next());
        tiers.extend(tier.filter(|tier| !tiers.contains(tier)));
    }
    tiers.reverse();
    let header = ["GB/s", "best tier"].into_iter().chain(tiers.iter().copied()).chain(["two threads", "memory, MB"]);
    let mut table = Table::new(header);
    for case in cases.into_iter().filter(|case| !case.ends_with(FORCED) && !case.ends_with(", 2 threads")) {
        let Some(row) = find(case) else { continue };
        let label = case.strip_suffix(&one_thread("")).unwrap_or(case);
        let lesser = tiers.iter().map(|tier| find(&forced(label, tier)).and_then(rate));
        let memory = report::median(row, MEMORY).map(|bytes| bytes / 1e6);
        let figures = [rate(row)].into_iter().chain(lesser).chain([report::gain(section, corpus, work, label), memory]);
        let cells = figures.map(|number| number.map_or_else(String::new, figure));
        table.row([label.to_owned()].into_iter().chain(cells));
    }
    table.render()
}

/// 10⁹ bytes a second of processor time.
fn rate(row: &Row) -> Option<f64> {
    report::median(row, CPU).filter(|cpu| *cpu > 0.0).map(|cpu| row.bytes as f64 / 1e9 / cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_columns() {
        let row = |program: &str, case: &str, cpu: f64| {
            let [corpus, work, program, case] = ["random-large", DIFF, program, case].map(str::to_owned);
            let (cpu, wall, peak, bytes) = (vec![cpu], vec![cpu], Some(3_000_000), 4_000_000_000);
            Row { corpus, work, program, case, cpu, wall, peak, bytes, ..Row::default() }
        };
        let rows = vec![
            row("gosync", "ours, 1 thread", 2.0),
            row("gosync", "ours, 2 threads", 1.0),
            row("gosync", "ours, 1 thread, portable forced", 8.0),
            row("gosync", "ours, 1 thread, avx2 forced", 4.0),
            row("rdiff", "rdiff", 10.0),
        ];
        let text = rates(&Measured { rows, ..Measured::default() }, "random-large", DIFF);
        let expected = "| GB/s | best tier | avx2 | portable | two threads | memory, MB |\n|---|--:|--:|--:|--:|--:|\n\
                        | ours | 2.00 | 1.00 | 0.50 | 2.00 | 3.00 |\n| rdiff | 0.40 |  |  |  | 3.00 |\n";
        assert_eq!(text, expected);
    }
}
