//! A control file of zsync.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gosync::publish::{Destination, keep_apart};
use gosync::sources::Location;
use gosync_zsync::{Control, Error, MakeOptions};
use serde_json::json;

use crate::console::Console;
use crate::failure::Usage;
use crate::options::environment;
use crate::progress::Bars;
use crate::table::{counted, seconds};
use crate::text::{grouped, percent, size};

/// Options that make blocks of `block_size` bytes, or of a size that suits the file.
pub(crate) fn options(block_size: Option<u32>) -> Result<MakeOptions, Usage> {
    match block_size.filter(|size| !size.is_power_of_two()) {
        Some(size) => Err(Usage {
            message: format!("a block of {size} bytes is no power of two"),
            hint: "zsync's blocks have to be: 1024, 2048, 4096 and so on",
        }),
        None => Ok(MakeOptions { block_size, ..MakeOptions::default() }),
    }
}

/// Warns of blocks that are too large for zsync's sums.
pub(crate) fn warn_of_large_blocks(control: &Control, console: &Console) {
    if control.signature.layout().block_size() > 32_768 {
        console
            .message("warning: with blocks of more than 32768 bytes zsync's weak sum gets weaker, and clients slower");
    }
}

/// Makes the control file of `file`, and puts it at `location` or beside the file.
pub(crate) fn build(
    file: &Path,
    location: Option<Location>,
    block_size: Option<u32>,
    console: &Console,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let location = location.unwrap_or_else(|| beside(file).into());
    keep_apart(&[&location], &[file]).map_err(gosync::Error::from)?;
    let control = gosync_zsync::make(file, &options(block_size)?, &Bars::new(console))?;
    warn_of_large_blocks(&control, console);
    publish(&control, &encode(&control, file)?, &location, start, console)
}

/// The bytes of the control file of `file`.
pub(crate) fn encode(control: &Control, file: &Path) -> Result<Vec<u8>, Error> {
    control.write().map_err(|source| Error::Unwritable { path: file.to_owned(), source })
}

/// Puts a control file at `location`, and tells of it.
pub(crate) fn publish(
    control: &Control,
    bytes: &[u8],
    location: &Location,
    start: Instant,
    console: &Console,
) -> anyhow::Result<()> {
    let options = environment::source_options()?;
    let notes = Destination::new(location, &options).put(|out| out.write_all(bytes)).map_err(gosync::Error::from)?;
    console.notes(&notes);
    let layout = control.signature.layout();
    let time = start.elapsed();
    console.message(format_args!(
        "{location}: {} of {} bytes, {} ({} of the file), in {}",
        counted(layout.block_count().into(), "block"),
        grouped(layout.block_size().into()),
        size(bytes.len() as u64),
        percent(bytes.len() as u64, layout.length()),
        seconds(time)
    ));
    console.event(&json!({
        "event": "done",
        "index": location.to_string(),
        "format": "zsync",
        "target_bytes": layout.length(),
        "index_bytes": bytes.len(),
        "block_size": layout.block_size(),
        "blocks": layout.block_count(),
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(())
}

/// Where the control file of `file` goes by default.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".zsync");
    file.with_file_name(name)
}
