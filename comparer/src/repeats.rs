//! Remembering weak hits that came to nothing, or to nothing more, where data repeats.
//!
//! In periodic data one false weak hit comes back at every period, each time with a
//! window of the same bytes. With rsync's sum that happens in earnest: when the block
//! size is a power of two, windows full of any one byte can have the sum of zeros, so
//! a file of spaces hits a block of zeros at every position. Summing each window anew
//! would cost a block's length at every byte; knowing that the data repeats costs one
//! comparison of bytes for each byte.

/// Keys remembered at a time: the phases of one period that hit.
const REMEMBERED: usize = 64;

/// Weak hits that failed, and how far the data around them repeats.
pub(crate) struct FailedHits {
    /// The last position that failed with some key, by the key's low bits.
    last: [Option<(u32, usize)>; REMEMBERED],
    repeat: Repeat,
}

/// `buffer[x] == buffer[x + period]` for every `x` in `start..end`.
#[derive(Clone, Copy)]
struct Repeat {
    period: usize,
    start: usize,
    end: usize,
}

impl FailedHits {
    pub(crate) fn new() -> Self {
        Self { last: [None; REMEMBERED], repeat: Repeat { period: 0, start: 0, end: 0 } }
    }

    /// Whether a window with the same key and the same bytes as the one at `position`
    /// has failed. May not know of one.
    #[inline]
    pub(crate) fn has_failed(&mut self, buffer: &[u8], position: usize, key: u32, window: usize) -> bool {
        let last = &mut self.last[key as usize % REMEMBERED];
        let Some((_, before)) = last.filter(|&(other, _)| other == key) else { return false };
        let period = position - before;
        let known = self.repeat;
        if known.period != period || known.start > before || known.end < before {
            self.repeat = Repeat { period, start: before, end: before };
        }
        let Repeat { end, .. } = self.repeat;
        if end < before + window {
            let later = &buffer[end + period..position + window];
            self.repeat.end += common_prefix(&buffer[end..before + window], later);
        }
        let repeats = self.repeat.end >= before + window;
        if repeats {
            *last = Some((key, position));
        }
        repeats
    }

    /// The first position after `position`, which [has failed](Self::has_failed), whose
    /// window is not known to be the same: in a run of one byte, far ahead. The window here
    /// may be longer than that which failed, and the answer then before `position`.
    pub(crate) fn same_until(&mut self, buffer: &[u8], position: usize, window: usize) -> usize {
        let Repeat { period, end, .. } = self.repeat;
        if period != 1 {
            return position + 1;
        }
        self.repeat.end += common_prefix(&buffer[end..buffer.len() - 1], &buffer[end + 1..]);
        (self.repeat.end + 2).saturating_sub(window)
    }

    /// The window at `position`, which has this key, failed.
    pub(crate) fn remember(&mut self, position: usize, key: u32) {
        self.last[key as usize % REMEMBERED] = Some((key, position));
    }
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
        assert!(!failed.has_failed(&buffer, 0, 5, 100));
        failed.remember(0, 5);
        assert!((1..=900).all(|position| failed.has_failed(&buffer, position, 5, 100)));
        assert!(!failed.has_failed(&buffer, 900, 6, 100), "another key");
    }

    #[test]
    fn a_run_of_one_byte_is_passed_over_at_once() {
        for end in [100, 101, 500, 1000] {
            let mut buffer = [b' '; 1000];
            buffer[end..].fill(b'x');
            let mut failed = FailedHits::new();
            failed.remember(0, 5);
            if end == 100 {
                assert!(!failed.has_failed(&buffer, 1, 5, 100), "the next window is another one");
                continue;
            }
            assert!(failed.has_failed(&buffer, 1, 5, 100));
            assert_eq!(failed.same_until(&buffer, 1, 100), end + 1 - 100);
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
                if failed.has_failed(&buffer, position, key, window) {
                    prop_assert!(failures.contains(&(key, bytes)));
                } else {
                    failed.remember(position, key);
                    failures.push((key, bytes));
                }
            }
        }
    }
}
