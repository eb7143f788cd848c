//! `gosync diff`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gosync::{LayerReport, Plan, Statistics};
use serde_json::json;

use super::{open, open_control, open_seeds, report, source_options, warn_unreadable, zsync};
use crate::args;
use crate::console::Console;
use crate::progress::Bars;
use crate::table::{Facts, grouped, percent, rate, seconds, size};

pub(crate) fn run(args: &args::Diff, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let options = source_options(&args.network, console)?;
    let opened = match open(&args.index, &args.trust, &options, console) {
        Ok((opened, _)) => opened,
        Err(error) => {
            let opened = open_control(&args.index, error, &args.trust, &options)?;
            return zsync::diff(args, &opened, console);
        }
    };
    let seeds = open_seeds(&args.seed, &args.more_seeds, console)?;
    let comparison = gosync::diff(&opened.index, &seeds, &Bars::new(console))?;
    let time = start.elapsed();
    warn_unreadable(&seeds, &comparison.unreadable, console);
    if let Some(path) = &args.report {
        report::write(path, &opened, &seeds, &comparison.plan)?;
    }
    let index_bytes = opened.transfer.bytes + comparison.index_transfer.bytes;
    tell(&comparison.plan, &comparison.statistics, &comparison.layers, index_bytes, time, console)
}

/// Tells what was found, whatever the format of the index.
pub(super) fn tell(
    plan: &Plan,
    statistics: &Statistics,
    layers: &[LayerReport],
    index_bytes: u64,
    time: Duration,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let layout = plan.cut();
    let ranges = plan.fetch_ranges().len();
    let part = |bytes| format!("{} bytes ({}, {})", grouped(bytes), size(bytes), percent(bytes, layout.length()));

    let mut facts = Facts::default();
    facts.add("target", format!("{} bytes ({})", grouped(layout.length()), size(layout.length())));
    for layer in layers {
        facts.add(
            format!("blocks of {}", grouped(layer.block_size.into())),
            format!(
                "{} of {} matched, for {} of index",
                grouped(layer.matched),
                grouped(layer.asked),
                size(layer.index_bytes)
            ),
        );
    }
    facts.add("seeds", format!("{} bytes ({})", grouped(statistics.seed_bytes), size(statistics.seed_bytes)));
    facts.add("matched", part(plan.matched_bytes()));
    facts.add("to fetch", format!("{} in {} ranges", part(plan.fetched_bytes()), grouped(ranges as u64)));
    facts.add("comparisons", grouped(statistics.comparisons));
    facts.add(
        "weak hits",
        format!("{} ({} of the comparisons)", grouped(statistics.weak_hits), rate(statistics.weak_hit_rate())),
    );
    facts.add(
        "false weak hits",
        format!(
            "{} ({} of the weak hits)",
            grouped(statistics.false_weak_hits),
            rate(statistics.false_weak_hit_rate())
        ),
    );
    facts.add("strong sums", grouped(statistics.strong_sums));
    facts.add("time", seconds(time));
    console.data(facts)?;
    console.event(&json!({
        "event": "done",
        "matched_bytes": plan.matched_bytes(),
        "missing_bytes": plan.fetched_bytes(),
        "missing_ranges": ranges,
        "repeated_bytes": plan.repeated_bytes(),
        "target_bytes": layout.length(),
        "seed_bytes": statistics.seed_bytes,
        "index_bytes": index_bytes,
        "comparisons": statistics.comparisons,
        "weak_hits": statistics.weak_hits,
        "false_weak_hits": statistics.false_weak_hits,
        "weak_hit_rate": statistics.weak_hit_rate(),
        "false_weak_hit_rate": statistics.false_weak_hit_rate(),
        "strong_sums": statistics.strong_sums,
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(ExitCode::SUCCESS)
}
