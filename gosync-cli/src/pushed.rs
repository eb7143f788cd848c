//! What is told of what was pushed.

use std::process::ExitCode;
use std::time::Instant;

use gosync_remote::{Pushed, Traffic};
use gosync_tree::FileCounts;
use serde_json::json;

use crate::console::Console;
use crate::directory::outcome::{changes, counted_files, joined};
use crate::pulled::tell_traffic;
use crate::table::{counted, in_requests, seconds};
use crate::text::{percent, size};

/// Tells what became of `place`, of which nothing is said where it was the same already.
pub(crate) fn tell(
    pushed: Option<&Pushed>,
    traffic: &Traffic,
    place: &str,
    is_dry_run: bool,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let time = start.elapsed();
    tell_traffic(traffic, console)?;
    let report = pushed.copied().unwrap_or_default();
    let [unchanged, changed, added, removed, moved] = report.files;
    let counts = FileCounts { unchanged, changed, added, removed, moved };
    let of_files = if report.is_directory { format!("{}, ", changes(&counts)) } else { String::new() };
    let Pushed { output_bytes, matched_bytes, .. } = report;
    match pushed {
        None => console.message(format_args!("{place}: up to date already, in {}", seconds(time))),
        Some(_) if is_dry_run => {
            let missing = output_bytes.saturating_sub(matched_bytes);
            console.message(format_args!("{place}: {of_files}would send {} of {}", size(missing), size(output_bytes)));
        }
        Some(_) => console.message(format_args!(
            "{place}: {of_files}{} of {} matched ({}), {} sent{}, in {}",
            size(matched_bytes),
            size(output_bytes),
            percent(matched_bytes, output_bytes),
            size(traffic.sent),
            in_requests(traffic.round_trips),
            seconds(time)
        )),
    }
    let done = json!({
        "event": "done",
        "output": place,
        "changed": report.changed,
        "dry_run": is_dry_run,
        "matched_bytes": matched_bytes,
        "output_bytes": output_bytes,
        "sent_bytes": traffic.sent,
        "requests": traffic.round_trips,
        "paths_kept": report.kept,
        "seconds": time.as_secs_f64(),
    });
    let files = if report.is_directory { counted_files(&counts) } else { json!({}) };
    console.event(&joined(done, files))?;
    if report.kept == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    console.error(format_args!("error: {} of {place} could not be changed", counted(report.kept, "path")));
    console.error("hint: somebody changed them meanwhile, and everything else is done; run the same command again");
    Ok(ExitCode::FAILURE)
}
