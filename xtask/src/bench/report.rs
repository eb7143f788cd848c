//! BENCHMARKS.md, and the raw results beside it.

use std::fmt::Write;

use serde_json::{Value, json};

use super::cases::Work;
use super::corpora::CORPORA;
use super::machine::Machine;
use super::rounds::{Effort, Row, Run};
use super::scan::{KINDS, Rate};
use super::statistics::Spread;
use super::table::{Table, figure, grouped, ratio};

/// All that was found out.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) command: String,
    pub(crate) machine: Machine,
    /// Programs and their versions.
    pub(crate) programs: Vec<(&'static str, String)>,
    /// Peers and corpora that could not be had, and why.
    pub(crate) missing: Vec<String>,
    /// Corpora: name, bytes of the old and of the new version.
    pub(crate) corpora: Vec<(&'static str, u64, u64)>,
    pub(crate) effort: Effort,
    pub(crate) rows: Vec<Row>,
    pub(crate) rates: Vec<Rate>,
    /// Minutes that it all took.
    pub(crate) minutes: f64,
}

/// What can be compared: its name, and how to take it from a run.
type Measure = (&'static str, fn(&Run) -> Option<f64>);

const CPU: Measure = ("CPU", |run| Some(run.usage.cpu));
const WALL: Measure = ("wall", |run| Some(run.usage.wall));
const MEMORY: Measure = ("memory", |run| Some(run.usage.peak as f64));
const BYTES: Measure = ("bytes", |run| run.moved.map(|bytes| bytes as f64));

impl Report {
    /// The whole document.
    pub(crate) fn markdown(&self, plot: &str) -> String {
        let mut text = String::from("# Benchmarks\n\n");
        self.introduction(&mut text);
        self.circumstances(&mut text);
        self.scan(&mut text, plot);
        self.summaries(&mut text);
        self.ahead(&mut text);
        self.figures(&mut text);
        text
    }

    /// Every run, for whoever wants to compute something else.
    pub(crate) fn json(&self) -> Value {
        let machine = &self.machine;
        json!({
            "command": self.command,
            "machine": {
                "date": machine.date,
                "processor": machine.processor,
                "cores": machine.cores,
                "extensions": machine.extensions,
                "memory_bytes": machine.memory_bytes,
                "kernel": machine.kernel,
                "rustc": machine.rustc,
                "commit": machine.commit,
                "load": machine.load,
            },
            "programs": self.programs.iter().map(|(name, version)| json!([name, version])).collect::<Vec<_>>(),
            "missing": self.missing,
            "corpora": self.corpora,
            "scan": self.rates.iter().map(Rate::to_json).collect::<Vec<_>>(),
            "rows": self.rows.iter().map(row_json).collect::<Vec<_>>(),
        })
    }

    fn introduction(&self, text: &mut String) {
        line(text, format_args!("Written by `{}`, which repeats all of it.", self.command));
        if self.machine.is_busy() {
            let load = self.machine.load;
            line(
                text,
                format_args!(
                    "\n**Preliminary:** the machine had other work (a load of {load:.1} at the start), so only"
                ),
            );
            line(text, format_args!("ratios mean something, and those with a wide spread little."));
        }
        line(
            text,
            format_args!(
                "\nEach program runs as a child process whose time and memory the system counts. All run in turn, \
                 {} times after a round that does not count, with the files in the page cache. Figures are medians; \
                 ratios are taken pair by pair within a round, and are a program's figure divided by gosync's: **above 1, \
                 gosync is ahead**. What took more than {} s in all its rounds ran less often, down to once; what took \
                 more than {} s was stopped.",
                self.effort.rounds,
                self.effort.budget.as_secs(),
                self.effort.limit.as_secs()
            ),
        );
        text.push_str(NOTES);
    }

    fn circumstances(&self, text: &mut String) {
        let machine = &self.machine;
        text.push_str("\n## Machine, programs and corpora\n\n");
        let mut table = Table::new(["", ""]);
        table.row(["date", &machine.date]);
        table.row(["processor", &format!("{}, {} cores", machine.processor, machine.cores)]);
        table.row(["vector and hash instructions", &machine.extensions.join(" ")]);
        table.row(["memory", &format!("{} MiB", grouped(machine.memory_bytes >> 20))]);
        table.row(["kernel", &machine.kernel]);
        table.row(["compiler", &machine.rustc]);
        table.row(["commit", &machine.commit]);
        table.row(["all of this took", &format!("{:.0} minutes", self.minutes)]);
        for (name, version) in &self.programs {
            table.row([name, version.as_str()]);
        }
        // The header has no words, and its cells are no figures.
        text.push_str(&table.render().replace("--:|", "---|"));
        if !self.missing.is_empty() {
            line(text, format_args!("\nNot measured, since it could not be had here: {}.", self.missing.join("; ")));
        }
        text.push('\n');

        let mut table = Table::new(["corpus", "old, bytes", "new, bytes", "what it is"]);
        for (name, old, new) in &self.corpora {
            let about = CORPORA.iter().find(|corpus| corpus.0 == *name).map_or("", |corpus| corpus.1);
            table.row([name, grouped(*old).as_str(), &grouped(*new), about]);
        }
        text.push_str(&table.render().replacen("--:|--:|--:|", "--:|--:|---|", 1));
    }

    fn scan(&self, text: &mut String, plot: &str) {
        if self.rates.is_empty() {
            return;
        }
        text.push_str("\n## The scan alone\n\n");
        text.push_str(
            "Rolling over 64 MiB of random bytes in memory with a window of 2,048 and sieving the sums, one core, by the\n\
             number of blocks in the index; without the exact look-up of what passes, and without strong sums. 10⁹\n\
             positions a second of processor time, by tier of instructions.\n\n",
        );
        line(text, format_args!("![scan rate by tier and index size]({plot})\n"));
        let mut sizes: Vec<u32> = self.rates.iter().map(|rate| rate.log2_keys).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let header = ["sum and tier".to_owned()].into_iter().chain(sizes.iter().map(|size| format!("2^{size}")));
        let mut table = Table::new(header);
        for (_, kind) in KINDS {
            let of_kind = || self.rates.iter().filter(move |rate| rate.kind == kind);
            let mut tiers: Vec<&str> = Vec::new();
            of_kind().filter(|rate| rate.log2_keys == sizes[0]).for_each(|rate| tiers.push(&rate.tier));
            for tier in tiers {
                let cells = sizes.iter().map(|size| {
                    let rate = of_kind().find(|rate| rate.tier == tier && rate.log2_keys == *size);
                    rate.map_or_else(String::new, |rate| figure(rate.rate.median / 1e9))
                });
                table.row([format!("{kind}, {tier}")].into_iter().chain(cells));
            }
        }
        text.push_str(&table.render());
    }

    /// For each kind of work the ratios of processor time, programs by corpora.
    fn summaries(&self, text: &mut String) {
        for work in Work::ALL {
            let labels = self.labels(work);
            if labels.is_empty() {
                continue;
            }
            line(text, format_args!("\n## {}\n", capitalised(work.name())));
            line(
                text,
                format_args!(
                    "{} Below the first row, which is in seconds: processor time as a multiple of that of *{}*.\n",
                    explanation(work),
                    work.baseline()
                ),
            );
            let header = ["CPU"].into_iter().chain(self.corpora.iter().map(|corpus| corpus.0));
            let mut table = Table::new(header);
            for label in labels {
                let is_baseline = label == work.baseline();
                let cells = self.corpora.iter().map(|(corpus, ..)| {
                    let Some(row) = self.find(corpus, work, label) else { return String::new() };
                    if is_baseline {
                        return median(row, CPU)
                            .map_or_else(|| short_complaint(row), |cpu| format!("{} s", figure(cpu)));
                    }
                    self.ratio(row, CPU).map_or_else(|| short_complaint(row), |spread| figure(spread.median))
                });
                table.row([label.to_owned()].into_iter().chain(cells));
            }
            text.push_str(&table.render());
            self.scaling(text, work);
        }
    }

    /// How much two threads gain.
    fn scaling(&self, text: &mut String, work: Work) {
        let mut table = Table::new(["one thread's wall time / two threads'"].into_iter().chain(self.names()));
        for label in self.labels(work).into_iter().filter(|label| label.ends_with(", 2 threads")) {
            let one = label.replace(", 2 threads", ", 1 thread");
            let cells = self.corpora.iter().map(|(corpus, ..)| {
                let (Some(one), Some(two)) = (self.find(corpus, work, &one), self.find(corpus, work, label)) else {
                    return String::new();
                };
                Spread::of_ratios(&values(one, WALL), &values(two, WALL))
                    .map_or_else(String::new, |spread| figure(spread.median))
            });
            table.row([label.trim_end_matches(", 2 threads").to_owned()].into_iter().chain(cells));
        }
        if !table.is_empty() {
            line(text, format_args!("\n{}", table.render().trim_end()));
        }
    }

    /// Every figure by which a peer does better, said as plainly as the others.
    fn ahead(&self, text: &mut String) {
        text.push_str("\n## Where a peer is ahead\n\n");
        let mut table = Table::new(["peer", "work", "in", "ratio by corpus"]);
        for work in Work::ALL {
            for label in self.labels(work) {
                for measure in [CPU, WALL, MEMORY, BYTES] {
                    let ahead: Vec<String> = self
                        .corpora
                        .iter()
                        .filter_map(|(corpus, ..)| {
                            let row = self.find(corpus, work, label).filter(|row| !row.is_ours)?;
                            let spread = self.ratio(row, measure)?;
                            (spread.median < 1.0).then(|| format!("{corpus} {}", figure(spread.median)))
                        })
                        .collect();
                    if !ahead.is_empty() {
                        table.row([label, work.name(), measure.0, &ahead.join(", ")]);
                    }
                }
            }
        }
        if table.is_empty() {
            text.push_str("Nowhere in this run.\n");
            return;
        }
        text.push_str(
            "Each median ratio below 1 to the case that the others are compared with: for build and diff that is\n",
        );
        text.push_str("one thread and blocks of 2,048.\n\n");
        text.push_str(&table.render().replace("--:|", "---|"));
    }

    fn figures(&self, text: &mut String) {
        text.push_str("\n## All figures\n");
        for &(corpus, old, new) in &self.corpora {
            for work in Work::ALL {
                let rows: Vec<&Row> = self.rows.iter().filter(|row| row.corpus == corpus && row.work == work).collect();
                if rows.is_empty() {
                    continue;
                }
                line(text, format_args!("\n### {}, {}\n", capitalised(corpus), work.name()));
                let bytes = if work == Work::Build { new } else { old };
                let mut header =
                    vec!["", "runs", "wall s", "CPU s", "MB/s of CPU", "CPU ratio", "wall ratio", "peak MB", "bytes"];
                if work == Work::Http {
                    header.push("requests");
                }
                let columns = header.len();
                let mut table = Table::new(header);
                for row in rows {
                    let mut cells = self.cells(row, bytes);
                    cells.truncate(columns);
                    table.row(cells);
                }
                text.push_str(&table.render());
            }
        }
    }

    fn cells(&self, row: &Row, bytes: u64) -> Vec<String> {
        let shown = |measure, scale: f64| median(row, measure).map_or_else(String::new, |value| figure(value / scale));
        let compared = |measure| self.ratio(row, measure).map_or_else(String::new, ratio);
        let mut label = row.label.clone();
        if let Some(complaint) = &row.complaint {
            label += &format!(" ({complaint})");
        }
        let rate = median(row, CPU).filter(|cpu| *cpu > 0.0).map(|cpu| figure(bytes as f64 / 1e6 / cpu));
        let last = row.runs.last();
        let number = |number: Option<u64>| number.map_or_else(String::new, grouped);
        vec![
            label,
            row.runs.len().to_string(),
            shown(WALL, 1.0),
            shown(CPU, 1.0),
            rate.unwrap_or_default(),
            compared(CPU),
            compared(WALL),
            shown(MEMORY, 1e6),
            number(last.and_then(|run| run.moved)),
            number(last.and_then(|run| run.requests)),
        ]
    }

    /// The row's figures as multiples of the baseline's on the same corpus.
    fn ratio(&self, row: &Row, measure: Measure) -> Option<Spread> {
        let base = self.find(row.corpus, row.work, row.work.baseline())?;
        Spread::of_ratios(&values(row, measure), &values(base, measure))
    }

    fn find(&self, corpus: &str, work: Work, label: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.corpus == corpus && row.work == work && row.label == label)
    }

    fn labels(&self, work: Work) -> Vec<&str> {
        let mut labels: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.work == work) {
            if !labels.contains(&row.label.as_str()) {
                labels.push(&row.label);
            }
        }
        labels
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.corpora.iter().map(|corpus| corpus.0)
    }
}

const NOTES: &str = "\
\nMemory is that of the largest process of a program. What starts each program adds about 4 ms to it, and hides what is
below 4 MB. What has to be known to read the tables:

- `2048` and `default` are block sizes; the peers use 2,048 where they have blocks (rdiff, fast_rsync, zsync, zsync-rs,
  rsync). casync and bita cut by content, into pieces of 64 KiB on average. Build and diff are held on one core; the
  rows of two threads, and everything in patch, are not.
- rdiff and fast_rsync keep the signature of the *old* version and scan the new one; the work is the same.
- fast_rsync (through a driver of our own) and `gosync` differ in what they promise: fast_rsync checks nothing but its
  blocks, and has all files in memory. rsync has no index: its diff is `--only-write-batch`, and both ends' work.
  xdelta3 has both versions at hand. casync compresses the pieces that it stores; bita and gosync are run without.
- gosync verifies the whole new version and waits until the disk has it before it takes its name (`fsync`). No peer
  waits for the disk.
- In patch, rdiff, fast_rsync and xdelta3 do two steps, delta and patch, which are added up. Over HTTP, nginx serves
  from the same machine, and `bytes` are those of all its answers, the index included. In other tables `bytes` are the
  index (build), what is missing or the delta (diff), and index and delta or payload together (patch).
- Left out: programs that cannot be installed by name.
";

fn explanation(work: Work) -> &'static str {
    match work {
        Work::Build => "Making the index, signature or chunks of the new version.",
        Work::Diff => {
            "Finding what of the new version is in the old one; nothing is written where the program can do so."
        }
        Work::Patch => {
            "Making the new version in a file, from the old one and what is on the same disk, with all cores."
        }
        Work::Http => "The same with index and new version on a web server, with all cores.",
    }
}

fn values(row: &Row, measure: Measure) -> Vec<f64> {
    row.runs.iter().filter_map(measure.1).collect()
}

fn median(row: &Row, measure: Measure) -> Option<f64> {
    Spread::of(values(row, measure)).map(|spread| spread.median)
}

fn short_complaint(row: &Row) -> String {
    match row.complaint.as_deref() {
        None => String::new(),
        Some(complaint) if complaint.starts_with("took") => "too long".into(),
        Some(complaint) if complaint.starts_with("not run") => "–".into(),
        Some(complaint) if complaint.starts_with("what it wrote") => "wrong".into(),
        Some(_) => "failed".into(),
    }
}

fn row_json(row: &Row) -> Value {
    let runs = row.runs.iter().map(|run| {
        json!({
            "wall": run.usage.wall,
            "cpu": run.usage.cpu,
            "peak": run.usage.peak,
            "bytes": run.moved,
            "requests": run.requests,
        })
    });
    json!({
        "corpus": row.corpus,
        "work": row.work.name(),
        "case": row.label,
        "complaint": row.complaint,
        "runs": runs.collect::<Vec<_>>(),
    })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = writeln!(text, "{arguments}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::accounting::Usage;
    use std::time::Duration;

    fn row(label: &str, is_ours: bool, cpu: &[f64], peak: u64) -> Row {
        let runs = cpu
            .iter()
            .map(|&cpu| Run { usage: Usage { wall: 2.0 * cpu, cpu, peak }, moved: Some(1000), requests: None })
            .collect();
        Row { corpus: "random", work: Work::Diff, label: label.into(), is_ours, runs, complaint: None }
    }

    fn report(rows: Vec<Row>) -> Report {
        let second = Duration::from_secs(1);
        Report {
            command: "cargo xtask bench".into(),
            machine: Machine { load: 3.0, ..Machine::default() },
            programs: vec![("rdiff", "rdiff 2".into())],
            missing: vec!["bita: no network".into()],
            corpora: vec![("random", 1_000_000, 2_000_000)],
            effort: Effort { rounds: 3, budget: second, limit: second },
            rows,
            rates: Vec::new(),
            minutes: 1.0,
        }
    }

    #[test]
    fn says_where_a_peer_is_ahead_and_where_not() {
        let baseline = Work::Diff.baseline();
        let slower = report(vec![row(baseline, true, &[1.0, 1.0], 10), row("rdiff", false, &[4.0, 6.0], 20)]);
        let text = slower.markdown("scan.svg");
        assert!(text.contains("Nowhere in this run."), "{text}");
        assert!(text.contains("| rdiff | 5.00 |"), "the matrix of ratios: {text}");
        assert!(text.contains("| 5.00 (4.00..6.00) |"), "the ratio with its spread: {text}");

        let faster = report(vec![row(baseline, true, &[1.0, 1.0], 10), row("rdiff", false, &[0.5, 0.5], 5)]);
        let text = faster.markdown("scan.svg");
        for measure in ["CPU", "wall", "memory"] {
            assert!(text.contains(&format!("| rdiff | diff | {measure} | random 0.50 |")), "{measure}: {text}");
        }
        assert!(!text.contains("| rdiff | diff | bytes |"), "equal is not ahead");
        let ours = report(vec![row(baseline, true, &[1.0], 10), row("gosync, default", true, &[0.5], 5)]);
        assert!(ours.markdown("scan.svg").contains("Nowhere in this run."), "ours is no peer");
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let mut failed = row("rdiff", false, &[], 0);
        failed.complaint = Some("took longer than 1 s".into());
        let text = report(vec![row(Work::Diff.baseline(), true, &[1.0], 10), failed]).markdown("scan.svg");
        assert!(text.contains("bita: no network"));
        assert!(text.contains("**Preliminary:**"));
        assert!(text.contains("| rdiff | too long |"));
        assert!(text.contains("| rdiff (took longer than 1 s) | 0 |"));
    }

    #[test]
    fn raw_results_have_every_run() {
        let json = report(vec![row("rdiff", false, &[4.0, 6.0], 20)]).json();
        assert_eq!(json["rows"][0]["runs"][1]["cpu"], 6.0);
        assert_eq!(json["corpora"][0][1], 1_000_000);
    }

    #[test]
    fn two_threads_are_set_against_one() {
        let two = row("gosync, 2048, 2 threads", true, &[0.5], 10);
        let text = report(vec![row("gosync, 2048, 1 thread", true, &[1.0], 10), two]).markdown("scan.svg");
        assert!(text.contains("| gosync, 2048 | 2.00 |"), "{text}");
    }
}
