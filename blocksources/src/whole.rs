//! What is read into memory: whole documents, and some ranges of one.

use std::sync::{Mutex, PoisonError};

use gosync_chunks::ranges::within;
use gosync_chunks::{ByteRange, Sink, SinkError, Source, SourceError, Transfer};

use crate::ranges::RangeSet;

/// Fetches all that `source`, which is at `location`, has.
///
/// # Errors
///
/// When it has more than `limit` bytes, does not tell how many, or does not deliver.
pub fn read_all(source: &dyn Source, location: &str, limit: u64) -> Result<(Vec<u8>, Transfer), SourceError> {
    let size = source.size()?.ok_or_else(|| SourceError::Refused {
        location: location.into(),
        reason: "it does not tell its length".into(),
    })?;
    if size > limit {
        return Err(SourceError::TooLong { location: location.into(), limit });
    }
    read_ranges(source, location, &[ByteRange::at(0, size)])
}

/// Bytes that are reserved before they arrive: ranges can be as long as somebody else says.
const PIECE: u64 = 64 << 20;

/// Fetches `ranges`, which ascend and do not overlap, and puts them one after another.
///
/// Memory follows what arrives: at most 64 MiB are asked for at once.
///
/// # Errors
///
/// When the source fails, or does not deliver all of them.
pub fn read_ranges(
    source: &dyn Source,
    location: &str,
    ranges: &[ByteRange],
) -> Result<(Vec<u8>, Transfer), SourceError> {
    let mut data = Vec::new();
    let mut transfer = Transfer::default();
    for piece in pieces(ranges, PIECE) {
        let (read, fetched) = read_piece(source, location, &piece)?;
        // One piece is mostly all there is.
        if data.is_empty() {
            data = read;
        } else {
            data.extend(read);
        }
        transfer += fetched;
    }
    Ok((data, transfer))
}

/// Cuts `ranges` into parts of up to `most` bytes.
fn pieces(ranges: &[ByteRange], most: u64) -> Vec<Vec<ByteRange>> {
    let mut pieces: Vec<Vec<ByteRange>> = vec![Vec::new()];
    let mut room = most;
    for &(mut range) in ranges {
        while range.len() > room {
            let (first, rest) = (ByteRange::at(range.start, room), range.start + room);
            pieces.last_mut().expect("there is one").extend((room > 0).then_some(first));
            pieces.push(Vec::new());
            (range.start, room) = (rest, most);
        }
        room -= range.len();
        pieces.last_mut().expect("there is one").push(range);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn read_piece(source: &dyn Source, location: &str, ranges: &[ByteRange]) -> Result<(Vec<u8>, Transfer), SourceError> {
    let mut missing = RangeSet::default();
    let mut starts = Vec::with_capacity(ranges.len());
    let mut len = 0;
    for &range in ranges {
        missing.insert(range);
        starts.push(len);
        len += range.len() as usize;
    }
    let parts = Parts { ranges, starts, state: Mutex::new((vec![0; len], missing)) };
    let transfer = source.fetch(ranges, &parts)?;
    let (data, missing) = parts.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match missing.iter().next() {
        None => Ok((data, transfer)),
        Some(range) => {
            Err(SourceError::Refused { location: location.into(), reason: format!("bytes {range} did not come") })
        }
    }
}

/// Takes what was asked for, once, and nothing else.
struct Parts<'a> {
    ranges: &'a [ByteRange],
    /// Where each range goes.
    starts: Vec<usize>,
    state: Mutex<(Vec<u8>, RangeSet)>,
}

impl Sink for Parts<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let window = ByteRange::at(offset, data.len() as u64);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (parts, missing) = &mut *state;
        for piece in missing.remove(window) {
            // A piece may span ranges that touch.
            for part in within(self.ranges, piece) {
                let at = self.ranges.partition_point(|range| range.end <= part.start);
                let to = self.starts[at] + (part.start - self.ranges[at].start) as usize;
                let from = (part.start - offset) as usize;
                let len = part.len() as usize;
                parts[to..to + len].copy_from_slice(&data[from..from + len]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::corpus;
    use gosync_testkit::source::MemorySource;

    #[test]
    fn reads_all_within_the_limit() {
        for length in [0, 1, 100_000] {
            let data = corpus::random(1, length);
            let source = MemorySource::new(data.clone());
            let (read, transfer) = read_all(&source, "there", length as u64).unwrap();
            assert!(read == data && transfer.bytes == length as u64);
            if length > 0 {
                let error = read_all(&source, "there", length as u64 - 1).unwrap_err();
                let is_right = matches!(error, SourceError::TooLong { limit, .. } if limit == length as u64 - 1);
                assert!(is_right, "{error:?}");
            }
        }
        let error = read_all(&MemorySource::awkward(vec![1], 1), "there", 9).unwrap_err();
        assert_eq!(error.to_string(), "there does not deliver: it does not tell its length");
    }

    #[test]
    fn pieces_are_all_that_was_asked_for() {
        let range = |start, end| ByteRange { start, end };
        let ranges = [range(0, 10), range(10, 35), range(40, 40), range(41, 45), range(50, 51)];
        assert_eq!(pieces(&ranges, 100), [ranges.to_vec()]);
        let cut = pieces(&ranges, 10);
        assert!(cut.iter().all(|piece| piece.iter().map(|range| range.len()).sum::<u64>() <= 10));
        let bytes = |ranges: &[ByteRange]| ranges.iter().flat_map(|range| range.start..range.end).collect::<Vec<_>>();
        assert_eq!((cut.len(), bytes(&cut.concat())), (4, bytes(&ranges)));
        assert!(pieces(&[], 10).is_empty());
    }

    #[test]
    fn puts_ranges_one_after_another() {
        let data = corpus::random(2, 50_000);
        let range = |start, end| ByteRange { start, end };
        let ranges = [range(0, 10), range(10, 300), range(301, 301), range(9_000, 40_000), range(49_999, 50_000)];
        let expected: Vec<u8> =
            ranges.iter().flat_map(|range| data[range.start as usize..range.end as usize].to_vec()).collect();
        for source in [MemorySource::new(data.clone()), MemorySource::awkward(data.clone(), 7)] {
            assert!(read_ranges(&source, "there", &ranges).unwrap().0 == expected);
        }
        assert!(read_ranges(&MemorySource::new(data), "there", &[range(49_999, 50_001)]).is_err());
    }
}
