//! Publishing a file: its index, and beside that its payload.

use std::io;
use std::path::{Path, PathBuf};

use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{Progress, ReadAt, TargetName};
use gosync_layers::format::{IndexPart, Shard};
use gosync_publish::{
    Build, BuildOptions, Destination, Note, PAYLOAD_SUFFIX, PayloadOut, build_file, keep_apart, merge_files,
    publish_part,
};

use crate::error::Error;
use crate::format::Format;
use crate::go_sync::GoSyncIndex;
use crate::index::Index;

/// Makes indexes of files, and puts them where clients find them.
#[derive(Clone, Copy)]
pub struct Publisher<'a> {
    /// The format to make indexes in.
    pub format: Format,
    /// How to make them. go-sync's format has one layer and no compressed payload.
    pub options: &'a BuildOptions,
    /// How to reach object stores.
    pub sources: &'a SourceOptions,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

impl Publisher<'_> {
    /// Makes the index of the file at `target`, on all threads of the current rayon pool. With
    /// `payload`, a file or an object beside where the index will be, writes its compressed
    /// payload there.
    ///
    /// # Errors
    ///
    /// When `target` cannot be read, changes meanwhile, or cannot be cut into such blocks; when the
    /// payload cannot be written, or the last part of its location is no file name for an index to
    /// give.
    pub fn build(&self, target: &Path, payload: Option<&Location>) -> Result<Index, Error> {
        if self.format == Format::GoSync {
            return GoSyncIndex::build(target, self.block_size()?, self.progress).map(Index::GoSync);
        }
        keep_apart(payload.as_slice(), &[target])?;
        let index = build_file(target, self.options, self.progress, |build| match payload {
            None => build.index(None),
            Some(location) => {
                let payload = Destination::new(location, self.sources);
                let name = TargetName::new(location.file_name().unwrap_or_default());
                let name = name.map_err(|error| payload.failed(io::Error::other(error)))?;
                Ok(payload.write(|out| build.index(Some(PayloadOut { name, out })))?.0)
            }
        })?;
        Ok(Index::Layered(index))
    }

    /// Makes the index of `target`, wherever its bytes are, on all threads of the current rayon
    /// pool. The index calls it `name`, if anything. They must not change meanwhile.
    ///
    /// # Errors
    ///
    /// When it cannot be read or cut into such blocks, or `name` is no file name for an index to give.
    pub fn build_of(&self, target: &dyn ReadAt, name: Option<&str>) -> Result<Index, Error> {
        let called = name.unwrap_or("the target");
        if self.format == Format::GoSync {
            return GoSyncIndex::of(target, called, self.block_size()?, self.progress).map(Index::GoSync);
        }
        let unfit = |error| gosync_publish::Error::Read { target: called.into(), source: io::Error::other(error) };
        let name = name.map(TargetName::new).transpose().map_err(unfit)?;
        let (options, progress) = (self.options, self.progress);
        let build = Build { target, called, name, sections: Vec::new(), options, progress };
        Ok(Index::Layered(build.index(None)?))
    }

    /// The block size of an index of go-sync, where one is asked for.
    fn block_size(&self) -> Result<Option<u32>, Error> {
        match self.options.block_sizes[..] {
            [] => Ok(None),
            [size] => Ok(Some(size)),
            _ => Err(gosync_publish::Error::Layers { sizes: self.options.block_sizes.clone() }.into()),
        }
    }

    /// Where the compressed payload of `target` belongs, if there is to be one, when its index
    /// will be at `index`.
    pub fn payload_location(&self, target: &Path, index: &Location) -> Option<Location> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let is_compressed = self.options.compress.is_some() && self.format == Format::Layered;
        is_compressed.then(|| index.beside(&format!("{name}{PAYLOAD_SUFFIX}")))
    }

    /// Makes a part of the index of the file at `target`, in our own format, and writes it to
    /// `location`, with its payload beside it.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and when something cannot be written.
    pub fn part(&self, target: &Path, shard: Shard, location: &Location) -> Result<IndexPart, Error> {
        Ok(publish_part(target, shard, self.options, location, self.sources, self.progress)?)
    }

    /// Makes one index of all its parts, given in any order; their payload, if they have one, is
    /// written beside `location`, where the index will be.
    ///
    /// # Errors
    ///
    /// When a part cannot be read or is damaged, parts do not go together or do not make up the
    /// whole target, or the payload cannot be written.
    pub fn merge(&self, parts: &[PathBuf], location: &Location) -> Result<Index, Error> {
        Ok(Index::Layered(merge_files(parts, location, self.sources, self.progress)?))
    }

    /// Writes `index` to `location`, a file or an object, which it replaces only when it is
    /// complete. Returns what could not be done for a file, apart from its content.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or `location` is no place that can be written to.
    pub fn write(&self, index: &Index, location: &Location) -> Result<Vec<Note>, Error> {
        Ok(Destination::new(location, self.sources).put(|writer| index.write(writer))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadOptions;
    use gosync_publish::Error as PublishError;
    use gosync_sums::{FileHasher, SumError};

    fn build(path: &Path, format: Format, block_sizes: Vec<u32>) -> Result<Index, Error> {
        let (options, sources) = (BuildOptions { block_sizes, compress: None }, SourceOptions::default());
        Publisher { format, options: &options, sources: &sources, progress: &() }.build(path, None)
    }

    #[test]
    fn both_formats_at_every_boundary() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target.bin");
        for length in [0, 1, 1023, 1024, 1025, 100_000] {
            let data: Vec<u8> = (0..length).map(|i: u32| i.wrapping_mul(i) as u8).collect();
            std::fs::write(&path, &data).unwrap();
            for format in [Format::Layered, Format::GoSync] {
                let index = build(&path, format, vec![1024]).unwrap();
                let info = index.info();
                assert_eq!((info.format, info.length), (format, data.len() as u64));
                assert_eq!(info.file_hash.is_some(), format == Format::Layered);
                assert!(info.file_hash.is_none_or(|hash| hash == FileHasher::hash(&data)));
                let mut bytes = Vec::new();
                index.write(&mut bytes).unwrap();
                assert_eq!(Index::read(bytes.as_slice(), &ReadOptions::default()).unwrap(), index);
            }
        }
    }

    #[test]
    fn errors_name_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, b"data").unwrap();
        for format in [Format::Layered, Format::GoSync] {
            let missing = build(Path::new("no/such/file"), format, vec![]).unwrap_err();
            assert_eq!(missing.to_string(), "cannot read no/such/file");
            let unreadable = build(directory.path(), format, vec![]);
            assert!(matches!(unreadable, Err(Error::Publish(PublishError::Read { .. }))), "{unreadable:?}");
        }
        for block_size in [0, 1 << 31] {
            let made = build(&file, Format::GoSync, vec![block_size]);
            assert!(matches!(made, Err(Error::Sum { source: SumError::Layout(_), .. })), "{made:?}");
            let made = build(&file, Format::Layered, vec![block_size]);
            assert!(matches!(made, Err(Error::Publish(PublishError::Layers { .. }))), "{made:?}");
        }
        let made = build(&file, Format::GoSync, vec![1024, 64]);
        assert!(matches!(made, Err(Error::Publish(PublishError::Layers { .. }))), "it has one layer: {made:?}");
    }
}
