//! Publishing: making the index of a target.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use gosync_chunks::{ByteRange, Cancelled, Progress, ReadAt};
use gosync_files::LocalFile;
use gosync_rollsum::RollingSum;
use gosync_sums::{Md5, Rolling, SumError, SumOptions, Xxh3, sum_target};

use crate::format::{Contents, Payload, WEAK_LEN, check_sizes, make, make_part};
use crate::layers::sums::{Failure, LayerSums, sum_layers};
use crate::layers::{choose, frames};
use crate::payload::{EncodeError, EncodeOptions, FrameLengths, PayloadLayout, Tables, encode};
use crate::{Error, Format, Index, IndexPart, Shard, TargetName};

/// go-sync's block size in bytes, where none is asked for.
const GO_SYNC_BLOCK_SIZE: u32 = 8192;

/// How to make an index.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The format to make it in.
    pub format: Format,
    /// Sizes of blocks in bytes, from the coarsest layer to the finest; chosen by the
    /// target's length when there are none. go-sync's format has one layer.
    pub block_sizes: Vec<u32>,
    /// How hard to compress the payload, in zstd's levels from 1 to 15, if it is to be:
    /// see [`build_compressed`].
    pub compress: Option<i32>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { format: Format::Layered, block_sizes: Vec::new(), compress: None }
    }
}

/// Bytes of a fine frame of a compressed payload, at most: the power of two that
/// [`PayloadLayout`] allows.
pub(crate) const MAX_FINE_FRAME: u32 = 32 << 10;

/// Bytes before a fine frame that it is compressed with. More make it hardly smaller, and
/// reading it slower.
const FINE_PREFIX: u32 = 64 << 10;

/// Bytes before a coarse frame that it is compressed with. They are read anew for each.
const COARSE_PREFIX: u32 = 256 << 10;

/// Makes the index of the file at `target`, on all threads of the current rayon pool.
///
/// The index names the target by its file name, if that is fit for it.
///
/// # Errors
///
/// When `target` cannot be read, changes meanwhile, or cannot be cut into such blocks.
pub fn build(target: &Path, options: &BuildOptions, progress: &dyn Progress) -> Result<Index, Error> {
    build_with(target, options, None, progress)
}

/// The same, and writes a compressed payload to `out`, which is to be published under
/// `name` beside the index. Both hold for our own format only.
///
/// # Errors
///
/// As [`build`], and when `out` cannot be written.
pub fn build_compressed(
    target: &Path,
    options: &BuildOptions,
    name: TargetName,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Index, Error> {
    build_with(target, options, Some((name, out)), progress)
}

/// Makes a part of the index of the file at `target`, in our own format. Of the target it
/// reads the first 64 KiB and what the part is of.
///
/// With a `payload`, as in [`build_compressed`], writes the part's there. What is a
/// little before it in the target is read too then, and samples of all the target.
///
/// # Errors
///
/// As [`build_compressed`].
pub fn build_part(
    target: &Path,
    shard: Shard,
    options: &BuildOptions,
    payload: Option<(TargetName, &mut (dyn Write + Send))>,
    progress: &dyn Progress,
) -> Result<IndexPart, Error> {
    read_unchanged(target, |file| {
        let sizes = block_sizes(file.size(), options, payload.is_some())?;
        let range = shard.range(file.size(), &sizes);
        let mut hasher = blake3::Hasher::new();
        let contents = match payload {
            Some((name, out)) => {
                let mut out = Hashed { out, hasher: &mut hasher };
                contents(target, file, range, &sizes, options, Some((name, &mut out)), progress)
            }
            None => contents(target, file, range, &sizes, options, None, progress),
        }?;
        let part = make_part(contents, range, *hasher.finalize().as_bytes());
        part.map_err(|_| Error::Layers { sizes })
    })
}

fn build_with(
    target: &Path,
    options: &BuildOptions,
    payload: Option<(TargetName, &mut (dyn Write + Send))>,
    progress: &dyn Progress,
) -> Result<Index, Error> {
    read_unchanged(target, |file| match options.format {
        Format::Layered => {
            let sizes = block_sizes(file.size(), options, payload.is_some())?;
            let all = ByteRange::at(0, file.size());
            let contents = contents(target, file, all, &sizes, options, payload, progress)?;
            make(contents).map(Index::of_layered).map_err(|_| Error::Layers { sizes })
        }
        Format::GoSync => build_go_sync(target, file, options, progress),
    })
}

/// Makes something of a file that does not change meanwhile.
fn read_unchanged<T>(target: &Path, make: impl FnOnce(&LocalFile) -> Result<T, Error>) -> Result<T, Error> {
    let read = |source| Error::Read { path: target.to_owned(), source };
    let file = File::open(target).map_err(read)?;
    let before = file.metadata().map_err(read)?;
    let file = LocalFile::new(target, file).map_err(read)?;
    let made = make(&file)?;
    let after = file.file().map(File::metadata).transpose().map_err(read)?;
    if after.is_some_and(|after| after.len() != before.len() || after.modified().ok() != before.modified().ok()) {
        return Err(Error::Changed { path: target.to_owned() });
    }
    Ok(made)
}

/// The block sizes of the layers of a target of `length` bytes.
fn block_sizes(length: u64, options: &BuildOptions, compressed: bool) -> Result<Vec<u32>, Error> {
    let sizes = match &options.block_sizes[..] {
        [] => choose::block_sizes(length, compressed),
        sizes => sizes.to_vec(),
    };
    if check_sizes(&sizes).is_err() { Err(Error::Layers { sizes }) } else { Ok(sizes) }
}

/// What the index has of `range`.
fn contents(
    path: &Path,
    target: &LocalFile,
    range: ByteRange,
    sizes: &[u32],
    options: &BuildOptions,
    payload: Option<(TargetName, &mut (dyn Write + Send))>,
    progress: &dyn Progress,
) -> Result<Contents, Error> {
    let length = target.size();
    // Before all the work.
    let layout = payload.as_ref().map(|_| payload_layout(length, sizes)).transpose()?;
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut start = vec![0; length.min(choose::SALTED) as usize];
    target.read_exact_at(0, &mut start).map_err(read)?;
    let salt = choose::salt(length, &start);
    let strong_len = choose::strong_len(length, sizes);
    let hasher = Xxh3::truncated(strong_len, salt).expect("3 to 16");

    let summed = sum_layers(target, range, sizes, &hasher, progress);
    let LayerSums { records, nodes } = summed.map_err(|failure| match failure {
        Failure::Read(source) => read(source),
        Failure::Cancelled => Error::Sum { path: path.to_owned(), source: Cancelled.into() },
    })?;
    let (payload, lengths) = match payload.zip(layout) {
        Some(((name, out), layout)) => {
            let options = EncodeOptions {
                level: options.compress.unwrap_or(EncodeOptions::default().level),
                whole: sizes.iter().copied().max().unwrap_or(1).into(),
            };
            let (payload, lengths) = compress(path, target, range, layout, &options, name, out, progress)?;
            (Some(payload), Some(lengths))
        }
        None => (None, None),
    };
    let layers = sizes.iter().zip(records).map(|(&size, records)| match (&payload, &lengths) {
        (Some(payload), Some(lengths)) => {
            let len = payload.lengths_len(size);
            let lengths = frames::encode(payload, size, range, lengths);
            let sums = records.chunks_exact(WEAK_LEN + strong_len).zip(lengths.chunks_exact(len));
            (size, len as u8, sums.flat_map(|(sums, lengths)| sums.iter().chain(lengths)).copied().collect())
        }
        _ => (size, 0, records),
    });
    let layers = layers.collect();
    Ok(Contents {
        target_name: path.file_name().and_then(|name| TargetName::new(name.to_str()?).ok()),
        length,
        strong_len,
        odds: choose::ODDS,
        salt,
        layers,
        payload,
        tree: nodes,
    })
}

/// How a target that is cut into blocks of `sizes` is cut into frames.
fn payload_layout(length: u64, sizes: &[u32]) -> Result<PayloadLayout, Error> {
    let impossible = || Error::PayloadLayers { sizes: sizes.to_vec() };
    let fine = sizes.last().copied().filter(|&fine| fine <= MAX_FINE_FRAME).ok_or_else(impossible)?;
    let coarse =
        sizes.iter().copied().filter(|size| (fine..=choose::COARSE_FRAME).contains(size)).max().unwrap_or(fine);
    PayloadLayout::new(length, fine, coarse)
        .and_then(|layout| layout.with_prefixes(FINE_PREFIX, COARSE_PREFIX))
        // As much again, for what was inserted before or in a frame.
        .and_then(|layout| layout.with_regions(2 * fine, 2 * coarse))
        .map_err(|_| impossible())
}

/// Writes the payload of `range` of the target to `out`.
#[expect(clippy::too_many_arguments, reason = "one call of one function")]
fn compress(
    path: &Path,
    target: &LocalFile,
    range: ByteRange,
    layout: PayloadLayout,
    options: &EncodeOptions,
    name: TargetName,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<(Payload, FrameLengths), Error> {
    let tables = Tables::train(target, &layout, options.level);
    let tables = tables.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let lengths = encode(target, &layout, &tables, range, options, out, progress);
    let lengths = lengths.map_err(|error| match error {
        EncodeError::Read(source) => Error::Read { path: path.to_owned(), source },
        EncodeError::Cancelled => Error::Sum { path: path.to_owned(), source: Cancelled.into() },
        EncodeError::Write(source) => Error::Publish { location: name.as_str().into(), source },
    })?;
    let preamble = tables.preamble().to_vec();
    Ok((Payload { name, layout, preamble, len: lengths.payload_len() }, lengths))
}

/// Takes the hash of what is written.
struct Hashed<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: &'a mut blake3::Hasher,
}

impl Write for Hashed<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.out.write(data)?;
        self.hasher.update(&data[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn build_go_sync(
    path: &Path,
    target: &LocalFile,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Index, Error> {
    let block_size = match options.block_sizes[..] {
        [] => GO_SYNC_BLOCK_SIZE,
        [size] => size,
        _ => return Err(Error::Layers { sizes: options.block_sizes.clone() }),
    };
    let sum_options = SumOptions { block_size, file_hash: false };
    let summed = sum_target(target, &sum_options, &Rolling(RollingSum::Rsync), Arc::new(Md5::full()), progress);
    let summed = summed.map_err(|source| match source {
        SumError::Read(source) => Error::Read { path: path.to_owned(), source },
        source => Error::Sum { path: path.to_owned(), source },
    })?;
    Ok(Index::go_sync(summed.signature).expect("summed with the sums of the format"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadOptions;
    use crate::payload::FrameKind;
    use gosync_sums::FileHasher;

    #[test]
    fn both_formats_at_every_boundary() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target.bin");
        for length in [0, 1, 1023, 1024, 1025, 100_000] {
            let data: Vec<u8> = (0..length).map(|i: u32| i.wrapping_mul(i) as u8).collect();
            std::fs::write(&path, &data).unwrap();
            for format in [Format::Layered, Format::GoSync] {
                let options = BuildOptions { format, block_sizes: vec![1024], compress: None };
                let index = build(&path, &options, &()).unwrap();
                assert_eq!(index.length(), data.len() as u64);
                assert_eq!(index.file_hash().is_some(), format == Format::Layered);
                assert!(index.file_hash().is_none_or(|hash| hash == FileHasher::hash(&data)));
                let mut bytes = Vec::new();
                index.write(&mut bytes).unwrap();
                assert_eq!(Index::read(bytes.as_slice(), &ReadOptions::default()).unwrap(), index);
            }
        }
    }

    #[test]
    fn layers_of_a_payload() {
        for (sizes, fine, coarse) in
            [(&[32768][..], 32768, 32768), (&[1 << 20, 131_072, 4096], 4096, 4096), (&[65536, 8192, 256], 256, 65536)]
        {
            let layout = payload_layout(1 << 20, sizes).unwrap();
            assert_eq!([FrameKind::Fine, FrameKind::Coarse].map(|kind| layout.frame_size(kind)), [fine, coarse]);
        }
        for sizes in [&[65536][..], &[1 << 20, 131_072], &[65536 * 2, 65536]] {
            assert!(matches!(payload_layout(1 << 20, sizes), Err(Error::PayloadLayers { .. })), "{sizes:?}");
        }
    }

    #[test]
    fn errors_name_the_file() {
        let missing = build(Path::new("no/such/file"), &BuildOptions::default(), &()).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read no/such/file");
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(build(directory.path(), &BuildOptions::default(), &()), Err(Error::Read { .. })));
        let file = directory.path().join("file");
        std::fs::write(&file, b"data").unwrap();
        for block_size in [0, 1 << 31] {
            let options = BuildOptions { block_sizes: vec![block_size], format: Format::GoSync, compress: None };
            assert!(matches!(build(&file, &options, &()), Err(Error::Sum { source: SumError::Layout(_), .. })));
            let options = BuildOptions { block_sizes: vec![block_size], ..BuildOptions::default() };
            assert!(matches!(build(&file, &options, &()), Err(Error::Layers { .. })));
        }
    }
}
