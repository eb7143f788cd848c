//! The sections of BENCHMARKS.md: what each measures, and what it says.

mod large;
mod librsync;
mod local;
mod network;
mod scan;
mod section;
mod slow;
mod trees;
mod wire;
mod zsync;

pub(crate) use section::{Pace, Section};

/// All of them, in the order of the document.
pub(crate) const ALL: [&Section; 9] = [
    &local::SECTION,
    &large::SECTION,
    &scan::SECTION,
    &slow::SECTION,
    &network::SECTION,
    &wire::SECTION,
    &trees::SECTION,
    &librsync::SECTION,
    &zsync::SECTION,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::case::{Case, Cases};
    use crate::bench::corpora::{CORPORA, Corpus};
    use crate::bench::programs::{PEERS, Programs};
    use crate::bench::results::Results;
    use crate::bench::ways::Shell;
    use std::path::{Path, PathBuf};

    fn cases(section: &Section, names: &[&'static str]) -> Vec<Case> {
        let corpus = Corpus { name: section.corpora[0], seed: "/seed".into(), target: "/target".into() };
        let programs = Programs::fixed(names);
        let urls: Vec<_> = section.round_trips.iter().map(|&round_trip| (round_trip, "http://x".into())).collect();
        let shell = Shell { command: "ssh".into(), login: "x@y".into(), port: 1 };
        let shells: Vec<_> = section.round_trips.iter().map(|&round_trip| (round_trip, shell.clone())).collect();
        let mut cases = Cases::new(&programs, &corpus, Path::new("/scratch"), &urls, &shells);
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
