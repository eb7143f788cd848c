//! What is told of directories.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gosync::sources::Transfer;
use gosync_tree::{ClosedFiles, Differences, FileCounts, PathChange, TreeForecast, TreeInfo, TreeReport, Unset, shown};
use serde_json::{Value, json};

use crate::console::Console;
use crate::failure;
use crate::table::{Facts, counted, in_requests, seconds};
use crate::text::{grouped, percent, size};

/// Tells what a patch did.
pub(crate) fn tell(
    report: &TreeReport,
    output: &Path,
    mut index: Transfer,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let TreeReport { counts, kept, unset, work, .. } = report;
    index += report.index;
    let time = start.elapsed();
    if report.was_rolled_forward {
        console.message("an update that was interrupted was brought to its end first");
    }
    if work.refetched_blocks > 0 {
        let blocks = counted(work.refetched_blocks, "block");
        console.message(format_args!("warning: {blocks} came out wrong at first, and were fetched again"));
    }
    if work.kept > 0 {
        console.message(format_args!("{} were kept from a run that was interrupted", size(work.kept)));
    }
    if report.closed.files > 0 {
        let ClosedFiles { files, bytes, unknown_bytes, .. } = report.closed;
        console.message(format_args!("{} of {} made of what is in them", counted(files, "packed file"), size(bytes)));
        if unknown_bytes > 0 {
            let bytes = size(unknown_bytes);
            console.message(format_args!(
                "{bytes} of them were fetched as they were published: this version cannot pack them"
            ));
        }
    }
    for kept in kept {
        console.error(format_args!("warning: {}: {}", output.join(shown(&kept.path)).display(), kept.why));
    }
    if *unset != Unset::default() {
        let what = [(unset.owners, "owner"), (unset.xattrs, "extended attribute")];
        let what = what.into_iter().filter(|(count, _)| *count > 0);
        let what: Vec<String> =
            what.map(|(count, what)| format!("the {what}s of {}", counted(count, "path"))).collect();
        console.error(format_args!(
            "warning: {}: {} could not be set by this user, or not on this file system; run this again as root",
            output.display(),
            what.join(" and ")
        ));
    }
    console.message(format_args!(
        "{}: {}, {} of {} matched ({}), {} fetched and {} of index{}, in {}",
        output.display(),
        changes(counts),
        size(report.matched_bytes),
        size(report.opened_bytes),
        percent(report.matched_bytes, report.opened_bytes),
        size(work.transfer.bytes),
        size(index.bytes),
        in_requests(work.transfer.requests + index.requests),
        seconds(time)
    ));
    console.event(&joined(
        counted_files(counts),
        json!({
            "event": "done",
            "output": output.to_string_lossy(),
            "changed": report.changed,
            "files_kept": kept.iter().map(|kept| shown(&kept.path)).collect::<Vec<_>>(),
            "owners_not_set": unset.owners,
            "xattrs_not_set": unset.xattrs,
            "rolled_forward": report.was_rolled_forward,
            "matched_bytes": report.matched_bytes,
            "kept_bytes": work.kept,
            "fetched_bytes": work.transfer.bytes,
            "index_bytes": index.bytes,
            "output_bytes": report.output_bytes,
            "packed": closed_event(&report.closed, None),
            "requests": work.transfer.requests + index.requests,
            "refetched_blocks": work.refetched_blocks,
            "seconds": time.as_secs_f64(),
        }),
    ))?;
    if kept.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let files = counted(kept.len() as u64, "path");
    console.error(format_args!("error: {files} of {} could not be changed", output.display()));
    console.error("hint: everything else is done; look at them, and run the same command again to replace them");
    Ok(ExitCode::FAILURE)
}

/// Tells what a patch would do, path by path. Those of directories have a slash behind them.
pub(crate) fn tell_changes(
    forecast: &TreeForecast,
    mut index: Transfer,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    index += forecast.index;
    for PathChange { change, path, from, is_directory } in &forecast.paths {
        let (change, path, from) = (change.name(), shown(path), from.as_ref().map(|from| shown(from)));
        let origin = from.as_ref().map_or(String::new(), |from| format!(" from {from}"));
        let (event, slash) = if *is_directory { ("directory", "/") } else { ("file", "") };
        console.data(format_args!("{change:8}{path}{slash}{origin}"))?;
        console.event(&json!({ "event": event, "change": change, "path": path, "from": from }))?;
    }
    let cost = forecast.cost.as_ref().ok();
    if let Some(closing) = closing(&forecast.closed) {
        console.message(format_args!("would pack {closing}"));
    }
    console.message(format_args!(
        "would fetch {} and {} of index{}: {}",
        size(cost.map_or(forecast.missing_bytes, |cost| cost.bytes)),
        size(index.bytes),
        in_requests(cost.map_or(0, |cost| cost.requests) + index.requests),
        changes(&forecast.counts)
    ));
    console.event(&joined(told(forecast, index, start), json!({ "event": "done", "dry_run": true })))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells how a directory compares with the new version.
pub(super) fn tell_forecast(
    forecast: &TreeForecast,
    info: &TreeInfo,
    mut index: Transfer,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    index += forecast.index;
    let FileCounts { unchanged, changed, added, removed: _, moved } = forecast.counts;
    let mut facts = Facts::default();
    facts.add(
        "target",
        format!("{}, {} bytes ({})", counted(info.files, "file"), grouped(info.bytes), size(info.bytes)),
    );
    facts.add("unchanged", grouped(unchanged));
    facts.add("changed", grouped(changed));
    facts.add("moved", grouped(moved));
    facts.add("added", grouped(added));
    let missing = forecast.missing_bytes;
    let share = percent(missing, forecast.opened_bytes);
    facts.add("to fetch", format!("{} bytes ({}, {share})", grouped(missing), size(missing)));
    match &forecast.cost {
        Ok(cost) => facts.add("payload", format!("{} bytes{}", grouped(cost.bytes), in_requests(cost.requests))),
        Err(error) => console.detail(format_args!("the cost of fetching is not known: {error}")),
    }
    facts.add("index", format!("{} bytes{}", grouped(index.bytes), in_requests(index.requests)));
    if let Some(closing) = closing(&forecast.closed) {
        facts.add("closing", closing);
    }
    facts.add("time", seconds(start.elapsed()));
    console.data(facts)?;
    console.event(&joined(told(forecast, index, start), json!({ "event": "done" })))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells whether a directory is what was published.
pub(super) fn tell_verdict(
    found: &Differences,
    path: &Path,
    info: &TreeInfo,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let all = [("missing", &found.missing), ("different", &found.different), ("mode", &found.modes)];
    for (what, paths) in all {
        for path in paths {
            console.data(format_args!("{what:11}{}", shown(path)))?;
        }
    }
    let shown_all = |paths: &[Vec<u8>]| paths.iter().map(|path| shown(path)).collect::<Vec<_>>();
    let time = start.elapsed();
    console.event(&json!({
        "event": "done",
        "ok": found.is_good(),
        "files": info.files,
        "missing": shown_all(&found.missing),
        "different": shown_all(&found.different),
        "modes": shown_all(&found.modes),
        "more": found.more.len(),
        "target_bytes": info.bytes,
        "seconds": time.as_secs_f64(),
    }))?;
    let place = path.display();
    if !found.more.is_empty() {
        console.message(format_args!("{place} has {} besides", counted(found.more.len() as u64, "path")));
    }
    if found.is_good() {
        let files = counted(info.files, "file");
        console.message(format_args!("{place}: {files}, {}, verified in {}", size(info.bytes), seconds(time)));
        return Ok(ExitCode::SUCCESS);
    }
    console.error(format_args!(
        "error: {place} is not what was published: {} missing, {} different, {} with another mode",
        grouped(found.missing.len() as u64),
        grouped(found.different.len() as u64),
        grouped(found.modes.len() as u64)
    ));
    console
        .error("hint: `gosync patch` fetches only what is wrong, with --checksum also where length and time are right");
    Ok(ExitCode::from(failure::CORRUPT))
}

pub(crate) fn changes(counts: &FileCounts) -> String {
    let FileCounts { unchanged, changed, added, removed, moved } = *counts;
    let files = counted(unchanged, "file");
    let [changed, added, removed, moved] = [changed, added, removed, moved].map(grouped);
    format!("{files} unchanged, {changed} changed, {moved} moved, {added} added, {removed} removed")
}

pub(crate) fn counted_files(counts: &FileCounts) -> Value {
    json!({
        "files_unchanged": counts.unchanged,
        "files_changed": counts.changed,
        "files_added": counts.added,
        "files_removed": counts.removed,
        "files_moved": counts.moved,
    })
}

fn told(forecast: &TreeForecast, index: Transfer, start: Instant) -> Value {
    let cost = forecast.cost.as_ref().ok();
    joined(
        counted_files(&forecast.counts),
        json!({
            "matched_bytes": forecast.opened_bytes.saturating_sub(forecast.missing_bytes),
            "missing_bytes": forecast.missing_bytes,
            "output_bytes": forecast.output_bytes,
            "payload_bytes": cost.map(|cost| cost.bytes),
            "packed": closed_event(&forecast.closed, Some(forecast.closed.time)),
            "index_bytes": index.bytes,
            "requests": cost.map(|cost| cost.requests + index.requests),
            "seconds": start.elapsed().as_secs_f64(),
        }),
    )
}

/// What is said of packed files to programs; nothing where there are none.
fn closed_event(closed: &ClosedFiles, time: Option<Duration>) -> Option<Value> {
    (closed.files > 0).then(|| {
        json!({
            "files": closed.files,
            "bytes": closed.bytes,
            "unknown_bytes": closed.unknown_bytes,
            "closing_seconds": time.map(|time| time.as_secs_f64()),
        })
    })
}

/// What is said of packed files to people, where there are any.
fn closing(closed: &ClosedFiles) -> Option<String> {
    let files = (closed.files > 0).then(|| counted(closed.files, "file"))?;
    let unknown = match closed.unknown_bytes {
        0 => String::new(),
        bytes => format!(", {} as published", size(bytes)),
    };
    Some(format!("{files} of {} in about {}{unknown}", size(closed.bytes), seconds(closed.time)))
}

/// What both say.
pub(crate) fn joined(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            Value::Object(one)
        }
        (one, _) => one,
    }
}
