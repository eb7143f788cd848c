//! The parts of BENCHMARKS.md that its sections share.

use super::results::{Measured, Row};
use super::statistics::{self, median_of_ratios};
use super::table::{Table, figure};

/// What can be compared: its name, and how to take it from a row, by rounds where there are any.
pub(crate) type Measure = (&'static str, fn(&Row) -> Vec<f64>);

pub(crate) const CPU: Measure = ("CPU", |row| row.cpu.clone());
pub(crate) const WALL: Measure = ("wall", |row| row.wall.clone());
pub(crate) const MEMORY: Measure = ("memory", |row| row.peak.into_iter().map(|bytes| bytes as f64).collect());
pub(crate) const BYTES: Measure = ("bytes", |row| row.moved.into_iter().map(|bytes| bytes as f64).collect());

pub(crate) const NOT_MEASURED: &str = "\nNot measured yet.\n";

/// When a section was measured, with what.
pub(crate) fn stamp(section: &Measured) -> String {
    let machine = &section.machine;
    let busy =
        if machine.is_busy() { " The machine had other work: times are preliminary, ratios less so." } else { "" };
    let rounds = match section.rounds {
        0 => "once".to_owned(),
        1 => "1 round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let (date, commits) = (&machine.date, section.commits().join(", "));
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
            let seconds = || median(row, CPU).map(|cpu| format!("{} s", figure(cpu)));
            let base = section.find(corpus, work, baseline).filter(|base| case != baseline && !base.cpu.is_empty());
            let cell = base.map_or_else(seconds, |base| median_of_ratios(&row.cpu, &base.cpu).map(figure));
            cell.unwrap_or_else(|| short_complaint(row))
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
        for case in section.cases(work).into_iter().filter_map(|case| case.strip_suffix(TWO)) {
            let cells = corpora.iter().map(|corpus| gain(section, corpus, work, case).map_or_else(String::new, figure));
            table.row([format!("{work}: {case}")].into_iter().chain(cells));
        }
    }
    table.render()
}

/// Wall time of one thread divided by that of two.
pub(crate) fn gain(section: &Measured, corpus: &str, work: &str, case: &str) -> Option<f64> {
    let row = |threads: &str| section.find(corpus, work, &format!("{case}, {threads}"));
    let (one, two) = row("1 thread").zip(row("2 threads"))?;
    median_of_ratios(&one.wall, &two.wall)
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

pub(crate) fn median(row: &Row, measure: Measure) -> Option<f64> {
    statistics::median(measure.1(row))
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
    use crate::bench::results::Violation;

    const BASELINE: &str = "gosync, 2048, 1 thread";

    fn section(cases: &[(&str, &[f64])]) -> Measured {
        let row = |&(case, cpu): &(&str, &[f64])| {
            let [corpus, work, program] = ["random", "diff", "gosync"].map(str::to_owned);
            let (cpu, wall) = (cpu.to_vec(), cpu.to_vec());
            Row { corpus, work, program, case: case.into(), cpu, wall, ..Row::default() }
        };
        let mut section = Measured { rows: cases.iter().map(row).collect(), ..Measured::default() };
        section.sizes.push(crate::bench::results::Sizes { corpus: "random".into(), old: 1, new: 2 });
        section
    }

    #[test]
    fn others_are_multiples_of_the_baseline() {
        let mut section = section(&[("rdiff", &[4.0, 6.0]), (BASELINE, &[1.0, 1.0]), ("slow", &[])]);
        section.rows[2].complaint = Some("took longer than 1 s".into());
        let text = matrix(&section, "diff", BASELINE);
        assert!(text.ends_with(&format!("| {BASELINE} | 1.00 s |\n| rdiff | 5.00 |\n| slow | too long |\n")), "{text}");
    }

    #[test]
    fn two_threads_are_set_against_one() {
        let section = section(&[(BASELINE, &[1.0]), ("gosync, 2048, 2 threads", &[0.5])]);
        assert!(scaling(&section).contains("| diff: gosync, 2048 | 2.00 |"));
        assert_eq!(gain(&section, "random", "diff", "gosync, default"), None);
    }

    #[test]
    fn broken_promises_are_told() {
        let violations = vec![Violation { corpus: "random".into(), what: "too much".into() }];
        assert!(super::violations(&Measured { violations, ..Measured::default() }).contains("- random: too much\n"));
        assert!(super::violations(&Measured::default()).contains("held"));
    }
}
