//! Reads the blocks and tokens of a stream. What the tokens stand for is of no concern here.

use std::io::{self, Read};

use crate::deflate::bits::{BitReader, BitWriter};
use crate::deflate::symbols::{DISTANCE_BASE, DISTANCES, END, LENGTH_BASE, LENGTHS, LITERALS, ORDER};
use crate::deflate::token::{Kind, Token};

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error(transparent)]
    Read(#[from] io::Error),
    /// These are not bits of deflate.
    #[error("not deflate")]
    Invalid,
}

/// The beginning of a block.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) is_last: bool,
    /// How many bytes a stored block has.
    pub(crate) stored: usize,
    /// Of a dynamic block, the bits behind the first three and before the tokens.
    pub(crate) header: BitWriter,
}

/// Reads blocks and their tokens.
pub(crate) struct TokenReader<R> {
    bits: BitReader<R>,
    literals: Decoder<10>,
    distances: Decoder<8>,
}

impl<R: Read> TokenReader<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { bits: BitReader::new(reader), literals: Decoder::default(), distances: Decoder::default() }
    }

    /// Reads the beginning of a block. The bits that fill up the byte before what is stored have
    /// to be zeros, which encoders write.
    pub(crate) fn head(&mut self) -> Result<Head, DecodeError> {
        let is_last = self.bit(1)? == 1;
        let mut header = BitWriter::default();
        let mut stored = 0;
        let kind = match self.bit(2)? {
            0 => {
                self.align()?;
                let (len, complement) = (self.bit(16)?, self.bit(16)?);
                if len ^ complement != 0xffff {
                    return Err(DecodeError::Invalid);
                }
                stored = len as usize;
                Kind::Stored
            }
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.literals.set(&lengths)?;
                self.distances.set(&[5; 30])?;
                Kind::Fixed
            }
            2 => {
                self.dynamic(&mut header)?;
                Kind::Dynamic
            }
            _ => return Err(DecodeError::Invalid),
        };
        Ok(Head { kind, is_last, stored, header })
    }

    /// The next token of a block that is not stored; `None` at its end.
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Option<Token>, DecodeError> {
        self.bits.refill()?;
        let symbol = self.literals.next(&mut self.bits)?;
        if symbol < END {
            return Ok(Some(Token::literal(symbol as u8)));
        }
        if symbol == END {
            return Ok(None);
        }
        let (base, extra) = *LENGTH_BASE.get(symbol - END - 1).ok_or(DecodeError::Invalid)?;
        let length = usize::from(base) + self.extra(extra)?;
        let symbol = self.distances.next(&mut self.bits)?;
        let (base, extra) = *DISTANCE_BASE.get(symbol).ok_or(DecodeError::Invalid)?;
        let distance = usize::from(base) + self.extra(extra)?;
        // The length of 258 has two codes, and no encoder uses the longer one.
        if length == 258 && base == 227 { Err(DecodeError::Invalid) } else { Ok(Some(Token::repeat(length, distance))) }
    }

    /// Passes over `count` bytes of a stored block.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), DecodeError> {
        (0..count).try_for_each(|_| self.bit(8).map(drop))
    }

    /// Passes over the zeros that fill up a byte.
    pub(crate) fn align(&mut self) -> Result<(), DecodeError> {
        let left = self.bits.left_of_byte();
        if self.bit(left)? == 0 { Ok(()) } else { Err(DecodeError::Invalid) }
    }

    /// How many bytes were begun.
    pub(crate) fn position(&self) -> u64 {
        self.bits.position()
    }

    fn bit(&mut self, count: u32) -> Result<u32, DecodeError> {
        self.bits.bits(count)?.ok_or(DecodeError::Invalid)
    }

    /// Bits beside a code, which were brought with it.
    #[inline]
    fn extra(&mut self, count: u8) -> Result<usize, DecodeError> {
        let bits = self.bits.peek() & ((1 << count) - 1);
        self.bits.consume(u32::from(count)).ok_or(DecodeError::Invalid)?;
        Ok(bits as usize)
    }

    /// Takes the codes of a dynamic block, and puts down their bits. The result is how long the
    /// codes are.
    pub(crate) fn dynamic(&mut self, header: &mut BitWriter) -> Result<([u8; LITERALS], [u8; DISTANCES]), DecodeError> {
        let mut noted = |reader: &mut Self, count| {
            let bits = reader.bit(count)?;
            header.put(bits, count);
            Ok::<_, DecodeError>(bits as usize)
        };
        let literals = noted(self, 5)? + 257;
        let distances = noted(self, 5)? + 1;
        let written = noted(self, 4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(DecodeError::Invalid);
        }
        let mut lengths = [0; LENGTHS];
        for symbol in &ORDER[..written] {
            lengths[*symbol] = noted(self, 3)? as u8;
        }
        let mut decoder = Decoder::<7>::default();
        decoder.set(&lengths)?;
        let mut all = [0u8; 286 + 30];
        let mut at = 0;
        while at < literals + distances {
            self.bits.refill()?;
            let (symbol, bits) = decoder.look(self.bits.peek()).ok_or(DecodeError::Invalid)?;
            noted(self, bits)?;
            let (value, count) = match symbol {
                16 if at == 0 => return Err(DecodeError::Invalid),
                16 => (all[at - 1], noted(self, 2)? + 3),
                17 => (0, noted(self, 3)? + 3),
                18 => (0, noted(self, 7)? + 11),
                length => (length as u8, 1),
            };
            all[..literals + distances].get_mut(at..at + count).ok_or(DecodeError::Invalid)?.fill(value);
            at += count;
        }
        self.literals.set(&all[..literals])?;
        self.distances.set(&all[literals..literals + distances])?;
        let mut lengths = ([0; LITERALS], [0; DISTANCES]);
        lengths.0[..literals].copy_from_slice(&all[..literals]);
        lengths.1[..distances].copy_from_slice(&all[literals..literals + distances]);
        Ok(lengths)
    }
}

/// Codes by their bits: those of up to `BITS` in a table, longer ones by their order.
struct Decoder<const BITS: usize> {
    /// For all values of the next bits, a symbol and its length, `symbol * 16 + length`; 0 for none.
    table: Vec<u16>,
    /// How many codes there are of each length, and all symbols in the order of their codes.
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl<const BITS: usize> Default for Decoder<BITS> {
    fn default() -> Self {
        Self { table: vec![0; 1 << BITS], counts: [0; 16], symbols: Vec::new() }
    }
}

impl<const BITS: usize> Decoder<BITS> {
    /// Takes codes of these lengths, of which more than there is room for are refused.
    fn set(&mut self, lengths: &[u8]) -> Result<(), DecodeError> {
        self.counts = [0; 16];
        lengths.iter().for_each(|length| self.counts[usize::from(*length)] += 1);
        self.counts[0] = 0;
        let (mut room, mut starts, mut next) = (1i32, [0u16; 17], [0u16; 17]);
        for length in 1..16 {
            room = 2 * room - i32::from(self.counts[length]);
            if room < 0 {
                return Err(DecodeError::Invalid);
            }
            starts[length + 1] = starts[length] + self.counts[length];
            next[length + 1] = (next[length] + self.counts[length]) << 1;
        }
        self.symbols.clear();
        self.symbols.resize(lengths.len(), 0);
        self.table.fill(0);
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let length = usize::from(*length);
            self.symbols[usize::from(starts[length])] = symbol as u16;
            starts[length] += 1;
            if length <= BITS {
                let code = next[length].reverse_bits() >> (16 - length);
                let entries = self.table[usize::from(code)..].iter_mut().step_by(1 << length);
                entries.for_each(|entry| *entry = (symbol << 4 | length) as u16);
            }
            next[length] += 1;
        }
        Ok(())
    }

    /// The symbol that `bits` begin with, and the length of its code.
    #[inline]
    fn look(&self, bits: u64) -> Option<(usize, u32)> {
        let entry = self.table[bits as usize & ((1 << BITS) - 1)];
        if entry != 0 { Some((usize::from(entry >> 4), u32::from(entry & 15))) } else { self.look_slowly(bits) }
    }

    #[cold]
    fn look_slowly(&self, mut bits: u64) -> Option<(usize, u32)> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for length in 1..16 {
            code |= (bits & 1) as u32;
            bits >>= 1;
            let count = u32::from(self.counts[length as usize]);
            if code < first + count {
                return Some((usize::from(self.symbols[(index + code - first) as usize]), length));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }

    #[inline]
    fn next<R: Read>(&self, bits: &mut BitReader<R>) -> Result<usize, DecodeError> {
        let (symbol, length) = self.look(bits.peek()).ok_or(DecodeError::Invalid)?;
        bits.consume(length).ok_or(DecodeError::Invalid)?;
        Ok(symbol)
    }
}
