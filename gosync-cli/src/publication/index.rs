//! An index, with its signature and payload.

use std::time::{Instant, SystemTime};

use gosync::{Error, Index, Location, SIGNATURE_SUFFIX, SecretKey, SourceOptions, publish_index, publish_signature};
use serde_json::json;

use crate::console::Console;
use crate::table::{grouped, percent, seconds, size};

/// Signs an index that was made, puts it at `location`, and tells of it and its payload.
pub(crate) fn publish(
    index: &Index,
    location: &Location,
    key: Option<&SecretKey>,
    upload: &SourceOptions,
    start: Instant,
    console: &Console,
) -> anyhow::Result<()> {
    let payload = index.payload_name().map(|name| location.beside(name.as_str()));
    let signature = key.map(|key| sign(index, location, key)).transpose()?;
    publish_index(index, location, upload)?;
    let signature = match signature {
        Some(signature) => Some(publish_signature(&signature, location, upload)?),
        None => {
            warn_of_old_signature(location, console);
            None
        }
    };

    let (layers, index_bytes) = (index.layers(), index.encoded_len());
    let sizes: Vec<String> = layers.iter().map(|layer| grouped(layer.block_size.into())).collect();
    let time = start.elapsed();
    console.message(format_args!(
        "{location}: blocks of {} bytes, {} ({} of the file), in {}",
        sizes.join(", "),
        size(index_bytes),
        percent(index_bytes, index.length()),
        seconds(time)
    ));
    if let Some(payload) = &payload {
        console.message(format_args!(
            "{payload}: {} ({} of the file), to be published instead of it",
            size(index.source_length()),
            percent(index.source_length(), index.length())
        ));
        if index.source_length() > index.length() {
            console.message(format_args!(
                "warning: {} is larger than the file, of which not much can be compressed; leave out --compress",
                payload.file_name().unwrap_or_default()
            ));
        }
    }
    console.event(&json!({
        "event": "done",
        "index": location.to_string(),
        "format": index.format().to_string(),
        "target_bytes": index.length(),
        "index_bytes": index_bytes,
        "payload": payload.map(|location| location.to_string()),
        "payload_bytes": index.source_length(),
        "block_sizes": layers.iter().map(|layer| layer.block_size).collect::<Vec<_>>(),
        "signature": signature.map(|location| location.to_string()),
        "blake3": index.file_hash().map(|hash| hash.to_string()),
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(())
}

/// The signature of what is to be published at `location`.
fn sign(index: &Index, location: &Location, key: &SecretKey) -> Result<String, Error> {
    let header = index.header_bytes().expect("there is a key only where there is a header");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = location.file_name().unwrap_or_default();
    let comment = format!("timestamp:{now}\tfile:{name}\theader:{}", header.len());
    key.sign(header, &comment).map_err(|source| Error::Key { key: key.id().to_string(), source })
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
