//! What a block of deflate begins with: how the rest of it is coded.

use super::bits::Bits;
use super::error::InflateError;

/// The beginning of a block of deflate (RFC 1951), up to its first symbol: all that has to
/// be known of it to read on anywhere within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// As it stands there, or of a stored block as it stands at a byte's beginning.
    bits: Bits,
    bit_len: usize,
    /// Whether nothing comes behind the block, and how many bytes are stored in it.
    stored: Option<(bool, u16)>,
}

impl BlockHeader {
    /// No header has more bytes: 17 bits, 3 for each of 19 lengths, and then at most 7 for
    /// each of 320 lengths.
    pub const LONGEST: u64 = (17 + 19 * 3 + 320 * 7u64).div_ceil(8) + 1;

    /// Reads the header that begins at bit `start` of `data`. There may be more behind it.
    ///
    /// # Errors
    ///
    /// [`InflateError::CutOff`] when `data` ends within it, or else when it is broken.
    pub fn read(data: &[u8], start: usize) -> Result<Self, InflateError> {
        let mut reader = Reader { data, at: start };
        let is_last = reader.take(1)? == 1;
        match reader.take(2)? {
            0 => {
                reader.at = reader.at.next_multiple_of(8);
                let mut number = || Ok(reader.take(8)? as u16 | (reader.take(8)? as u16) << 8);
                let (len, check) = (number()?, number()?);
                if len != !check {
                    return Err(InflateError::Broken);
                }
                return Ok(Self::of_stored(is_last, len, reader.at - start));
            }
            1 => {}
            2 => reader.skip_lengths()?,
            _ => return Err(InflateError::Broken),
        }
        let mut bits = Bits::default();
        bits.push(data, start..reader.at);
        Ok(Self { bits, bit_len: reader.at - start, stored: None })
    }

    /// That of a block with the bytes that are stored behind it, where it begins with a byte.
    pub(super) fn of_stored(is_last: bool, len: u16, bit_len: usize) -> Self {
        let [low, high] = len.to_le_bytes();
        let mut bits = Bits::default();
        bits.push(&[is_last.into(), low, high, !low, !high], 0..40);
        Self { bits, bit_len, stored: Some((is_last, len)) }
    }

    /// The header to read on with behind the first `bytes` that come out of the block.
    ///
    /// # Errors
    ///
    /// When the block is a stored one, and shorter.
    pub fn behind(self, bytes: u64) -> Result<Self, InflateError> {
        let Some((is_last, len)) = self.stored else { return Ok(self) };
        let left = u64::from(len).checked_sub(bytes).ok_or(InflateError::Broken)?;
        Ok(Self::of_stored(is_last, left as u16, self.bit_len))
    }

    /// How many bits it has, up to the first symbol, or the first byte that is stored.
    pub fn bit_len(&self) -> usize {
        self.bit_len
    }

    pub(super) fn bits(&self) -> &Bits {
        &self.bits
    }
}

/// The order in which the lengths of the codes for lengths stand.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The longest code for a length.
const LONGEST_CODE: u32 = 7;

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Up to 8 bits, the first of which is the lowest.
    fn peek(&self, count: u32) -> u32 {
        let byte = |at: usize| u32::from(self.data.get(at).copied().unwrap_or(0));
        let (first, shift) = (self.at / 8, self.at % 8);
        (byte(first) | byte(first + 1) << 8) >> shift & ((1 << count) - 1)
    }

    fn take(&mut self, count: u32) -> Result<u32, InflateError> {
        let bits = self.peek(count);
        self.at += count as usize;
        if self.at <= self.data.len() * 8 { Ok(bits) } else { Err(InflateError::CutOff) }
    }

    /// Goes over the lengths of the codes of a block that has its own. Whether these make
    /// a code is for those to find out who decode with it.
    fn skip_lengths(&mut self) -> Result<(), InflateError> {
        let lengths = self.take(5)? + 257 + self.take(5)? + 1;
        let mut code_lengths = [0u8; ORDER.len()];
        let count = self.take(4)? as usize + 4;
        for &symbol in &ORDER[..count] {
            code_lengths[symbol] = self.take(3)? as u8;
        }
        let codes = code_table(&code_lengths)?;
        let mut left = lengths;
        while left > 0 {
            let (symbol, len) = codes[self.peek(LONGEST_CODE) as usize].ok_or(InflateError::Broken)?;
            self.take(len.into())?;
            let repeats = match symbol {
                16 => self.take(2)? + 3,
                17 => self.take(3)? + 3,
                18 => self.take(7)? + 11,
                _ => 1,
            };
            left = left.checked_sub(repeats).ok_or(InflateError::Broken)?;
        }
        Ok(())
    }
}

/// The symbol and the length of the code that the next bits begin with.
type CodeTable = [Option<(u8, u8)>; 1 << LONGEST_CODE];

fn code_table(lengths: &[u8]) -> Result<CodeTable, InflateError> {
    let mut table = [None; 1 << LONGEST_CODE];
    let mut code = 0u32;
    for len in 1..=LONGEST_CODE {
        for (symbol, _) in lengths.iter().enumerate().filter(|&(_, &of)| u32::from(of) == len) {
            if code >> len != 0 {
                return Err(InflateError::Broken);
            }
            // Codes are sent from their highest bit on.
            let reversed = (code.reverse_bits() >> (32 - len)) as usize;
            table[reversed..].iter_mut().step_by(1 << len).for_each(|entry| *entry = Some((symbol as u8, len as u8)));
            code += 1;
        }
        code <<= 1;
    }
    Ok(table)
}
