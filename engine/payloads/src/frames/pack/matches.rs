//! Finding what small frames have in common with the bytes before them.

use std::ops::Range;

use gosync_chunks::frames::{FrameKind, PayloadLayout};

use super::codes::SHORTEST_MATCH;
use super::sequence::{FIRST_OFFSETS, Parsed, Sequence};
use crate::frames::frame::MAX_LEVEL;

/// As [`HASH_BITS`], for a region.
const REGION_BITS: u32 = 12;

/// Five bytes are found by a hash of so many bits.
const HASH_BITS: u32 = 16;

/// Shorter matches are not looked for.
const LEAST: usize = 5;

/// After a match as long as this, no better one is looked for behind it.
const LAZY: usize = 24;

/// A match that is as long as this is good enough.
const GOOD: usize = 48;

/// Finds what the small frames of a stretch of a target are made of, in ascending order.
pub(super) struct Matcher {
    /// The longest prefix.
    pub(super) prefix: usize,
    /// So many places with the same hash are looked at.
    depth: usize,
    /// The last place with a hash, and the one before each place, plus one; 0 is none.
    heads: Vec<u32>,
    chain: Vec<u32>,
    inserted: usize,
    /// The last place in the region with a hash, plus one.
    region_heads: Vec<u32>,
    parsed: Parsed,
}

/// What a frame is packed with.
#[derive(Clone, Copy)]
struct Before<'a> {
    data: &'a [u8],
    /// Where the prefix begins in `data`, and where the frame ends.
    low: usize,
    end: usize,
    /// What stands right before the prefix when the frame is decoded.
    region: &'a [u8],
}

impl<'a> Before<'a> {
    /// What is `offset` bytes before `at`, if anything is.
    fn at_offset(&self, at: usize, offset: usize) -> Option<&'a [u8]> {
        match (at - self.low).checked_sub(offset) {
            Some(place) => Some(&self.data[self.low + place..]),
            None => Some(&self.region[(self.region.len() + at - self.low).checked_sub(offset)?..]),
        }
    }
}

/// Where the bytes at some place were before.
#[derive(Clone, Copy)]
struct Match {
    length: usize,
    offset: usize,
    /// The bits that it is expected to save.
    gain: i32,
}

impl Matcher {
    /// Tries as hard as zstd's `level` says.
    pub(super) fn new(layout: &PayloadLayout, level: i32) -> Self {
        let prefix = layout.prefix_len(FrameKind::Fine) as usize;
        // A place is forgotten only when no frame's prefix reaches it any more.
        let reach = (prefix + layout.frame_size(FrameKind::Fine) as usize + 1).next_power_of_two();
        Self {
            prefix,
            depth: 4 << (level.clamp(1, MAX_LEVEL) / 3),
            heads: vec![0; 1 << HASH_BITS],
            chain: vec![0; reach],
            inserted: 0,
            region_heads: Vec::new(),
            parsed: Parsed::default(),
        }
    }

    /// Begins with another stretch, whose first frame begins at `start` in `data`.
    pub(super) fn begin(&mut self, data: &[u8], start: usize) {
        self.heads.fill(0);
        self.inserted = start.saturating_sub(self.prefix);
        self.insert(data, start);
    }

    /// What the frame of `data[frame]` is made of.
    pub(super) fn parse(&mut self, data: &[u8], frame: Range<usize>, region: &[u8]) -> &Parsed {
        self.parsed.sequences.clear();
        self.parsed.literals.clear();
        let before = Before { data, low: frame.start.saturating_sub(self.prefix), end: frame.end, region };
        self.know(region);
        let mut recent = FIRST_OFFSETS[0] as usize;
        let (mut anchor, mut at) = (frame.start, frame.start);
        while at + LEAST <= frame.end {
            let Some(mut found) = self.find(&before, at, recent) else {
                at += 1;
                continue;
            };
            // One byte on there may be a better one, and then another.
            while found.length < LAZY && at + 1 + LEAST <= frame.end {
                match self.find(&before, at + 1, recent) {
                    Some(next) if next.gain > found.gain + 1 => {
                        found = next;
                        at += 1;
                    }
                    _ => break,
                }
            }
            while at > anchor && at > before.low + found.offset && data[at - 1] == data[at - 1 - found.offset] {
                at -= 1;
                found.length += 1;
            }
            self.parsed.literals.extend_from_slice(&data[anchor..at]);
            self.parsed.sequences.push(Sequence {
                literals: (at - anchor) as u32,
                length: found.length as u32,
                offset: found.offset as u32,
            });
            recent = found.offset;
            at += found.length;
            anchor = at;
        }
        self.parsed.literals.extend_from_slice(&data[anchor..frame.end]);
        self.insert(data, frame.end);
        &self.parsed
    }

    /// The best match for the bytes at `at`, if one is worth it.
    fn find(&mut self, before: &Before<'_>, at: usize, recent: usize) -> Option<Match> {
        let Before { data, low, end, region } = *before;
        self.insert(data, at);
        let here = &data[at..end];
        let mut best: Option<Match> = None;
        if let Some(there) = before.at_offset(at, recent) {
            let length = common(there, here);
            let gain = 5 * length as i32 - 8;
            if length >= SHORTEST_MATCH as usize {
                best = Some(Match { length, offset: recent, gain });
            }
        }
        let mut consider = |length: usize, offset: usize| {
            let gain = 5 * length as i32 - 12 - offset.ilog2() as i32;
            if length >= LEAST && gain > best.map_or(0, |best| best.gain) {
                best = Some(Match { length, offset, gain });
            }
            best.map_or(LEAST - 1, |best| best.length)
        };
        let hash = hash(here);
        let mask = self.chain.len() - 1;
        let mut place = self.heads[hash] as usize;
        let mut longest = consider(0, 1);
        for _ in 0..self.depth {
            // Of places that were forgotten none is above `low`.
            if place <= low || longest >= here.len() {
                break;
            }
            let before = place - 1;
            if data[before + longest] == here[longest] {
                longest = consider(common(&data[before..], here), at - before);
                if longest >= GOOD {
                    break;
                }
            }
            let next = self.chain[before & mask] as usize;
            if next >= place {
                break;
            }
            place = next;
        }
        if !region.is_empty()
            && let Some(place) = self.region_heads[hash >> (HASH_BITS - REGION_BITS)].checked_sub(1)
        {
            let place = place as usize;
            consider(common(&region[place..], here), at - low + region.len() - place);
        }
        best
    }

    /// Makes all places in `region` known.
    fn know(&mut self, region: &[u8]) {
        if region.is_empty() {
            return;
        }
        self.region_heads.clear();
        self.region_heads.resize(1 << REGION_BITS, 0);
        for (at, bytes) in region.windows(LEAST).enumerate() {
            self.region_heads[hash(bytes) >> (HASH_BITS - REGION_BITS)] = at as u32 + 1;
        }
    }

    /// Makes all places before `end` known.
    fn insert(&mut self, data: &[u8], end: usize) {
        let mask = self.chain.len() - 1;
        let end = end.min(data.len().saturating_sub(LEAST - 1));
        for at in self.inserted..end {
            let head = &mut self.heads[hash(&data[at..])];
            self.chain[at & mask] = *head;
            *head = at as u32 + 1;
        }
        self.inserted = self.inserted.max(end);
    }
}

fn hash(data: &[u8]) -> usize {
    let word = u64::from_le_bytes([0, 0, 0, data[0], data[1], data[2], data[3], data[4]]);
    (word.wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - HASH_BITS)) as usize
}

/// How many bytes of `here` are the same as `there`, which is longer.
fn common(there: &[u8], here: &[u8]) -> usize {
    let mut len = 0;
    for (one, other) in there.as_chunks::<8>().0.iter().zip(here.as_chunks::<8>().0) {
        let difference = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if difference != 0 {
            return len + difference.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + there[len..].iter().zip(&here[len..]).take_while(|(one, other)| one == other).count()
}
