//! The API in the few words that most tests need.

use std::path::Path;

use gosync_blocksources::Location;
use gosync_chunks::Source;
use gosync_update::{self as update, Comparison, Error, FileOptions, Seed, Seeds, Update, UpdateReport};
use gosync_zsync::{Control, ControlTarget, Places, WholeError};

/// Seeds that are no files.
fn seeds(data: &[&[u8]]) -> Seeds {
    Seeds::of(data.iter().map(|data| Seed::opened(Path::new("seed"), data.to_vec(), None)).collect())
}

pub(crate) fn compare(control: &Control, data: &[&[u8]]) -> Comparison {
    update::compare(&ControlTarget::new(control), &seeds(data), &()).unwrap()
}

/// Brings the target of `control`, which `source` has as it is, about as a file.
pub(crate) fn patch(control: &Control, data: &[&[u8]], source: &dyn Source, out: &Path) -> Result<UpdateReport, Error> {
    let target = ControlTarget::new(control);
    Update { target: &target, seeds: &seeds(data), source, progress: &() }.to_file(out, &FileOptions::default())
}

/// The same as a stream.
pub(crate) fn stream(control: &Control, data: &[&[u8]], source: &dyn Source) -> Result<Vec<u8>, Error> {
    let target = ControlTarget::new(control);
    let mut out = Vec::new();
    Update { target: &target, seeds: &seeds(data), source, progress: &() }.to_stream(&mut out)?;
    Ok(out)
}

/// Brings the target of `control`, which is at `places`, about as a file.
pub(crate) fn patch_at(control: &Control, places: &Places, data: &[&[u8]], out: &Path) -> Result<UpdateReport, Error> {
    let target = ControlTarget::at(control, places);
    let update = Update { target: &target, seeds: &seeds(data), source: places.plain(), progress: &() };
    update.to_file(out, &FileOptions::default())
}

/// The same as a stream.
pub(crate) fn stream_at(control: &Control, places: &Places, data: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let target = ControlTarget::at(control, places);
    let mut out = Vec::new();
    Update { target: &target, seeds: &seeds(data), source: places.plain(), progress: &() }.to_stream(&mut out)?;
    Ok(out)
}

/// A place with this name that has a gzip file.
pub(crate) fn place(name: &str, source: impl Source + 'static) -> (Location, Box<dyn Source>) {
    (Location::Path(name.into()), Box::new(source))
}

/// What is wrong with the whole, if that is it.
pub(crate) fn of_whole(error: &Error) -> Option<&WholeError> {
    match error {
        Error::Target(error) => error.inner().downcast_ref(),
        _ => None,
    }
}
