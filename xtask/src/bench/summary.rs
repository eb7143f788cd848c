//! The first page of BENCHMARKS.md: what an update costs with each program, on three pairs of
//! files.

use super::ahead::ahead;
use super::corpora::about;
use super::labels::{BUILD, COMPRESSED, DEFAULT, PATCH, WIRE};
use super::report::{BYTES, CPU, MEMORY, median};
use super::results::{Results, Row};
use super::table::{Table, figure, grouped};

/// The corpora, and what they are called here.
const PAIRS: [(&str, &str); 3] = [("typescript", "TypeScript"), ("scipy", "SciPy"), ("changes-large", "1 GiB")];

/// A program, and what it does for an update: section, work and case.
struct Contender {
    name: &'static str,
    is_ours: bool,
    steps: &'static [(&'static str, &'static str, &'static str)],
}

const CONTENDERS: [Contender; 7] = [
    Contender { name: "gosync", is_ours: true, steps: &[("wire", WIRE, DEFAULT)] },
    Contender { name: "gosync, `--compress`", is_ours: true, steps: &[("wire", WIRE, COMPRESSED)] },
    Contender { name: "zsync", is_ours: false, steps: &[("wire", WIRE, "zsync")] },
    Contender { name: "zsync, of a gzip file", is_ours: false, steps: &[("wire", WIRE, "zsync, gzip")] },
    Contender { name: "rsync -z", is_ours: false, steps: &[("wire", WIRE, "rsync -z")] },
    Contender {
        name: "rdiff",
        is_ours: false,
        steps: &[("local", BUILD, "rdiff, BLAKE2"), ("local", PATCH, "rdiff, BLAKE2")],
    },
    Contender { name: "bita", is_ours: false, steps: &[("wire", WIRE, "bita, brotli")] },
];

/// What an update costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    bytes: f64,
    seconds: f64,
    memory: f64,
}

/// What of a cost is compared: how it is called, how it is taken, and why ours may take more.
type Kind = (&'static str, fn(&Cost) -> f64, &'static str);

const KINDS: [Kind; 3] = [
    ("bytes", |cost| cost.bytes, "Programs that have both versions at hand, such as xdelta3, make smaller deltas."),
    ("processor time", |cost| cost.seconds, "gosync searches the old version once for each layer of its index."),
    (
        "memory",
        |cost| cost.memory,
        "gosync holds the part of the index that it read, and about a mebibyte for each thread.",
    ),
];

const INTRODUCTION: &str = "\
# Benchmarks

What it costs to bring an old version of a file to the new one. *MB* are bytes on the wire, index and payload
together. *CPU* is seconds of processor time, user and system. *Memory* is MB of the largest process; 4 MB is the
least that can be seen. gosync, zsync and bita fetch from a web server, and what the publisher prepared is not
counted. rsync and rdiff work at both ends, and both are counted; rdiff moves a signature of blocks of 2,048 and a
delta. A dash is what was not measured.

";

/// The costs of a contender on each pair, where they are known.
type Costs = [Option<Cost>; PAIRS.len()];

/// The page.
pub(crate) fn text(results: &Results) -> String {
    let rows = CONTENDERS.map(|contender| (PAIRS.map(|(corpus, _)| cost(results, &contender, corpus)), contender));
    let columns = PAIRS.iter().flat_map(|(_, name)| [format!("{name}: MB"), "CPU".into(), "memory".into()]);
    let mut table = Table::new([String::new()].into_iter().chain(columns));
    for (costs, contender) in &rows {
        let cells = costs.iter().flat_map(|cost| {
            let shown = |cost: Cost| [cost.bytes / 1e6, cost.seconds, cost.memory / 1e6].map(figure);
            cost.map_or_else(|| ["–"; 3].map(str::to_owned), shown)
        });
        table.row([contender.name.to_owned()].into_iter().chain(cells));
    }
    let mut text = INTRODUCTION.to_owned() + &table.render() + "\n";
    for (corpus, name) in PAIRS {
        let sizes = results.section("wire").and_then(|wire| wire.sizes.iter().find(|sizes| sizes.corpus == corpus));
        let megabytes = sizes.map_or_else(String::new, |sizes| format!(" ({} MB)", grouped(sizes.new / 1_000_000)));
        text += &format!("- *{name}*: {}{megabytes}.\n", about(corpus));
    }
    text += "\n**Where another program is ahead**, as a share of what gosync takes at its best there:\n\n";
    for (name, of, reason) in KINDS {
        let peers: Vec<String> = rows.iter().filter_map(|(costs, peer)| peer_ahead(&rows, costs, peer, of)).collect();
        let peers = if peers.is_empty() { "none of these".to_owned() } else { peers.join("; ") };
        text += &format!("- *{name}*: {peers}. {reason}\n");
    }
    text + &ending(results)
}

/// Where `peer` takes less than the best of ours.
fn peer_ahead(rows: &[(Costs, Contender)], costs: &Costs, peer: &Contender, of: fn(&Cost) -> f64) -> Option<String> {
    let share = |pair: usize| {
        let ours = rows.iter().filter(|(_, contender)| contender.is_ours).filter_map(|(costs, _)| costs[pair].as_ref());
        let best = ours.map(of).min_by(f64::total_cmp)?;
        Some((PAIRS[pair].1, of(costs[pair].as_ref()?) / best))
    };
    let shares: Vec<(&str, f64)> = (0..PAIRS.len()).filter_map(share).collect();
    let ahead = ahead(&shares).filter(|_| !peer.is_ours)?;
    Some(format!("{} ({ahead})", peer.name))
}

/// All that a contender does for an update of `corpus`.
fn cost(results: &Results, contender: &Contender, corpus: &str) -> Option<Cost> {
    let rows: Option<Vec<&Row>> = contender
        .steps
        .iter()
        .map(|(section, work, case)| results.section(section)?.find(corpus, work, case))
        .collect();
    let rows = rows?;
    Some(Cost {
        bytes: median(rows.last()?, BYTES)?,
        seconds: rows.iter().map(|row| median(row, CPU)).sum::<Option<f64>>()?,
        memory: rows.iter().filter_map(|row| median(row, MEMORY)).fold(0.0, f64::max),
    })
}

fn ending(results: &Results) -> String {
    let minutes: f64 = results.sections().map(|(_, section)| section.minutes).sum();
    let recorded = results.section("wire").map_or_else(String::new, |wire| {
        let machine = &wire.machine;
        format!("Recorded on {}, on {} with {} cores.\n", machine.date, machine.processor, machine.cores)
    });
    format!(
        "\n{recorded}**To repeat all of it**: `cargo xtask bench`. That takes about {minutes:.0} minutes, and installs the\n\
         other programs where it may.\n\n\
         More programs and more data are below: [one machine](#on-one-machine-build-diff-patch),\n\
         [large files by tier](#large-files-by-tier-of-instructions), [the scan](#the-scan-alone),\n\
         [whole syncs, near and far](#whole-syncs-over-http), [bytes](#bytes-on-the-wire),\n\
         [directories](#directories), [librsync](#librsyncs-signature-delta-and-patch), [zsync](#zsyncs-control-files-and-downloads), and\n\
         [all that a peer does better](#where-a-peer-is-ahead).\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Measured;

    fn row(work: &str, program: &str, case: &str, cpu: f64, moved: u64) -> Row {
        let [corpus, work, program, case] = ["typescript", work, program, case].map(str::to_owned);
        let moved = Some(moved * 1_000_000);
        Row { corpus, work, program, case, cpu: vec![cpu], peak: Some(20_000_000), moved, ..Row::default() }
    }

    #[test]
    fn costs_stand_side_by_side() {
        let mut results = Results::default();
        let wire = vec![row(WIRE, "gosync", DEFAULT, 2.0, 10), row(WIRE, "zsync", "zsync", 1.0, 20)];
        results.keep("wire", Measured { rows: wire, minutes: 12.4, ..Measured::default() }, false);
        let local = [(BUILD, 0.5, 3), (PATCH, 4.0, 30)];
        let local = local.map(|(work, cpu, moved)| row(work, "rdiff", "rdiff, BLAKE2", cpu, moved)).into();
        results.keep("local", Measured { rows: local, ..Measured::default() }, false);
        let text = text(&results);
        assert!(text.contains("| gosync | 10.0 | 2.00 | 20.0 | – | – | – | – | – | – |\n"), "{text}");
        assert!(text.contains("| rdiff | 30.0 | 4.50 | 20.0 | –"), "all that it does, and what it moves: {text}");
        assert!(text.contains("- *processor time*: zsync (TypeScript 0.50). gosync searches"), "{text}");
        assert!(text.contains("- *bytes*: none of these. "), "{text}");
        assert!(text.contains("about 12 minutes"), "{text}");
    }
}
