//! A target that is published as it is, compressed, or both.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use gosync_chunks::{ByteRange, Limits, LocalFile, ReadAt, Sink, SinkError, Source, SourceError, Transfer};
use gosync_patcher::write_all_at;

/// Serves ranges of a target from the place that has it as it is, or from within its gzip
/// file where that is smaller than what is wanted, or is all there is.
///
/// A gzip file is fetched whole: to begin in its middle takes the 32 KiB of the target that
/// stand before, which nobody here has.
pub(crate) struct Published {
    plain: Option<Box<dyn Source>>,
    compressed: Option<Compressed>,
    length: u64,
}

/// The gzip file.
struct Compressed {
    location: String,
    source: Box<dyn Source>,
    /// Once it has been fetched.
    file: Mutex<Option<File>>,
}

impl Published {
    /// Of a target of `length` bytes. `compressed` comes with its location.
    pub(crate) fn new(
        plain: Option<Box<dyn Source>>,
        compressed: Option<(String, Box<dyn Source>)>,
        length: u64,
    ) -> Self {
        let compressed = compressed.map(|(location, source)| Compressed { location, source, file: Mutex::default() });
        Self { plain, compressed, length }
    }

    /// The gzip file, if fetching all of it is cheaper than `wanted` bytes.
    fn cheaper(&self, wanted: u64) -> Option<&Compressed> {
        let compressed = self.compressed.as_ref()?;
        if self.plain.is_none() {
            return Some(compressed);
        }
        // Not to be asked for where it can hardly be worth it.
        let size = if wanted >= self.length / 8 { compressed.source.size().ok().flatten()? } else { return None };
        (size < wanted).then_some(compressed)
    }
}

impl Source for Published {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.plain.as_ref().map_or(Ok(Some(self.length)), |plain| plain.size())
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let wanted = ranges.iter().map(|range| range.len()).sum();
        match (self.cheaper(wanted), &self.plain) {
            (Some(compressed), _) => compressed.fetch(ranges, self.length, sink),
            (None, Some(plain)) => plain.fetch(ranges, sink),
            (None, None) => Ok(Transfer::default()),
        }
    }

    fn limits(&self) -> Limits {
        let source = self.plain.as_ref().or(self.compressed.as_ref().map(|compressed| &compressed.source));
        source.map_or(Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 1 }, |source| source.limits())
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        self.plain.as_ref().is_some_and(|plain| plain.reject(ranges))
    }
}

impl Compressed {
    fn fetch(&self, ranges: &[ByteRange], length: u64, sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut transfer = Transfer::default();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some(self.download(&mut transfer)?);
        }
        if let Some(file) = &*file {
            self.inflate(file, ranges, length, sink)?;
        }
        Ok(transfer)
    }

    /// The whole file, in a temporary one without a name.
    fn download(&self, transfer: &mut Transfer) -> Result<File, SourceError> {
        let size = self.source.size()?.ok_or_else(|| self.refused("it does not tell its length"))?;
        let failed = |source| SourceError::Read { location: "a temporary file".into(), source };
        let file = tempfile::tempfile().map_err(failed)?;
        if size > 0 {
            *transfer += self.source.fetch(&[ByteRange::at(0, size)], &Spool(&file))?;
        }
        Ok(file)
    }

    /// Hands on what comes out of `ranges`.
    fn inflate(&self, file: &File, ranges: &[ByteRange], length: u64, sink: &dyn Sink) -> Result<(), SourceError> {
        let broken = |_| self.refused("it is not a sound gzip file");
        let reader = LocalFile::new("a temporary file".as_ref(), file.try_clone().map_err(broken)?).map_err(broken)?;
        let mut inflater = MultiGzDecoder::new(Reader { data: reader, at: 0 });
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        let mut ranges = ranges.iter().copied().peekable();
        // What comes after the last range is not looked at: a bomb bursts in vain.
        while let Some(range) = ranges.peek().copied() {
            if at >= range.end {
                ranges.next();
                continue;
            }
            let read = inflater.read(&mut buffer).map_err(broken)?;
            if read == 0 || at > length {
                return Err(self.refused("what is in the gzip file is too short"));
            }
            let piece = ByteRange::at(at, read as u64);
            at = piece.end;
            let mut rest = ranges.clone();
            while let Some(range) = rest.next_if(|range| range.start < piece.end) {
                let (start, end) = (range.start.max(piece.start), range.end.min(piece.end));
                if start < end {
                    let bytes = &buffer[(start - piece.start) as usize..(end - piece.start) as usize];
                    sink.deliver(start, bytes).map_err(SourceError::Sink)?;
                }
            }
        }
        Ok(())
    }

    fn refused(&self, reason: &str) -> SourceError {
        SourceError::Refused { location: self.location.clone(), reason: reason.into() }
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
struct Spool<'a>(&'a File);

impl Sink for Spool<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        Ok(write_all_at(self.0, data, offset)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::compress;
    use super::*;
    use gosync_testkit::corpus;
    use gosync_testkit::source::{MemorySink, MemorySource};

    fn fetch(source: &Published, ranges: &[ByteRange], data: &[u8]) -> Transfer {
        let sink = MemorySink::new(ranges);
        let transfer = source.fetch(ranges, &sink).unwrap();
        for (found, range) in sink.finish().iter().zip(ranges) {
            assert!(found == &data[range.start as usize..range.end as usize]);
        }
        transfer
    }

    #[test]
    fn whichever_is_cheaper() {
        let data = corpus::text(1, 1_000_000);
        let mut gzip = Vec::new();
        compress(&data, 2048, &mut gzip, &()).unwrap();
        let memory = |data: &[u8]| -> Box<dyn Source> { Box::new(MemorySource::new(data.to_vec())) };
        let packed = || Some(("x.gz".to_owned(), memory(&gzip)));
        let length = data.len() as u64;
        let (few, all) = ([ByteRange::at(10, 5000), ByteRange::at(900_000, 1)], [ByteRange::at(0, length)]);
        let both = Published::new(Some(memory(&data)), packed(), length);
        assert_eq!(fetch(&both, &few, &data).bytes, 5001);
        assert_eq!(fetch(&both, &all, &data).bytes, gzip.len() as u64);
        assert_eq!(fetch(&both, &all, &data).bytes, 0, "it is here already");
        let only = Published::new(None, packed(), length);
        assert_eq!(fetch(&only, &few, &data).bytes, gzip.len() as u64);
        for damaged in [&gzip[..gzip.len() / 2], b"no gzip"] {
            let source = Published::new(None, Some(("x.gz".to_owned(), memory(damaged))), length);
            assert!(source.fetch(&all, &MemorySink::new(&all)).is_err());
        }
    }
}
