//! The subcommands: each turns its arguments into one call of the library, and what
//! comes back into text or JSON.

pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod inspect;
mod network;
pub(crate) mod parts;
pub(crate) mod patch;
pub(crate) mod rdiff;
mod report;
pub(crate) mod serve;
pub(crate) mod signing;
pub(crate) mod verify;
pub(crate) mod zsync;
pub(crate) mod zsyncmake;

use std::path::PathBuf;

use gosync::{
    Error, FormatError, Location, OpenedIndex, ReadOptions, Seeds, Signed, SourceOptions, UnreadableSeed, open_index,
};

use gosync_zsync::{ControlError, OpenedControl};
use network::{source_options, upload_options};
use signing::Trust;

use crate::console::Console;
use crate::failure::Usage;

/// Opens an index, and refuses it where it is to be signed and is not.
fn open(
    index: &Location,
    trust: &Trust,
    options: &SourceOptions,
    console: &Console,
) -> Result<(OpenedIndex, Option<Signed>), Error> {
    let mut opened = open_index(index, &ReadOptions::default(), options)?;
    let signed = trust.check(&mut opened, options, console)?;
    Ok((opened, signed))
}

/// What is at `index`, which could not be opened as an index of ours, if that is because
/// it is a control file of zsync. Nobody signs these.
fn open_control(
    index: &Location,
    error: Error,
    trust: &Trust,
    options: &SourceOptions,
) -> anyhow::Result<OpenedControl> {
    if !matches!(error, Error::Index { source: FormatError::NotAnIndex, .. }) {
        return Err(error.into());
    }
    match gosync_zsync::open_control(index, &gosync_zsync::ReadOptions::default(), options) {
        Err(gosync_zsync::Error::Control { source: ControlError::NotAControlFile, .. }) => Err(error.into()),
        Ok(_) if trust.wants_signature() => Err(Usage {
            message: format!("{index} is a control file of zsync, which cannot be signed"),
            hint: "leave out --public-key, or get an index of gosync's own format",
        }
        .into()),
        opened => Ok(opened?),
    }
}

/// Refuses what can only be read, before anything is done.
fn check_output(output: &Location) -> Result<(), Usage> {
    match output {
        Location::Url(url) if !matches!(url.scheme(), "s3" | "gs" | "az") => Err(Usage {
            message: format!("{output} cannot be written to"),
            hint: "only files and object stores can: give a path, or an s3, gs or az URL, to -o",
        }),
        _ => Ok(()),
    }
}

fn open_seeds<'a>(paths: impl IntoIterator<Item = &'a PathBuf>, console: &Console) -> Result<Seeds, Error> {
    let seeds = Seeds::open(paths)?;
    for missing in seeds.missing() {
        console.message(format_args!("{} does not exist: nothing can be taken from it", missing.display()));
    }
    Ok(seeds)
}

/// Says which seeds could not be read, and that this cost only bytes.
fn warn_unreadable(seeds: &Seeds, unreadable: &[UnreadableSeed], console: &Console) {
    for unreadable in unreadable {
        // What is no file of the user's is what an earlier run left behind.
        if let Some(file) = seeds.files().get(usize::from(unreadable.seed.0)) {
            console.message(format_args!(
                "warning: cannot read {} at byte {} ({}); what it holds there is fetched instead",
                file.path().display(),
                unreadable.offset,
                unreadable.error
            ));
        }
    }
}
