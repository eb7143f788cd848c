//! `gosync build --part`, and `gosync index merge`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Subcommand;
use gosync::{BuildOptions, Location, Shard};
use serde_json::json;

use super::build::{default_index, publish};
use super::signing::Signing;
use super::upload_options;
use crate::args;
use crate::console::Console;
use crate::progress::Bars;
use crate::table::{grouped, seconds, size};

/// What is done to indexes.
#[derive(Debug, clap::Args)]
pub(crate) struct Index {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make one index of all its parts, which `gosync build --part` made
    Merge(Merge),
}

#[derive(Debug, clap::Args)]
struct Merge {
    /// The parts, in any order; what --compress wrote is beside them
    #[arg(value_name = "PART", required = true)]
    parts: Vec<PathBuf>,
    /// Where to write the index: a path, or the URL of an object; a compressed payload goes beside it
    #[arg(short, long, value_name = "INDEX")]
    output: Location,
    #[command(flatten)]
    signing: Signing,
}

/// Makes a part of an index.
pub(super) fn build(
    args: &args::Build,
    shard: Shard,
    options: &BuildOptions,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let default = || Location::from(default_index(&args.file)).with_suffix(&suffix(shard));
    let location = args.output.clone().unwrap_or_else(default);
    let part = gosync::publish_part(&args.file, shard, options, &location, &upload_options()?, &Bars::new(console))?;

    let (range, time) = (part.range(), start.elapsed());
    console.message(format_args!(
        "{location}: part {shard}, of {} of {} bytes, has {}, in {}",
        grouped(range.len()),
        grouped(part.target_length()),
        size(part.encoded_len()),
        seconds(time)
    ));
    console.event(&json!({
        "event": "done",
        "index": location.to_string(),
        "part": shard.to_string(),
        "target_bytes": part.target_length(),
        "part_start": range.start,
        "part_end": range.end,
        "index_bytes": part.encoded_len(),
        "payload_bytes": part.payload_length(),
        "block_sizes": part.block_sizes(),
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// What the name of a part ends with.
fn suffix(shard: Shard) -> String {
    format!(".{}", shard.to_string().replace('/', "-of-"))
}

pub(crate) fn index(args: &Index, console: &Console) -> anyhow::Result<ExitCode> {
    let Command::Merge(merge) = &args.command;
    let start = Instant::now();
    let key = merge.signing.key(console)?;
    let upload = upload_options()?;
    let index = gosync::merge(&merge.parts, &merge.output, &upload, &Bars::new(console))?;
    publish(&index, &merge.output, key.as_ref(), &upload, start, console)
}
