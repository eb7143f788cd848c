//! Which parts of a new file are blocks of the basis, as librsync sees it.
//!
//! librsync goes over the new file from left to right: where the next block's length of
//! bytes has the sums of a block, it takes that and goes on behind it, and else by a byte.
//! At the end, what is looked at becomes shorter byte by byte.
//!
//! What it comes to depends on nothing but where it is. So the new file is cut into pieces,
//! each is gone over from its own start, on any thread, and then the pieces are joined in
//! order: where a match reaches into a piece, that piece is gone over anew until the two
//! ways over it meet. From there on they are the same.

use gosync_chunks::{BlockId, Lookup};
use gosync_comparer::{CompareOptions, Match, Matcher, Matches, Statistics};
use gosync_rollsum::RollingSum;

use crate::cutter::Cut;
use crate::encode::Encoder;
use crate::encoded::Encoded;
use crate::lookup::SignatureIndex;

/// The most positions that are gone over anew at a time.
const MOST_ANEW: usize = 1 << 20;

/// Finds blocks.
pub(crate) struct Parser<'a> {
    index: &'a SignatureIndex<'a>,
    matcher: Matcher<'a, SignatureIndex<'a>>,
    pub(crate) block_len: usize,
    sum: RollingSum,
    /// There is nothing to be found.
    pub(crate) is_empty: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(index: &'a SignatureIndex<'a>) -> Self {
        let signature = index.signature();
        let sum = signature.header().kind.rolling();
        // All that librsync finds has to be found.
        let options = CompareOptions { strong_budget: None, ..CompareOptions::new(sum) };
        Self {
            index,
            matcher: Matcher::new(signature.sums(), index, &options),
            block_len: signature.header().block_len as usize,
            sum,
            is_empty: signature.block_count() == 0,
        }
    }

    /// Finds the blocks that begin at `positions` of `data`.
    pub(crate) fn search(&self, data: &[u8], positions: std::ops::Range<usize>, matches: &mut Matches) -> Statistics {
        if self.is_empty {
            return self.matcher.search(data, 0..0, matches);
        }
        self.matcher.search(data, positions, matches)
    }

    /// Finds where the rest of `data`, which is less than a block, is a block, and which.
    fn search_end(&self, data: &[u8]) -> Option<(BlockId, usize)> {
        if self.is_empty || data.is_empty() {
            return None;
        }
        let sums = self.index.signature().sums();
        let mut window = Shrinking::new(self.sum, data);
        for (start, &byte) in data.iter().enumerate() {
            if self.index.with_key(window.key).next().is_some() {
                let strong = sums.hasher().sum(&data[start..]);
                if let Some(block) = self.index.with_sums(sums, window.key, &strong) {
                    return Some((block, start));
                }
            }
            window.drop_first(byte);
        }
        None
    }

    /// Where the block begins that librsync takes for `block`: the first with its sums.
    fn position(&self, block: BlockId) -> u64 {
        u64::from(self.index.equal_blocks().first(block).0) * self.block_len as u64
    }
}

/// A piece of the new file.
pub(crate) struct Piece<'a> {
    /// The bytes of the piece and, unless it is the last, of a block behind it.
    pub(crate) data: &'a [u8],
    /// How many bytes are its own.
    pub(crate) len: usize,
    /// Whether the new file ends with it.
    pub(crate) is_last: bool,
}

impl<'a> From<&'a Cut> for Piece<'a> {
    fn from(cut: &'a Cut) -> Self {
        Self { data: cut.bytes(), len: cut.len, is_last: cut.is_last }
    }
}

impl Piece<'_> {
    /// How many of its positions have a whole block behind them.
    pub(crate) fn positions(&self, block_len: usize) -> usize {
        if self.is_last { (self.len + 1).saturating_sub(block_len) } else { self.len }
    }
}

/// Joins what was found in pieces, and has it written down.
pub(crate) struct Joiner {
    pub(crate) encoder: Encoder,
    /// How many of the next piece's bytes belong to a match that began before.
    behind: usize,
    anew: Matches,
    taken: Vec<Match>,
    pub(crate) statistics: Statistics,
}

impl Joiner {
    pub(crate) fn new(encoder: Encoder) -> Self {
        let (anew, taken, statistics) = (Matches::default(), Vec::new(), Statistics::default());
        Self { encoder, behind: 0, anew, taken, statistics }
    }

    /// Where in the next piece a search need not look.
    pub(crate) fn behind(&self) -> usize {
        self.behind
    }

    /// Takes the next piece, in which a search from any position up to [`Self::behind`] found `matches`,
    /// and appends to `output` what follows from it.
    pub(crate) fn join<'a>(
        &mut self,
        parser: &Parser<'_>,
        piece: &Piece<'a>,
        matches: &[Match],
        output: &mut Encoded<'a>,
    ) {
        let Piece { data, len, is_last } = *piece;
        let positions = piece.positions(parser.block_len);
        let rest = self.bring_into_step(parser, data, positions, matches);
        let mut at = self.behind;
        for &(block, start) in self.taken.iter().chain(rest) {
            self.encoder.literal(&data[at..start], output);
            self.encoder.copy(parser.position(block), parser.block_len as u64, output);
            at = start + parser.block_len;
        }
        if is_last {
            let end = at.max(positions);
            let found = parser.search_end(&data[end..len]);
            let start = found.map_or(len, |(_, start)| end + start);
            self.encoder.literal(&data[at..start], output);
            if let Some((block, _)) = found {
                self.encoder.copy(parser.position(block), (len - start) as u64, output);
            }
            self.encoder.finish(output);
        } else {
            let end = at.max(len);
            self.encoder.literal(&data[at..end], output);
            self.behind = end - len;
        }
    }

    /// Goes over the piece anew, as far as that leads elsewhere than the search that found
    /// `matches`. Leaves what it finds in `taken`, and returns those of `matches` that follow.
    fn bring_into_step<'m>(
        &mut self,
        parser: &Parser<'_>,
        data: &[u8],
        positions: usize,
        matches: &'m [Match],
    ) -> &'m [Match] {
        let block_len = parser.block_len;
        let hidden = |next: usize, at: usize| {
            let passed = matches[next..].iter().take_while(|&&(_, start)| start + block_len <= at).count();
            let next = next + passed;
            // The match that `at` is in the midst of, if it is.
            (next, matches.get(next).map(|&(_, start)| start).filter(|&start| start < at))
        };
        self.taken.clear();
        let (mut at, mut next, mut window) = (self.behind, 0, block_len);
        loop {
            if at >= positions {
                return &[];
            }
            let midst;
            (next, midst) = hidden(next, at);
            let Some(midst) = midst else { return &matches[next..] };
            let end = positions.min((midst + block_len).max(at + window));
            window = MOST_ANEW.min(window * 2);
            self.statistics += parser.search(data, at..end, &mut self.anew);
            let mut is_in_step = false;
            for &(block, start) in self.anew.found() {
                let midst;
                (next, midst) = hidden(next, at);
                is_in_step = midst.is_none_or(|midst| midst + block_len <= start);
                if is_in_step {
                    at = midst.map_or(at, |midst| midst + block_len);
                    break;
                }
                self.taken.push((block, start));
                at = start + block_len;
            }
            if !is_in_step {
                at = at.max(end);
            }
        }
    }
}

/// The rolling sum of a window whose first bytes are dropped.
struct Shrinking {
    sum: RollingSum,
    key: u32,
    len: u32,
    /// RabinKarp's multiplier to the power of the length.
    power: u32,
}

/// What librsync's rollsum adds to every byte.
const ROLLSUM_OFFSET: u32 = 31;
const MULTIPLIER: u32 = 0x0810_4225;
const INVERSE: u32 = 0x98f0_09ad;

impl Shrinking {
    fn new(sum: RollingSum, window: &[u8]) -> Self {
        let len = window.len() as u32;
        Self { sum, key: sum.key(window), len, power: MULTIPLIER.wrapping_pow(len) }
    }

    fn drop_first(&mut self, byte: u8) {
        if self.sum == RollingSum::RabinKarp {
            self.power = self.power.wrapping_mul(INVERSE);
            let weight = u32::from(byte).wrapping_add(MULTIPLIER - 1);
            self.key = self.key.wrapping_sub(self.power.wrapping_mul(weight));
        } else {
            let byte = u32::from(byte) + ROLLSUM_OFFSET;
            let (low, high) = (self.key & 0xffff, self.key >> 16);
            let low = low.wrapping_sub(byte) & 0xffff;
            self.key = high.wrapping_sub(self.len.wrapping_mul(byte)) << 16 | low;
        }
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_windows() {
        let data: Vec<u8> = (0..3000u32).map(|at| (at.wrapping_mul(at) >> 3) as u8).collect();
        for sum in [RollingSum::Librsync, RollingSum::RabinKarp] {
            let mut window = Shrinking::new(sum, &data);
            for (start, &byte) in data.iter().enumerate() {
                assert_eq!(window.key, sum.key(&data[start..]), "{sum:?}, {start}");
                window.drop_first(byte);
            }
        }
    }
}
