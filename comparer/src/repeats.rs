//! Remembering weak hits that came to nothing, or to nothing more, where data repeats.
//!
//! In periodic data one false weak hit comes back at every period, each time with a
//! window of the same bytes. With rsync's sum that happens in earnest: when the block
//! size is a power of two, windows full of any one byte can have the sum of zeros, so
//! a file of spaces hits a block of zeros at every position. Summing each window anew
//! would cost a block's length at every byte; knowing that the data repeats costs one
//! comparison of bytes for each byte.

/// Keys remembered at a time: the phases of one period that hit.
const REMEMBERED_BITS: u32 = 12;

/// Weak hits that failed, and how far the data around them repeats.
pub(crate) struct FailedHits {
    /// The last hit that failed with some key, by bits of the key's hash. Empty until one fails.
    last: Vec<Option<Failed>>,
    repeat: Repeat,
    /// Bytes compared.
    pub(crate) compared: u64,
}

/// A weak hit that failed.
#[derive(Clone, Copy)]
struct Failed {
    key: u32,
    position: usize,
    /// How many hits there were before it.
    hits: u32,
}

/// `buffer[x] == buffer[x + period]` for every `x` in `start..end`.
#[derive(Clone, Copy)]
struct Repeat {
    period: usize,
    start: usize,
    end: usize,
    /// Weak hits in one period.
    hits: u32,
}

impl FailedHits {
    pub(crate) fn new() -> Self {
        Self { last: Vec::new(), repeat: Repeat { period: 0, start: 0, end: 0, hits: 0 }, compared: 0 }
    }

    /// Whether a window with the same key and the same bytes as the one at `position`
    /// has failed before it. May not know of one. `hits` is the number of weak hits before this one.
    #[inline]
    pub(crate) fn has_failed(&mut self, buffer: &[u8], position: usize, key: u32, window: usize, hits: u64) -> bool {
        let last = self.last.get(slot(key)).copied().flatten();
        let Some(failed) = last.filter(|failed| failed.key == key && failed.position < position) else { return false };
        let before = failed.position;
        let period = position - before;
        let known = self.repeat;
        if known.period != period || known.start > before || known.end < before {
            self.repeat = Repeat { period, start: before, end: before, hits: 0 };
        }
        let Repeat { end, .. } = self.repeat;
        if end < before + window {
            let later = &buffer[end + period..position + window];
            let equal = common_prefix(&buffer[end..before + window], later);
            self.repeat.end += equal;
            self.compared += equal as u64;
        }
        let repeats = self.repeat.end >= before + window;
        self.repeat.hits = (hits as u32).wrapping_sub(failed.hits);
        repeats
    }

    /// How many whole periods from `position` on, which [has failed](Self::has_failed), are
    /// known to be the same as the one before it, in all windows that begin in them, and how
    /// many bytes and weak hits these have. The window here may be longer than that which failed.
    ///
    /// Where all positions from `examined` on have been searched in vain, so have these.
    pub(crate) fn same_until(&mut self, buffer: &[u8], position: usize, window: usize, examined: usize) -> Same {
        let Repeat { period, end, hits, .. } = self.repeat;
        // What repeats at once has failed at the very position before.
        if period > 1 && position - period < examined {
            return Same::default();
        }
        let equal = common_prefix(&buffer[end..buffer.len() - period], &buffer[end + period..]);
        self.repeat.end += equal;
        self.compared += equal as u64;
        let windows = (self.repeat.end + period + 1).saturating_sub(position + window);
        let periods = windows / period;
        Same { bytes: periods * period, hits: periods as u64 * u64::from(hits) }
    }

    /// The window at `position`, which has this key, failed. `hits` is the number of weak hits before it.
    pub(crate) fn remember(&mut self, position: usize, key: u32, hits: u64) {
        if self.last.is_empty() {
            self.last = vec![None; 1 << REMEMBERED_BITS];
        }
        self.last[slot(key)] = Some(Failed { key, position, hits: hits as u32 });
    }
}

/// What is the same as what was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Same {
    pub(crate) bytes: usize,
    pub(crate) hits: u64,
}

/// Where a key is remembered.
fn slot(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - REMEMBERED_BITS)) as usize
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    // Whole strides first: their comparison is vectorised, a search for the first difference is not.
    const STRIDE: usize = 64;
    let strides = one.chunks_exact(STRIDE).zip(other.chunks_exact(STRIDE)).take_while(|(one, other)| one == other);
    let equal = strides.count() * STRIDE;
    equal + one[equal..].iter().zip(&other[equal..]).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes() {
        let one: Vec<u8> = (0..200).collect();
        for differs in [0, 1, 63, 64, 65, 128, 199] {
            let mut other = one.clone();
            other[differs] ^= 1;
            assert_eq!(common_prefix(&one, &other), differs);
        }
        assert_eq!(common_prefix(&one, &one), 200);
        assert_eq!(common_prefix(&[], &[]), 0);
    }

    #[test]
    fn knows_constant_data_after_one_failure() {
        let buffer = [b' '; 1000];
        let mut failed = FailedHits::new();
        assert!(!failed.has_failed(&buffer, 0, 5, 100, 0));
        failed.remember(0, 5, 0);
        assert!((1..=900).all(|position| failed.has_failed(&buffer, position, 5, 100, position as u64)));
        failed.remember(400, 5, 400);
        assert!((401..=900).all(|position| failed.has_failed(&buffer, position, 5, 100, position as u64)));
        assert!(!failed.has_failed(&buffer, 900, 6, 100, 901), "another key");
    }

    #[test]
    fn what_repeats_is_passed_over_at_once() {
        for period in [1, 2, 7] {
            for end in [100 + period - 1, 100 + period, 500, 1000] {
                let mut buffer: Vec<u8> = (0..1000).map(|at| (at % period) as u8).collect();
                buffer[end..].fill(b'x');
                let mut failed = FailedHits::new();
                failed.remember(0, 5, 0);
                if end < 100 + period {
                    assert!(!failed.has_failed(&buffer, period, 5, 100, 2), "the next window is another one");
                    continue;
                }
                assert!(failed.has_failed(&buffer, period, 5, 100, 2));
                let periods = (end - 99 - period) / period;
                let same = Same { bytes: periods * period, hits: 2 * periods as u64 };
                assert_eq!(failed.same_until(&buffer, period, 100, 0), same, "{period}, {end}");
                if period > 1 {
                    assert_eq!(failed.same_until(&buffer, period, 100, 1), Same::default(), "the first was not seen");
                }
            }
        }
    }

    proptest! {
        /// Whatever is remembered, only windows of the very same bytes are said to have failed.
        #[test]
        fn never_wrong(
            buffer in prop::collection::vec(0u8..2, 200..400),
            period in 1usize..20,
            window in 1usize..40,
            hits in prop::collection::vec((1usize..30, 0u32..3), 1..60),
        ) {
            let mut buffer = buffer;
            for at in 50 + period..150 {
                buffer[at] = buffer[at - period];
            }
            let mut failed = FailedHits::new();
            let mut failures: Vec<(u32, &[u8])> = Vec::new();
            let mut position = 0;
            for (step, key) in hits {
                position += step;
                if position + window > buffer.len() {
                    break;
                }
                let bytes = &buffer[position..][..window];
                if failed.has_failed(&buffer, position, key, window, 0) {
                    prop_assert!(failures.contains(&(key, bytes)));
                    let period = failed.repeat.period;
                    for at in position..position + failed.same_until(&buffer, position, window, 0).bytes {
                        prop_assert_eq!(&buffer[at..at + window], &buffer[at - period..at - period + window]);
                    }
                } else {
                    failures.push((key, bytes));
                }
                failed.remember(position, key, 0);
            }
        }
    }
}
