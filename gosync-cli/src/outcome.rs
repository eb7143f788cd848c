//! What a patch did.

use std::path::Path;
use std::time::Instant;

use gosync::sources::Transfer;
use gosync::update::Report;
use gosync_files::Note;
use serde_json::json;

use crate::console::Console;
use crate::table::{counted, in_requests, seconds};
use crate::text::{percent, size};

/// What a patch did, whatever the format of its index.
pub(crate) struct Outcome {
    pub(crate) output_bytes: u64,
    pub(crate) matched_bytes: u64,
    pub(crate) work: Report,
    /// What reading the index took.
    pub(crate) index: Transfer,
    /// What there is to say of servers, each in one line.
    pub(crate) notes: Vec<String>,
    /// What went wrong apart from the content.
    pub(crate) warnings: Vec<Note>,
}

impl Outcome {
    /// Tells it, and how long it took since `start`.
    pub(crate) fn tell(&self, output: Option<&Path>, start: Instant, console: &Console) -> anyhow::Result<()> {
        let Self { output_bytes, matched_bytes, ref work, index, ref notes, ref warnings } = *self;
        let time = start.elapsed();
        console.notes(warnings);
        if work.refetched_blocks > 0 {
            console.message(format_args!(
                "warning: {} came out wrong at first, and was fetched again",
                counted(work.refetched_blocks, "block")
            ));
        }
        for note in notes {
            console.message(note);
        }
        if work.kept > 0 {
            console.message(format_args!("{} were kept from a run that was interrupted", size(work.kept)));
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
            "warnings": warnings.iter().map(ToString::to_string).chain(notes.iter().cloned()).collect::<Vec<_>>(),
            "seconds": time.as_secs_f64(),
        }))?;
        Ok(())
    }
}
