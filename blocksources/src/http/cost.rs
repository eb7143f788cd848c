//! What a download costs, and what is therefore worth asking for.
//!
//! The model knows three numbers: the round trip to the server, the bytes per second of
//! the line, and how many requests are under way at once. A request costs a round trip,
//! which as many other requests share as there are connections; a range within a request
//! costs the lines around it; every byte costs its time on the line. From that follow
//! the gap that is cheaper to fetch than to ask around, how much to ask for at once, and
//! when the whole file is the cheapest answer. Neither TCP's slow start nor the server's
//! own time is in it: what is measured on real requests stands for both.

use std::time::Duration;

use gosync_chunks::ByteRange;

use crate::ranges::{RangeSet, coalesce};

/// Ranges in one request: as many as Apache takes as it comes. Others take more; some ignore
/// what is beyond their limit.
pub const MOST_RANGES: usize = 200;

/// Bytes of a `Range` header, whose line servers commonly limit to 8 KiB, some to 4.
const MOST_HEADER: usize = 3800;

/// About what a range costs within a request: the lines before its part of the answer, a
/// boundary, the type and the range. Its place in the request's header is nine times shorter.
const RANGE_HEAD: u64 = 112;

/// No gap is worth more, however long the round trip is said to be.
const MOST_GAP: u64 = 1 << 20;

/// Less than this is not worth another connection.
const LEAST_REQUEST: u64 = 128 << 10;

/// From this many bytes on, a request's round trip does not matter.
const AMPLE_REQUEST: u64 = 2 << 20;

/// What breaks is asked for again, and ranges are handed out by requests: none is larger.
const MOST_REQUEST: u64 = 32 << 20;

/// How well a server answers requests for ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeSupport {
    /// It sends the whole file, or an error.
    None,
    /// One range in a request.
    One,
    /// Several ranges in a request. What is assumed of a server until it is known.
    #[default]
    Several,
}

/// What the way to a server is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// From a request to the head of its answer.
    pub round_trip: Duration,
    /// Over all connections together.
    pub bytes_per_second: u64,
}

impl Default for Line {
    /// A usual line to a server on the same continent.
    fn default() -> Self {
        Self { round_trip: Duration::from_millis(50), bytes_per_second: 8 << 20 }
    }
}

/// The terms on which a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the way to it is like.
    pub line: Line,
    /// What it understands.
    pub support: RangeSupport,
    /// The most ranges in one request, where it understands several.
    pub most_ranges: usize,
    /// Requests under way at once; at least 1.
    pub connections: usize,
    /// The most bytes in one request, where that is not left to the model.
    pub request_size: Option<u64>,
    /// The gap worth bridging, where that is not left to the model.
    pub bridged_gap: Option<u64>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            line: Line::default(),
            support: RangeSupport::default(),
            most_ranges: MOST_RANGES,
            connections: 6,
            request_size: None,
            bridged_gap: None,
        }
    }
}

impl Terms {
    /// How many ranges one request may ask for.
    fn ranges_at_once(&self) -> usize {
        if self.support == RangeSupport::Several { self.most_ranges.max(1) } else { 1 }
    }
}

/// What a download is expected to cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Payload bytes, bridged gaps included.
    pub bytes: u64,
    /// Requests, redirects and repetitions apart.
    pub requests: u64,
    /// From the first request to the last byte.
    pub time: Duration,
}

/// The longest gap that is cheaper to fetch than to leave out, between `ranges` ranges:
/// as long as there are not more of them than can be asked for at the same time, leaving
/// one out costs no round trip. Where a request asks for many ranges, it costs a hundredth of
/// one, which is not worth being unable to foretell what is fetched before the line is known.
pub fn bridged_gap(terms: &Terms, ranges: usize) -> u64 {
    let costs_round_trips = terms.support != RangeSupport::Several && ranges > terms.connections;
    let saved = if costs_round_trips { in_flight(terms) } else { 0 };
    terms.bridged_gap.unwrap_or_else(|| (RANGE_HEAD + saved).min(MOST_GAP))
}

/// How many bytes to ask for at once, when it is `bytes` altogether: an equal share
/// for each connection, unless that is too little to be worth one, or too much to be
/// lost when a connection breaks.
pub fn request_size(terms: &Terms, bytes: u64) -> u64 {
    let ample = (16 * in_flight(terms)).clamp(AMPLE_REQUEST, MOST_REQUEST);
    let most = terms.request_size.unwrap_or(ample).max(1);
    let least = LEAST_REQUEST.max(in_flight(terms)).min(most);
    let shares = bytes.div_ceil(least).min(terms.connections as u64);
    bytes.div_ceil(bytes.div_ceil(most).max(shares).max(1)).max(1)
}

/// Whether it is quicker to fetch all `size` bytes of the file than `wanted` alone.
pub fn prefers_whole(wanted: &RangeSet, size: u64, terms: &Terms) -> bool {
    terms.support == RangeSupport::None || whole(size, terms).time < in_ranges(wanted, terms).time
}

/// What fetching `ranges`, which ascend and do not overlap, will cost. `size` is the
/// file's length in bytes, where it is known.
pub fn estimate(ranges: &[ByteRange], size: Option<u64>, terms: &Terms) -> Estimate {
    let wanted: RangeSet = ranges.iter().copied().collect();
    if wanted.is_empty() {
        return Estimate::default();
    }
    match size {
        Some(size) if prefers_whole(&wanted, size, terms) => whole(size, terms),
        None if terms.support == RangeSupport::None => whole(wanted.end(), terms),
        _ => in_ranges(&wanted, terms),
    }
}

/// How a fetch is cut into requests, for as long as the server is asked in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// So many ranges go into one request.
    most_ranges: usize,
    /// Gaps of up to so many bytes are asked for too.
    bridged_gap: u64,
    /// All there is to ask for, gaps included.
    bytes: u64,
}

impl Cut {
    pub(crate) fn new(wanted: &RangeSet, terms: &Terms) -> Self {
        let (bridged_gap, mut end) = (bridged_gap(terms, wanted.len()), None);
        let bytes = wanted.iter().map(|range| {
            let gap = end.replace(range.end).map_or(0, |end| range.start - end);
            range.len() + if gap <= bridged_gap { gap } else { 0 }
        });
        Self { most_ranges: terms.ranges_at_once(), bridged_gap, bytes: bytes.sum() }
    }

    /// Whether the server is still asked in this way.
    pub(crate) fn is_for(&self, terms: &Terms) -> bool {
        self.most_ranges == terms.ranges_at_once()
    }

    /// How many requests it will be at least.
    pub(crate) fn requests(&self, terms: &Terms) -> usize {
        self.bytes.div_ceil(request_size(terms, self.bytes)) as usize
    }

    /// Takes what the next request asks for from the front of `pending`.
    pub(crate) fn take(&self, pending: &mut RangeSet, terms: &Terms) -> Request {
        self.take_bytes(pending, request_size(terms, self.bytes))
    }

    /// The same with about `size` bytes.
    pub(crate) fn take_bytes(&self, pending: &mut RangeSet, size: u64) -> Request {
        let mut wanted: Vec<ByteRange> = Vec::new();
        let (mut bytes, mut ranges, mut header) = (0, 0, 0);
        while bytes < size {
            let Some(mut range) = pending.pop_first() else { break };
            let gap = wanted.last().map(|last| range.start - last.end);
            let bridged = gap.filter(|&gap| gap <= self.bridged_gap);
            let length = digits(range.start) + digits(range.end) + 2;
            if bridged.is_none() && (ranges == self.most_ranges || header + length > MOST_HEADER) {
                pending.insert(range);
                break;
            }
            // What is left over has to be worth another range.
            let room = size - bytes;
            if range.len() > room.saturating_add(size / 8) {
                pending.insert(ByteRange { start: range.start + room, end: range.end });
                range.end = range.start + room;
            }
            bytes += range.len() + bridged.unwrap_or(0);
            if bridged.is_none() {
                (ranges, header) = (ranges + 1, header + length);
            }
            wanted.push(range);
        }
        Request { wanted, bridged_gap: self.bridged_gap }
    }
}

/// What one request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// The wanted ranges that it brings, ascending.
    pub(crate) wanted: Vec<ByteRange>,
    /// Gaps of up to so many bytes between them are asked for too.
    pub(crate) bridged_gap: u64,
}

impl Request {
    /// The ranges to ask for.
    pub(crate) fn asked(&self) -> Vec<ByteRange> {
        coalesce(&self.wanted, self.bridged_gap)
    }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Bytes that each connection could bring in the time of a round trip.
fn in_flight(terms: &Terms) -> u64 {
    let all = terms.line.bytes_per_second as f64 * terms.line.round_trip.as_secs_f64();
    (all / terms.connections.max(1) as f64) as u64
}

/// One request on one connection, which seldom gets more than half of what all get.
fn whole(size: u64, terms: &Terms) -> Estimate {
    let slower = if terms.connections > 1 { 2 } else { 1 };
    Estimate { bytes: size, requests: 1, time: time(terms, 1, size.saturating_mul(slower)) }
}

fn in_ranges(wanted: &RangeSet, terms: &Terms) -> Estimate {
    let (cut, mut pending) = (Cut::new(wanted, terms), wanted.clone());
    let (mut requests, mut bytes, mut heads) = (0, 0, 0);
    while !pending.is_empty() {
        let asked = cut.take(&mut pending, terms).asked();
        requests += 1;
        bytes += asked.iter().map(|range| range.len()).sum::<u64>();
        heads += asked.len() as u64 * RANGE_HEAD;
    }
    Estimate { bytes, requests, time: time(terms, requests, bytes + heads) }
}

/// A round trip to connect, one for each request of a connection, and the bytes.
fn time(terms: &Terms, requests: u64, bytes: u64) -> Duration {
    let turns = 1 + requests.div_ceil(terms.connections.max(1) as u64);
    let seconds =
        turns as f64 * terms.line.round_trip.as_secs_f64() + bytes as f64 / terms.line.bytes_per_second.max(1) as f64;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests;
