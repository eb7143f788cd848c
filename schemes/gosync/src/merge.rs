//! An index in parts that are made on many machines, and merged on one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ByteRange, Cancelled, Phase, Progress, ReadAt};
use gosync_files::LocalFile;

use crate::build::build_part;
use crate::format::{NamedPart, join, read_pieces};
use crate::open::{publish, publish_made};
use crate::{BuildOptions, Error, Index, IndexPart, PAYLOAD_SUFFIX, PartError, Shard, TargetName};

/// Makes a part of the index of the file at `target`, as [`build_part`] does, and writes it
/// to `location`, a file or an object; with [`BuildOptions::compress`] also its payload, to
/// the same with [`PAYLOAD_SUFFIX`] behind it.
///
/// # Errors
///
/// As [`build_part`], and when something cannot be written.
pub fn publish_part(
    target: &Path,
    shard: Shard,
    options: &BuildOptions,
    location: &Location,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<IndexPart, Error> {
    let part = match options.compress {
        Some(_) => {
            let name = format!("{}{PAYLOAD_SUFFIX}", target.file_name().unwrap_or_default().to_string_lossy());
            let payload = location.with_suffix(PAYLOAD_SUFFIX);
            let failed = |error| Error::Publish { location: payload.to_string(), source: io::Error::other(error) };
            let name = TargetName::new(name).map_err(failed)?;
            publish_made(&payload, sources, |out| build_part(target, shard, options, Some((name, out)), progress))?
        }
        None => build_part(target, shard, options, None, progress)?,
    };
    publish(location, sources, &|writer| part.write(writer))?;
    Ok(part)
}

/// Makes one index of all its parts, given in any order: the one that [`build()`](crate::build())
/// makes of the target. Where they have a compressed payload, that is written too, under the
/// name that the index gives, beside `location`, where the index will be.
///
/// The parts are not held in memory, and have to stay where they are until the index is
/// written.
///
/// # Errors
///
/// When a part cannot be read or is damaged, parts do not go together or do not make up the
/// whole target, or the payload cannot be written.
pub fn merge(
    parts: &[PathBuf],
    location: &Location,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<Index, Error> {
    let open = |path: &PathBuf| {
        let file = open(path)?;
        let part = IndexPart::read(Arc::new(file));
        Ok((path.clone(), part.map_err(|source| Error::Part { path: path.clone(), source })?))
    };
    let mut parts = parts.iter().map(open).collect::<Result<Vec<NamedPart>, Error>>()?;
    let index = join(&mut parts)?;
    if let Some(name) = index.payload_name() {
        let payload = location.beside(name.as_str());
        let total = index.source_length();
        progress.begin(Phase::Copy, total);
        publish_made(&payload, sources, |out| {
            parts.iter().try_for_each(|(path, part)| copy_payload(path, part, &payload, out, progress))
        })?;
    }
    Ok(index)
}

/// Copies the payload of a part to `out`, if it is the right one.
fn copy_payload(
    part_path: &Path,
    part: &IndexPart,
    location: &Location,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut path = part_path.as_os_str().to_owned();
    path.push(PAYLOAD_SUFFIX);
    let path = PathBuf::from(path);
    let payload = open(&path)?;
    let wrong = || Error::Part { path: part_path.to_owned(), source: PartError::Payload };
    if Some(payload.size()) != part.payload_length() {
        return Err(wrong());
    }
    let mut hasher = blake3::Hasher::new();
    // What a failure is of, reading or writing, is known only inside.
    let mut written = Ok(());
    let read = read_pieces(&payload, ByteRange::at(0, payload.size()), |piece| {
        if progress.is_cancelled() {
            written = Err(Error::Sum { path: path.clone(), source: Cancelled.into() });
        } else {
            hasher.update_rayon(piece);
            progress.advance(Phase::Copy, piece.len() as u64);
            let failed = |source| Error::Publish { location: location.to_string(), source };
            written = out.write_all(piece).map_err(failed);
        }
        if written.is_err() { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    written?;
    read.map_err(|source| Error::Read { path, source })?;
    if part.is_payload(hasher.finalize().as_bytes()) { Ok(()) } else { Err(wrong()) }
}

fn open(path: &Path) -> Result<LocalFile, Error> {
    LocalFile::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}
