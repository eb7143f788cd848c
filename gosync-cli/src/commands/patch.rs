//! `gosync patch`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gosync::{
    Estimate, Location, OpenedIndex, PatchReport, Plan, Report, Seeds, Source, SourceOptions, Transfer, open_sources,
};
use serde_json::json;

use super::{open, open_control, open_seeds, source_options, warn_unreadable, zsync};
use crate::args;
use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::table::{counted, in_requests, percent, seconds, size};

pub(crate) fn run(args: &args::Patch, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let output = args.output.as_ref().or(args.output_argument.as_ref()).unwrap_or(&args.seed);
    let to_stdout = output == Path::new("-");
    if to_stdout && console.json {
        let message = "--json and the new version cannot both go to standard output".into();
        return Err(Usage { message, hint: "give an output file" }.into());
    }
    let options = source_options(&args.network, console)?;
    let opened = match open(&args.index, &args.trust, &options, console) {
        Ok((opened, _)) => opened,
        Err(error) => {
            let opened = open_control(&args.index, error, &args.trust, &options)?;
            return zsync::patch(args, &opened, (!to_stdout).then_some(output), &options, console);
        }
    };
    let locations = source_locations(args, &opened)?;
    let places = locations.iter().map(Location::to_string).collect::<Vec<_>>().join(" or ");
    console.detail(format_args!("index {}, source {places}, output {}", opened.location, output.display()));
    let length = opened.index.source_length();
    let seeds = open_seeds(std::iter::once(&args.seed).chain(&args.more_seeds), console)?;
    if args.dry_run {
        return foretell(&opened, &seeds, &locations[0], &options, console);
    }
    let source = open_sources(&locations, Some(length), &options)?;
    let report = patch(&opened, &seeds, &*source, (!to_stdout).then_some(output), console)?;
    warn_unreadable(&seeds, &report.comparison.unreadable, console);
    if let Some(damage) = report.damage {
        console.message(format_args!("warning: {damage} of the index is damaged; it was done without"));
    }
    let mut index = opened.transfer;
    index += report.comparison.index_transfer;
    let done = Done {
        output: (!to_stdout).then_some(output),
        output_bytes: report.output_bytes(),
        matched_bytes: report.matched_bytes(),
        work: &report.report,
        index,
    };
    done.tell(start, console)
}

/// What a patch did, whatever the format of its index.
pub(super) struct Done<'a> {
    /// None for standard output.
    pub(super) output: Option<&'a PathBuf>,
    pub(super) output_bytes: u64,
    pub(super) matched_bytes: u64,
    pub(super) work: &'a Report,
    pub(super) index: Transfer,
}

impl Done<'_> {
    /// Tells it, and how long it took since `start`.
    pub(super) fn tell(&self, start: Instant, console: &Console) -> anyhow::Result<ExitCode> {
        let Self { output, output_bytes, matched_bytes, work, index } = *self;
        let time = start.elapsed();
        if work.refetched_blocks > 0 {
            console.message(format_args!(
                "warning: {} came out wrong at first, and was fetched again",
                counted(work.refetched_blocks, "block")
            ));
        }
        if work.kept > 0 {
            console.message(format_args!("{} were there from a run that was interrupted", size(work.kept)));
        }
        console.message(format_args!(
            "{}: {}, {} matched ({}), {} fetched{}, in {}",
            output.map_or("standard output".into(), |output| output.display().to_string()),
            size(output_bytes),
            size(matched_bytes),
            percent(matched_bytes, output_bytes),
            size(work.transfer.bytes),
            in_requests(work.transfer.requests),
            seconds(time)
        ));
        console.event(&json!({
            "event": "done",
            "matched_bytes": matched_bytes,
            "kept_bytes": work.kept,
            "fetched_bytes": work.transfer.bytes,
            "index_bytes": index.bytes,
            "output_bytes": output_bytes,
            "requests": work.transfer.requests + index.requests,
            "refetched_blocks": work.refetched_blocks,
            "seconds": time.as_secs_f64(),
        }))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn patch(
    opened: &OpenedIndex,
    seeds: &Seeds,
    source: &dyn Source,
    output: Option<&std::path::PathBuf>,
    console: &Console,
) -> anyhow::Result<PatchReport> {
    let Some(output) = output else {
        let bars = Bars::new(console);
        let mut out = io::stdout().lock();
        let report = gosync::patch_to_stream(&opened.index, seeds, source, &mut out, &bars)?;
        out.flush()?;
        return Ok(report);
    };
    let report = gosync::patch(&opened.index, seeds, source, output, &Bars::new(console).kept());
    console.interrupt.settle();
    Ok(report?)
}

/// Compares and tells what a patch would fetch, from the first place.
fn foretell(
    opened: &OpenedIndex,
    seeds: &Seeds,
    location: &Location,
    options: &SourceOptions,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let comparison = gosync::diff(&opened.index, seeds, &Bars::new(console))?;
    warn_unreadable(seeds, &comparison.unreadable, console);
    let mut index = opened.transfer;
    index += comparison.index_transfer;
    let cost = gosync::estimate(&comparison, location, options)?;
    tell_cost(&comparison.plan, &cost, index, location, console)
}

/// Tells what carrying out `plan` will fetch from `location`.
pub(super) fn tell_cost(
    plan: &Plan,
    cost: &Estimate,
    index: Transfer,
    location: &Location,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    console.message(format_args!(
        "{location}: would fetch {} of {}{}{}",
        size(cost.bytes),
        size(plan.cut().length()),
        in_requests(cost.requests),
        cost.seconds.map(|time| format!(", in about {}", seconds(Duration::from_secs_f64(time)))).unwrap_or_default(),
    ));
    console.event(&json!({
        "event": "done",
        "dry_run": true,
        "matched_bytes": plan.matched_bytes(),
        "missing_bytes": plan.fetched_bytes(),
        "fetched_bytes": cost.bytes,
        "index_bytes": index.bytes,
        "output_bytes": plan.cut().length(),
        "requests": cost.requests + index.requests,
        "seconds": cost.seconds,
    }))?;
    Ok(ExitCode::SUCCESS)
}

fn source_locations(args: &args::Patch, opened: &OpenedIndex) -> Result<Vec<Location>, Usage> {
    let given: Vec<Location> = args.source.iter().chain(&args.more_sources).cloned().collect();
    if !given.is_empty() {
        return Ok(given);
    }
    opened.default_source().map(|location| vec![location]).ok_or_else(|| Usage {
        message: format!("{} does not name its target", opened.location),
        hint: "give the SOURCE, a path or URL, after the index",
    })
}
