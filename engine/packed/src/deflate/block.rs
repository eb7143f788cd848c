//! A block of tokens, and its bits.

use crate::deflate::bits::BitWriter;
use crate::deflate::huffman::{Codes, MAX_BITS, MAX_LENGTH_BITS};
use crate::deflate::symbols::{
    DISTANCE_BASE, DISTANCES, END, LENGTH_BASE, LENGTH_SYMBOL, LENGTHS, LITERALS, MIN_MATCH, ORDER, distance_symbol,
};
use crate::deflate::token::{Kind, Token};

/// The tokens of a block, and how often each symbol occurs.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) tokens: Vec<Token>,
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

impl Default for Block {
    fn default() -> Self {
        let mut block = Self { tokens: Vec::new(), literals: [0; LITERALS], distances: [0; DISTANCES] };
        block.clear();
        block
    }
}

impl Block {
    /// The most tokens of a block. zlib has up to 65,534, and others several times that.
    pub(crate) const MOST: usize = 1 << 20;

    pub(crate) fn clear(&mut self) {
        self.tokens.clear();
        self.literals.fill(0);
        self.literals[END] = 1;
        self.distances.fill(0);
    }

    #[inline]
    pub(crate) fn push(&mut self, token: Token) {
        self.tokens.push(token);
        let (value, distance) = (token.value(), token.distance());
        if distance == 0 {
            self.literals[value & 255] += 1;
        } else {
            self.literals[END + 1 + usize::from(LENGTH_SYMBOL[(value - MIN_MATCH) & 255])] += 1;
            self.distances[distance_symbol(distance)] += 1;
        }
    }

    /// How many bits distances have with codes of five bits each.
    pub(crate) fn distance_bits(&self) -> u64 {
        let distances = self.distances.iter().zip(DISTANCE_BASE);
        distances.map(|(count, (_, extra))| u64::from(*count) * u64::from(5 + extra)).sum()
    }

    /// How many tokens are repetitions.
    pub(crate) fn repeats(&self) -> usize {
        self.distances.iter().map(|count| *count as usize).sum()
    }

    /// How zlib codes it: it makes `stored` bytes, which zlib may still have or not, and is to have
    /// fixed codes if `is_fixed` and it is not stored.
    pub(crate) fn coded(&self, stored: u64, has_bytes: bool, is_fixed: bool) -> Coded {
        let dynamic = Dynamic::of(self);
        let extra = self.extra_bits();
        let fixed_bits = fixed_literals().bits(&self.literals) + 5 * self.repeats() as u64 + extra;
        let fixed = (fixed_bits + 3).div_ceil(8);
        let best = fixed.min((dynamic.bits(&self.literals, &self.distances) + extra + 3).div_ceil(8));
        let best = if is_fixed { fixed } else { best };
        if stored + 4 <= best && has_bytes {
            Coded::Stored
        } else if fixed == best {
            Coded::Fixed
        } else {
            Coded::Dynamic(Box::new(dynamic))
        }
    }

    /// Bits beside the codes.
    fn extra_bits(&self) -> u64 {
        let lengths = self.literals[END + 1..].iter().zip(LENGTH_BASE);
        let distances = self.distances.iter().zip(DISTANCE_BASE);
        lengths.chain(distances).map(|(count, (_, extra))| u64::from(*count) * u64::from(extra)).sum()
    }

    /// Puts the tokens and the end, in these codes.
    pub(crate) fn put(&self, literals: &Codes<LITERALS>, distances: &Codes<DISTANCES>, out: &mut BitWriter) {
        for token in &self.tokens {
            let (value, distance) = (token.value(), token.distance());
            if distance == 0 {
                out.put(u32::from(literals.codes[value & 255]), u32::from(literals.lengths[value & 255]));
                continue;
            }
            let symbol = usize::from(LENGTH_SYMBOL[(value - MIN_MATCH) & 255]);
            let (base, extra) = LENGTH_BASE[symbol];
            let code = END + 1 + symbol;
            let length = u32::from(literals.lengths[code]);
            let bits = u32::from(literals.codes[code]) | (value as u32 - u32::from(base)) << length;
            out.put(bits, length + u32::from(extra));
            let symbol = distance_symbol(distance);
            let (base, extra) = DISTANCE_BASE[symbol];
            let length = u32::from(distances.lengths[symbol]);
            let bits = u32::from(distances.codes[symbol]) | (distance as u32 - u32::from(base)) << length;
            out.put(bits, length + u32::from(extra));
        }
        out.put(u32::from(literals.codes[END]), u32::from(literals.lengths[END]));
    }
}

/// How a block is coded.
#[derive(Debug)]
pub(crate) enum Coded {
    Stored,
    Fixed,
    Dynamic(Box<Dynamic>),
}

impl Coded {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Stored => Kind::Stored,
            Self::Fixed => Kind::Fixed,
            Self::Dynamic(_) => Kind::Dynamic,
        }
    }
}

/// Puts a stored block, which has 65,535 bytes at most.
pub(crate) fn put_stored(bytes: &[u8], is_last: bool, out: &mut BitWriter) {
    out.put(u32::from(is_last), 3);
    out.align();
    let len = bytes.len() as u16;
    out.extend(&len.to_le_bytes());
    out.extend(&(!len).to_le_bytes());
    out.extend(bytes);
}

/// Puts a block with fixed codes.
pub(crate) fn put_fixed(block: &Block, is_last: bool, out: &mut BitWriter) {
    out.put(u32::from(is_last) | (Kind::Fixed as u32) << 1, 3);
    block.put(&fixed_literals(), &Codes::with_lengths([5; DISTANCES]), out);
}

/// The fixed codes of RFC 1951, section 3.2.6.
fn fixed_literals() -> Codes<LITERALS> {
    // Two symbols that never occur have codes too.
    let mut lengths = [8; LITERALS + 2];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Codes::with_lengths(lengths).first()
}

/// Codes that a block brings with it.
#[derive(Debug)]
pub(crate) struct Dynamic {
    pub(crate) literals: Codes<LITERALS>,
    pub(crate) distances: Codes<DISTANCES>,
    lengths: Codes<LENGTHS>,
    counts: [u32; LENGTHS],
}

impl Dynamic {
    /// As zlib makes them of how often each symbol occurs.
    pub(crate) fn of(block: &Block) -> Self {
        let (literals, distances) = (Codes::of(&block.literals, MAX_BITS), Codes::of(&block.distances, MAX_BITS));
        let mut counts = [0; LENGTHS];
        each_run(&literals.lengths[..=literals.last], |symbol, _, _| counts[symbol] += 1);
        each_run(&distances.lengths[..=distances.last], |symbol, _, _| counts[symbol] += 1);
        Self { lengths: Codes::of(&counts, MAX_LENGTH_BITS), literals, distances, counts }
    }

    /// How many lengths of codes of lengths are written.
    fn written(&self) -> usize {
        (4..=LENGTHS).rev().find(|count| self.lengths.lengths[ORDER[count - 1]] > 0).unwrap_or(4)
    }

    /// How many bits the header and all symbols have, without what is beside the codes.
    fn bits(&self, literals: &[u32; LITERALS], distances: &[u32; DISTANCES]) -> u64 {
        let runs = self.counts[16] * 2 + self.counts[17] * 3 + self.counts[18] * 7;
        let header = 14 + 3 * self.written() as u64 + self.lengths.bits(&self.counts) + u64::from(runs);
        header + self.literals.bits(literals) + self.distances.bits(distances)
    }

    /// Puts what stands before the tokens, behind the three bits of every block.
    pub(crate) fn put_header(&self, out: &mut BitWriter) {
        let (literals, distances, written) = (self.literals.last + 1, self.distances.last + 1, self.written());
        out.put((literals - 257) as u32, 5);
        out.put((distances - 1) as u32, 5);
        out.put((written - 4) as u32, 4);
        ORDER[..written].iter().for_each(|symbol| out.put(u32::from(self.lengths.lengths[*symbol]), 3));
        let mut put = |symbol: usize, extra: u32, bits: u32| {
            out.put(u32::from(self.lengths.codes[symbol]), u32::from(self.lengths.lengths[symbol]));
            out.put(extra, bits);
        };
        each_run(&self.literals.lengths[..literals], &mut put);
        each_run(&self.distances.lengths[..distances], put);
    }

    /// Puts a block with these codes.
    pub(crate) fn put(&self, block: &Block, is_last: bool, out: &mut BitWriter) {
        out.put(u32::from(is_last) | (Kind::Dynamic as u32) << 1, 3);
        self.put_header(out);
        block.put(&self.literals, &self.distances, out);
    }
}

/// Puts a block with codes that zlib would not choose: they have these lengths, and `header` has
/// the `bits` that say so.
pub(crate) fn put_with_header(
    block: &Block,
    header: &[u8],
    bits: u64,
    (literals, distances): ([u8; LITERALS], [u8; DISTANCES]),
    is_last: bool,
    out: &mut BitWriter,
) {
    out.put(u32::from(is_last) | (Kind::Dynamic as u32) << 1, 3);
    for (at, byte) in (0u64..).zip(header) {
        out.put(u32::from(*byte), (bits - 8 * at).min(8) as u32);
    }
    block.put(&Codes::with_lengths(literals), &Codes::with_lengths(distances), out);
}

/// Gives the symbols that `lengths` are written in, with what follows each and its bits.
fn each_run(lengths: &[u8], mut give: impl FnMut(usize, u32, u32)) {
    let mut before = None;
    let mut rest = lengths;
    while let Some(length) = rest.first().copied() {
        // After a run that was cut by its limit the same length may go on.
        let (most, least) = match (length, before == Some(length)) {
            (0, _) => (138, 3),
            (_, true) => (6, 3),
            (_, false) => (7, 4),
        };
        let count = rest.iter().take(most).take_while(|other| **other == length).count();
        if count < least {
            (0..count).for_each(|_| give(usize::from(length), 0, 0));
        } else if length != 0 {
            let mut repeated = count;
            if before != Some(length) {
                give(usize::from(length), 0, 0);
                repeated -= 1;
            }
            give(16, repeated as u32 - 3, 2);
        } else if count <= 10 {
            give(17, count as u32 - 3, 3);
        } else {
            give(18, count as u32 - 11, 7);
        }
        before = Some(length);
        rest = &rest[count..];
    }
}
