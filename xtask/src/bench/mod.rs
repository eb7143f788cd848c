//! `cargo xtask bench`: gosync and its peers on the same work, and BENCHMARKS.md from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gosync_testkit::nginx::Nginx;

use crate::command::root;
use crate::steps::Steps;

pub(crate) mod accounting;
mod cases;
mod corpora;
mod machine;
mod packages;
mod plot;
mod programs;
mod report;
mod rounds;
pub(crate) mod scan;
mod statistics;
mod table;

use cases::{Cases, SERVED, Work};
use corpora::{CORPORA, Corpus};
use machine::Machine;
use programs::{PEERS, Programs};
use report::Report;
use rounds::{Effort, Row};

/// Where raw results and the plot go.
const RESULTS: &str = "benchmarks";

/// What to measure.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BenchOptions {
    /// Smaller corpora and fewer rounds
    #[arg(long)]
    quick: bool,
    /// Measures on this corpus only; may be given several times [default: all]
    #[arg(long, value_name = "CORPUS")]
    only: Vec<String>,
    /// Compares with these peers only, separated by commas; none compares with nobody [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// Length of the corpora made by code [default: 1024, quick 64]
    #[arg(long, value_name = "MIB")]
    size: Option<u64>,
    /// Rounds that count [default: 5, quick 3]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Installs nothing
    #[arg(long)]
    no_install: bool,
}

impl BenchOptions {
    fn corpora(&self) -> anyhow::Result<Vec<&'static str>> {
        let all: Vec<&'static str> = CORPORA.iter().map(|corpus| corpus.0).collect();
        if self.only.is_empty() { Ok(all) } else { select(&all, &self.only, "corpus") }
    }

    fn peers(&self) -> anyhow::Result<Vec<&'static str>> {
        match &self.peers {
            None => Ok(PEERS.to_vec()),
            Some(names) if names.iter().map(String::as_str).eq(["none"]) => Ok(Vec::new()),
            Some(names) => select(PEERS, names, "peer"),
        }
    }

    fn effort(&self) -> Effort {
        let (rounds, budget, limit) = if self.quick { (3, 5, 20) } else { (5, 120, 600) };
        Effort {
            rounds: self.rounds.unwrap_or(rounds),
            budget: Duration::from_secs(budget),
            limit: Duration::from_secs(limit),
        }
    }

    /// The command that does the same again.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench".to_owned()];
        words.extend(self.quick.then(|| "--quick".to_owned()));
        words.extend(self.only.iter().map(|name| format!("--only {name}")));
        words.extend(self.peers.iter().map(|names| format!("--peers {}", names.join(","))));
        words.extend(self.size.map(|size| format!("--size {size}")));
        words.extend(self.rounds.map(|rounds| format!("--rounds {rounds}")));
        words.join(" ")
    }
}

/// Measures, and writes BENCHMARKS.md with the raw results and the plot.
///
/// # Errors
///
/// When ours cannot be built, or results cannot be written. Peers and corpora that cannot
/// be had are told and left out.
pub(crate) fn run(steps: &mut Steps, options: &BenchOptions) -> anyhow::Result<()> {
    let start = Instant::now();
    let machine = Machine::look();
    let (names, wanted, effort) = (options.corpora()?, options.peers()?, options.effort());
    let length = options.size.unwrap_or(if options.quick { 64 } else { 1024 }).max(1) << 20;
    let cache = programs::target_folder()?.join("bench");
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;

    let mut programs = Programs::default();
    steps.run("programs", || {
        programs = Programs::provide(&wanted, &cache, !options.no_install)?;
        Ok(())
    })?;
    let mut report = Report {
        command: options.command(),
        machine,
        programs: programs.all().iter().map(|program| (program.name, program.version.clone())).collect(),
        missing: programs.missing.iter().map(|name| (*name).to_owned()).collect(),
        corpora: Vec::new(),
        effort,
        rows: Vec::new(),
        rates: Vec::new(),
        minutes: 0.0,
    };
    steps.run("the scan alone", || {
        report.rates = scan::rates(options.quick)?;
        Ok(())
    })?;
    for name in names {
        steps.run(name, || {
            let corpus = match corpora::provide(name, &cache, length) {
                Ok(corpus) => corpus,
                Err(error) => {
                    eprintln!("SKIPPED: {name}: {error:#}");
                    report.missing.push(format!("the corpus {name} ({error})"));
                    return Ok(());
                }
            };
            let size = |path: &Path| path.metadata().map(|metadata| metadata.len());
            report.corpora.push((name, size(&corpus.seed)?, size(&corpus.target)?));
            report.rows.extend(measure(&programs, &corpus, &cache.join("work"), effort)?);
            Ok(())
        })?;
    }
    report.minutes = start.elapsed().as_secs_f64() / 60.0;
    steps.run("BENCHMARKS.md", || write(&report))
}

/// Measures all work on one corpus, in a folder that is made for it and removed.
fn measure(programs: &Programs, corpus: &Corpus, folder: &Path, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let remove = || if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) };
    remove().context("cannot remove what an earlier run left")?;
    fs::create_dir_all(folder)?;
    fs::hard_link(&corpus.target, folder.join(SERVED)).context("cannot link the new version into the served folder")?;
    let private = folder.join("nginx");
    fs::create_dir(&private)?;
    let server = Nginx::start(folder, &private, "");
    let cases = Cases::all(programs, corpus, folder, server.as_ref().map(|server| server.url().to_owned()));
    let mut rows = Vec::new();
    for work in Work::ALL {
        rows.extend(rounds::run(work, &cases, corpus, folder, server.as_ref(), effort)?);
    }
    drop(server);
    remove()?;
    Ok(rows)
}

fn write(report: &Report) -> anyhow::Result<()> {
    let folder = root().join(RESULTS);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (_, ours) = scan::KINDS[0];
    let rates: Vec<_> = report.rates.iter().filter(|rate| rate.kind == ours).collect();
    let plot = plot::render("Rolling and sieving, one core, our format's sum", &rates);
    let results = serde_json::to_string_pretty(&report.json())? + "\n";
    let files = [
        ("BENCHMARKS.md".to_owned(), report.markdown(&format!("{RESULTS}/scan.svg"))),
        (format!("{RESULTS}/scan.svg"), plot),
        (format!("{RESULTS}/results.json"), results),
    ];
    for (name, text) in files {
        fs::write(root().join(&name), text).with_context(|| format!("cannot write {name}"))?;
        eprintln!("wrote {name}");
    }
    Ok(())
}

/// Those of `all` that have one of `names`.
fn select(all: &[&'static str], names: &[String], what: &str) -> anyhow::Result<Vec<&'static str>> {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no {what} \"{unknown}\"; there are {}", all.join(", "));
    }
    Ok(all.iter().copied().filter(|name| names.contains(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let options = BenchOptions { only: names(&["zeros", "random"]), ..BenchOptions::default() };
        assert_eq!(options.corpora().unwrap(), ["random", "zeros"]);
        assert_eq!(options.peers().unwrap(), PEERS);
        let options = BenchOptions { peers: Some(names(&["none"])), ..BenchOptions::default() };
        assert_eq!(options.corpora().unwrap().len(), CORPORA.len());
        assert!(options.peers().unwrap().is_empty());
        let error = BenchOptions { peers: Some(names(&["rdif"])), ..BenchOptions::default() }.peers().unwrap_err();
        assert!(error.to_string().starts_with("there is no peer \"rdif\"; there are rdiff, "), "{error}");
    }

    #[test]
    fn the_command_repeats_itself() {
        assert_eq!(BenchOptions::default().command(), "cargo xtask bench");
        let options = BenchOptions {
            quick: true,
            only: vec!["zeros".into()],
            peers: Some(vec!["rdiff".into(), "zsync".into()]),
            size: Some(8),
            rounds: Some(2),
            no_install: true,
        };
        assert_eq!(options.command(), "cargo xtask bench --quick --only zeros --peers rdiff,zsync --size 8 --rounds 2");
    }
}
