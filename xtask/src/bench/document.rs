//! BENCHMARKS.md: the summary, the sections, and what all of it was measured on.

use super::corpora::about;
use super::machine::Machine;
use super::results::Results;
use super::sections::ALL;
use super::table::{Table, grouped};
use super::{ahead, summary};

const METHOD: &str = "\
## How it is measured

`cargo xtask bench SECTION` repeats a part: `local`, `large`, `scan`, `slow`, `network`, `wire`, `trees`, `librsync`
or `zsync`. `cargo xtask bench --render` measures nothing and writes this page anew from what each round of each
program took, which is in [results.json](benchmarks/results.json).

Programs run as child processes whose time and memory the system counts, in turn, in another order each round, after
a round that does not count. The files are in the page cache, where they were read from disk. Figures are medians;
ratios are taken pair by pair within a round. Slow programs run fewer times, at least once; those over the time limit
are stopped and marked. The main figure is processor time, user and system; wall time is that of a small machine whose
cores were not always idle. Memory is that of a program's largest process; the program that starts it hides what is
below 4 MB.

";

/// The whole document.
pub(crate) fn text(results: &Results) -> String {
    let mut text = summary::text(results);
    text += "\n---\n\n";
    text += METHOD;
    for section in ALL {
        text += (section.text)(results).trim_end();
        text += "\n\n";
    }
    text += &ahead::text(results);
    text += "\n## Machine, programs and corpora\n\n";
    text += &circumstances(results);
    text
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
    sizes.sort_by_key(|sizes| (&sizes.corpus, sizes.new));
    sizes.dedup();
    let mut table = Table::new(["corpus", "what it is", "old, bytes", "new, bytes"]).left(2);
    for sizes in sizes {
        table.row([sizes.corpus.as_str(), about(&sizes.corpus), &grouped(sizes.old), &grouped(sizes.new)]);
    }
    text + "\n" + &table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{Measured, Row, Sizes};

    #[test]
    fn what_was_not_measured_is_said() {
        let row = |program: &str, case: &str, complaint: Option<&str>| Row {
            corpus: "random".into(),
            work: "diff".into(),
            program: program.into(),
            case: case.into(),
            cpu: complaint.map_or(vec![1.0], |_| Vec::new()),
            complaint: complaint.map(str::to_owned),
            ..Row::default()
        };
        let rows =
            vec![row("gosync", "gosync, 2048, 1 thread", None), row("rdiff", "rdiff", Some("took longer than 1 s"))];
        let sizes = vec![Sizes { corpus: "random".into(), old: 1_000_000, new: 2_000_000 }];
        let missing = vec!["bita: no network".into()];
        let mut results = Results::default();
        results.keep("local", Measured { rows, sizes, missing, rounds: 3, ..Measured::default() }, false);
        let text = text(&results);
        assert!(text.contains("| rdiff | too long |"), "{text}");
        assert!(text.contains("Not measured yet."), "the other sections");
        assert!(text.contains("bita: no network"));
        assert!(text.contains("1,000,000 | 2,000,000 |"));
    }
}
