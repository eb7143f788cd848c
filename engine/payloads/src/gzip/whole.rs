//! A target out of its gzip file, all of which is fetched.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, SinkError, Source, SourceError, Transfer};
use gosync_files::{LocalFile, write_all_at};

/// Fetches a gzip file into a temporary one, and decodes that from its beginning whenever
/// something in it is asked for.
pub struct Whole<'a> {
    location: String,
    source: &'a dyn Source,
    /// Of the target.
    length: u64,
    /// Once it has been fetched.
    file: Mutex<Option<File>>,
}

impl<'a> Whole<'a> {
    /// The target of `length` bytes in the gzip file that `source` has, which is called `location`
    /// in messages.
    pub fn new(location: String, source: &'a dyn Source, length: u64) -> Self {
        Self { location, source, length, file: Mutex::default() }
    }

    fn download(&self, transfer: &mut Transfer) -> Result<File, SourceError> {
        let size = self.source.size()?.ok_or_else(|| SourceError::Refused {
            location: self.location.to_owned(),
            reason: "it does not tell its length".into(),
        })?;
        let failed = |source| SourceError::Read { location: "a temporary file".into(), source };
        let file = tempfile::tempfile().map_err(failed)?;
        if size > 0 {
            *transfer += self.source.fetch(&[ByteRange::at(0, size)], &ToFile(&file))?;
        }
        Ok(file)
    }

    /// Hands on what comes out of `ranges`.
    fn inflate(&self, file: &File, ranges: &[ByteRange], sink: &dyn Sink) -> Result<(), SourceError> {
        let broken = |_| self.corrupt("it is not a sound gzip file");
        let reader = LocalFile::new("a temporary file".as_ref(), file.try_clone().map_err(broken)?).map_err(broken)?;
        let mut inflater = MultiGzDecoder::new(Reader { data: reader, at: 0 });
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        // What comes after the last range is not looked at: a bomb bursts in vain.
        while ranges.last().is_some_and(|last| at < last.end) {
            let read = inflater.read(&mut buffer).map_err(broken)?;
            if read == 0 || at > self.length {
                return Err(self.corrupt("what is in the gzip file is too short"));
            }
            deliver_wanted(ranges, at, &buffer[..read], sink).map_err(SourceError::Sink)?;
            at += read as u64;
        }
        Ok(())
    }

    fn corrupt(&self, reason: &str) -> SourceError {
        SourceError::Corrupt { location: self.location.clone(), reason: reason.into() }
    }
}

impl Source for Whole<'_> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.length))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut transfer = Transfer::default();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some(self.download(&mut transfer)?);
        }
        if let Some(file) = &*file {
            self.inflate(file, ranges, sink)?;
        }
        Ok(transfer)
    }

    fn limits(&self) -> Limits {
        Limits { bridged_gap: 0, ..self.source.limits() }
    }

    /// As with [`Pieces`](super::pieces::Pieces).
    fn reject(&self, _: &[ByteRange]) -> bool {
        if let Ok(Some(size)) = self.source.size() {
            self.source.reject(&[ByteRange::at(0, size)]);
        }
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

/// Bytes of a file in their order.
struct Reader {
    data: LocalFile,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = (self.data.size() - self.at).min(buffer.len() as u64) as usize;
        self.data.read_exact_at(self.at, &mut buffer[..len])?;
        self.at += len as u64;
        Ok(len)
    }
}

/// Puts bytes where they belong in a file.
struct ToFile<'a>(&'a File);

impl Sink for ToFile<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        Ok(write_all_at(self.0, data, offset)?)
    }
}
