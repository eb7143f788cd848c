//! What was measured, as it is kept in `benchmarks/results.json`: section by section, so
//! that one can be measured again while the others stay.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Serializer;

use super::accounting::Usage;
use super::corpora::CORPORA;
use super::lines::Lines;
use super::machine::Machine;
use super::programs::PEERS;
use super::scan::Rate;
use super::statistics::median;

/// All sections by their names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Results {
    sections: BTreeMap<String, Measured>,
}

/// What came of one section.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measured {
    /// The command that does the same again.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    /// Minutes that it took.
    pub(crate) minutes: f64,
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// Programs and their versions.
    pub(crate) programs: Vec<(String, String)>,
    /// Peers and corpora that could not be had, and why.
    pub(crate) missing: Vec<String>,
    pub(crate) sizes: Vec<Sizes>,
    pub(crate) rows: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rates: Vec<Rate>,
    /// What must not be: results that differ, memory beyond its bound.
    pub(crate) violations: Vec<Violation>,
}

/// Bytes of the two versions of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    pub(crate) corpus: String,
    pub(crate) old: u64,
    pub(crate) new: u64,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Violation {
    pub(crate) corpus: String,
    pub(crate) what: String,
}

/// What came of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) corpus: String,
    pub(crate) work: String,
    pub(crate) program: String,
    pub(crate) case: String,
    /// What the rate is the rate of.
    pub(crate) bytes: u64,
    /// Seconds of processor time, and from start to end, of each round that it took part in.
    pub(crate) cpu: Vec<f64>,
    pub(crate) wall: Vec<f64>,
    /// Most bytes of memory that one of its processes had, the median of the rounds.
    pub(crate) peak: Option<u64>,
    /// Bytes that would go over a network, or did, in the last round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<u64>,
    /// Requests that the web server got in the last round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests: Option<u64>,
    /// Why there are no rounds, or what is wrong with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complaint: Option<String>,
    /// What of ours was at work, where it is not the commit of the section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
}

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) usage: Usage,
    pub(crate) moved: Option<u64>,
    pub(crate) requests: Option<u64>,
}

impl Results {
    /// What is kept in the file `path`; nothing if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is of another shape.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let remedy = || format!("{} has another shape: remove it, and measure everything again", path.display());
        serde_json::from_slice(&text).with_context(remedy)
    }

    /// The text of the file: a line for each row.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let mut text = Vec::new();
        self.serialize(&mut Serializer::with_formatter(&mut text, Lines::default()))?;
        text.push(b'\n');
        Ok(String::from_utf8(text)?)
    }

    /// Keeps `measured` as the section `name`: in place of what there was, or, when it is a
    /// part only, in place of those programs on those corpora.
    pub(crate) fn keep(&mut self, name: &str, measured: Measured, is_part: bool) {
        let section = self.sections.entry(name.to_owned()).or_default();
        if is_part {
            section.absorb(measured);
        } else {
            *section = measured;
        }
        section.sort();
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Measured> {
        self.sections.get(name)
    }

    pub(crate) fn sections(&self) -> impl Iterator<Item = (&str, &Measured)> {
        self.sections.iter().map(|(name, section)| (name.as_str(), section))
    }
}

impl Measured {
    pub(crate) fn find(&self, corpus: &str, work: &str, case: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.corpus == corpus && row.work == work && row.case == case)
    }

    /// The kinds of work, in the order in which they are done.
    pub(crate) fn works(&self) -> Vec<&str> {
        distinct(self.rows.iter().map(|row| row.work.as_str()))
    }

    /// The cases of a kind of work, ours first.
    pub(crate) fn cases(&self, work: &str) -> Vec<&str> {
        let rows = || self.rows.iter().filter(|row| row.work == work);
        let (ours, peers): (Vec<&Row>, Vec<&Row>) = rows().partition(|row| row.is_ours());
        distinct(ours.iter().chain(&peers).map(|row| row.case.as_str()))
    }

    /// The corpora on which some of `work` was done.
    pub(crate) fn corpora(&self, work: &str) -> Vec<&str> {
        distinct(self.rows.iter().filter(|row| row.work == work).map(|row| row.corpus.as_str()))
    }

    fn absorb(&mut self, newer: Self) {
        let is_anew = |row: &Row| newer.rows.iter().any(|new| new.corpus == row.corpus && new.program == row.program);
        self.rows.retain(|row| !is_anew(row));
        // Rows that stay were made by what the section was made by until now.
        self.rows.iter_mut().for_each(|row| _ = row.commit.get_or_insert_with(|| self.machine.commit.clone()));
        self.violations.retain(|old| !newer.sizes.iter().any(|new| new.corpus == old.corpus));
        self.sizes.retain(|old| !newer.sizes.iter().any(|new| new.corpus == old.corpus));
        self.programs.retain(|old| !newer.programs.iter().any(|new| new.0 == old.0));
        self.missing.retain(|old| !newer.missing.contains(old) && !newer.programs.iter().any(|new| new.0 == *old));
        let minutes = self.minutes + newer.minutes;
        let (mut rows, mut sizes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.sizes));
        let (mut programs, mut missing) = (std::mem::take(&mut self.programs), std::mem::take(&mut self.missing));
        let mut violations = std::mem::take(&mut self.violations);
        rows.extend(newer.rows);
        sizes.extend(newer.sizes);
        programs.extend(newer.programs);
        missing.extend(newer.missing);
        violations.extend(newer.violations);
        let rates = if newer.rates.is_empty() { std::mem::take(&mut self.rates) } else { newer.rates };
        *self = Self { rows, sizes, programs, missing, violations, rates, minutes, ..newer };
    }

    /// The commits of ours that were measured.
    pub(crate) fn commits(&self) -> Vec<&str> {
        let mut commits: Vec<&str> = self.rows.iter().filter_map(|row| row.commit.as_deref()).collect();
        commits.push(&self.machine.commit);
        commits.sort_unstable();
        commits.dedup();
        commits
    }

    /// Corpora and programs in the order of their lists, whatever was measured when.
    fn sort(&mut self) {
        let corpus = |name: &str| CORPORA.iter().position(|known| known.0 == name);
        self.sizes.sort_by_key(|sizes| corpus(&sizes.corpus));
        self.programs.sort_by_key(|program| order(&program.0));
        self.rows.sort_by_key(|row| (corpus(&row.corpus), order(&row.program)));
    }
}

impl Row {
    /// Keeps what `runs` cost: times to the microsecond, which is what the system counts in.
    pub(crate) fn record(&mut self, runs: &[Run]) {
        let rounded = |seconds: f64| (seconds * 1e6).round() / 1e6;
        self.cpu = runs.iter().map(|run| rounded(run.usage.cpu)).collect();
        self.wall = runs.iter().map(|run| rounded(run.usage.wall)).collect();
        self.peak = median(runs.iter().map(|run| run.usage.peak as f64)).map(|peak| peak as u64);
        self.moved = runs.last().and_then(|run| run.moved);
        self.requests = runs.last().and_then(|run| run.requests);
    }

    /// One of ours, which is not said to be ahead of ours.
    pub(crate) fn is_ours(&self) -> bool {
        self.program == "gosync"
    }
}

/// Ours first, and programs that are no peers last.
fn order(program: &str) -> usize {
    let peer = PEERS.iter().position(|peer| *peer == program);
    if program == "gosync" { 0 } else { peer.map_or(usize::MAX, |peer| peer + 1) }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    names.for_each(|name| {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    });
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(corpus: &str, program: &str, case: &str, moved: u64) -> Row {
        let [corpus, program, case] = [corpus, program, case].map(str::to_owned);
        Row { corpus, work: "diff".into(), program, case, moved: Some(moved), ..Row::default() }
    }

    fn measured(rows: Vec<Row>, commit: &str) -> Measured {
        let sizes = rows.iter().map(|row| Sizes { corpus: row.corpus.clone(), old: 1, new: 2 }).collect();
        let machine = Machine { commit: commit.into(), ..Machine::default() };
        Measured { rows, sizes, machine, minutes: 1.0, ..Measured::default() }
    }

    #[test]
    fn a_row_keeps_what_the_tables_need() {
        let run = |wall, cpu, peak, moved| Run {
            usage: Usage { wall, cpu, peak },
            moved: Some(moved),
            requests: Some(moved / 5),
        };
        let mut row = Row::default();
        row.record(&[run(1.000_000_4, 0.5, 30, 10), run(2.0, 0.75, 10, 15), run(1.5, 1.0, 20, 20)]);
        assert_eq!((row.wall, row.cpu), (vec![1.0, 2.0, 1.5], vec![0.5, 0.75, 1.0]));
        assert_eq!((row.peak, row.moved, row.requests), (Some(20), Some(20), Some(4)));
        let mut nothing = Row::default();
        nothing.record(&[]);
        assert_eq!(nothing, Row::default());
    }

    #[test]
    fn a_part_takes_the_place_of_what_it_measured_anew() {
        let mut results = Results::default();
        let all = [("random", "gosync", "old name"), ("random", "rdiff", "rdiff"), ("zeros", "gosync", "old name")];
        let rows = all.map(|(corpus, program, case)| row(corpus, program, case, 1)).into();
        results.keep("local", measured(rows, "older"), false);
        assert_eq!(results.section("local").unwrap().commits(), ["older"]);
        results.keep("local", measured(vec![row("random", "gosync", "new name", 2)], "newer"), true);
        let section = results.section("local").unwrap();
        let cases: Vec<_> = section.rows.iter().map(|row| (row.corpus.as_str(), row.case.as_str())).collect();
        assert_eq!(cases, [("random", "new name"), ("random", "rdiff"), ("zeros", "old name")]);
        assert_eq!((section.minutes, section.sizes.len()), (2.0, 2));
        assert_eq!(section.cases("diff"), ["new name", "old name", "rdiff"]);
        assert_eq!(section.commits(), ["newer", "older"]);
        results.keep("local", measured(vec![row("zeros", "rdiff", "rdiff", 3)], "newest"), false);
        assert_eq!(results.section("local").unwrap().rows.len(), 1);
        assert_eq!(results.section("local").unwrap().commits(), ["newest"]);
    }

    #[test]
    fn results_survive_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        assert_eq!(Results::read(&path).unwrap().sections().count(), 0);
        let mut results = Results::default();
        results.keep("wire", measured(vec![row("random", "gosync", "x", 7)], "commit"), false);
        fs::write(&path, results.text().unwrap()).unwrap();
        let read = Results::read(&path).unwrap();
        assert_eq!(read.section("wire").unwrap().rows, results.section("wire").unwrap().rows);
        fs::write(&path, "[]").unwrap();
        assert!(Results::read(&path).unwrap_err().to_string().contains("another shape"));
    }
}
