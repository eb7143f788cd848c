//! A source in memory that delivers as badly as the contract allows, and worse on demand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::case::Random;

pub(crate) struct MemorySource {
    pub(crate) data: Vec<u8>,
    /// The most bytes delivered at once.
    pub(crate) fragment: usize,
    pub(crate) shuffled: bool,
    pub(crate) threads: usize,
    /// These bytes are delivered wrong, this many times.
    pub(crate) corrupt: Vec<(ByteRange, AtomicU64)>,
    /// These bytes are never delivered.
    pub(crate) withheld: Option<ByteRange>,
    /// Breaks down after so many bytes.
    pub(crate) fails_after: Option<u64>,
    /// What was asked for, call by call.
    pub(crate) calls: Mutex<Vec<Vec<ByteRange>>>,
    pub(crate) delivered: AtomicU64,
}

impl MemorySource {
    pub(crate) fn new(data: &[u8]) -> Self {
        Self {
            data: data.to_vec(),
            fragment: 16 << 10,
            shuffled: false,
            threads: 1,
            corrupt: Vec::new(),
            withheld: None,
            fails_after: None,
            calls: Mutex::default(),
            delivered: AtomicU64::new(0),
        }
    }

    pub(crate) fn corrupting(mut self, range: ByteRange, times: u64) -> Self {
        self.corrupt.push((range, AtomicU64::new(times)));
        self
    }

    pub(crate) fn call_count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    fn deliver(&self, range: ByteRange, sink: &dyn Sink) -> Result<(), SourceError> {
        let before = self.delivered.fetch_add(range.len(), Ordering::Relaxed);
        if self.fails_after.is_some_and(|limit| before >= limit) {
            let source = "it fell over".into();
            return Err(SourceError::Unreachable { location: "memory".into(), is_transient: true, source });
        }
        if self.withheld.is_some_and(|withheld| withheld.contains(range)) {
            return Ok(());
        }
        let mut data = self.data[range.start as usize..range.end as usize].to_vec();
        for (at, byte) in (range.start..).zip(&mut data) {
            for (corrupt, times) in &self.corrupt {
                let is_last = at + 1 == corrupt.end;
                if (corrupt.start..corrupt.end).contains(&at) && times.load(Ordering::Relaxed) > 0 {
                    *byte ^= 0x55;
                    if is_last {
                        times.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            }
        }
        sink.deliver(range.start, &data).map_err(SourceError::Sink)
    }
}

impl Source for MemorySource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.data.len() as u64))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        assert!(!ranges.is_empty() && ranges.iter().all(|range| !range.is_empty()), "something is asked for");
        assert!(ranges.is_sorted() && ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "no two touch");
        let call = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(ranges.to_vec());
            calls.len()
        };
        let mut random = Random(call as u64);
        let mut fragments = Vec::new();
        for range in ranges {
            let mut start = range.start;
            while start < range.end {
                let len = random.below(self.fragment) as u64 + 1;
                let end = range.end.min(start + len);
                fragments.push(ByteRange { start, end });
                start = end;
            }
        }
        if self.shuffled {
            for at in (1..fragments.len()).rev() {
                fragments.swap(at, random.below(at + 1));
            }
        }
        let deliver = |first: usize| {
            fragments.iter().skip(first).step_by(self.threads).try_for_each(|&range| self.deliver(range, sink))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|first| scope.spawn(move || deliver(first))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap())
        })?;
        Ok(Transfer { bytes: ranges.iter().map(|range| range.len()).sum(), requests: ranges.len() as u64 })
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: self.threads }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

/// A source that must not be asked.
pub(crate) struct NoSource;

impl Source for NoSource {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        panic!("asked for its size");
    }

    fn fetch(&self, _: &[ByteRange], _: &dyn Sink) -> Result<Transfer, SourceError> {
        panic!("asked to fetch");
    }

    fn limits(&self) -> Limits {
        panic!("asked for its limits");
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        panic!("told that it was wrong");
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}
