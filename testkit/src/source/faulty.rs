//! A source that goes wrong on purpose.

use std::sync::Mutex;
use std::time::SystemTime;

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use super::sink::FnSink;
use crate::lock::lock;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes of the range are wrong in the first fetch that asks for any of them.
    CorruptOnce(ByteRange),
    /// The bytes of the range are wrong in every fetch.
    CorruptAlways(ByteRange),
    /// The connection breaks in the first fetch that would deliver more than so many
    /// bytes, after so many. The fetches after it are not disturbed.
    BreakOnce(u64),
    /// The connection breaks in every fetch, after so many bytes.
    BreakAlways(u64),
    /// The source refuses every fetch, for good.
    Refuse,
}

/// A decorator that makes a source fail in the ways that real ones do. Corrupt bytes
/// are the complement of the right ones; a broken connection is a transient
/// [`SourceError::Unreachable`].
#[derive(Debug)]
pub struct FaultySource<S> {
    inner: S,
    faults: Mutex<Vec<Fault>>,
}

impl<S: Source> FaultySource<S> {
    /// Adds `faults` to `inner`.
    pub fn new(inner: S, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { inner, faults: Mutex::new(faults.into_iter().collect()) }
    }

    /// The faults that this fetch will have. Those that happen once are used up.
    fn take_faults(&self, ranges: &[ByteRange]) -> Vec<Fault> {
        let asked: u64 = ranges.iter().map(|range| range.len()).sum();
        let touches = |fault: ByteRange| ranges.iter().any(|range| overlap(*range, fault).is_some());
        let mut taken = Vec::new();
        lock(&self.faults).retain(|&fault| {
            let (now, keep) = match fault {
                Fault::CorruptOnce(range) => (touches(range), !touches(range)),
                Fault::BreakOnce(after) => (asked > after, asked <= after),
                Fault::CorruptAlways(_) | Fault::BreakAlways(_) | Fault::Refuse => (true, true),
            };
            if now {
                taken.push(fault);
            }
            keep
        });
        taken
    }
}

impl<S: Source> Source for FaultySource<S> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.inner.size()
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let faults = self.take_faults(ranges);
        if faults.contains(&Fault::Refuse) {
            return Err(SourceError::Refused { location: LOCATION.into(), reason: "told to refuse".into() });
        }
        let breaks = faults.iter().filter_map(|fault| match fault {
            Fault::BreakOnce(after) | Fault::BreakAlways(after) => Some(*after),
            _ => None,
        });
        // How many bytes the connection lasts; `None` once it is broken.
        let lasts = Mutex::new(Some(breaks.min().unwrap_or(u64::MAX)));

        let failing = |offset, data: &[u8]| {
            let mut lasts = lock(&lasts);
            let left = lasts.ok_or("broken")?;
            let passed = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            *lasts = (passed == data.len()).then_some(left - passed as u64);
            if passed > 0 {
                sink.deliver(offset, &corrupted(&faults, offset, &data[..passed]))?;
            }
            lasts.map(|_| ()).ok_or_else(|| "broken".into())
        };
        let result = self.inner.fetch(ranges, &FnSink(failing));
        if lock(&lasts).is_none() {
            let source = "connection reset".into();
            return Err(SourceError::Unreachable { location: LOCATION.into(), is_transient: true, source });
        }
        result
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        self.inner.reject(ranges)
    }

    fn reads_rebuilt(&self) -> bool {
        self.inner.reads_rebuilt()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.inner.modified()
    }
}

const LOCATION: &str = "faulty source";

fn overlap(one: ByteRange, other: ByteRange) -> Option<ByteRange> {
    let overlap = ByteRange { start: one.start.max(other.start), end: one.end.min(other.end) };
    (!overlap.is_empty()).then_some(overlap)
}

fn corrupted(faults: &[Fault], offset: u64, data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    let range = ByteRange::at(offset, data.len() as u64);
    for fault in faults {
        if let Fault::CorruptOnce(fault) | Fault::CorruptAlways(fault) = *fault
            && let Some(wrong) = overlap(range, fault)
        {
            data[(wrong.start - offset) as usize..(wrong.end - offset) as usize]
                .iter_mut()
                .for_each(|byte| *byte = !*byte);
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::memory::MemorySource;
    use crate::source::sink::MemorySink;
    use crate::{conformance::source_conformance, corpus};

    const ALL: [ByteRange; 2] = [ByteRange { start: 0, end: 100 }, ByteRange { start: 200, end: 300 }];

    fn source(faults: impl IntoIterator<Item = Fault>) -> (Vec<u8>, FaultySource<MemorySource>) {
        let data = corpus::random(1, 300);
        (data.clone(), FaultySource::new(MemorySource::awkward(data, 2), faults))
    }

    fn wrong_bytes(data: &[u8], source: &impl Source) -> Vec<usize> {
        let sink = MemorySink::new(&ALL);
        source.fetch(&ALL, &sink).unwrap();
        let fetched = sink.finish();
        let offsets = (0..100).chain(200..300);
        offsets.zip(fetched.concat()).filter(|&(offset, byte)| data[offset] != byte).map(|(offset, _)| offset).collect()
    }

    #[test]
    fn conforms_without_faults_and_with_such_as_never_happen() {
        source_conformance(|data| Box::new(FaultySource::new(MemorySource::new(data), [])));
        source_conformance(|data| Box::new(FaultySource::new(MemorySource::new(data), [Fault::BreakOnce(u64::MAX)])));
    }

    #[test]
    fn corrupts_once_or_always() {
        let range = ByteRange { start: 95, end: 202 };
        let (data, once) = source([Fault::CorruptOnce(range)]);
        once.fetch(&[ByteRange::at(0, 95)], &MemorySink::new(&[ByteRange::at(0, 95)])).unwrap();
        assert_eq!(wrong_bytes(&data, &once), [95, 96, 97, 98, 99, 200, 201]);
        assert_eq!(wrong_bytes(&data, &once), [0; 0]);

        let (data, always) = source([Fault::CorruptAlways(range)]);
        for _ in 0..3 {
            assert_eq!(wrong_bytes(&data, &always).len(), 7);
        }
    }

    #[test]
    fn breaks_after_exactly_so_many_bytes() {
        for after in [0, 1, 99, 199] {
            let (data, source) = source([Fault::BreakOnce(after)]);
            let sink = MemorySink::new(&ALL);
            let error = source.fetch(&ALL, &sink).unwrap_err();
            assert!(error.is_transient(), "{error:?}");
            assert_eq!(200 - sink.missing(), after);
            assert_eq!(wrong_bytes(&data, &source), [0; 0], "the next fetch is whole");
        }
        let (data, enough) = source([Fault::BreakAlways(200)]);
        assert_eq!(wrong_bytes(&data, &enough), [0; 0]);
        let (_, always) = source([Fault::BreakAlways(199)]);
        for _ in 0..2 {
            assert!(always.fetch(&ALL, &MemorySink::new(&ALL)).unwrap_err().is_transient());
        }
    }

    #[test]
    fn refusal_is_final_and_delivers_nothing() {
        let (_, source) = source([Fault::Refuse]);
        let sink = MemorySink::new(&ALL);
        assert!(!source.fetch(&ALL, &sink).unwrap_err().is_transient());
        assert_eq!(sink.missing(), 200);
    }

    #[test]
    fn a_refusing_sink_is_not_a_broken_connection() {
        let (_, source) = source([Fault::BreakAlways(1000)]);
        let refusing = FnSink(|_, _: &[u8]| Err("full".into()));
        assert!(matches!(source.fetch(&ALL, &refusing), Err(SourceError::Sink(_))));
    }
}
