//! Where blocks are expected: beside what was found.

use gosync_chunks::SeedId;

use super::asked::{Asked, Suspect, suspects_in};
use super::expected::Expected;
use super::place::Place;
use super::spans::Spans;

/// On which side of what was found to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Behind what is before a run of blocks, and where suspects were.
    Behind,
    /// Before what is behind it. What is left there once the other side has been looked at.
    Before,
}

/// Where the blocks that are not found yet may be, on one side of what was found. `spans` are
/// sorted. What is beside zeros is not expected anywhere.
pub(super) fn beside(asked: &Asked, side: Side, spans: &Spans, suspects: &[Suspect]) -> Vec<Expected> {
    let size = u64::from(asked.layout.block_size());
    let mut expected = Vec::new();
    for run in asked.runs() {
        let (start, end) = (asked.range(run.start).start, asked.range(run.end - 1).end);
        let last_len = asked.range(run.end - 1).len() as u32;
        // Where in which seed what is before the run ends, and where what is behind it begins.
        let before = match asked.before(run.start) {
            Some(before) => in_seed(asked.place(before)).map(|(seed, offset)| (seed, offset + size)),
            None => spans
                .before(start)
                .and_then(|span| in_seed(span.place()).map(|(seed, offset)| (seed, offset + span.target().len()))),
        };
        let next = match asked.after(run.end - 1) {
            Some(after) => in_seed(asked.place(after)),
            None => spans.at(end).and_then(|span| in_seed(span.place())),
        };
        let mut expect = |first: usize, count: usize, (seed, offset): (SeedId, u64)| {
            expected.push(Expected { first: first as u32, count: count as u32, last_len, seed, offset });
        };
        if side == Side::Behind {
            before.into_iter().for_each(|place| expect(run.start, run.len(), place));
            for suspect in suspects_in(suspects, start, end) {
                // As far to the front as the seed goes.
                let skipped = (suspect.target - start).saturating_sub(suspect.offset).div_ceil(size);
                let first = run.start + skipped as usize;
                let offset = suspect.offset + skipped * size + start - suspect.target;
                expect(first, run.end - first, (suspect.seed, offset));
            }
            continue;
        }
        match next.map(|(seed, offset)| (seed, offset, offset.checked_sub(end - start))) {
            Some((seed, _, Some(offset))) if Some((seed, offset)) != before => {
                expect(run.start, run.len(), (seed, offset));
            }
            // Where the beginning of the seed is missing, the end may still be there.
            Some((seed, offset, None)) => {
                let count = (offset / size).min(run.len() as u64);
                let first = run.end - count as usize;
                expect(first, count as usize, (seed, offset - count * size));
            }
            _ => {}
        }
    }
    expected
}

fn in_seed(place: Place) -> Option<(SeedId, u64)> {
    match place {
        Place::Seed(seed, offset) => Some((seed, offset)),
        _ => None,
    }
}
