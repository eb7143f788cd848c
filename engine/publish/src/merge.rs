//! An index in parts that are made on many machines, and merged on one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ByteRange, Phase, Progress, ReadAt, TargetName};
use gosync_files::LocalFile;
use gosync_layers::format::{IndexPart, LayeredIndex, NamedPart, PartError, Shard, merge, read_pieces};

use crate::build::PayloadOut;
use crate::destination::{Destination, keep_apart};
use crate::error::Error;
use crate::file::build_file;
use crate::options::BuildOptions;

/// What is added to the name of a target to make that of its compressed payload. It is no
/// file of zstd: frames share what they have in common, and only an index tells where they are.
pub const PAYLOAD_SUFFIX: &str = ".gosync-payload";

/// Makes a part of the index of the file at `target` and writes it to `location`, a file or an
/// object; with [`BuildOptions::compress`] also its payload, to the same with [`PAYLOAD_SUFFIX`]
/// behind it.
///
/// # Errors
///
/// As [`Build::part`](crate::Build::part), and when something cannot be written.
pub fn publish_part(
    target: &Path,
    shard: Shard,
    options: &BuildOptions,
    location: &Location,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<IndexPart, Error> {
    let payload = location.with_suffix(PAYLOAD_SUFFIX);
    keep_apart(&[&payload, location], &[target])?;
    let part = build_file(target, options, progress, |build| match options.compress {
        Some(_) => {
            let name = format!("{}{PAYLOAD_SUFFIX}", target.file_name().unwrap_or_default().to_string_lossy());
            let payload = Destination::new(&payload, sources);
            let name = TargetName::new(name).map_err(|error| payload.failed(io::Error::other(error)))?;
            Ok(payload.write(|out| build.part(shard, Some(PayloadOut { name, out })))?.0)
        }
        None => build.part(shard, None),
    })?;
    Destination::new(location, sources).put(|writer| part.write(writer))?;
    Ok(part)
}

/// Makes one index of all its parts, given in any order: the one that
/// [`Build::index`](crate::Build::index) makes of the target. Where they have a compressed
/// payload, that is written too, under the name that the index gives, beside `location`, where the
/// index will be.
///
/// The parts are not held in memory, and have to stay where they are until the index is
/// written.
///
/// # Errors
///
/// When a part cannot be read or is damaged, parts do not go together or do not make up the
/// whole target, or the payload cannot be written.
pub fn merge_files(
    parts: &[PathBuf],
    location: &Location,
    sources: &SourceOptions,
    progress: &dyn Progress,
) -> Result<LayeredIndex, Error> {
    let payloads: Vec<PathBuf> = parts.iter().map(|part| payload_of(part)).collect();
    let inputs: Vec<&Path> = parts.iter().chain(&payloads).map(PathBuf::as_path).collect();
    keep_apart(&[location], &inputs)?;
    let open = |path: &PathBuf| {
        let part = IndexPart::read(Arc::new(open(path)?));
        Ok((path.clone(), part.map_err(|source| Error::of_part(path.clone(), source))?))
    };
    let mut parts = parts.iter().map(open).collect::<Result<Vec<NamedPart>, Error>>()?;
    let index = merge(&mut parts)?;
    if let Some(payload) = index.payload() {
        let beside = location.beside(payload.name.as_str());
        keep_apart(&[location, &beside], &inputs)?;
        progress.begin(Phase::Copy, payload.len);
        let destination = Destination::new(&beside, sources);
        destination.write(|out| {
            parts.iter().try_for_each(|(path, part)| copy_payload(path, part, destination, out, progress))
        })?;
    }
    Ok(index)
}

/// Copies the payload of a part to `out`, if it is the right one.
fn copy_payload(
    part_path: &Path,
    part: &IndexPart,
    destination: Destination<'_>,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<(), Error> {
    let path = payload_of(part_path);
    let payload = open(&path)?;
    let wrong = || Error::of_part(part_path.to_owned(), PartError::Payload);
    if Some(payload.size()) != part.payload_length() {
        return Err(wrong());
    }
    let mut hasher = blake3::Hasher::new();
    // What a failure is of, reading or writing, is known only inside.
    let mut written = Ok(());
    let read = read_pieces(&payload, ByteRange::at(0, payload.size()), |piece| {
        written = progress.check().map_err(Error::from).and_then(|()| {
            hasher.update_rayon(piece);
            progress.advance(Phase::Copy, piece.len() as u64);
            out.write_all(piece).map_err(|source| destination.failed(source))
        });
        if written.is_err() { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    written?;
    read.map_err(|source| Error::Read { target: path.display().to_string(), source })?;
    if part.is_payload(hasher.finalize().as_bytes()) { Ok(()) } else { Err(wrong()) }
}

/// Where the payload of the part at `part` is, if it has one.
fn payload_of(part: &Path) -> PathBuf {
    let mut path = part.as_os_str().to_owned();
    path.push(PAYLOAD_SUFFIX);
    path.into()
}

fn open(path: &Path) -> Result<LocalFile, Error> {
    LocalFile::open(path).map_err(|source| Error::Read { target: path.display().to_string(), source })
}
