//! Seeds, and what is to be said of those that are of no use.

use std::path::PathBuf;

use gosync::{Error, Seeds, UnreadableSeed};

use crate::console::Console;

/// Opens the seeds that exist, and names the others.
pub(crate) fn open_seeds<'a>(paths: impl IntoIterator<Item = &'a PathBuf>, console: &Console) -> Result<Seeds, Error> {
    let seeds = Seeds::open(paths)?;
    for missing in seeds.missing() {
        console.message(format_args!("{} does not exist: nothing can be taken from it", missing.display()));
    }
    Ok(seeds)
}

/// Says which seeds could not be read, and that this cost only bytes.
pub(crate) fn warn_of_unreadable(seeds: &Seeds, unreadable: &[UnreadableSeed], console: &Console) {
    for unreadable in unreadable {
        // A seed beyond those of the user is what an earlier run left behind.
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
