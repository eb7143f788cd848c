//! The sections of BENCHMARKS.md: what each measures, and what it says.

use super::accounting::Invocation;
use super::case::Cases;
use super::results::Results;

mod goals;
mod librsync;
mod local;
mod network;
mod scan;
mod target_table;
mod wire;
mod zsync;

use std::path::Path;

/// A section.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) corpora: &'static [&'static str],
    /// Round trips, in milliseconds, to the web server that serves the files; none is no server.
    pub(crate) round_trips: &'static [u32],
    pub(crate) pace: Pace,
    /// Adds what is run on a corpus.
    pub(crate) cases: fn(&mut Cases<'_>),
    /// What it says, without the heading of its file.
    pub(crate) text: fn(&Results) -> String,
}

/// How much of the effort a section asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Times: several rounds of what is quick.
    Rounds,
    /// Times on large files: rounds of what takes a few seconds.
    Slow,
    /// Bytes, which are the same each time: once, with patience.
    Once,
}

/// All of them, in the order of the document.
pub(crate) const ALL: [&Section; 7] = [
    &target_table::SECTION,
    &local::SECTION,
    &scan::SECTION,
    &network::SECTION,
    &wire::SECTION,
    &librsync::SECTION,
    &zsync::SECTION,
];

/// Ours with `options` before the command in `words`; on one core if it is to use one thread.
fn gosync(program: &Path, options: &[&str], words: &[&str], files: &[&Path]) -> Invocation {
    let run = Invocation::new(program, &[options, words].concat(), files);
    if options.windows(2).any(|pair| pair == ["-p", "1"]) { run.pinned() } else { run }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::case::Case;
    use crate::bench::corpora::{CORPORA, Corpus};
    use crate::bench::programs::{PEERS, Programs};
    use std::path::PathBuf;

    fn cases(section: &Section, names: &[&'static str]) -> Vec<Case> {
        let corpus = Corpus { name: section.corpora[0], seed: "/seed".into(), target: "/target".into() };
        let programs = Programs::fixed(names);
        let urls: Vec<_> = section.round_trips.iter().map(|&round_trip| (round_trip, "http://x".into())).collect();
        let mut cases = Cases::new(&programs, &corpus, Path::new("/scratch"), &urls);
        (section.cases)(&mut cases);
        cases.into_all()
    }

    fn with_cases() -> impl Iterator<Item = &'static Section> {
        ALL.into_iter().filter(|section| !section.corpora.is_empty())
    }

    #[test]
    fn sections_are_of_known_corpora_and_say_something_of_nothing() {
        for section in ALL {
            assert!(section.corpora.iter().all(|name| CORPORA.iter().any(|corpus| corpus.0 == *name)), "{section:?}");
            assert!((section.text)(&Results::default()).starts_with("## "), "{section:?}");
        }
    }

    #[test]
    fn every_peer_is_somewhere_and_ours_everywhere() {
        for &peer in PEERS {
            assert!(with_cases().any(|section| !cases(section, &[peer]).is_empty()), "{peer}");
        }
        for section in with_cases() {
            let cases = cases(section, &[&["gosync"], PEERS].concat());
            let ours = cases.iter().filter(|case| case.program == "gosync").count();
            assert!(ours > 0 && ours < cases.len(), "{}", section.name);
        }
    }

    #[test]
    fn what_is_needed_is_made_before() {
        for section in with_cases() {
            let cases = cases(section, &[&["gosync"], PEERS].concat());
            let mut made: Vec<&PathBuf> = Vec::new();
            for case in &cases {
                made.extend(&case.removes);
                let is_made = |need| made.contains(&need) || !case.preparations.is_empty();
                assert!(case.needs.iter().all(is_made), "{}: {case:?}", section.name);
                assert!(case.output.iter().all(|output| case.removes.contains(output)), "{case:?}");
                made.extend(&case.needs);
            }
        }
    }

    #[test]
    fn no_two_cases_are_taken_for_one() {
        for section in with_cases() {
            let cases = cases(section, &[&["gosync"], PEERS].concat());
            for (at, case) in cases.iter().enumerate() {
                let same = |other: &&Case| other.work == case.work && other.label == case.label;
                assert!(!cases[at + 1..].iter().any(|other| same(&other)), "{}: {}", section.name, case.label);
            }
        }
    }
}
