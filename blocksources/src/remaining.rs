//! What is still to come of a fetch that takes several attempts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Sink, SinkError};

use crate::ranges::RangeSet;

/// More pieces in disorder than this, and a source is up to no good: honest ones leave
/// one hole for each connection.
const MOST_HOLES: usize = 1 << 16;

/// Stands before a sink and forwards every byte that was asked for once, however many
/// sources deliver it, and however often.
pub(crate) struct Remaining<'a> {
    sink: &'a dyn Sink,
    missing: Mutex<Missing>,
    most_ranges: usize,
}

struct Missing {
    ranges: RangeSet,
    taken: u64,
}

impl<'a> Remaining<'a> {
    pub(crate) fn new(ranges: &[ByteRange], sink: &'a dyn Sink) -> Self {
        let ranges: RangeSet = ranges.iter().copied().collect();
        let most_ranges = ranges.len() + MOST_HOLES;
        Self { sink, missing: Mutex::new(Missing { ranges, taken: 0 }), most_ranges }
    }

    /// What has not been delivered, ascending.
    pub(crate) fn ranges(&self) -> Vec<ByteRange> {
        self.lock().ranges.iter().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().ranges.is_empty()
    }

    /// How many bytes were forwarded so far.
    pub(crate) fn taken(&self) -> u64 {
        self.lock().taken
    }

    fn lock(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Remaining<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        // Taken note of before it is forwarded, so that nobody else forwards it meanwhile.
        // When the sink refuses it, there are no more attempts.
        let wanted = {
            let mut missing = self.lock();
            let wanted = missing.ranges.remove(ByteRange::at(offset, data.len() as u64));
            missing.taken += wanted.iter().map(|range| range.len()).sum::<u64>();
            if missing.ranges.len() > self.most_ranges {
                return Err("it comes in too many small pieces, in no order".into());
            }
            wanted
        };
        deliver_wanted(&wanted, offset, data, self.sink).map(drop)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use gosync_chunks::{Limits, Source, SourceError, Transfer};
    use gosync_testkit::corpus;
    use gosync_testkit::source::{FnSink, MemorySink};

    /// Delivers everything, and then breaks.
    pub(crate) struct LateFailure;

    impl Source for LateFailure {
        fn size(&self) -> Result<Option<u64>, SourceError> {
            Ok(None)
        }

        fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
            for range in ranges {
                sink.deliver(range.start, &vec![0; range.len() as usize]).map_err(SourceError::Sink)?;
            }
            Err(SourceError::Unreachable { location: "there".into(), is_transient: true, source: "reset".into() })
        }

        fn limits(&self) -> Limits {
            Limits { request_size: 1, bridged_gap: 0, parallelism: 1 }
        }

        fn reject(&self, _: &[ByteRange]) -> bool {
            false
        }

        fn reads_rebuilt(&self) -> bool {
            false
        }
    }

    #[test]
    fn forwards_what_was_asked_for_once() {
        let data = corpus::random(1, 100);
        let ranges = [ByteRange::at(10, 10), ByteRange::at(20, 5), ByteRange::at(30, 10)];
        let sink = MemorySink::new(&ranges);
        let remaining = Remaining::new(&ranges, &sink);
        let deliver = |start: usize, end: usize| remaining.deliver(start as u64, &data[start..end]).unwrap();
        deliver(0, 12);
        deliver(11, 35);
        assert_eq!((remaining.taken(), remaining.ranges()), (20, vec![ByteRange::at(35, 5)]));
        deliver(0, 100);
        deliver(0, 100);
        assert!(remaining.is_empty() && remaining.taken() == 25);
        assert!(sink.finish().concat() == [&data[10..25], &data[30..40]].concat());
    }

    #[test]
    fn holes_are_limited() {
        let sink = FnSink(|_, _: &[u8]| Ok(()));
        let remaining = Remaining::new(&[ByteRange::at(0, 1 << 30)], &sink);
        let refused = (0..).find(|at| remaining.deliver(2 * at + 1, b"x").is_err());
        assert_eq!(refused, Some(MOST_HOLES as u64));
    }
}
