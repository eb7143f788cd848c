//! Bringing here what a far side has, and telling of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::Location;
use gosync::update::{Estimate, FileOptions, LayeredTarget, Seeds, Update, compare};
use gosync_remote::{Far, SshPlace, Traffic};
use gosync_tree::{TreeOptions, TreeSource, TreeUpdate};
use serde_json::json;

use crate::console::Console;
use crate::directory::outcome;
use crate::failure::Usage;
use crate::forecast::Forecast;
use crate::outcome::Outcome;
use crate::progress::Bars;
use crate::table::{counted, seconds};
use crate::text::size;

/// What a far side has.
pub(crate) struct Pulled<'a> {
    pub(crate) far: Far,
    pub(crate) place: &'a SshPlace,
    pub(crate) is_dry_run: bool,
    pub(crate) start: Instant,
    pub(crate) console: &'a Console,
}

impl Pulled<'_> {
    pub(crate) fn is_directory(&self) -> bool {
        self.far.tree.is_some()
    }

    /// Where it is, for messages.
    fn location(&self) -> Location {
        Location::Path(self.place.shown().into())
    }

    /// Makes the directory at `local` what it is there.
    pub(crate) fn directory(self, local: &Path, seeds: &[PathBuf], options: TreeOptions) -> anyhow::Result<ExitCode> {
        let Self { far, is_dry_run, start, console, .. } = &self;
        let Some(info) = &far.tree else { unreachable!("it is a directory") };
        if local.exists() && !local.is_dir() {
            return Err(Usage {
                message: format!("{} is no directory, but {} is one", local.display(), self.place.shown()),
                hint: "give a directory, or a path where there is nothing",
            }
            .into());
        }
        let location = self.location();
        let bars = Bars::new(console);
        let bars = if *is_dry_run { bars } else { bars.kept() };
        let listing = far.listing.as_deref();
        let source = TreeSource::Flat { source: &*far.source, location: &location, listing };
        let update = TreeUpdate { index: &far.index, info, source, seeds, options, progress: &bars };
        if *is_dry_run {
            let forecast = update.compare(local).map_err(gosync::Error::from)?;
            tell_traffic(&far.traffic(), console)?;
            return outcome::tell_changes(&forecast, far.transfer, *start, console);
        }
        let report = update.to_directory(local);
        console.interrupt.settle();
        let report = report.map_err(gosync::Error::from)?;
        tell_traffic(&far.traffic(), console)?;
        outcome::tell(&report, local, far.transfer, *start, console)
    }

    /// Makes the file at `local` what it is there.
    pub(crate) fn file(self, local: &Path, seeds: &[PathBuf]) -> anyhow::Result<ExitCode> {
        let Self { ref far, is_dry_run, start, console, .. } = self;
        if local.is_dir() {
            return Err(Usage {
                message: format!("{} is a directory, but {} is a file", local.display(), self.place.shown()),
                hint: "give a path in it",
            }
            .into());
        }
        let target = LayeredTarget::new(&far.index);
        let bars = Bars::new(console);
        let seeds: Vec<&Path> = std::iter::once(local).chain(seeds.iter().map(PathBuf::as_path)).collect();
        let seeds = Seeds::open(&seeds, &target, &bars).map_err(gosync::Error::from)?;
        if is_dry_run {
            let found = compare(&target, &seeds, &bars).map_err(gosync::Error::from)?;
            let cost = Estimate {
                location: self.location(),
                bytes: found.plan.fetched_bytes(),
                requests: u64::from(found.plan.fetched_bytes() > 0),
                seconds: None,
            };
            let mut index = far.transfer;
            index += found.index_transfer;
            let forecast = Forecast {
                target: self.place.shown().to_owned(),
                plan: found.plan,
                statistics: found.statistics,
                layers: found.layers,
                index,
                closing: None,
                compared: Instant::now(),
            };
            tell_traffic(&far.traffic(), console)?;
            forecast.tell_cost(&cost, Some(local), false, console)?;
            return Ok(ExitCode::SUCCESS);
        }
        let bars = bars.kept();
        let update = Update { target: &target, seeds: &seeds, source: &*far.source, progress: &bars };
        let report = update.to_file(local, &FileOptions::default());
        console.interrupt.settle();
        let report = report.map_err(gosync::Error::from)?;
        if !report.changed
            && let Some(modified) = far.source.modified()
            && let Ok(file) = File::open(local)
        {
            // The next run then knows it by its time.
            let _ = file.set_modified(modified);
        }
        let mut index = far.transfer;
        index += report.comparison.index_transfer;
        let outcome = Outcome {
            changed: report.changed,
            output_bytes: report.output_bytes(),
            matched_bytes: report.matched_bytes(),
            work: report.report,
            search: report.comparison.statistics,
            index,
            packed: None,
            notes: Vec::new(),
            warnings: report.notes,
        };
        tell_traffic(&far.traffic(), console)?;
        outcome.tell(Some(local), start, console)?;
        if console.is_very_verbose() {
            console.aside(&outcome.statistics(start));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Tells that both sides have the same.
pub(crate) fn tell_same(
    local: &Path,
    traffic: &Traffic,
    is_dry_run: bool,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let time = start.elapsed();
    tell_traffic(traffic, console)?;
    console.message(format_args!("{}: up to date already, in {}", local.display(), seconds(time)));
    console.event(&json!({
        "event": "done",
        "output": local.to_string_lossy(),
        "changed": false,
        "dry_run": is_dry_run,
        "fetched_bytes": 0,
        "index_bytes": traffic.received,
        "requests": traffic.round_trips,
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells what both sides have said to each other.
pub(crate) fn tell_traffic(traffic: &Traffic, console: &Console) -> io::Result<()> {
    let Traffic { sent, received, round_trips } = *traffic;
    let trips = counted(round_trips, "round trip");
    console.detail(format_args!("{} received and {} sent, in {trips}", size(received), size(sent)));
    console.event(&json!({
        "event": "connection", "received_bytes": received, "sent_bytes": sent, "round_trips": round_trips,
    }))
}
