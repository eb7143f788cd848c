//! What is wanted beside what was measured, with the large files that it takes.

use super::goals::{ZSYNC_PIECE, outcomes};
use super::local::{self, BUILD, DIFF, OURS};
use super::{Pace, Section, librsync, zsync};
use crate::bench::accounting::Invocation;
use crate::bench::case::Cases;
use crate::bench::report;
use crate::bench::results::Results;
use crate::bench::table::{Table, figure};
use std::path::Path;

pub(super) const SECTION: Section = Section {
    name: "target-table",
    corpora: &["random-large", "identical-large"],
    round_trips: &[],
    pace: Pace::Slow,
    cases,
    text,
};

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
        "## What is wanted, and what was measured\n\n\
         Rates are bytes of one core's processor time, strong sums and files included, on 1 GiB with blocks of 2,048, that is 2¹⁹ blocks in\n\
         the index; *speed* is ours divided by the peer's. The best tier is what this machine has, the others are\n\
         forced. zsync scans a sixteenth of the seed with the whole index, since all of it would take minutes.\n\
         [Where the time goes](benchmarks/profile.md) explains what is missed.\n",
    );
    if let Some(section) = results.section(SECTION.name) {
        text += &report::stamp(section);
    }
    let (mut table, mut unknown) = (Table::new(["what", "wanted", "measured", "of it", ""]), Vec::new());
    for row in outcomes(results) {
        let Some(share) = row.share else {
            unknown.push(row.what);
            continue;
        };
        let verdict = if share >= 1.0 { "" } else { "**missed**" };
        table.row([row.what, row.wanted, row.measured, figure(share), verdict.to_owned()]);
    }
    if !table.is_empty() {
        text += &format!("\n{}", table.render());
    }
    if !unknown.is_empty() {
        text += &format!("\nNot measured yet: {}.\n", unknown.join("; "));
    }
    if let Some(section) = results.section(SECTION.name) {
        text += "\nThe same bytes from every tier and one or two threads, and memory within its bound";
        text += &report::violations(section);
    }
    text
}
