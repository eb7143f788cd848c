//! Where bytes of the target stood before, further back than a prefix reaches.
//!
//! A tenth of a target is often there twice: bundles of one library, pages of a database,
//! files that were copied. Places are sampled by what stands there (the hash of 8 bytes
//! decides), so that equal bytes are sampled at the same places wherever they stand, and each
//! sample is known by the hash of 32 bytes. This is sparse indexing (Lillibridge and others,
//! FAST 2009), with the first place of each sample in a table of fixed size.

use std::cmp::Reverse;
use std::io;

use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::ReadBuffer;

/// One place in so many is a sample: bytes in common are found from a few hundred on.
const RATE: u64 = 64;

/// So many bytes make a sample, and so many of them decide whether it is one.
const SAMPLE: usize = 32;
const WORD: usize = 8;

/// What is known is cut into spans of so many bytes: two of them are known at a time.
const SPAN: u64 = 256 << 20;

/// So many places are known for each hash.
const WAYS: usize = 2;

/// The largest table is for 2 to the power of this hashes.
const MOST_BITS: u32 = 20;

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// So many distances are told apart in one frame.
const MOST_DISTANCES: usize = 32;

/// One sample in so many must agree on where a frame stood before.
const FEW: u32 = 8;

/// Where the samples of a span, and of the one before it, stand in a target.
pub(super) struct Earlier {
    /// The later one is the last.
    spans: Vec<Span>,
}

impl Earlier {
    /// Cuts `range` where what is known changes: with each part its number for [`Self::learn`].
    pub(super) fn spans(range: ByteRange) -> impl Iterator<Item = (u64, ByteRange)> {
        (range.start / SPAN..range.end.div_ceil(SPAN)).map(move |number| {
            let (start, end) = (number * SPAN, (number + 1) * SPAN);
            (number, ByteRange { start: start.max(range.start), end: end.min(range.end) })
        })
    }

    /// What is known in span `number`, given what was `known` in the one before it, if it is
    /// there. What is known of a span is the same whatever is read of it.
    pub(super) fn learn(target: &dyn ReadAt, number: u64, known: Option<Self>) -> io::Result<Self> {
        let before = known.into_iter().flat_map(|known| known.spans).next_back();
        let spans = match (before, number.checked_sub(1)) {
            (Some(before), _) => vec![before, Span::new(target, number)?],
            (None, Some(before)) => vec![Span::new(target, before)?, Span::new(target, number)?],
            (None, None) => vec![Span::new(target, number)?],
        };
        Ok(Self { spans })
    }

    /// How far back `plain`, which stands at `start`, stood before, in bytes: as most of its
    /// samples say, about, that stood before `end`, unless these are but few of all.
    pub(super) fn distance(&self, plain: &[u8], start: u64, end: u64) -> Option<u64> {
        // Where lines were indented anew, say, each has a distance of its own.
        let near = plain.len() as u64 / 4;
        let mut all = 0;
        let mut distances: Vec<(u64, u32)> = Vec::new();
        for (at, hash) in samples(plain) {
            all += 1;
            let places = self.spans.iter().flat_map(|span| span.places(hash));
            for place in places.filter(|place| place + SAMPLE as u64 <= end) {
                let distance = start + at as u64 - place;
                if let Some((_, votes)) = distances.iter_mut().find(|other| other.0.abs_diff(distance) <= near) {
                    *votes += 1;
                } else if distances.len() < MOST_DISTANCES {
                    distances.push((distance, 1));
                }
            }
        }
        let (distance, votes) = distances.into_iter().max_by_key(|&(distance, votes)| (votes, Reverse(distance)))?;
        (votes * FEW >= all).then_some(distance)
    }
}

/// The first places of each sample in a part of a target.
struct Span {
    start: u64,
    /// How far to shift a hash.
    shift: u32,
    table: Vec<[Way; WAYS]>,
}

/// Where one sample stands.
#[derive(Clone, Copy, Default)]
struct Way {
    /// Its place in the span, plus one; 0 is none.
    place: u32,
    /// The half of its hash that does not tell where in the table this is.
    tag: u32,
}

impl Span {
    fn new(target: &dyn ReadAt, number: u64) -> io::Result<Self> {
        let start = number * SPAN;
        let end = (start + SPAN).min(target.size());
        let bits = ((end - start) / RATE).max(2).ilog2().min(MOST_BITS);
        let mut span = Self { start, shift: 64 - bits, table: vec![[Way::default(); WAYS]; 1 << bits] };
        let mut buffer = ReadBuffer::default();
        let mut at = start;
        while at < end
            && let Some(data) = target.next_data(at)?.filter(|data| data.start < end)
        {
            // No sample begins with zeros, so in a hole none begins further before its end.
            at = at.max(data.start.saturating_sub(WORD as u64 - 1));
            let next = (at + PIECE).min(end);
            // With what the last samples of this piece have of the next.
            let read = ByteRange { start: at, end: (next + SAMPLE as u64 - 1).min(target.size()) };
            for (offset, hash) in samples(buffer.read(target, read)?) {
                let ways = &mut span.table[(hash >> span.shift) as usize];
                if let Some(way) = ways.iter_mut().find(|way| way.place == 0) {
                    *way = Way { place: (at - start) as u32 + offset as u32 + 1, tag: hash as u32 };
                }
            }
            at = next;
        }
        Ok(span)
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = u64> {
        let ways = self.table[(hash >> self.shift) as usize];
        let is_it = move |way: &Way| way.place > 0 && way.tag == hash as u32;
        ways.into_iter().filter(is_it).map(|way| self.start + u64::from(way.place) - 1)
    }
}

/// The samples in `data`: where each is, and its hash. Of some that are alike in a row only
/// the first.
fn samples(data: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    const FACTOR: u64 = 0x9e37_79b1_85eb_ca87;
    let mut last = 0;
    data.windows(SAMPLE).enumerate().filter_map(move |(at, sample)| {
        let (words, _) = sample.as_chunks::<WORD>();
        let first = u64::from_le_bytes(words[0]).wrapping_mul(FACTOR);
        if first == 0 || first >> (64 - RATE.ilog2()) != 0 {
            return None;
        }
        let mix =
            |hash: u64, word: &[u8; WORD]| (hash.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        let hash = words[1..].iter().fold(first, mix);
        let is_new = hash != last;
        last = hash;
        is_new.then_some((at, hash))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_files::LocalFile;
    use gosync_testkit::corpus;
    use std::fs::File;
    use std::io::{Seek, SeekFrom, Write};

    /// What is known where `at` is in the target.
    fn learn(target: &dyn ReadAt, at: u64) -> Earlier {
        Earlier::learn(target, at / SPAN, None).unwrap()
    }

    #[test]
    fn finds_what_stood_before() {
        let mut target = corpus::random(1, 200_000);
        let again = target[10_000..60_000].to_vec();
        target[100_001..150_001].copy_from_slice(&again);
        target[170_000..170_400].copy_from_slice(&again[..400]);
        let earlier = learn(&target, 0);
        let distance =
            |start: usize, len: usize, end: u64| earlier.distance(&target[start..][..len], start as u64, end);
        assert_eq!(distance(100_001, 50_000, 90_000), Some(90_001));
        for start in (100_001..149_000).step_by(1000) {
            assert_eq!(distance(start, 1000, start as u64), Some(90_001), "{start}");
        }
        assert_eq!(distance(100_001, 50_000, 10_000), None, "only before that");
        assert_eq!(distance(165_000, 5400, 165_000), None, "too little of it");
        assert_eq!(distance(60_000, 40_000, 60_000), None);
        assert_eq!(distance(100_001, SAMPLE - 1, 100_001), None);
        assert_eq!(distance(100_001, 0, 100_001), None);
    }

    #[test]
    fn lines_that_were_indented_agree() {
        let lines = String::from_utf8(corpus::text(1, 20_000)).unwrap();
        let indented: String = lines.split_inclusive(' ').flat_map(|word| [word, " "]).collect();
        let target = [lines.as_bytes(), &corpus::random(1, 30_000), indented.as_bytes()].concat();
        let start = 50_000;
        let found = learn(&target, 0).distance(&target[start..][..2000], start as u64, start as u64);
        assert!(found.is_none_or(|distance| distance.abs_diff(50_000) < 1000), "{found:?}");
        assert_eq!(learn(&vec![0; 5000], 0).distance(&[0; 1000], 4000, 4000), None, "zeros are no samples");
    }

    #[test]
    fn knows_this_span_and_the_one_before_it() {
        let again = corpus::random(2, 70_000);
        let places = [1 << 20, SPAN - 100, SPAN + (100 << 20) + 5, 3 * SPAN + 1];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        let mut file = File::create(&path).unwrap();
        for place in places {
            file.seek(SeekFrom::Start(place)).unwrap();
            file.write_all(&again).unwrap();
        }
        let target = LocalFile::open(&path).unwrap();
        let spans: Vec<_> = Earlier::spans(ByteRange { start: 5, end: target.size() }).collect();
        let span = |number, start, end| (number, ByteRange { start, end });
        let expected = [span(0, 5, SPAN), span(1, SPAN, 2 * SPAN), span(2, 2 * SPAN, 3 * SPAN)];
        assert_eq!(spans[..], [&expected[..], &[span(3, 3 * SPAN, target.size())]].concat());

        let mut known = None;
        for (number, _) in spans {
            let earlier = Earlier::learn(&target, number, known.take()).unwrap();
            let afresh = learn(&target, number * SPAN);
            let found = |earlier: &Earlier, place: u64| earlier.distance(&again, place, place);
            for place in places.into_iter().filter(|place| place / SPAN == number) {
                assert_eq!(found(&earlier, place), found(&afresh, place));
            }
            match number {
                0 => assert_eq!(found(&earlier, places[1]), Some(places[1] - places[0])),
                1 => assert_eq!(found(&earlier, places[2]), Some(places[2] - places[1])),
                // It is in neither of the two.
                3 => assert_eq!(found(&earlier, places[3]), None),
                _ => {}
            }
            known = Some(earlier);
        }
    }
}
