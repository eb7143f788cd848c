//! `gosync build`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use gosync::{
    BuildOptions, Format, Index, Location, PAYLOAD_SUFFIX, SecretKey, SourceOptions, publish_index, publish_signature,
};
use serde_json::json;

use super::{check_output, parts, signing, upload_options, zsyncmake};
use crate::args::{self, IndexFormat};
use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::table::{grouped, percent, seconds, size};

pub(crate) fn run(args: &args::Build, console: &Console) -> anyhow::Result<ExitCode> {
    if args.file.is_dir() {
        let message = format!("{} is a directory", args.file.display());
        return Err(Usage { message, hint: "an index is of one file; an archive of the directory will do" }.into());
    }
    check(args)?;
    args.output.as_ref().map_or(Ok(()), check_output)?;
    let format = match args.format {
        IndexFormat::Gosync => Format::Layered,
        IndexFormat::GoSync => Format::GoSync,
        IndexFormat::Zsync => return zsyncmake::build(args, console),
    };
    let options = BuildOptions { format, block_sizes: args.block_sizes(), compress: args.compress };
    if let Some(shard) = args.part {
        return parts::build(args, shard, &options, console);
    }
    let start = Instant::now();
    let location = args.output.clone().unwrap_or_else(|| default_index(&args.file).into());
    let key = args.signing.key(console)?;
    let upload = upload_options()?;
    let payload = args.compress.map(|_| location.beside(&payload_name(&args.file)));
    let index = match &payload {
        Some(payload) => gosync::publish_payload(&args.file, &options, payload, &upload, &Bars::new(console))?,
        None => gosync::build(&args.file, &options, &Bars::new(console))?,
    };
    publish(&index, &location, key.as_ref(), &upload, start, console)
}

/// Signs an index that was made, puts it where it is to be, and tells of it and its payload.
pub(super) fn publish(
    index: &Index,
    location: &Location,
    key: Option<&SecretKey>,
    upload: &SourceOptions,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let payload = index.payload_name().map(|name| location.beside(name.as_str()));
    let signature = key.map(|key| signing::sign(index, location, key)).transpose()?;
    publish_index(index, location, upload)?;
    let signature = match signature {
        Some(signature) => Some(publish_signature(&signature, location, upload)?),
        None => {
            signing::warn_of_old_signature(location, console);
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
            "{payload}: {} ({} of the file), in its place",
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
    Ok(ExitCode::SUCCESS)
}

/// Whether the format has all that is asked for: nothing is left out silently.
fn check(args: &args::Build) -> Result<(), Usage> {
    let format = match args.format {
        IndexFormat::Gosync => return Ok(()),
        IndexFormat::GoSync => "the go-sync format",
        IndexFormat::Zsync => "a control file of zsync",
    };
    let wanted = [
        (!args.layers.is_empty(), "--layers", "layers"),
        (args.compress.is_some(), "--compress", "compressed payload"),
        (args.part.is_some(), "--part", "parts"),
        (args.signing.is_wanted(), "--sign", "header that could be signed"),
    ];
    match wanted.iter().find(|(is_given, ..)| *is_given) {
        Some((_, option, what)) => Err(Usage {
            message: format!("{option} is not for {format}, which has no {what}"),
            hint: "leave it out, or take --format gosync",
        }),
        None => Ok(()),
    }
}

/// What the payload of a file is called.
fn payload_name(file: &std::path::Path) -> String {
    format!("{}{PAYLOAD_SUFFIX}", file.file_name().unwrap_or_default().to_string_lossy())
}

pub(super) fn default_index(file: &std::path::Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".gosync");
    file.with_file_name(name)
}
