//! The last bytes of a stream, and where in them the next ones occurred before.
//!
//! Two times 32 KiB of bytes, chains of places by a hash of three bytes, and 16 bits for a place,
//! where 0 is none: what zlib can and cannot find follows from this, so it has to be the same.
//!
//! zlib tries so many places of a chain, and takes the longest match, the nearest of these. That
//! takes most of the time where it tries many. There, places have chains by six bytes too, in which
//! a match that is longer than five bytes is found sooner; and each place has its number in the
//! chain of three bytes, which tells whether zlib would have come by it.

use std::io::{self, Read};

use crate::deflate::symbols::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH};
use crate::encoder::settings::{Effort, Hash, Settings};

/// Half of the window: as far back as a distance may reach.
const HALF: usize = MAX_DISTANCE;
/// Bytes that are wanted ahead before a match is looked for, unless the stream ends.
const AHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
/// The furthest that matches are looked for.
const FURTHEST: usize = HALF - AHEAD;
/// What may be read behind the window's end, where it does no harm.
const BEHIND: usize = MAX_MATCH + 8;
/// From so many tries on, chains by six bytes are worth what they cost.
const MANY: usize = 1000;
/// So many bytes that match are enough to look among them only.
const LONG: usize = 5;
const BYTES: usize = 2 * HALF + BEHIND;

/// The last places that have the hashes of some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chains {
    short: u16,
    long: u16,
    /// The number of `short`.
    number: u16,
}

impl Chains {
    /// No places.
    pub(crate) const NONE: Self = Self { short: 0, long: 0, number: 0 };
}

pub(crate) struct Window {
    bytes: Box<[u8; BYTES]>,
    /// The last place of each hash.
    heads: Box<[u16; 1 << 16]>,
    /// For each place, by its low 15 bits, the one before it with the same hash.
    before: Box<[u16; HALF]>,
    /// The same by six bytes, where many places are tried.
    long_heads: Box<[u16; 1 << 16]>,
    long_before: Box<[u16; HALF]>,
    /// How many places each hash had, and which of them each place is, modulo 2^16.
    counts: Box<[u16; 1 << 16]>,
    numbers: Box<[u16; HALF]>,
    is_long: bool,
    hash: Hash,
    has_gzips_end: bool,
    /// Where the next byte is, and how many from there on are at hand.
    pub(crate) at: usize,
    pub(crate) ahead: usize,
    /// Where the block began; negative if that has left the window.
    pub(crate) block: isize,
    /// No more bytes will come.
    is_over: bool,
    /// That was found out when more were wanted.
    has_ended: bool,
}

impl Window {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            bytes: zeros(BYTES),
            heads: zeros(1 << 16),
            before: zeros(HALF),
            long_heads: zeros(1 << 16),
            long_before: zeros(HALF),
            counts: zeros(1 << 16),
            numbers: zeros(HALF),
            is_long: settings.effort.chain >= MANY,
            hash: settings.hash,
            has_gzips_end: settings.has_gzips_end,
            at: 0,
            ahead: 0,
            block: 0,
            is_over: false,
            has_ended: false,
        }
    }

    /// Begins another stream.
    pub(crate) fn begin(&mut self, settings: &Settings) {
        (self.hash, self.has_gzips_end) = (settings.hash, settings.has_gzips_end);
        // What is behind the end of the data is looked at too.
        self.bytes.fill(0);
        let (Hash::Three(bits) | Hash::Four(bits)) = self.hash;
        self.heads[..1 << bits].fill(0);
        self.is_long = settings.effort.chain >= MANY;
        if self.is_long {
            self.long_heads.fill(0);
        }
        (self.at, self.ahead, self.block) = (0, 0, 0);
        (self.is_over, self.has_ended) = (false, false);
    }

    /// Has enough bytes ahead to look for a match, or all there are.
    #[inline]
    pub(crate) fn fill(&mut self, plain: &mut dyn Read) -> io::Result<()> {
        if self.ahead < AHEAD && !self.has_ended { self.fill_up(plain) } else { Ok(()) }
    }

    #[cold]
    fn fill_up(&mut self, plain: &mut dyn Read) -> io::Result<()> {
        if self.at >= HALF + FURTHEST {
            self.bytes.copy_within(HALF..2 * HALF, 0);
            let less = |place: &mut u16| *place = place.saturating_sub(HALF as u16);
            self.heads.iter_mut().for_each(less);
            self.before.iter_mut().for_each(less);
            if self.is_long {
                self.long_heads.iter_mut().for_each(less);
                self.long_before.iter_mut().for_each(less);
            }
            self.at -= HALF;
            self.block -= HALF as isize;
        }
        if self.is_over && self.has_gzips_end {
            // gzip puts zeros there, and never moves anything again.
            self.has_ended = true;
            self.bytes[self.at + self.ahead..][..MIN_MATCH - 1].fill(0);
        }
        while !self.is_over && self.at + self.ahead < 2 * HALF {
            match plain.read(&mut self.bytes[self.at + self.ahead..2 * HALF]) {
                Ok(0) => self.is_over = true,
                Ok(count) => self.ahead += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.bytes[at]
    }

    /// The bytes of the block so far, unless they have left the window.
    pub(crate) fn block_bytes(&self, end: usize) -> Option<&[u8]> {
        usize::try_from(self.block).ok().map(|start| &self.bytes[start..end])
    }

    /// Puts down `at` as a place of the bytes there, and returns the ones before it.
    #[inline]
    pub(crate) fn insert(&mut self, at: usize) -> Chains {
        let long = u64::from_le_bytes(*self.bytes[at..].first_chunk().expect("as much is behind every place"));
        let word = long as u32;
        let (hash, bits) = match self.hash {
            Hash::Three(bits) => {
                let shift = bits.div_ceil(MIN_MATCH as u32);
                ((word & 0xff) << (2 * shift) ^ (word >> 8 & 0xff) << shift ^ (word >> 16 & 0xff), bits)
            }
            Hash::Four(bits) => (word.wrapping_mul(66_521).wrapping_add(66_521) >> 16, bits),
        };
        let hash = usize::from((hash & ((1 << bits) - 1)) as u16);
        let short = std::mem::replace(&mut self.heads[hash], at as u16);
        self.before[at % HALF] = short;
        if !self.is_long {
            return Chains { short, long: 0, number: 0 };
        }
        let number = self.counts[hash];
        self.counts[hash] = number.wrapping_add(1);
        self.numbers[at % HALF] = number.wrapping_add(1);
        // Six bytes of the eight, by a multiplier of xxHash's.
        let hash = ((long << 16).wrapping_mul(0x9e37_79b1_85eb_ca87) >> 48) as usize;
        let long = std::mem::replace(&mut self.long_heads[hash % (1 << 16)], at as u16);
        self.long_before[at % HALF] = long;
        Chains { short, long, number }
    }

    /// The longest match that is longer than `best`, which is 2 at least: its length and how far
    /// back it is; 2 and 0 where there is none. One of three bytes is not wanted from further
    /// than `far`.
    #[inline]
    pub(crate) fn longest(&self, chains: Chains, best: usize, effort: &Effort, far: usize) -> (usize, usize) {
        let none = (MIN_MATCH - 1, 0);
        let mut place = usize::from(chains.short);
        if place == 0 || self.at - place > FURTHEST || self.has_gzips_end && self.at > 2 * HALF - AHEAD {
            return none;
        }
        let tries = if best >= effort.good { effort.chain / 4 } else { effort.chain };
        // gzip goes on where more could match if there were more.
        let nice = if self.has_gzips_end { effort.nice } else { effort.nice.min(self.ahead) };
        let limit = self.at.saturating_sub(FURTHEST);
        let (mut length, mut found) = (best, 0);
        if !self.is_long || length < LONG {
            let (bytes, here) = (&*self.bytes, self.from(self.at));
            let two = |bytes: &[u8], at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
            let first = two(here, 0);
            let mut last = two(here, length - 1);
            let mut left = tries;
            loop {
                if two(bytes, place + length - 1) == last && two(bytes, place) == first {
                    let common = common(here, self.from(place));
                    if common > length {
                        (length, found) = (common, place);
                        if common >= nice || self.is_long && common >= LONG {
                            break;
                        }
                        last = two(here, length - 1);
                    }
                }
                place = usize::from(self.before[place % HALF]);
                left -= 1;
                if place <= limit || left == 0 {
                    break;
                }
            }
        }
        if self.is_long && length >= LONG && length < nice {
            (length, found) = self.longest_of_long(chains, (length, found), tries, nice);
        }
        let (length, distance) = (length.min(self.ahead), self.at - found);
        if found == 0 || length == MIN_MATCH && distance > far { none } else { (length, distance) }
    }

    /// Goes on from a match of [`LONG`] bytes or more: the longest from there on backwards.
    fn longest_of_long(
        &self,
        chains: Chains,
        (mut length, mut found): (usize, usize),
        tries: usize,
        nice: usize,
    ) -> (usize, usize) {
        let limit = self.at.saturating_sub(FURTHEST);
        let (bytes, here) = (&*self.bytes, self.from(self.at));
        let four = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().expect("four bytes"));
        let first = four(here, 0);
        let mut last = four(here, length - 3);
        let mut place = usize::from(chains.long);
        // The first of a chain may be further away than others may be, and is the same place then.
        let mut is_near = place > limit || place != 0 && place == usize::from(chains.short);
        // What is nearer than what was found is known, and no longer.
        let nearest = if found == 0 { usize::MAX } else { found };
        while is_near {
            if four(bytes, place + length - 3) == last && four(bytes, place) == first && place < nearest {
                if usize::from(chains.number.wrapping_sub(self.numbers[place % HALF])) >= tries {
                    break;
                }
                let common = common(here, self.from(place));
                if common > length {
                    (length, found) = (common, place);
                    if common >= nice {
                        break;
                    }
                    last = four(here, length - 3);
                }
            }
            place = usize::from(self.long_before[place % HALF]);
            is_near = place > limit;
        }
        (length, found)
    }

    /// The bytes from `place` on, as many as may match, and eight more.
    #[inline]
    fn from(&self, place: usize) -> &[u8; MAX_MATCH + 8] {
        self.bytes[place..].first_chunk().expect("as much is behind every place")
    }

    /// How often the byte before occurs again from here on, where it does three times or more.
    pub(crate) fn run(&self) -> usize {
        if self.ahead < MIN_MATCH || self.at == 0 {
            return 0;
        }
        let byte = self.bytes[self.at - 1];
        let most = MAX_MATCH.min(self.ahead);
        self.bytes[self.at..self.at + most].iter().take_while(|other| **other == byte).count()
    }
}

/// How many bytes are the same, 258 at most.
#[inline]
fn common(one: &[u8; MAX_MATCH + 8], other: &[u8; MAX_MATCH + 8]) -> usize {
    let (mut ones, mut others) = (one.chunks_exact(8), other.chunks_exact(8));
    let mut length = 0;
    while let (Some(one), Some(other)) = (ones.next(), others.next()) {
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let difference = word(one) ^ word(other);
        if difference != 0 {
            return (length + difference.trailing_zeros() as usize / 8).min(MAX_MATCH);
        }
        length += 8;
    }
    MAX_MATCH
}

fn zeros<T: Copy + Default, const N: usize>(len: usize) -> Box<[T; N]> {
    vec![T::default(); len].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("it has this length"))
}
