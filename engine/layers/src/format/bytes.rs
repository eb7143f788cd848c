//! Where the bytes of an index are, and how parts of them are read.

use std::fmt;
use std::sync::{Arc, OnceLock};

use gosync_blocksources::read_ranges;
use gosync_chunks::{ByteRange, Source, SourceError, Transfer};

/// The bytes of an index: here, or somewhere that gives any part of them.
#[derive(Clone)]
pub(crate) enum IndexBytes {
    /// In memory.
    Here(Arc<Vec<u8>>),
    /// Behind a source.
    There {
        /// The source.
        source: Arc<dyn Source>,
        /// What it is called in messages.
        location: Arc<str>,
        /// The first bytes, which were read already.
        start: Arc<Vec<u8>>,
        /// A longer beginning, if that was read since.
        longer: Arc<OnceLock<Vec<u8>>>,
    },
}

impl IndexBytes {
    /// Those behind `source`, of which `start` was read.
    pub(crate) fn there(source: Arc<dyn Source>, location: &str, start: Vec<u8>) -> Self {
        Self::There { source, location: location.into(), start: Arc::new(start), longer: Arc::default() }
    }

    /// Reads `ranges`, which ascend and do not overlap, one after another.
    ///
    /// # Errors
    ///
    /// When the source fails.
    pub(crate) fn read(&self, ranges: &[ByteRange]) -> Result<(Vec<u8>, Transfer), SourceError> {
        match self {
            Self::Here(bytes) => Ok((gathered(bytes, ranges), Transfer::default())),
            Self::There { source, location, start, longer } => {
                let start = longer.get().unwrap_or(start);
                let known = start.len() as u64;
                let split = ranges.partition_point(|range| range.end <= known);
                let mut bytes = gathered(start, &ranges[..split]);
                let mut rest = ranges[split..].to_vec();
                if let Some(first) = rest.first_mut().filter(|first| first.start < known) {
                    bytes.extend_from_slice(&start[first.start as usize..]);
                    first.start = known;
                }
                if rest.is_empty() {
                    return Ok((bytes, Transfer::default()));
                }
                let (read, transfer) = read_ranges(&**source, location, &rest)?;
                bytes.extend(read);
                Ok((bytes, transfer))
            }
        }
    }

    /// Reads `range`, and in the same request the beginning up to `end`, which is kept.
    ///
    /// # Errors
    ///
    /// When the source fails.
    pub(crate) fn read_with_start(&self, end: u64, range: ByteRange) -> Result<(Vec<u8>, Transfer), SourceError> {
        let Self::There { start, longer, .. } = self else { return self.read(&[range]) };
        let known = start.len() as u64;
        let more = ByteRange { start: known, end: end.min(range.start) };
        if more.start >= more.end || longer.get().is_some() {
            return self.read(&[range]);
        }
        let (mut bytes, transfer) = self.read(&[more, range])?;
        let read = bytes.split_off(more.len() as usize);
        let _ = longer.set([&start[..], &bytes].concat());
        Ok((read, transfer))
    }
}

fn gathered(bytes: &[u8], ranges: &[ByteRange]) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(ranges.iter().map(|range| range.len() as usize).sum());
    ranges.iter().for_each(|range| gathered.extend_from_slice(&bytes[range.start as usize..range.end as usize]));
    gathered
}

/// What it is called in messages.
impl fmt::Display for IndexBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(bytes) => write!(formatter, "{} bytes", bytes.len()),
            Self::There { location, .. } => formatter.write_str(location),
        }
    }
}

impl fmt::Debug for IndexBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_blocksources::MemorySource;

    #[test]
    fn a_beginning_that_is_read_with_something_else_is_not_read_again() {
        let data: Vec<u8> = (0..200).collect();
        let bytes = IndexBytes::there(Arc::new(MemorySource::new(data.clone())), "it", data[..50].to_vec());
        let range = ByteRange { start: 150, end: 180 };
        let (read, transfer) = bytes.read_with_start(100, range).unwrap();
        assert_eq!((&read[..], transfer.bytes), (&data[150..180], 80));
        let (read, transfer) = bytes.read(&[ByteRange { start: 40, end: 90 }]).unwrap();
        assert_eq!((&read[..], transfer), (&data[40..90], Transfer::default()));
        let (read, transfer) = bytes.read(&[ByteRange { start: 90, end: 110 }]).unwrap();
        assert_eq!((&read[..], transfer.bytes), (&data[90..110], 10));
        assert_eq!(bytes.read_with_start(100, range).unwrap().1.bytes, 30);
    }
}
