//! Where the bytes of an index are, and how parts of them are read.

use std::fmt;
use std::sync::Arc;

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
    },
}

impl IndexBytes {
    /// Reads `ranges`, which ascend and do not overlap, one after another.
    ///
    /// # Errors
    ///
    /// When the source fails.
    pub(crate) fn read(&self, ranges: &[ByteRange]) -> Result<(Vec<u8>, Transfer), SourceError> {
        match self {
            Self::Here(bytes) => Ok((gathered(bytes, ranges), Transfer::default())),
            Self::There { source, location, start } => {
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
