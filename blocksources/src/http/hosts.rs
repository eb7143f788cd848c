//! What is learned of hosts, for as long as the program runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::agent::Agents;
use super::cost::{self, Line, RangeSupport};
use super::location::{self, Target};

/// What was learned of each host: how it answers requests for ranges, how far away it
/// is, and how many connections it bears; and connections that may be used again. Clones
/// share it, so that the index and the payload of one host learn together.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    known: Arc<Mutex<HashMap<String, Arc<Host>>>>,
    agents: Arc<Mutex<Agents>>,
}

impl Hosts {
    /// How well the host of `url` answers requests for ranges, as far as is known.
    /// Experience with what `url` redirects to is kept under that.
    pub fn range_support(&self, url: &str) -> RangeSupport {
        self.learned(url).map_or_else(RangeSupport::default, |learned| learned.support)
    }

    /// What the way to the host of `url` is like, once that was measured.
    pub fn line(&self, url: &str) -> Option<Line> {
        let learned = self.learned(url)?;
        learned.round_trip.is_some().then(|| learned.line())
    }

    /// What there is to say of hosts that do not answer requests for ranges as servers can, each in
    /// one line: more requests or bytes than usual had to be made or read.
    pub fn notes(&self) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes: Vec<_> = known.iter().filter_map(|(origin, host)| host.note(origin)).collect();
        notes.sort_unstable();
        notes
    }

    pub(super) fn host(&self, origin: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked up first: nearly always it is there.
        match known.get(origin) {
            Some(host) => Arc::clone(host),
            None => Arc::clone(known.entry(origin.to_owned()).or_default()),
        }
    }

    pub(super) fn agents(&self) -> MutexGuard<'_, Agents> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learned(&self, url: &str) -> Option<Learned> {
        let target = Target::new(location::parse(url)?)?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&target.origin).map(|host| host.learned())
    }
}

/// One scheme, host and port.
#[derive(Debug, Default)]
pub(super) struct Host {
    learned: Mutex<Learned>,
    /// Why ranges are not asked for in the best way any more.
    sign: Mutex<Option<String>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Learned {
    pub(super) support: RangeSupport,
    /// Whether a range was ever sent.
    pub(super) has_sent_ranges: bool,
    /// Whether several were ever sent in one answer.
    pub(super) has_sent_several: bool,
    /// The most that were ever sent in one answer that was complete.
    pub(super) most_sent: usize,
    /// The most to ask for in one request, where it has shown that it cannot do with more.
    pub(super) most_ranges: Option<usize>,
    /// How often it had no time for several, and has never sent as many.
    busy_with_several: u32,
    /// No more connections than this, since it was overloaded.
    pub(super) most_connections: Option<usize>,
    round_trip: Option<Duration>,
    bytes_per_second: Option<f64>,
}

impl Learned {
    pub(super) fn line(&self) -> Line {
        let Line { round_trip, bytes_per_second } = Line::default();
        Line {
            round_trip: self.round_trip.unwrap_or(round_trip),
            bytes_per_second: self.bytes_per_second.map_or(bytes_per_second, |rate| rate as u64).max(1),
        }
    }
}

impl Host {
    pub(super) fn learned(&self) -> Learned {
        *self.lock()
    }

    /// No better than `support` from now on, because of `sign`.
    pub(super) fn lower_to(&self, support: RangeSupport, sign: impl Into<String>) {
        let mut learned = self.lock();
        learned.support = learned.support.min(support);
        drop(learned);
        *self.sign.lock().unwrap_or_else(PoisonError::into_inner) = Some(sign.into());
    }

    /// No more than `most` ranges in a request from now on.
    pub(super) fn limit_ranges(&self, most: usize, sign: impl Into<String>) {
        if most <= 1 {
            return self.lower_to(RangeSupport::One, sign);
        }
        let mut learned = self.lock();
        learned.most_ranges = Some(learned.most_ranges.map_or(most, |known| known.min(most)));
        drop(learned);
        self.lower_to(RangeSupport::Several, sign);
    }

    /// It had no time when it was asked for several ranges. Whether that has happened before.
    pub(super) fn is_busy_with_several_again(&self) -> bool {
        let mut learned = self.lock();
        learned.busy_with_several += 1;
        learned.busy_with_several > 1
    }

    pub(super) fn sign(&self) -> Option<String> {
        self.sign.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, origin: &str) -> Option<String> {
        let (sign, learned) = (self.sign()?, self.learned());
        Some(match (learned.support, learned.most_ranges) {
            (RangeSupport::None, _) => {
                format!("{origin} does not send ranges ({sign}): files are read from it as a whole")
            }
            (RangeSupport::One, _) => {
                format!("{origin} does not send several ranges at once ({sign}): that takes more requests")
            }
            (RangeSupport::Several, most) => {
                let most = most.unwrap_or(cost::MOST_RANGES);
                format!("{origin} does not send more than {most} ranges at once ({sign}): that takes more requests")
            }
        })
    }

    /// It has answered a request for one range, or for several.
    pub(super) fn note_ranges(&self, support: RangeSupport) {
        let mut learned = self.lock();
        learned.has_sent_ranges = true;
        learned.has_sent_several |= support == RangeSupport::Several;
    }

    /// It has sent all of so many ranges in one answer.
    pub(super) fn note_all_sent(&self, ranges: usize) {
        let mut learned = self.lock();
        learned.most_sent = learned.most_sent.max(ranges);
    }

    /// It has too much to do while there are `connections`.
    pub(super) fn note_overload(&self, connections: usize) {
        let mut learned = self.lock();
        let half = (learned.most_connections.unwrap_or(connections) / 2).max(1);
        learned.most_connections = Some(half);
    }

    /// The way from a request to its answer took so long, or so many times as long where
    /// a connection was made for it. It is the shortest that tells how far away a host
    /// is: new connections and slow answers take longer.
    pub(super) fn note_round_trip(&self, sample: Duration, if_new: u32) {
        let mut learned = self.lock();
        learned.round_trip = Some(match learned.round_trip {
            None => sample / if_new,
            Some(known) if sample > known => (known * 15 + sample.min(known * 4)) / 16,
            Some(_) => sample,
        });
    }

    /// So many bytes came in so long a time over all connections of a fetch.
    pub(super) fn note_bytes(&self, bytes: u64, time: Duration) {
        let sample = bytes as f64 / time.as_secs_f64().max(1e-6);
        let mut learned = self.lock();
        learned.bytes_per_second = Some(learned.bytes_per_second.map_or(sample, |known| (known + sample) / 2.0));
    }

    fn lock(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_learn_together() {
        let hosts = Hosts::default();
        let clone = hosts.clone();
        let url = "http://user:pass@a.org/x?y";
        assert_eq!((hosts.range_support(url), hosts.line(url)), (RangeSupport::Several, None));
        hosts.host("http://a.org").lower_to(RangeSupport::One, "an error");
        hosts.host("http://a.org").lower_to(RangeSupport::Several, "an error");
        assert_eq!(clone.range_support(url), RangeSupport::One, "it never gets better");
        assert_eq!(clone.range_support("https://a.org/x"), RangeSupport::Several);
        assert_eq!(clone.range_support("nonsense"), RangeSupport::Several);
        clone.host("http://a.org").note_round_trip(Duration::from_millis(40), 2);
        assert_eq!(hosts.line(url).map(|line| line.round_trip), Some(Duration::from_millis(20)));
    }

    #[test]
    fn what_is_said_of_hosts() {
        let hosts = Hosts::default();
        hosts.host("http://good").note_ranges(RangeSupport::Several);
        hosts.host("http://d").lower_to(RangeSupport::None, "it sends the whole file");
        for most in [100, 50, 70] {
            hosts.host("http://b").limit_ranges(most, "status 416");
        }
        hosts.host("http://c").limit_ranges(1, "status 501");
        assert_eq!(
            hosts.notes(),
            [
                "http://b does not send more than 50 ranges at once (status 416): that takes more requests",
                "http://c does not send several ranges at once (status 501): that takes more requests",
                "http://d does not send ranges (it sends the whole file): files are read from it as a whole",
            ]
        );
    }

    #[test]
    fn measures_smoothly() {
        let host = Host::default();
        let milliseconds = Duration::from_millis;
        for sample in [120, 40, 9000] {
            host.note_round_trip(milliseconds(sample), 2);
        }
        let line = host.learned().line();
        assert!((milliseconds(40)..milliseconds(50)).contains(&line.round_trip), "{line:?}");
        host.note_bytes(1_000_000, milliseconds(100));
        host.note_bytes(2_000_000, milliseconds(100));
        assert_eq!(host.learned().line().bytes_per_second, 15_000_000);
        for (overload, expected) in [(6, 3), (6, 1), (6, 1)] {
            host.note_overload(overload);
            assert_eq!(host.learned().most_connections, Some(expected));
        }
    }
}
