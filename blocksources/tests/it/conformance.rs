//! One set of promises, kept by every source.

use std::path::Path;

use gosync_blocksources::{FileSource, HttpOptions, HttpSource, MemorySource};
use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use gosync_server::{RunningServer, Server};
use gosync_testkit::conformance::source_conformance;
use tempfile::TempDir;

#[test]
fn memory() {
    source_conformance(|data| Box::new(MemorySource::new(data)));
}

#[test]
fn file() {
    for threads in [1, 3] {
        source_conformance(|data| {
            let directory = directory_with(&data);
            let source = FileSource::open(&directory.path().join("file")).unwrap().with_threads(threads);
            Box::new(Kept { source, _beside: directory })
        });
    }
}

#[test]
fn http() {
    source_conformance(|data| Box::new(served(&data, HttpOptions::default())));
}

#[test]
fn http_on_one_connection() {
    let options = HttpOptions { connections: 0, ..HttpOptions::default() };
    source_conformance(|data| Box::new(served(&data, options.clone())));
}

#[test]
fn http_in_small_requests() {
    let options =
        HttpOptions { connections: 16, request_size: Some(5000), bridged_gap: Some(300), ..HttpOptions::default() };
    source_conformance(|data| Box::new(served(&data, options.clone())));
}

/// A source, and what has to live as long as it does.
pub(crate) struct Kept<S, Beside> {
    pub(crate) source: S,
    pub(crate) _beside: Beside,
}

impl<S: Source, Beside: Send + Sync> Source for Kept<S, Beside> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.source.size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        self.source.fetch(ranges, sink)
    }

    fn limits(&self) -> Limits {
        self.source.limits()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        self.source.reject(ranges)
    }

    fn reads_rebuilt(&self) -> bool {
        self.source.reads_rebuilt()
    }
}

/// A scratch directory that holds `data` in `file`.
pub(crate) fn directory_with(data: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), data).unwrap();
    directory
}

pub(crate) fn serve(root: &Path) -> RunningServer {
    Server::bind(root, "127.0.0.1:0".parse().unwrap()).unwrap().spawn().unwrap()
}

fn served(data: &[u8], options: HttpOptions) -> Kept<HttpSource, (RunningServer, TempDir)> {
    let directory = directory_with(data);
    let server = serve(directory.path());
    let source = HttpSource::new(&format!("{}/file", server.url()), options).unwrap();
    Kept { source, _beside: (server, directory) }
}
