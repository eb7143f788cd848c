//! An index, with its signature and payload.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use gosync::publish::Destination;
use gosync::signing::{SIGNATURE_SUFFIX, SecretKey, publish_signature};
use gosync::sources::{Location, SourceOptions};
use gosync::{Error, Index};
use gosync_files::entry;
use gosync_patcher::StagedFile;
use gosync_unpack::PackedInfo;
use serde_json::{Value, json};

use crate::console::Console;
use crate::directory::outcome::joined;
use crate::published::packed;
use crate::table::seconds;
use crate::text::{grouped, percent, size};

/// What is published.
pub(crate) struct Described {
    /// What it is called.
    pub(crate) noun: &'static str,
    /// What more there is to say of it, for programs.
    pub(crate) facts: Value,
    /// Its length, where that is not the length of the target.
    pub(crate) bytes: Option<u64>,
}

impl Default for Described {
    fn default() -> Self {
        Self { noun: "file", facts: json!({}), bytes: None }
    }
}

impl Described {
    /// A packed file.
    pub(crate) fn packed(info: &PackedInfo) -> Self {
        Self { facts: packed::event(info), bytes: Some(info.recipe.packed_len()), ..Self::default() }
    }
}

/// Signs an index that was made, puts it at `location`, and tells of it and its payload.
pub(crate) fn publish(
    index: &Index,
    location: &Location,
    key: Option<&SecretKey>,
    upload: &SourceOptions,
    start: Instant,
    described: &Described,
    console: &Console,
) -> anyhow::Result<()> {
    let noun = described.noun;
    let info = index.info();
    let length = described.bytes.unwrap_or(info.length);
    let payload = info.payload.as_ref().map(|payload| location.beside(payload.name.as_str()));
    let signature = key.map(|key| key.sign_index(index, location)).transpose()?;
    console.notes(&Destination::new(location, upload).put(|out| index.write(out)).map_err(Error::from)?);
    let signature = match signature {
        Some(signature) => Some(publish_signature(&signature, location, upload)?),
        None => {
            warn_of_old_signature(location, console);
            None
        }
    };

    let (layers, index_bytes) = (&info.layers, info.index_bytes);
    let sizes: Vec<String> = layers.iter().map(|layer| grouped(layer.block_size.into())).collect();
    let time = start.elapsed();
    console.message(format_args!(
        "{location}: blocks of {} bytes, {} ({} of the {noun}), in {}",
        sizes.join(", "),
        size(index_bytes),
        percent(index_bytes, length),
        seconds(time)
    ));
    if let Some(payload) = &payload {
        console.message(format_args!(
            "{payload}: {} ({} of the {noun}), to be published {} it",
            size(info.source_length()),
            percent(info.source_length(), length),
            if described.bytes.is_some() { "beside" } else { "instead of" }
        ));
        if info.source_length() > info.length {
            console.message(format_args!(
                "warning: {} is larger than the {noun}, which hardly compresses; leave out --compress",
                payload.file_name().unwrap_or_default()
            ));
        }
    }
    let done = json!({
        "event": "done",
        "index": location.to_string(),
        "format": info.format.to_string(),
        "target_bytes": info.length,
        "index_bytes": index_bytes,
        "payload": payload.map(|location| location.to_string()),
        "payload_bytes": info.source_length(),
        "block_sizes": layers.iter().map(|layer| layer.block_size).collect::<Vec<_>>(),
        "signature": signature.map(|location| location.to_string()),
        "blake3": info.file_hash.map(|hash| hash.to_string()),
        "seconds": time.as_secs_f64(),
    });
    console.event(&joined(done, described.facts.clone()))?;
    Ok(())
}

/// Writes a small file, which takes its name when all of it is written.
pub(crate) fn write_file(path: &Path, bytes: &[u8], console: &Console) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        if entry::is_sink(path) {
            return Ok(fs::write(path, bytes)?);
        }
        let staged = StagedFile::create(path)?;
        staged.file().write_all(bytes)?;
        console.notes(&staged.commit()?);
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Tells of a signature that stayed behind from an earlier index: clients with a public
/// key would now refuse the index.
fn warn_of_old_signature(index: &Location, console: &Console) {
    if let Location::Path(path) = index.with_suffix(SIGNATURE_SUFFIX)
        && path.exists()
    {
        let path = path.display();
        console.message(format_args!("warning: {path} is of an earlier index; sign this one too, or remove it"));
    }
}
