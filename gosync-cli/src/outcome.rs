//! What a patch did.

use std::path::Path;
use std::time::Instant;

use gosync::sources::Transfer;
use gosync::update::{Report, Statistics};
use gosync_files::Note;
use serde_json::json;

use crate::console::Console;
use crate::directory::outcome::joined;
use crate::forecast::add_statistics;
use crate::table::{Facts, counted, in_requests, seconds};
use crate::text::{grouped, percent, size};

/// What a patch did, whatever the format of its index.
pub(crate) struct Outcome {
    /// Whether something was written: else the output was the new version already.
    pub(crate) changed: bool,
    pub(crate) output_bytes: u64,
    pub(crate) matched_bytes: u64,
    pub(crate) work: Report,
    /// What the search of the seeds took.
    pub(crate) search: Statistics,
    /// What reading the index took.
    pub(crate) index: Transfer,
    /// What a packed file took, if it is one.
    pub(crate) packed: Option<Packed>,
    /// What there is to say of servers, each in one line.
    pub(crate) notes: Vec<String>,
    /// What went wrong apart from the content.
    pub(crate) warnings: Vec<Note>,
}

/// What a packed file took.
#[derive(Clone, Copy)]
pub(crate) struct Packed {
    /// How many bytes it was made of: those that matched or were fetched.
    pub(crate) opened_bytes: u64,
    /// How many of its streams cannot be made here.
    pub(crate) unknown_streams: u64,
    /// What it took to get these as they were published; it is in the transfer too.
    pub(crate) as_published: Transfer,
}

impl Outcome {
    /// That the output is the new version, of so many bytes, and nothing was looked for; `index` is what
    /// that took.
    pub(crate) fn nothing(output_bytes: u64, index: Transfer) -> Self {
        let mut work = Report::default();
        work.copied = output_bytes;
        Self {
            changed: false,
            output_bytes,
            matched_bytes: output_bytes,
            work,
            search: Statistics::default(),
            index,
            packed: None,
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Tells it, and how long it took since `start`.
    pub(crate) fn tell(&self, output: Option<&Path>, start: Instant, console: &Console) -> anyhow::Result<()> {
        let Self { changed, output_bytes, matched_bytes, ref work, index, packed, ref notes, ref warnings, .. } = *self;
        let requests = work.transfer.requests + index.requests;
        let time = start.elapsed();
        console.notes(warnings);
        if work.refetched_blocks > 0 {
            console.message(format_args!(
                "warning: {} came out wrong at first, and was fetched again",
                counted(work.refetched_blocks, "block")
            ));
        }
        if let Some(Packed { unknown_streams, as_published, .. }) =
            packed.filter(|packed| packed.as_published.bytes > 0)
        {
            console.message(format_args!(
                "warning: {} of the file cannot be compressed here as it was, and took {} to fetch as published; a newer \
                 version of this program may know how",
                counted(unknown_streams, "stream"),
                size(as_published.bytes)
            ));
        }
        for note in notes {
            console.message(note);
        }
        if work.kept > 0 {
            console.message(format_args!("{} were kept from a run that was interrupted", size(work.kept)));
        }
        let name = output.map_or("standard output".into(), |output| output.display().to_string());
        let index_size = size(index.bytes);
        if changed {
            let of = packed.map_or(output_bytes, |packed| packed.opened_bytes);
            let within = packed.map_or(String::new(), |packed| format!(" of {} in it", size(packed.opened_bytes)));
            console.message(format_args!(
                "{name}: {}, {}{within} matched ({}), {} fetched and {index_size} of index{}, in {}",
                size(output_bytes),
                size(matched_bytes),
                percent(matched_bytes, of),
                size(work.transfer.bytes),
                in_requests(requests),
                seconds(time)
            ));
        } else {
            console.message(format_args!(
                "{name}: {}, up to date already; {index_size} of index fetched{}, in {}",
                size(output_bytes),
                in_requests(requests),
                seconds(time)
            ));
        }
        let done = json!({
            "event": "done",
            "output": output.map(|output| output.to_string_lossy()),
            "changed": changed,
            "matched_bytes": matched_bytes,
            "kept_bytes": work.kept,
            "fetched_bytes": work.transfer.bytes,
            "index_bytes": index.bytes,
            "output_bytes": output_bytes,
            "requests": requests,
            "refetched_blocks": work.refetched_blocks,
            "warnings": warnings.iter().map(ToString::to_string).chain(notes.iter().cloned()).collect::<Vec<_>>(),
            "seconds": time.as_secs_f64(),
        });
        let packed = packed.map_or(json!({}), |packed| {
            json!({ "packed": {
                "opened_bytes": packed.opened_bytes,
                "unknown_streams": packed.unknown_streams,
                "as_published_bytes": packed.as_published.bytes,
            } })
        });
        console.event(&joined(done, packed))?;
        Ok(())
    }

    /// All that was counted, since `start`.
    pub(crate) fn statistics(&self, start: Instant) -> Facts {
        let Self { work, index, .. } = self;
        let bytes = |bytes| format!("{} bytes ({})", grouped(bytes), size(bytes));
        let mut facts = Facts::default();
        facts.add("target", bytes(self.output_bytes));
        if let Some(packed) = self.packed {
            facts.add("opened", bytes(packed.opened_bytes));
            facts.add("as published", bytes(packed.as_published.bytes));
        }
        facts.add("matched", bytes(self.matched_bytes));
        facts.add("copied", bytes(work.copied));
        facts.add("repeated", bytes(work.repeated));
        facts.add("kept", bytes(work.kept));
        facts.add("fetched", format!("{}{}", bytes(work.transfer.bytes), in_requests(work.transfer.requests)));
        facts.add("index", format!("{}{}", bytes(index.bytes), in_requests(index.requests)));
        facts.add("wrong at first", counted(work.refetched_blocks, "block"));
        add_statistics(&mut facts, &self.search);
        facts.add("time", seconds(start.elapsed()));
        facts
    }
}
