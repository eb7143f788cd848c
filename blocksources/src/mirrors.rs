//! Several places that have the same target.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

use crate::ranges::RangeSet;
use crate::remaining::Remaining;

/// A place that has not answered for so long does not keep the next one waiting.
const HEAD_START: Duration = Duration::from_secs(1);

/// Sources of one target, of which the first that is good serves it all.
///
/// A place is left for the next one, for good, when it fails (so each of them should be
/// [`Retrying`](crate::Retrying)), when it is not as long as the target, or when what it
/// sent is rejected. What was delivered already is not fetched again.
pub struct Mirrors<'a> {
    places: Vec<Place<'a>>,
    /// Whether it is the turn of the last place.
    is_last: Arc<AtomicBool>,
    /// Length of the target in bytes.
    expected: Option<u64>,
    state: Mutex<State>,
}

struct Place<'a> {
    name: String,
    source: Box<dyn Source + 'a>,
    /// The source, for a thread of its own, where it may be asked beside others.
    racer: Option<Arc<dyn Source>>,
}

/// A place of which only the length was asked.
struct Answer {
    place: usize,
    size: Result<Option<u64>, SourceError>,
}

#[derive(Default)]
struct State {
    /// Why each place before the current one was left.
    reasons: Vec<SourceError>,
    /// Whether the current place is known to be as long as the target.
    is_checked: bool,
    /// What the current place delivered. Not kept for the first one: that is everything.
    served: RangeSet,
}

impl<'a> Mirrors<'a> {
    /// Uses `places`, which are sources with their paths or URLs, in this order, for a
    /// target of `expected` bytes, if that is known.
    pub fn new(places: impl IntoIterator<Item = (String, Box<dyn Source + 'a>)>, expected: Option<u64>) -> Self {
        let places = places.into_iter().map(|(name, source)| Place { name, source, racer: None }).collect();
        Self { places, is_last: Arc::default(), expected, state: Mutex::default() }
    }

    /// As [`Self::new`], where a place that does not answer soon does not keep the next one waiting:
    /// those of which `may_race` says so are asked for their length side by side. `is_last` is set
    /// when it is the turn of the last place.
    pub(crate) fn racing(
        places: Vec<(String, Arc<dyn Source>, bool)>,
        expected: Option<u64>,
        is_last: Arc<AtomicBool>,
    ) -> Mirrors<'static> {
        let places = places.into_iter().map(|(name, source, may_race)| Place {
            racer: may_race.then(|| source.clone()),
            source: Box::new(source),
            name,
        });
        Mirrors { places: places.collect(), is_last, expected, state: Mutex::default() }
    }

    /// The places that were left, and why.
    pub fn dropped(&self) -> Vec<(String, String)> {
        let names = self.places.iter().map(|place| place.name.clone());
        names.zip(self.lock().reasons.iter().map(|reason| with_causes(reason))).collect()
    }

    /// Calls `work` with one place after the other, until one does it.
    fn with_places<T>(
        &self,
        mut work: impl FnMut(usize, &dyn Source) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        loop {
            let (current, is_checked) = {
                let state = self.lock();
                (state.reasons.len(), state.is_checked)
            };
            let Some(place) = self.places.get(current) else { return Err(self.all_gone()) };
            if !is_checked && self.race(current)? {
                continue;
            }
            let checked = if is_checked { Ok(()) } else { self.check(current, place) };
            match checked.and_then(|()| work(current, &*place.source)) {
                // That has nothing to do with the place.
                Err(error @ (SourceError::Sink(_) | SourceError::Cancelled(_))) => return Err(error),
                Err(error) if self.places.len() == 1 => return Err(error),
                Err(error) => self.leave(current, error),
                done => return done,
            }
        }
    }

    fn check(&self, current: usize, place: &Place<'_>) -> Result<(), SourceError> {
        if self.expected.is_some() {
            let size = match place.source.size() {
                // It may deliver what it was not asked for in the right way.
                Err(SourceError::Refused { .. }) => None,
                size => size?,
            };
            self.check_size(place, size)?;
        }
        self.note_checked(current);
        Ok(())
    }

    fn check_size(&self, place: &Place<'_>, size: Option<u64>) -> Result<(), SourceError> {
        match (self.expected, size) {
            (Some(expected), Some(actual)) if actual != expected => {
                Err(SourceError::Length { location: place.name.clone(), expected, actual })
            }
            _ => Ok(()),
        }
    }

    fn note_checked(&self, place: usize) {
        let mut state = self.lock();
        state.is_checked |= state.reasons.len() == place;
    }

    /// Asks the places from `current` on, each a while after the one before it, until one is good.
    /// Those before that one are left. Tells whether there was anyone to race.
    fn race(&self, current: usize) -> Result<bool, SourceError> {
        let racers = self.places[current..].iter().map_while(|place| place.racer.as_ref());
        let racers: Vec<_> = racers.collect();
        if racers.len() < 2 {
            return Ok(false);
        }
        let (tell, answers) = mpsc::channel();
        // Of those that were asked, why each is no good, if it has answered.
        let mut asked: Vec<Option<SourceError>> = Vec::new();
        let winner = loop {
            let has_next = asked.len() < racers.len();
            let answer = match (asked.iter().all(Option::is_some), has_next) {
                (true, false) => break None,
                (true, true) => None,
                (false, true) => answers.recv_timeout(HEAD_START).ok(),
                (false, false) => answers.recv().ok(),
            };
            match answer {
                None => {
                    let (place, racer, tell) = (current + asked.len(), racers[asked.len()].clone(), tell.clone());
                    // It ends by its own time-outs, and nobody may be waiting for it any more.
                    thread::spawn(move || drop(tell.send(Answer { place, size: racer.size() })));
                    asked.push(None);
                }
                Some(Answer { place, size }) => {
                    match size.and_then(|size| self.check_size(&self.places[place], size)) {
                        Ok(()) => break Some(place),
                        Err(error @ SourceError::Cancelled(_)) => return Err(error),
                        Err(error) => asked[place - current] = Some(error),
                    }
                }
            }
        };
        // The last place of all is asked again, with patience.
        let end = winner.unwrap_or((current + racers.len()).min(self.places.len() - 1));
        for (place, reason) in (current..end).zip(asked) {
            let slow = || SourceError::Unreachable {
                location: self.places[place].name.clone(),
                is_transient: true,
                source: "it did not answer, and another did".into(),
            };
            self.leave(place, reason.unwrap_or_else(slow));
        }
        if let Some(winner) = winner {
            self.note_checked(winner);
        }
        Ok(true)
    }

    /// Goes on to the place after `place`, unless another thread has done so already.
    fn leave(&self, place: usize, reason: SourceError) {
        let mut state = self.lock();
        if state.reasons.len() == place {
            state.reasons.push(reason);
            state.is_checked = false;
            state.served = RangeSet::default();
            self.is_last.fetch_or(place + 2 == self.places.len(), Ordering::Relaxed);
        }
    }

    /// They are not there, or deny access, where that is so of each of them.
    fn all_gone(&self) -> SourceError {
        let location = format!("each of the {} sources", self.places.len());
        let reasons = self.dropped().into_iter().map(|(name, reason)| format!("{name}: {reason}"));
        let reason = reasons.collect::<Vec<_>>().join("; ");
        let state = self.lock();
        if state.reasons.iter().all(|reason| matches!(reason, SourceError::NotFound { .. })) {
            SourceError::NotFound { location, reason }
        } else if state.reasons.iter().all(|reason| matches!(reason, SourceError::Denied { .. })) {
            SourceError::Denied { location, reason }
        } else {
            SourceError::Refused { location, reason }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Mirrors<'_> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        self.with_places(|_, source| source.size())
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        if let (Some(last), Some(actual)) = (ranges.last(), self.expected)
            && last.end > actual
        {
            return Err(SourceError::Length { location: "the target".into(), expected: last.end, actual });
        }
        let remaining = Remaining::new(ranges, sink);
        let mut transfer = Transfer::default();
        let mut left = ranges.to_vec();
        self.with_places(|current, source| {
            let before = remaining.taken();
            let result = source.fetch(&left, &remaining);
            let missing = remaining.ranges();
            if current > 0 {
                self.note_served(current, &left, &missing);
            }
            match &result {
                Ok(last) => transfer += *last,
                Err(_) => transfer += Transfer { bytes: remaining.taken() - before, requests: 1 },
            }
            let has_asked = !left.is_empty();
            left = missing;
            match result {
                Err(error) if !matches!(error, SourceError::Sink(_)) && has_asked && left.is_empty() => {
                    // It broke after the last byte; the next call will see what that was.
                    Ok(transfer)
                }
                result => result.map(|_| transfer),
            }
        })
    }

    /// Those of the current place; they change when it is left.
    fn limits(&self) -> Limits {
        let current = self.lock().reasons.len();
        let fallback = Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 1 };
        self.places.get(current).or(self.places.last()).map_or(fallback, |place| place.source.limits())
    }

    /// As soon as one of the places does, also while it is not its turn.
    fn reads_rebuilt(&self) -> bool {
        self.places.iter().any(|place| place.source.reads_rebuilt())
    }

    /// As the current place has it.
    fn modified(&self) -> Option<SystemTime> {
        let current = self.lock().reasons.len();
        self.places.get(current)?.source.modified()
    }

    fn reject(&self, ranges: &[ByteRange]) -> bool {
        if let [place] = &self.places[..] {
            return place.source.reject(ranges);
        }
        let (current, culprit) = {
            let state = self.lock();
            let current = state.reasons.len();
            // What comes from a place that was left already is not this one's fault.
            (current, ranges.iter().copied().find(|&range| current == 0 || state.served.contains(range)))
        };
        let Some(place) = self.places.get(current) else { return false };
        if let Some(range) = culprit {
            // It may have places of its own.
            if place.source.reject(ranges) {
                return true;
            }
            let reason = format!("it sent wrong bytes in {range}");
            self.leave(current, SourceError::Corrupt { location: place.name.clone(), reason });
        }
        self.lock().reasons.len() < self.places.len()
    }
}

impl Mirrors<'_> {
    fn note_served(&self, place: usize, asked: &[ByteRange], missing: &[ByteRange]) {
        let mut delivered: RangeSet = asked.iter().copied().collect();
        for &range in missing {
            delivered.remove(range);
        }
        let mut state = self.lock();
        if state.reasons.len() == place {
            state.served.extend(delivered.iter());
        }
    }
}

impl fmt::Debug for Mirrors<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.places.iter().map(|place| place.name.as_str()).collect();
        formatter
            .debug_struct("Mirrors")
            .field("places", &names)
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remaining::tests::LateFailure;
    use gosync_chunks::Cancelled;
    use gosync_testkit::conformance::{decorator_conformance, source_conformance};
    use gosync_testkit::corpus;
    use gosync_testkit::source::{
        FailingSource, Fault, FaultySource, FnSink, MemorySink, MemorySource, RecordingSource,
    };
    use std::sync::Arc;

    type Recording = Arc<RecordingSource<FaultySource<MemorySource>>>;

    /// Mirrors called a, b and so on of 300 bytes, each with faults, and a way to look
    /// at what each was asked.
    fn mirrors(faults: &[&[Fault]], length: usize) -> (Vec<u8>, Mirrors<'static>, Vec<Recording>) {
        let data = corpus::random(1, length);
        let recordings: Vec<Recording> = faults
            .iter()
            .map(|faults| FaultySource::new(MemorySource::new(data.clone()), faults.iter().copied()))
            .map(|faulty| Arc::new(RecordingSource::new(faulty)))
            .collect();
        let named = recordings.iter().zip('a'..).map(|(recording, name)| {
            let source: Box<dyn Source> = Box::new(Arc::clone(recording));
            (name.to_string(), source)
        });
        let mirrors = Mirrors::new(named, Some(300));
        (data, mirrors, recordings)
    }

    fn fetch(mirrors: &Mirrors<'_>, ranges: &[ByteRange], data: &[u8]) -> Transfer {
        let sink = MemorySink::new(ranges);
        let transfer = mirrors.fetch(ranges, &sink).unwrap();
        for (range, fetched) in ranges.iter().zip(sink.finish()) {
            assert!(fetched == data[range.start as usize..range.end as usize], "{range}");
        }
        transfer
    }

    fn names(mirrors: &Mirrors<'_>) -> String {
        mirrors.dropped().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn conforms() {
        decorator_conformance(|source| Box::new(Mirrors::new([("a".to_owned(), source)], None)));
        for faults in [&[][..], &[Fault::Refuse], &[Fault::BreakOnce(1000)]] {
            source_conformance(|data| {
                let expected = Some(data.len() as u64);
                let faulty = FaultySource::new(MemorySource::new(data.clone()), faults.iter().copied());
                let places: [(String, Box<dyn Source>); 2] =
                    [("a".into(), Box::new(faulty)), ("b".into(), Box::new(MemorySource::awkward(data, 1)))];
                Box::new(Mirrors::new(places, expected))
            });
        }
    }

    #[test]
    fn the_next_one_goes_on_where_one_broke() {
        let faults: [&[Fault]; 3] = [&[Fault::BreakAlways(70)], &[Fault::Refuse], &[]];
        let (data, mirrors, recordings) = mirrors(&faults, 300);
        let ranges = [ByteRange::at(10, 50), ByteRange::at(100, 100)];
        let transfer = fetch(&mirrors, &ranges, &data);
        assert_eq!(transfer.bytes, 150);
        let left = vec![vec![ByteRange::at(120, 80)]];
        assert_eq!((recordings[1].fetches(), recordings[2].fetches()), (left.clone(), left));
        assert_eq!(
            mirrors.dropped(),
            [
                ("a".to_owned(), "cannot reach faulty source: connection reset".to_owned()),
                ("b".to_owned(), "faulty source does not deliver: told to refuse".to_owned())
            ]
        );
        // And it stays.
        fetch(&mirrors, &ranges, &data);
        assert_eq!((recordings[0].fetches().len(), recordings[2].fetches().len()), (1, 2));
    }

    #[test]
    fn a_place_that_breaks_after_the_last_byte_has_delivered() {
        let place = |name: &str| -> (String, Box<dyn Source>) { (name.into(), Box::new(LateFailure)) };
        let mirrors = Mirrors::new([place("a"), place("b")], None);
        let ranges = [ByteRange::at(0, 20)];
        let sink = MemorySink::new(&ranges);
        mirrors.fetch(&ranges, &sink).unwrap();
        assert_eq!((sink.missing(), names(&mirrors)), (0, String::new()));
    }

    /// Answers when it is told to.
    struct Late(Mutex<mpsc::Receiver<()>>, MemorySource);

    impl Source for Late {
        fn size(&self) -> Result<Option<u64>, SourceError> {
            let _ = self.0.lock().unwrap().recv();
            self.1.size()
        }

        fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
            self.1.fetch(ranges, sink)
        }

        fn limits(&self) -> Limits {
            self.1.limits()
        }

        fn reads_rebuilt(&self) -> bool {
            false
        }

        fn reject(&self, _: &[ByteRange]) -> bool {
            false
        }
    }

    #[test]
    fn nobody_waits_for_a_dead_place() {
        let data = corpus::random(1, 300);
        let (until_end, wait) = mpsc::channel();
        let missing = || SourceError::NotFound { location: "there".into(), reason: "404".into() };
        let places: Vec<(String, Arc<dyn Source>, bool)> = vec![
            ("a".into(), Arc::new(FailingSource::new(missing)), true),
            ("b".into(), Arc::new(Late(wait.into(), MemorySource::new(data.clone()))), true),
            ("c".into(), Arc::new(MemorySource::new(data[1..].to_vec())), true),
            ("d".into(), Arc::new(MemorySource::new(data.clone())), true),
        ];
        let is_last = Arc::new(AtomicBool::new(false));
        let mirrors = Mirrors::racing(places, Some(300), is_last.clone());
        fetch(&mirrors, &[ByteRange::at(0, 10)], &data);
        assert_eq!((names(&mirrors).as_str(), is_last.load(Ordering::Relaxed)), ("abc", true));
        assert!(mirrors.dropped()[1].1.contains("it did not answer, and another did"), "{mirrors:?}");
        drop(until_end);
    }

    #[test]
    fn the_last_of_dead_places_is_asked_with_patience() {
        let is_last = Arc::new(AtomicBool::new(false));
        let refuse = {
            let is_last = is_last.clone();
            move || match is_last.load(Ordering::Relaxed) {
                true => SourceError::NotFound { location: "late".into(), reason: "404".into() },
                false => SourceError::Unreachable { location: "soon".into(), is_transient: true, source: "x".into() },
            }
        };
        let place = |name: &str| -> (String, Arc<dyn Source>, bool) {
            (name.into(), Arc::new(FailingSource::new(refuse.clone())), true)
        };
        let mirrors = Mirrors::racing(vec![place("a"), place("b")], Some(300), is_last);
        let error = mirrors.size().unwrap_err().to_string();
        assert!(error.contains("a: cannot reach soon") && error.contains("b: cannot find late"), "{error}");
    }

    #[test]
    fn wrong_bytes_cost_a_place() {
        let (data, mirrors, recordings) = mirrors(&[&[], &[], &[]], 300);
        let (one, other) = ([ByteRange::at(0, 10)], [ByteRange::at(20, 10)]);
        fetch(&mirrors, &[one[0], other[0]], &data);
        assert!(mirrors.reject(&one));
        assert_eq!(names(&mirrors), "a");
        // That was the first place too: the second has not delivered any of it.
        assert!(mirrors.reject(&other));
        assert_eq!(names(&mirrors), "a");
        fetch(&mirrors, &other, &data);
        assert!(mirrors.reject(&other));
        assert_eq!(names(&mirrors), "ab");
        fetch(&mirrors, &other, &data);
        assert!(!mirrors.reject(&other), "there is no place left");
        let error = mirrors.fetch(&other, &MemorySink::new(&other)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "each of the 3 sources does not deliver: a: a is damaged: it sent wrong bytes in 0..10; \
             b: b is damaged: it sent wrong bytes in 20..30; c: c is damaged: it sent wrong bytes in 20..30"
        );
        assert_eq!(recordings.iter().map(|place| place.fetches().len()).collect::<Vec<_>>(), [1, 1, 1]);
    }

    #[test]
    fn places_of_another_length_are_left() {
        let (_, mirrors, recordings) = mirrors(&[&[], &[]], 299);
        let ranges = [ByteRange::at(0, 10)];
        for _ in 0..2 {
            match mirrors.fetch(&ranges, &MemorySink::new(&ranges)) {
                Err(SourceError::Refused { reason, .. }) => assert!(reason.contains("b: b has 299 bytes"), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(recordings.iter().all(|place| place.fetches().is_empty()));
    }

    #[test]
    fn where_all_say_the_same_so_do_mirrors() {
        type Answer = fn(String) -> SourceError;
        let missing: Answer = |location| SourceError::NotFound { location, reason: "404".into() };
        let denied: Answer = |location| SourceError::Denied { location, reason: "403".into() };
        let kind = |answers: [Answer; 2]| {
            let places = answers.into_iter().zip(["a", "b"]).map(|(answer, name)| {
                let failing: Box<dyn Source> = Box::new(FailingSource::new(move || answer("there".into())));
                (name.to_owned(), failing)
            });
            Mirrors::new(places, None).size().unwrap_err()
        };
        let error = kind([missing, missing]);
        assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
        let expected = "cannot find each of the 2 sources: a: cannot find there: 404; b: cannot find there: 404";
        assert_eq!(error.to_string(), expected);
        assert!(matches!(kind([denied, denied]), SourceError::Denied { .. }));
        assert!(matches!(kind([missing, denied]), SourceError::Refused { .. }));
        // That is not about the place, and the next one is not asked.
        let cancelled: Answer = |_| Cancelled.into();
        assert!(matches!(kind([cancelled, missing]), SourceError::Cancelled(_)));
    }

    #[test]
    fn a_place_alone_is_as_it_is() {
        let (data, mirrors, _) = mirrors(&[&[Fault::BreakOnce(5)]], 300);
        let ranges = [ByteRange::at(0, 10)];
        assert!(mirrors.fetch(&ranges, &MemorySink::new(&ranges)).unwrap_err().is_transient());
        fetch(&mirrors, &ranges, &data);
        assert!(!mirrors.reject(&ranges));
        fetch(&mirrors, &ranges, &data);
    }

    #[test]
    fn neither_the_sink_nor_the_caller_is_a_place() {
        let (data, mirrors, _) = mirrors(&[&[], &[]], 300);
        let refusing = FnSink(|_, _: &[u8]| Err("full".into()));
        let ranges = [ByteRange::at(0, 10)];
        assert!(matches!(mirrors.fetch(&ranges, &refusing), Err(SourceError::Sink(_))));
        assert!(matches!(mirrors.fetch(&[ByteRange::at(299, 2)], &refusing), Err(SourceError::Length { .. })));
        assert_eq!(names(&mirrors), "");
        fetch(&mirrors, &ranges, &data);
    }
}
