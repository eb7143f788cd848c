//! One fetch: who asks for what, over how many connections, until nothing is wanted any
//! more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Sink, SourceError, Transfer};
use ureq::http::StatusCode;

use super::client::persist;
use super::cost::{self, Cut, RangeSupport, Request};
use super::hosts::Host;
use super::remote::Remote;
use crate::ranges::RangeSet;
use crate::workers::{Worker, fan_out};

/// Less than this does not tell how fast a line is.
const LEAST_MEASURED: u64 = 256 << 10;

/// A server that is nearer than this may have megabytes on their way before it hears that
/// nobody wants them. From farther away TCP's slow start lets no more than some tens of
/// kilobytes come, and to wait for its first answer takes longer than those.
const NEAR: Duration = Duration::from_millis(5);

/// One call of [`Source::fetch`](gosync_chunks::Source::fetch).
pub(super) struct Fetch<'a> {
    pub(super) remote: &'a Remote,
    sink: &'a dyn Sink,
    /// The byte after the last that is wanted.
    pub(super) end: u64,
    state: Mutex<State>,
    /// There is more to do, or nothing at all any more.
    changed: Condvar,
    first_byte: OnceLock<Instant>,
    received: AtomicU64,
}

struct State {
    /// What was not delivered yet. A thread takes bytes out before it delivers them, so that
    /// nothing is delivered twice, even where two servers or two parts of an answer send it.
    wanted: RangeSet,
    /// What of it nobody has been asked for.
    pending: RangeSet,
    /// How it is cut, as long as ranges are asked for in the same way.
    cut: Option<Cut>,
    /// Requests for ranges that are under way.
    active: usize,
    /// Who reads the whole file. Nothing else is begun meanwhile.
    streamer: Option<ThreadId>,
    has_failed: bool,
}

/// What one connection does next.
enum Job {
    Ranges(Request),
    Whole,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(remote: &'a Remote, ranges: &[ByteRange], sink: &'a dyn Sink) -> Self {
        let wanted: RangeSet = ranges.iter().copied().collect();
        let (pending, end) = (wanted.clone(), wanted.end());
        let state = State { wanted, pending, cut: None, active: 0, streamer: None, has_failed: false };
        Self {
            remote,
            sink,
            end,
            state: Mutex::new(state),
            changed: Condvar::new(),
            first_byte: OnceLock::new(),
            received: AtomicU64::new(0),
        }
    }

    pub(super) fn run(&self) -> Result<Transfer, SourceError> {
        let size = self.remote.known_size();
        if let Some(actual) = size.filter(|&size| size < self.end) {
            return Err(self.remote.length(self.end, actual));
        }
        let terms = self.remote.terms();
        let (threads, mut whole_first) = {
            let state = self.lock();
            let whole_first = size.is_some_and(|size| cost::prefers_whole(&state.wanted, size, &terms));
            // It may come to a request for each range, and long ranges are cut.
            (state.wanted.len().max(Cut::new(&state.wanted, &terms).requests(&terms)), whole_first)
        };
        let jobs = std::iter::from_fn(|| self.next(std::mem::take(&mut whole_first)));
        fan_out(threads.min(terms.connections), jobs, |worker, job| self.work(worker, &job))
    }

    /// Waits for something to do. `None` when there will be nothing.
    fn next(&self, whole: bool) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.has_failed || state.wanted.is_empty() {
                return None;
            }
            let (terms, learned) = (self.remote.terms(), self.remote.client.host().learned());
            if state.streamer.is_none() && !state.pending.is_empty() && state.active < terms.connections {
                if whole || terms.support == RangeSupport::None {
                    state.streamer = Some(thread::current().id());
                    return Some(Job::Whole);
                }
                let cut = state.cut.filter(|cut| cut.is_for(&terms));
                let cut = cut.unwrap_or_else(|| Cut::new(&state.wanted, &terms));
                state.cut = Some(cut);
                let request = cut.take(&mut state.pending, &terms);
                // Whether it works to ask like this, one request finds out.
                let count = request.asked().len();
                let is_limited = learned.most_ranges.is_some() && count > learned.most_sent;
                let is_tried =
                    if count > 1 { learned.has_sent_several && !is_limited } else { learned.has_sent_ranges };
                let is_cautious = is_limited || terms.support == RangeSupport::One || terms.line.round_trip < NEAR;
                if is_tried || !is_cautious || state.active == 0 {
                    state.active += 1;
                    return Some(Job::Ranges(request));
                }
                state.pending.extend(request.wanted);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, worker: &mut Worker<'_, Vec<u8>>, job: &Job) -> Result<(), SourceError> {
        let _panics = Alarm(self);
        let mut has_begun = false;
        let result = persist(|| match job {
            _ if self.is_over(worker) => Ok(()),
            Job::Ranges(request) => self.ask_for(worker, request),
            Job::Whole if !std::mem::replace(&mut has_begun, true) => self.ask_for_whole(worker),
            // What has come stays.
            Job::Whole => {
                let mut wanted = self.lock().wanted.clone();
                let cut = Cut::new(&wanted, &self.remote.terms());
                self.ask_for(worker, &cut.take_bytes(&mut wanted, u64::MAX))
            }
        });
        let mut state = self.lock();
        let State { wanted, pending, active, streamer, .. } = &mut *state;
        if let Job::Ranges(request) = job {
            *active -= 1;
            request.wanted.iter().for_each(|&range| pending.extend(wanted.within(range)));
        }
        let streams = streamer.is_some_and(|streamer| streamer == thread::current().id());
        if streams {
            *streamer = None;
            // Others may have been on their way for some of it; what comes twice is not
            // delivered twice.
            pending.clone_from(wanted);
        }
        // The thread that reads the whole file brings what others could not.
        let is_covered = state.streamer.is_some() && result.as_ref().is_err_and(SourceError::is_transient);
        let result = if is_covered { Ok(()) } else { result };
        state.has_failed |= result.is_err();
        drop(state);
        self.changed.notify_all();
        result
    }

    /// What of `request` is still wanted.
    pub(super) fn rest(&self, request: &Request) -> Request {
        let state = self.lock();
        let wanted = request.wanted.iter().flat_map(|&range| state.wanted.within(range)).collect();
        Request { wanted, bridged_gap: request.bridged_gap }
    }

    /// Whether there is no use in reading on.
    pub(super) fn is_over(&self, worker: &Worker<'_, Vec<u8>>) -> bool {
        worker.is_stopped() || self.lock().wanted.is_empty()
    }

    /// Hands what is wanted of `data` to the sink, and tells how many bytes that was.
    pub(super) fn deliver(&self, offset: u64, data: &[u8]) -> Result<u64, SourceError> {
        let parts = self.lock().wanted.remove(ByteRange::at(offset, data.len() as u64));
        deliver_wanted(&parts, offset, data, self.sink).map_err(SourceError::Sink)
    }

    /// Whether the calling thread is the one that reads the whole file, or becomes it.
    pub(super) fn claim_stream(&self) -> bool {
        let me = thread::current().id();
        *self.lock().streamer.get_or_insert(me) == me
    }

    /// Takes note that ranges are answered as they were asked for, so that others need not
    /// wait any longer to ask like this.
    pub(super) fn note_ranges(&self, host: &Host, support: RangeSupport) {
        // A thread that is about to wait has this lock until it does.
        let state = self.lock();
        host.note_ranges(support);
        drop(state);
        self.changed.notify_all();
    }

    /// Why the last resort has failed, and what made it the last.
    pub(super) fn exhausted(&self, status: StatusCode) -> SourceError {
        match (self.remote.client.failed(status), self.remote.client.host().sign()) {
            (SourceError::Refused { location, reason }, Some(sign)) => {
                SourceError::Refused { location, reason: format!("{reason}; and when asked for ranges: {sign}") }
            }
            (error, _) => error,
        }
    }

    pub(super) fn wanted_bytes(&self) -> u64 {
        self.lock().wanted.iter().map(|range| range.len()).sum()
    }

    /// How long it would take to get what is still wanted by ranges.
    pub(super) fn time_in_ranges(&self) -> Duration {
        let wanted: Vec<_> = self.lock().wanted.iter().collect();
        cost::estimate(&wanted, None, &self.remote.terms()).time
    }

    /// Counts what came, to know how fast the line is.
    pub(super) fn note_received(&self, host: &Host, bytes: u64) {
        let start = *self.first_byte.get_or_init(Instant::now);
        let received = self.received.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if received >= LEAST_MEASURED {
            host.note_bytes(received, start.elapsed());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes those who wait for a thread whose sink panics.
struct Alarm<'a, 'b>(&'a Fetch<'b>);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().has_failed = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::options::HttpOptions;
    use crate::http::source::HttpSource;
    use gosync_chunks::Source;
    use gosync_testkit::corpus;
    use gosync_testkit::hostile::{Behaviour, Hostile};
    use gosync_testkit::source::MemorySink;

    #[test]
    fn what_a_near_server_understands_one_request_finds_out() {
        let data = corpus::random(1, 1_000_000);
        let ranges: Vec<_> = (0..120).map(|at| ByteRange::at(at * 8192 + 1, 4096)).collect();
        for (behaviour, expected) in [
            (Behaviour::Proper, None),
            (Behaviour::OnePart, None),
            (Behaviour::RefusesSeveral("501 Not Implemented"), Some((1, 120))),
            (Behaviour::FirstRangeOnly, Some((1, 119))),
            (Behaviour::RefusesRanges("501 Not Implemented"), Some((1, 1))),
        ] {
            let server = Hostile::start(data.clone(), behaviour);
            // Were the gaps left to the model, all of it might be one range.
            let options = HttpOptions { bridged_gap: Some(0), ..HttpOptions::default() };
            options.hosts.host(server.url().trim_end_matches("/file")).note_round_trip(Duration::from_millis(1), 1);
            let source = HttpSource::new(&server.url(), options).unwrap();
            let sink = MemorySink::new(&ranges);
            source.fetch(&ranges, &sink).unwrap();
            for (range, came) in ranges.iter().zip(sink.finish()) {
                assert!(came == data[range.start as usize..range.end as usize], "{behaviour:?} {range}");
            }
            let asked = server.asked();
            let count = |is_meant: fn(usize) -> bool| asked.iter().filter(|asked| is_meant(asked.ranges.len())).count();
            let found = (count(|ranges| ranges > 1), count(|ranges| ranges == 1));
            match expected {
                Some(expected) => assert_eq!(found, expected, "{behaviour:?}"),
                None => assert!(found.0 >= 4 && found.1 == 0, "{behaviour:?}: {found:?}"),
            }
        }
    }
}
