//! What is to be said of a packed file.

use std::time::Duration;

use gosync_unpack::PackedInfo;
use serde_json::{Value, json};

use crate::table::{Facts, counted, seconds};
use crate::text::{grouped, size};

/// What is told of a packed file before it is closed.
#[derive(Clone, Copy)]
pub(crate) struct Closing {
    /// Its length.
    pub(crate) bytes: u64,
    /// How many streams will be made again, and of how many bytes it is made.
    pub(crate) streams: u64,
    opened_bytes: u64,
    /// What is fetched as it is, because it cannot be made here.
    pub(crate) unknown_streams: u64,
    pub(crate) unknown_bytes: u64,
    /// How long it will take.
    pub(crate) time: Duration,
}

impl Closing {
    pub(crate) fn of(info: &PackedInfo) -> Self {
        let recipe = &info.recipe;
        let (unknown_streams, unknown_bytes) = unknown(info);
        Self {
            bytes: recipe.packed_len(),
            streams: recipe.streams().len() as u64 - unknown_streams,
            opened_bytes: recipe.flat_len(),
            unknown_streams,
            unknown_bytes,
            time: recipe.closing_time(rayon::current_num_threads()),
        }
    }

    pub(crate) fn add_facts(&self, facts: &mut Facts) {
        let Self { bytes, streams, unknown_streams, unknown_bytes, time, .. } = *self;
        facts.add("packed file", format!("{} bytes ({})", grouped(bytes), size(bytes)));
        facts.add("closing", format!("{} in about {}", counted(streams, "stream"), seconds(time)));
        if unknown_streams > 0 {
            let streams = counted(unknown_streams, "stream");
            facts.add("as published", format!("{streams} of {} bytes", grouped(unknown_bytes)));
        }
    }

    pub(crate) fn event(&self) -> Value {
        json!({ "packed": {
            "bytes": self.bytes,
            "opened_bytes": self.opened_bytes,
            "streams": self.streams,
            "unknown_streams": self.unknown_streams,
            "unknown_bytes": self.unknown_bytes,
            "closing_seconds": self.time.as_secs_f64(),
        } })
    }
}

/// The streams that cannot be made here, and the bytes of these.
pub(crate) fn unknown(info: &PackedInfo) -> (u64, u64) {
    info.recipe.unknown().fold((0, 0), |(streams, bytes), stream| (streams + 1, bytes + stream.packed.len()))
}

/// Adds what an index says of a packed file.
pub(super) fn add_facts(facts: &mut Facts, info: &PackedInfo) {
    let recipe = &info.recipe;
    let bytes = recipe.packed_len();
    facts.add("packed file", format!("{} bytes ({}), BLAKE3 {}", grouped(bytes), size(bytes), info.file_hash));
    for of in recipe.uses() {
        let encoder = of.encoder.map_or("unknown encoder".into(), |encoder| encoder.to_string());
        let corrected = match of.correction_bytes {
            0 => String::new(),
            bytes => format!(", corrected by {} bytes", grouped(bytes)),
        };
        let (streams, plain) = (counted(of.streams, "stream"), grouped(of.plain_bytes));
        facts.add(encoder, format!("{streams} of {plain} bytes{corrected}"));
    }
    facts.add("recipe", format!("{} bytes", grouped(recipe.to_bytes().len() as u64)));
}

/// The same for programs.
pub(crate) fn event(info: &PackedInfo) -> Value {
    let recipe = &info.recipe;
    let encoders = recipe.uses().into_iter().map(|of| {
        json!({
            "encoder": of.encoder.map(|encoder| encoder.to_string()),
            "streams": of.streams,
            "plain_bytes": of.plain_bytes,
            "correction_bytes": of.correction_bytes,
        })
    });
    json!({ "packed": {
        "bytes": recipe.packed_len(),
        "blake3": info.file_hash.to_string(),
        "streams": recipe.streams().len(),
        "encoders": encoders.collect::<Vec<_>>(),
        "recipe_bytes": recipe.to_bytes().len(),
    } })
}
