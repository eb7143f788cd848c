//! What is to be said of a control file of zsync.

use std::error::Error;

use gosync_zsync::{Control, OpenedControl};
use serde_json::{Value, json};

use crate::console::Console;
use crate::table::{Facts, counted};
use crate::text::{grouped, size};

/// Warns of what is wrong with a control file and does no harm.
pub(crate) fn warn_of_ignored(opened: &OpenedControl, console: &Console) {
    for error in &opened.control.ignored {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        console.message(format_args!("warning: {}: {error}{cause}; this is ignored", opened.location));
    }
}

/// What is in the control file of so many bytes, for people and for programs.
pub(super) fn describe(control: &Control, bytes: usize) -> (Facts, Value) {
    (facts(control, bytes), event(control, bytes))
}

fn facts(control: &Control, bytes: usize) -> Facts {
    let layout = control.signature.layout();
    let lengths = control.hash_lengths;
    let mut facts = Facts::default();
    facts.add("format", format!("zsync, version {}", control.version));
    facts.add("target", control.file_name.as_ref().map_or("(not named)", |name| name.as_str()));
    facts.add("length", format!("{} bytes ({})", grouped(layout.length()), size(layout.length())));
    let (blocks, of) = (layout.block_count().into(), grouped(layout.block_size().into()));
    facts.add("blocks", format!("{} of {of} bytes", counted(blocks, "block")));
    facts.add("weak sums", format!("rsync's sum, {} bytes each", lengths.weak));
    facts.add("strong sums", format!("{}, {} bytes each", control.strong_kind.name(), lengths.strong));
    facts.add("looked for", if lengths.sequence == 2 { "two blocks in a row" } else { "each block" });
    for digest in &control.digests {
        facts.add("whole file", format!("{} {digest}", digest.algorithm()));
    }
    if !control.is_verifiable() {
        facts.add("whole file", "no hash: only the blocks can be verified");
    }
    control.urls.iter().for_each(|url| facts.add("URL", url));
    control.z_urls.iter().for_each(|url| facts.add("compressed URL", url));
    facts.add("index", format!("{} bytes ({})", grouped(bytes as u64), size(bytes as u64)));
    facts
}

fn event(control: &Control, bytes: usize) -> Value {
    let layout = control.signature.layout();
    let lengths = control.hash_lengths;
    let digests = control.digests.iter().map(|digest| json!({ digest.algorithm(): digest.to_string() }));
    json!({
        "event": "done",
        "format": "zsync",
        "version": control.version,
        "target": control.file_name.as_ref().map(|name| name.as_str()),
        "target_bytes": layout.length(),
        "block_size": layout.block_size(),
        "blocks": layout.block_count(),
        "weak_sum": "rsync's sum",
        "weak_len": lengths.weak,
        "strong_sum": control.strong_kind.name(),
        "strong_len": lengths.strong,
        "sequence": lengths.sequence,
        "file_hashes": digests.collect::<Vec<_>>(),
        "urls": control.urls,
        "compressed_urls": control.z_urls,
        "index_bytes": bytes,
    })
}
