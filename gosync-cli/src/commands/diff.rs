//! `gosync diff`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gosync::{Comparison, Estimate, LayerReport, Location, Plan, Statistics, Transfer};
use serde_json::json;

use super::{open, open_control, open_seeds, report, source_options, warn_unreadable, zsync};
use crate::args;
use crate::console::Console;
use crate::progress::Bars;
use crate::table::{Facts, counted, grouped, in_requests, percent, seconds, share, size};

pub(crate) fn run(args: &args::Diff, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let options = source_options(&args.network, console)?;
    let opened = match open(&args.index, &args.trust, &options, console) {
        Ok((opened, _)) => opened,
        Err(error) => {
            let opened = open_control(&args.index, error, &args.trust, &options)?;
            return zsync::diff(args, &opened, &options, console);
        }
    };
    let seeds = open_seeds(std::iter::once(&args.seed).chain(&args.more_seeds), console)?;
    let comparison = gosync::diff(&opened.index, &seeds, &Bars::new(console))?;
    let time = start.elapsed();
    warn_unreadable(&seeds, &comparison.unreadable, console);
    let usual = opened.default_source();
    let cost = foretell(args, usual, |location| gosync::estimate(&comparison, location, &options), console)?;
    if let Some(path) = &args.report {
        report::write(path, &opened, &seeds, &comparison, cost)?;
    }
    let mut index = opened.transfer;
    index += comparison.index_transfer;
    let Comparison { plan, statistics, layers, .. } = &comparison;
    Found { plan, statistics, layers, index, cost, time }.tell(console)
}

/// What fetching will cost. A source that nobody named need not be within reach.
pub(super) fn foretell(
    args: &args::Diff,
    usual: Option<Location>,
    estimate: impl Fn(&Location) -> Result<Estimate, gosync::Error>,
    console: &Console,
) -> Result<Option<Estimate>, gosync::Error> {
    if let Some(location) = &args.source {
        return estimate(location).map(Some);
    }
    let cost = usual.map(|location| estimate(&location)).transpose();
    Ok(cost.unwrap_or_else(|error| {
        console.detail(format_args!("what fetching costs is not known: {error}"));
        None
    }))
}

/// What came of a comparison, whatever the format of the index.
pub(super) struct Found<'a> {
    pub(super) plan: &'a Plan,
    pub(super) statistics: &'a Statistics,
    pub(super) layers: &'a [LayerReport],
    pub(super) index: Transfer,
    /// None where the source is not known.
    pub(super) cost: Option<Estimate>,
    pub(super) time: Duration,
}

impl Found<'_> {
    pub(super) fn tell(&self, console: &Console) -> anyhow::Result<ExitCode> {
        let Self { plan, statistics, layers, index, cost, time } = *self;
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
        facts.add("to fetch", format!("{} in {}", part(plan.fetched_bytes()), counted(ranges as u64, "range")));
        if let Some(cost) = cost {
            facts.add("payload", format!("{} bytes{}", grouped(cost.bytes), in_requests(cost.requests)));
        }
        facts.add("index", format!("{} bytes{}", grouped(index.bytes), in_requests(index.requests)));
        if console.is_verbose() {
            let (weak, wrong) = (statistics.weak_hit_rate(), statistics.false_weak_hit_rate());
            let hits = |hits, rate, of| format!("{} ({} of the {of})", grouped(hits), share(rate));
            facts.add("comparisons", grouped(statistics.comparisons));
            facts.add("weak hits", hits(statistics.weak_hits, weak, "comparisons"));
            facts.add("false weak hits", hits(statistics.false_weak_hits, wrong, "weak hits"));
            facts.add("strong sums", grouped(statistics.strong_sums));
        }
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
            "index_bytes": index.bytes,
            "payload_bytes": cost.map(|cost| cost.bytes),
            "requests": cost.map(|cost| cost.requests + index.requests),
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
}
