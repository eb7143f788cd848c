//! Publishing: making the control file of a target.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use gosync_chunks::{Cancelled, Progress, ReadAt, TargetName};
use gosync_files::LocalFile;
use gosync_patcher::StagedFile;
use gosync_payloads::gzip::compress;
use gosync_publish::read_unchanged;
use gosync_sums::{SumError, SumOptions, sum_target};

use crate::control::{Control, UnwritableError, VERSION};
use crate::error::Error;
use crate::file_digest::FileDigest;
use crate::hash_lengths::HashLengths;
use crate::sums::{StrongKind, Weak, key_mask};

/// How to make a control file.
#[derive(Clone, Debug, Default)]
pub struct MakeOptions {
    /// Size of a block in bytes, a power of two; chosen by the target's length when there
    /// is none.
    pub block_size: Option<u32>,
    /// What the strong sums of blocks are cut from; other clients than zsync 0.8 know MD4 only.
    pub strong_kind: StrongKind,
    /// What the target is called, if not as its file is.
    pub file_name: Option<TargetName>,
    /// Where it will be; by default beside the control file, under its name.
    pub urls: Vec<String>,
    /// Writes what zsyncmake 0.6.2 writes, and nothing else: shorter sums, and no SHA-256.
    pub as_0_6_2: bool,
    /// Makes a control file of an empty target too, which other clients refuse.
    pub allow_empty: bool,
}

/// Makes the control file of the file at `target`, on the threads of the current rayon
/// pool: the sums of blocks on all that are not busy with the hashes of the whole.
///
/// # Errors
///
/// When `target` cannot be read, changes meanwhile, or cannot be cut into such blocks.
pub fn make(target: &Path, options: &MakeOptions, progress: &dyn Progress) -> Result<Control, Error> {
    read_unchanged(target, |file| {
        if file.size() == 0 && !options.allow_empty {
            return Err(Error::Unwritable { path: target.to_owned(), source: UnwritableError::Empty });
        }
        let mut control = make_of(file, options, progress).map_err(|error| match error {
            SumError::Read(source) => unreadable(target, source).into(),
            SumError::Cancelled(cancelled) => cancelled.into(),
            source => Error::Sum { path: target.to_owned(), source },
        })?;
        let metadata = file.file().map(File::metadata).transpose().map_err(|source| unreadable(target, source))?;
        control.modified = metadata.and_then(|metadata| metadata.modified().ok());
        let name = target.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| control.urls.is_empty()) {
            control.urls.push(if options.as_0_6_2 { name.to_owned() } else { as_url(name) });
        }
        control.file_name = options.file_name.clone().or_else(|| TargetName::new(name?).ok());
        Ok(control)
    })
}

fn unreadable(target: &Path, source: io::Error) -> gosync_publish::Error {
    gosync_publish::Error::Read { target: target.display().to_string(), source }
}

/// As [`make`], of what comes from a stream, which is kept in a temporary file meanwhile. It has
/// no name, date or URL but those that `options` give.
///
/// # Errors
///
/// As [`make`]; and when the temporary file cannot be written.
pub fn make_of_stream(stream: &mut dyn Read, options: &MakeOptions, progress: &dyn Progress) -> Result<Control, Error> {
    let unwritable = |source| Error::Prepare { path: "a temporary file".into(), source };
    let mut file = tempfile::NamedTempFile::new().map_err(unwritable)?;
    io::copy(stream, &mut file).map_err(unwritable)?;
    let mut control = make(file.path(), options, progress)?;
    control.urls.clone_from(&options.urls);
    control.file_name.clone_from(&options.file_name);
    control.modified = None;
    Ok(control)
}

/// Compresses the target of `control`, which is the file at `target`, to the gzip file
/// `output`, and says in `control` that it will be at `urls`.
///
/// It ends a block of deflate wherever a client may want to begin, which costs it a few
/// bytes in a hundred.
///
/// # Errors
///
/// When `target` cannot be read or is not what it was, or `output` cannot be written.
pub fn make_compressed(
    control: &mut Control,
    target: &Path,
    output: &Path,
    urls: &[String],
    progress: &dyn Progress,
) -> Result<(), Error> {
    let read = |source| unreadable(target, source);
    let layout = control.signature.layout();
    let file = LocalFile::open(target).map_err(read)?;
    if file.size() != layout.length() {
        return Err(gosync_publish::Error::Changed { path: target.to_owned() }.into());
    }
    let staged = StagedFile::create(output)?;
    let mut out = BufWriter::new(staged.file());
    let map = compress(&file, layout.block_size(), &mut out, progress).and_then(|map| out.flush().map(|()| map));
    drop(out);
    control.block_map = Some(map.map_err(|source| match source.kind() {
        io::ErrorKind::Interrupted => Cancelled.into(),
        _ => Error::Prepare { path: output.to_owned(), source },
    })?);
    let default = || output.file_name().and_then(|name| name.to_str()).map(as_url);
    control.z_urls = if urls.is_empty() { default().into_iter().collect() } else { urls.to_vec() };
    staged.commit()?;
    Ok(())
}

/// Makes the control file of `data`, without a name and a date.
fn make_of(data: &LocalFile, options: &MakeOptions, progress: &dyn Progress) -> Result<Control, SumError> {
    let length = data.size();
    // Larger blocks where the sums would be many.
    let block_size = options.block_size.unwrap_or(if length < 100_000_000 { 2048 } else { 4096 });
    // Whether it can be a layout is looked at before logarithms are taken of it.
    gosync_chunks::BlockLayout::new(length, block_size)?;
    let lengths = if options.as_0_6_2 { HashLengths::of_0_6_2 } else { HashLengths::of_0_6_3 };
    let hash_lengths = lengths(length, block_size);
    let weak = Weak { mask: key_mask(hash_lengths.weak), block_size };
    let strong_kind = options.strong_kind;
    let strong = strong_kind.hasher(hash_lengths.strong, block_size).expect("no more than MD4 has, the shortest");

    let sum_options = SumOptions { block_size, file_hash: false };
    let is_cancelled = || progress.is_cancelled();
    let with_sha256 = !options.as_0_6_2;
    // Each of these is one chain from the first byte to the last.
    let (sha1, (sha256, summed)) = rayon::join(
        || FileDigest::sha1(data, &is_cancelled),
        || {
            rayon::join(
                || with_sha256.then(|| FileDigest::sha256(data, &is_cancelled)).transpose(),
                || sum_target(data, &sum_options, &weak, strong, progress),
            )
        },
    );
    let hashed = |error: io::Error| match error.kind() {
        io::ErrorKind::Interrupted => Cancelled.into(),
        _ => SumError::Read(error),
    };
    let signature = summed?.signature;
    let digests = [Some(sha1.map_err(hashed)?), sha256.map_err(hashed)?].into_iter().flatten().collect();
    Ok(Control {
        version: VERSION.to_owned(),
        file_name: None,
        z_file_name: None,
        modified: None,
        hash_lengths,
        strong_kind,
        urls: options.urls.clone(),
        z_urls: Vec::new(),
        digests,
        recompress: None,
        block_map: None,
        signature,
        ignored: Vec::new(),
    })
}

/// A name as the last part of a URL.
fn as_url(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+');
    utf8_percent_encode(name, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stream_as_of_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("name");
        std::fs::write(&file, [7; 5000]).unwrap();
        let of_file = make(&file, &MakeOptions::default(), &()).unwrap();
        let of_stream = make_of_stream(&mut &[7; 5000][..], &MakeOptions::default(), &()).unwrap();
        assert!(of_stream.file_name.is_none() && of_stream.modified.is_none() && of_stream.urls.is_empty());
        let (file_name, modified, urls) = (of_file.file_name, of_file.modified, of_file.urls);
        let named = Control { file_name, modified, urls, ..of_stream };
        assert!(named.write().unwrap() == make(&file, &MakeOptions::default(), &()).unwrap().write().unwrap());
    }
}
