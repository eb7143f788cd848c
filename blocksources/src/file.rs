//! A target that is a local file.

use std::path::Path;
use std::thread;
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, Source, SourceError, Transfer};
use gosync_files::LocalFile;
use gosync_files::ReadBuffer;

use crate::ranges::split;
use crate::workers::{Worker, fan_out};

/// Bytes read at once by each thread.
const PIECE: u64 = 1 << 20;

/// More threads than this keep no disk busier.
const MOST_THREADS: usize = 4;

/// A file or block device as a source.
#[derive(Debug)]
pub struct FileSource {
    file: LocalFile,
    threads: usize,
}

impl FileSource {
    /// Opens the file at `path`. Its size is taken now and not looked at again.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or is neither a file nor a block device.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let file = LocalFile::open(path).map_err(|error| SourceError::of_file(path.display().to_string(), error))?;
        Ok(Self::new(file))
    }

    /// Serves `file` on up to as many threads as the machine has cores, at most 4.
    pub fn new(file: LocalFile) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { file, threads: cores.min(MOST_THREADS) }
    }

    /// Reads on up to `threads` threads, the calling one included. They run the sink too.
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    fn location(&self) -> String {
        self.file.path().display().to_string()
    }
}

impl Source for FileSource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.file.size()))
    }

    /// Delivers pieces of up to a mebibyte. Nobody is asked for them: there are no requests.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let size = self.file.size();
        if let Some(last) = ranges.iter().find(|range| range.end > size) {
            return Err(SourceError::Length { location: self.location(), expected: last.end, actual: size });
        }
        let wanted = || ranges.iter().filter(|range| !range.is_empty());
        let pieces = wanted().flat_map(|&range| split(range, PIECE));
        // A thread that would read less than a piece is not worth its start.
        let bytes: u64 = wanted().map(|range| range.len()).sum();
        let threads = self.threads.min(usize::try_from(bytes / PIECE).unwrap_or(usize::MAX)).max(1);

        fan_out(threads, pieces, |worker: &mut Worker<'_, ReadBuffer>, piece| {
            let data =
                worker.scratch.read(&self.file, piece).map_err(|error| SourceError::of_file(self.location(), error))?;
            worker.transfer.bytes += piece.len();
            sink.deliver(piece.start, data).map_err(SourceError::Sink)
        })
    }

    fn limits(&self) -> Limits {
        Limits { request_size: PIECE, bridged_gap: 0, parallelism: self.threads }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }

    fn modified(&self) -> Option<SystemTime> {
        self.file.file()?.metadata().ok()?.modified().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_chunks::SinkError;
    use std::error::Error as _;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Count(AtomicU64);

    impl Sink for Count {
        fn deliver(&self, _: u64, data: &[u8]) -> Result<(), SinkError> {
            self.0.fetch_add(data.len() as u64, Ordering::Relaxed);
            Ok(())
        }
    }

    #[test]
    fn errors_name_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none");
        let error = FileSource::open(&path).unwrap_err();
        assert!(matches!(&error, SourceError::NotFound { location, .. } if *location == path.display().to_string()));
        assert!(error.to_string().starts_with(&format!("cannot find {}: ", path.display())), "{error}");
        // There is nothing in a file.
        std::fs::write(&path, "").unwrap();
        let error = FileSource::open(&path.join("beneath")).unwrap_err();
        assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
        let error = FileSource::open(directory.path()).unwrap_err();
        assert!(matches!(error, SourceError::Read { .. }) && error.source().is_some(), "{error:?}");
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, [7; 5000]).unwrap();
        let source = FileSource::open(&path).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4999).unwrap();
        let count = Count(AtomicU64::new(0));
        assert_eq!(source.fetch(&[ByteRange::at(0, 4999)], &count).unwrap().bytes, 4999);
        let error = source.fetch(&[ByteRange::at(4000, 1000)], &count).unwrap_err();
        assert!(matches!(error, SourceError::Read { .. }), "{error:?}");
    }

    #[test]
    fn pieces_on_any_number_of_threads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, vec![1; 5 * PIECE as usize + 1]).unwrap();
        for threads in [0, 1, 2, 20] {
            let source = FileSource::open(&path).unwrap().with_threads(threads);
            let count = Count(AtomicU64::new(0));
            let ranges = [ByteRange::at(0, PIECE - 1), ByteRange::at(PIECE, 0), ByteRange::at(PIECE + 1, 4 * PIECE)];
            let transfer = source.fetch(&ranges, &count).unwrap();
            assert_eq!(transfer, Transfer { bytes: 5 * PIECE - 1, requests: 0 });
            assert_eq!(count.0.into_inner(), transfer.bytes);
        }
    }
}
