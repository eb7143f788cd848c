//! `cargo xtask bench`: gosync and its peers on the same work, and BENCHMARKS.md from it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use gosync_testkit::nginx::Nginx;
use gosync_testkit::sshd::Sshd;

use crate::command::root;
use crate::steps::Steps;

pub(crate) mod accounting;
mod ahead;
mod case;
mod corpora;
mod disk;
mod document;
mod evidence;
mod labels;
mod lines;
mod machine;
mod options;
mod plot;
mod programs;
mod report;
mod results;
mod rounds;
pub(crate) mod scan;
mod sections;
mod statistics;
mod summary;
mod table;
mod ways;

use case::{Case, Cases, SERVED};
use corpora::Corpus;
use machine::Machine;
pub(crate) use options::BenchOptions;
use plot::PLOT;
use programs::Programs;
use results::{Measured, Results, Sizes};
use rounds::{Effort, Runner};
use sections::Section;
use ways::Shell;

/// What is kept, and the page that is written of it, from the root.
const RESULTS: &str = "benchmarks/results.json";
const DOCUMENT: &str = "BENCHMARKS.md";

/// What all sections share.
struct Bench<'a> {
    options: &'a BenchOptions,
    machine: Machine,
    programs: Programs,
    cache: PathBuf,
    measurer: PathBuf,
}

/// Measures, and writes BENCHMARKS.md with the results and the plot.
///
/// # Errors
///
/// When ours cannot be built, results cannot be written, or ours broke a promise; that is
/// told when all is measured and written. Peers and corpora that cannot be had are told
/// and left out.
pub(crate) fn run(steps: &mut Steps, options: &BenchOptions) -> anyhow::Result<()> {
    let (sections, peers) = (options.sections()?, options.peers()?);
    let cache = programs::target_folder()?.join("bench");
    // What a smoke test measures is nothing to be kept beside the code.
    let home = if options.quick { cache.join("quick") } else { root().to_owned() };
    let mut results = Results::read(&home.join(RESULTS))?;
    if options.render {
        return steps.run(DOCUMENT, || write(&results, &home));
    }
    let this = env::current_exe().context("cannot find this program")?;
    let measurer = programs::copy_program(&this, &cache, &format!("measure{}", env::consts::EXE_SUFFIX))?;
    let mut programs = Programs::default();
    steps.run("programs", || {
        programs = Programs::provide(options.gosync.as_deref(), &peers, &cache, !options.no_install)?;
        Ok(())
    })?;
    let mut machine = Machine::look();
    if options.gosync.is_some() {
        machine.commit = "unknown".into();
    }
    let bench = Bench { options, machine, programs, cache, measurer };
    let mut broken = 0;
    for section in sections {
        let corpora = options.corpora(section)?;
        let is_alone = section.corpora.is_empty() && (options.is_named(section) || !options.is_part());
        let parts = corpora.into_iter().map(Some).chain(is_alone.then_some(None));
        for (number, corpus) in parts.enumerate() {
            let measured = bench.measure(steps, section, corpus)?;
            broken += measured.violations.len();
            // Written after each corpus: a run that is stopped keeps what it has.
            results.keep(section.name, measured, options.is_part() || number > 0);
            write(&results, &home)?;
        }
    }
    eprintln!("wrote {}", home.join(DOCUMENT).display());
    if broken > 0 {
        bail!("{broken} promises were not kept; {DOCUMENT} lists them");
    }
    Ok(())
}

impl Bench<'_> {
    /// Measures a section on one corpus, or what it measures without any.
    fn measure(&self, steps: &mut Steps, section: &Section, corpus: Option<&'static str>) -> anyhow::Result<Measured> {
        let start = Instant::now();
        let effort = self.options.effort(section.pace);
        let mut measured = Measured {
            command: self.options.command(section.name),
            machine: self.machine.clone(),
            rounds: effort.rounds,
            programs: self.programs.all().map(|(name, version)| (name.into(), version.into())).collect(),
            missing: self.programs.missing.iter().map(|name| (*name).to_owned()).collect(),
            ..Measured::default()
        };
        if corpus.is_none() {
            steps.run(section.name, || {
                measured.rates = scan::rates(self.options.quick)?;
                Ok(())
            })?;
        }
        if let Some(name) = corpus {
            steps.run(&format!("{}, {name}", section.name), || {
                match corpora::provide(name, &self.cache, self.options.length()) {
                    Ok(corpus) => self.measure_on(section, &corpus, effort, &mut measured),
                    Err(error) => {
                        eprintln!("SKIPPED: {name}: {error:#}");
                        measured.missing.push(format!("the corpus {name} ({error})"));
                        Ok(())
                    }
                }
            })?;
        }
        measured.minutes = start.elapsed().as_secs_f64() / 60.0;
        Ok(measured)
    }

    /// Measures all work on one corpus, in a folder that is made for it and removed.
    fn measure_on(
        &self,
        section: &Section,
        corpus: &Corpus,
        effort: Effort,
        measured: &mut Measured,
    ) -> anyhow::Result<()> {
        let (old, new) = (disk::size(&corpus.seed)?, disk::size(&corpus.target)?);
        measured.sizes.push(Sizes { corpus: corpus.name.into(), old, new });
        let folder = &self.cache.join("work");
        disk::remove(folder).context("cannot remove what an earlier run left")?;
        fs::create_dir_all(folder)?;
        let is_file = corpus.target.is_file();
        if is_file {
            let served = folder.join(SERVED);
            fs::hard_link(&corpus.target, served).context("cannot link the new version into the served folder")?;
        }
        let private = folder.join("nginx");
        fs::create_dir(&private)?;
        let is_served = !section.round_trips.is_empty();
        let server = is_served.then(|| Nginx::start(folder, &private, "")).flatten();
        let lines = server.as_ref().map_or(Ok(Vec::new()), |server| ways::to_web(server, section.round_trips))?;
        let urls: Vec<(u32, String)> = lines.iter().map(|line| (line.round_trip, line.to.clone())).collect();
        let keys = folder.join("sshd");
        fs::create_dir(&keys)?;
        // Only of directories is anything fetched by way of it.
        let remote = (!is_file).then(|| Sshd::start(&keys)).flatten();
        let logins = remote.as_ref().map_or_else(Vec::new, |remote| ways::to_shell(remote, section.round_trips));
        let shells: Vec<(u32, Shell)> = logins.iter().map(|login| (login.round_trip, login.to.clone())).collect();

        let mut cases = Cases::new(&self.programs, corpus, folder, &urls, &shells);
        (section.cases)(&mut cases);
        let mut cases = cases.into_all();
        let runner = Runner { corpus, folder, measurer: &self.measurer, server: server.as_ref(), effort };
        while let Some(work) = cases.first().map(|case| case.work) {
            let (now, later): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.work == work);
            measured.rows.extend(runner.run_all(&now, &mut measured.violations)?);
            cases = later;
        }
        drop((lines, server, logins, remote));
        disk::remove(folder).context("cannot remove what was made")
    }
}

/// Writes everything that is made of the results, in the folder `home`.
fn write(results: &Results, home: &Path) -> anyhow::Result<()> {
    for (name, text) in files(results)? {
        let path = home.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all).with_context(|| format!("cannot make a folder for {name}"))?;
        fs::write(path, text).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// All files that are made of the results: the name from the root, and what is in it.
fn files(results: &Results) -> anyhow::Result<[(&'static str, String); 3]> {
    let (_, ours) = scan::SUMS[0];
    let rates = results.section("scan").map(|section| section.rates.as_slice()).unwrap_or_default();
    let rates: Vec<_> = rates.iter().filter(|rate| rate.kind == ours).collect();
    let plot = plot::render("Rolling and sieving, one core, our format's sum", &rates);
    Ok([(RESULTS, results.text()?), (PLOT, plot), (DOCUMENT, document::text(results))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_the_records_say() {
        let results = Results::read(&root().join(RESULTS)).unwrap();
        for (name, text) in files(&results).unwrap() {
            let committed = fs::read_to_string(root().join(name)).unwrap();
            assert!(committed == text, "{name} is not what its records say: run `cargo xtask bench --render`");
        }
    }

    #[test]
    fn the_document_begins_with_a_page_and_keeps_its_anchors() {
        let document = fs::read_to_string(root().join(DOCUMENT)).unwrap();
        let page = document.lines().position(|line| line == "---").unwrap();
        assert!(page <= 40, "{page} lines before the rule");
        let anchor = |heading: &str| {
            let letters = heading.to_lowercase().replace(' ', "-");
            letters.replace(|letter: char| !letter.is_alphanumeric() && letter != '-', "")
        };
        let headings = document.lines().filter(|line| line.starts_with('#'));
        let anchors: Vec<String> = headings.map(|line| anchor(line.trim_start_matches(['#', ' ']))).collect();
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let from_outside = readme.split("(BENCHMARKS.md#").skip(1);
        let links: Vec<&str> = from_outside.chain(document.split("](#").skip(1)).collect();
        assert!(links.len() > 5, "{links:?}");
        for link in links.into_iter().filter_map(|link| link.split(')').next()) {
            assert!(anchors.iter().any(|anchor| anchor == link), "there is no heading #{link}");
        }
    }
}
