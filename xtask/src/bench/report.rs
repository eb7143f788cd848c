//! BENCHMARKS.md, and the parts of it that sections share.

use super::corpora::about;
use super::machine::Machine;
use super::results::{Measured, Results, Row, Run};
use super::sections::ALL;
use super::statistics::Spread;
use super::table::{Table, figure, grouped};

/// What can be compared: its name, and how to take it from a run.
pub(crate) type Measure = (&'static str, fn(&Run) -> Option<f64>);

pub(crate) const CPU: Measure = ("CPU", |run| Some(run.usage.cpu));
pub(crate) const WALL: Measure = ("wall", |run| Some(run.usage.wall));
const MEMORY: Measure = ("memory", |run| Some(run.usage.peak as f64));
const BYTES: Measure = ("bytes", |run| run.moved.map(|bytes| bytes as f64));

pub(crate) const NOT_MEASURED: &str = "\nNot measured yet.\n";

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which repeats all of it; `cargo xtask bench SECTION` repeats a part, and what each
run of each program took is in [results.json](benchmarks/results.json) and, as tables, in
[figures.md](benchmarks/figures.md).

Programs run as child processes whose time and memory the system counts, in turn, in another order each round, after
a round that does not count, with the files in the page cache, where they were read from disk. Figures are medians;
ratios are taken pair by pair within a round. What takes long runs less often, down to once, and what takes too long is stopped:
the row says so. The main figure is processor time, user and system; wall time is that of a small machine whose cores
were not always idle. Memory is that of a program's largest process; what is below 4 MB is hidden by what starts it.

";

/// The whole document.
pub(crate) fn document(results: &Results) -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in ALL {
        text += (section.text)(results).trim_end();
        text += "\n\n";
    }
    text += &ahead(results);
    text += "\n## Machine, programs and corpora\n\n";
    text += &circumstances(results);
    text
}

/// Every figure, by section and corpus.
pub(crate) fn figures(results: &Results) -> String {
    let mut text = String::from("# All figures\n\nBeside [BENCHMARKS.md](../BENCHMARKS.md), by the same command.\n");
    for section in ALL {
        let Some(measured) = results.section(section.name) else { continue };
        for sizes in &measured.sizes {
            for work in measured.works() {
                let is_meant = |row: &&Row| row.corpus == sizes.corpus && row.work == work;
                let rows: Vec<&Row> = measured.rows.iter().filter(is_meant).collect();
                if rows.is_empty() {
                    continue;
                }
                text += &format!("\n## {}: {}, {work}\n\n", section.name, sizes.corpus);
                let columns =
                    ["", "runs", "wall s", "CPU s", "least CPU s", "MB/s of CPU", "peak MB", "bytes", "requests"];
                let mut table = Table::new(columns);
                rows.into_iter().for_each(|row| table.row(cells(row)));
                text += &table.render();
            }
        }
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let shown = |measure, scale: f64| median(row, measure).map_or_else(String::new, |value| figure(value / scale));
    let complaint = row.complaint.as_ref().map_or_else(String::new, |complaint| format!(" ({complaint})"));
    let cpu = Spread::of(values(row, CPU));
    let rate = cpu.filter(|cpu| cpu.median > 0.0).map(|cpu| figure(row.bytes as f64 / 1e6 / cpu.median));
    let last = row.runs.last();
    let number = |number: Option<u64>| number.map_or_else(String::new, grouped);
    vec![
        format!("{}{complaint}", row.case),
        row.runs.len().to_string(),
        shown(WALL, 1.0),
        shown(CPU, 1.0),
        cpu.map_or_else(String::new, |cpu| figure(cpu.least)),
        rate.unwrap_or_default(),
        shown(MEMORY, 1e6),
        number(last.and_then(|run| run.moved)),
        number(last.and_then(|run| run.requests)),
    ]
}

/// When a section was measured, with what.
pub(crate) fn stamp(section: &Measured) -> String {
    let machine = &section.machine;
    let mut commits: Vec<&str> = section.rows.iter().map(|row| row.commit.as_str()).collect();
    commits.push(&machine.commit);
    commits.sort_unstable();
    commits.dedup();
    let busy =
        if machine.is_busy() { " The machine had other work: times are preliminary, ratios less so." } else { "" };
    let rounds = match section.rounds {
        0 => "once".to_owned(),
        1 => "1 round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let (date, commits) = (&machine.date, commits.join(", "));
    format!("\n*{date}, commit {commits}, {rounds}, {:.0} minutes.{busy}*\n", section.minutes)
}

/// Programs by corpora: the baseline's processor time, and the others' as multiples of it.
pub(crate) fn matrix(section: &Measured, work: &str, baseline: &str) -> String {
    let corpora = section.corpora(work);
    let mut text = format!(
        "Processor time of *{baseline}* in seconds, below it that of the others as multiples: **above 1, *{baseline}* \
         is ahead**.\n\n"
    );
    let mut table = Table::new(["CPU"].into_iter().chain(corpora.iter().copied()));
    let cases = section.cases(work);
    let others = cases.iter().copied().filter(|case| *case != baseline);
    for case in cases.iter().copied().filter(|case| *case == baseline).chain(others) {
        let cells = corpora.iter().map(|corpus| {
            let Some(row) = section.find(corpus, work, case) else { return String::new() };
            if case == baseline {
                return median(row, CPU).map_or_else(|| short_complaint(row), |cpu| format!("{} s", figure(cpu)));
            }
            let Some(base) = section.find(corpus, work, baseline).filter(|base| !base.runs.is_empty()) else {
                return median(row, CPU).map_or_else(|| short_complaint(row), |cpu| format!("{} s", figure(cpu)));
            };
            Spread::of_ratios(&values(row, CPU), &values(base, CPU))
                .map_or_else(|| short_complaint(row), |spread| figure(spread.median))
        });
        table.row([case.to_owned()].into_iter().chain(cells));
    }
    text += &table.render();
    text
}

/// How much two threads gain, in wall time.
pub(crate) fn scaling(section: &Measured) -> String {
    const TWO: &str = ", 2 threads";
    let corpora: Vec<&str> = section.sizes.iter().map(|sizes| sizes.corpus.as_str()).collect();
    let mut table = Table::new([""].into_iter().chain(corpora.iter().copied()));
    for work in section.works() {
        for case in section.cases(work).into_iter().filter(|case| case.ends_with(TWO)) {
            let one = case.replace(TWO, ", 1 thread");
            let cells = corpora.iter().map(|corpus| {
                let wall = |case: &str| section.find(corpus, work, case).map(|row| values(row, WALL));
                let spread = wall(&one).zip(wall(case)).and_then(|(one, two)| Spread::of_ratios(&one, &two));
                spread.map_or_else(String::new, |spread| figure(spread.median))
            });
            table.row([format!("{work}: {}", case.trim_end_matches(TWO))].into_iter().chain(cells));
        }
    }
    table.render()
}

/// The end of a sentence about promises: that they held, or which did not.
pub(crate) fn violations(section: &Measured) -> String {
    if section.violations.is_empty() {
        return ": all of it held in this run.\n".into();
    }
    let mut text = String::from(": **not all of it held**.\n\n");
    for violation in &section.violations {
        text += &format!("- {}: {}\n", violation.corpus, violation.what);
    }
    text
}

/// Every figure by which a peer does better than the best of ours, said as plainly as the others.
fn ahead(results: &Results) -> String {
    let mut text = String::from("## Where a peer is ahead\n\n");
    let mut table = Table::new(["peer", "work", "in", "of ours, by corpus"]).left(4);
    for (name, section) in results.sections() {
        for work in section.works() {
            for case in section.cases(work) {
                for measure in [CPU, WALL, MEMORY, BYTES] {
                    let ratios = section.corpora(work).into_iter().filter_map(|corpus| {
                        let row = section.find(corpus, work, case).filter(|row| is_peer(row))?;
                        let ours = section.rows.iter().filter(|ours| {
                            ours.is_ours() && ours.corpus == corpus && ours.work == work && !ours.case.contains("flat")
                        });
                        let ours = ours.filter_map(|ours| median(ours, measure)).min_by(f64::total_cmp)?;
                        let share = median(row, measure)? / ours;
                        (share < 0.995).then(|| format!("{corpus} {}", figure(share)))
                    });
                    let ratios: Vec<String> = ratios.collect();
                    if !ratios.is_empty() {
                        table.row([case, &format!("{name}: {work}"), measure.0, &ratios.join(", ")]);
                    }
                }
            }
        }
    }
    if table.is_empty() {
        return text + "Nowhere in these runs.\n";
    }
    text += "A peer's median as a share of that of ours that does best there, wherever it is less. fast_rsync and xdelta3\n\
             need both versions or all of a file in memory, and zstd and xdelta3 both versions at hand.\n\n";
    text + &table.render()
}

/// What only copies, or has both versions, is no peer where bytes are counted.
fn is_peer(row: &Row) -> bool {
    !row.is_ours() && !["cp", "zstd"].contains(&row.program.as_str())
}

fn circumstances(results: &Results) -> String {
    // Newest first; each with what was recorded on it.
    let mut machines: Vec<(&Machine, Vec<&str>)> = Vec::new();
    for (name, section) in results.sections() {
        match machines.iter_mut().find(|(machine, _)| machine.is_like(&section.machine)) {
            Some((_, sections)) => sections.push(name),
            None => machines.push((&section.machine, vec![name])),
        }
    }
    machines.sort_by(|(one, _), (other, _)| other.date.cmp(&one.date));
    let mut table = Table::new(["", ""]).left(2);
    for (machine, sections) in machines {
        table.row(["recorded", &sections.join(", ")]);
        table.row(["processor", &format!("{}, {} cores", machine.processor, machine.cores)]);
        table.row(["vector and hash instructions", &machine.extensions.join(" ")]);
        table.row(["memory", &format!("{} MiB", grouped(machine.memory_bytes >> 20))]);
        table.row(["kernel", &machine.kernel]);
        table.row(["compiler", &machine.rustc]);
    }
    let (mut programs, mut missing): (Vec<(&str, &str)>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut sizes = Vec::new();
    for (_, section) in results.sections() {
        programs.extend(section.programs.iter().map(|(name, version)| (name.as_str(), version.as_str())));
        missing.extend(section.missing.iter().map(String::as_str));
        sizes.extend(&section.sizes);
    }
    programs.sort_unstable();
    programs.dedup();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|name| programs.iter().all(|(program, _)| program != name));
    programs.into_iter().for_each(|(name, version)| table.row([name, version]));
    let mut text = table.render();
    if !missing.is_empty() {
        text += &format!("\nNot measured, since it could not be had: {}.\n", missing.join("; "));
    }
    sizes.sort_by_key(|sizes| &sizes.corpus);
    sizes.dedup();
    let mut table = Table::new(["corpus", "what it is", "old, bytes", "new, bytes"]).left(2);
    for sizes in sizes {
        table.row([sizes.corpus.as_str(), about(&sizes.corpus), &grouped(sizes.old), &grouped(sizes.new)]);
    }
    text + "\n" + &table.render()
}

pub(crate) fn values(row: &Row, measure: Measure) -> Vec<f64> {
    row.runs.iter().filter_map(measure.1).collect()
}

pub(crate) fn median(row: &Row, measure: Measure) -> Option<f64> {
    Spread::of(values(row, measure)).map(|spread| spread.median)
}

/// A word for what went wrong.
pub(crate) fn short_complaint(row: &Row) -> String {
    match row.complaint.as_deref() {
        None => String::new(),
        Some(complaint) if complaint.contains("took longer") => "too long".into(),
        Some(complaint) if complaint.starts_with("not run") => "–".into(),
        Some(complaint) if complaint.starts_with("what it wrote") => "wrong".into(),
        Some(_) => "failed".into(),
    }
}

pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::accounting::Usage;
    use crate::bench::results::{Sizes, Violation};

    const BASELINE: &str = "gosync, 2048, 1 thread";

    fn row(program: &str, case: &str, cpu: &[f64], peak: u64) -> Row {
        let run = |&cpu: &f64| {
            let usage = Usage { wall: 2.0 * cpu, cpu, peak };
            Run { usage, moved: Some(1000), requests: None }
        };
        let [corpus, work, program, case] = ["random", "diff", program, case].map(str::to_owned);
        Row { corpus, work, program, case, bytes: 1_000_000, runs: cpu.iter().map(run).collect(), ..Row::default() }
    }

    fn results(rows: Vec<Row>) -> Results {
        let sizes = vec![Sizes { corpus: "random".into(), old: 1_000_000, new: 2_000_000 }];
        let mut results = Results::default();
        let missing = vec!["bita: no network".into()];
        results.keep("local", Measured { rows, sizes, missing, rounds: 3, ..Measured::default() }, false);
        results
    }

    #[test]
    fn says_where_a_peer_is_ahead_and_where_not() {
        let slower = results(vec![row("gosync", BASELINE, &[1.0, 1.0], 10), row("rdiff", "rdiff", &[4.0, 6.0], 20)]);
        let text = document(&slower);
        assert!(text.contains("Nowhere in these runs."), "{text}");
        assert!(text.contains("| rdiff | 5.00 |"), "the matrix of ratios: {text}");
        assert!(text.contains("bita: no network"));

        let faster = results(vec![row("gosync", BASELINE, &[1.0, 1.0], 10), row("rdiff", "rdiff", &[0.5, 0.5], 5)]);
        let text = document(&faster);
        for measure in ["CPU", "wall", "memory"] {
            assert!(text.contains(&format!("| rdiff | local: diff | {measure} | random 0.50 |")), "{measure}: {text}");
        }
        assert!(!text.contains("| rdiff | local: diff | bytes |"), "equal is not ahead");
        let own = [row("gosync", BASELINE, &[1.0], 10), row("gosync", "gosync, default", &[0.5], 5)];
        assert!(document(&results(own.into())).contains("Nowhere in these runs."), "ours is no peer");
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let mut failed = row("rdiff", "rdiff", &[], 0);
        failed.complaint = Some("took longer than 1 s".into());
        let results = results(vec![row("gosync", BASELINE, &[1.0], 10), failed]);
        assert!(document(&results).contains("| rdiff | too long |"));
        assert!(document(&results).contains("Not measured yet."), "the other sections");
        assert!(figures(&results).contains("| rdiff (took longer than 1 s) | 0 |"));
    }

    #[test]
    fn two_threads_are_set_against_one() {
        let two = row("gosync", "gosync, 2048, 2 threads", &[0.5], 10);
        let text = document(&results(vec![row("gosync", BASELINE, &[1.0], 10), two]));
        assert!(text.contains("| diff: gosync, 2048 | 2.00 |"), "{text}");
    }

    #[test]
    fn broken_promises_are_told() {
        let violations = vec![Violation { corpus: "random".into(), what: "too much".into() }];
        assert!(super::violations(&Measured { violations, ..Measured::default() }).contains("- random: too much\n"));
        assert!(super::violations(&Measured::default()).contains("held"));
    }
}
