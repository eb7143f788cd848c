//! Decoding a stream of deflate from its middle.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use super::bits::Bits;
use super::error::InflateError;
use super::header::BlockHeader;

/// So many bytes before it a piece of deflate may repeat.
pub(super) const WINDOW: u64 = 32 << 10;

/// A block of deflate out of which nothing comes: it has its own codes, for the byte 0, for
/// the end, which it has at once, and for one distance.
const EMPTY: [u8; 12] = [0x04, 0xc0, 0x81, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0xff, 0xd5, 0x04];

/// So many bits of it. The number is odd, so that a few of these blocks are as many bits more
/// than whole bytes as are wanted.
const EMPTY_BITS: usize = 91;

/// Bytes that are handed on at once.
const PIECE: usize = 64 << 10;

/// Decodes deflate from any symbol of it on.
///
/// An ordinary decoder does the work. It begins with a stored block that has what stands
/// before that symbol, goes on with the header of the block that the symbol is in, and
/// comes to it there: no decoder can tell that from a stream in which nothing is left out.
/// Empty blocks go before the header, so that every bit keeps its place in its byte, on
/// which stored blocks depend.
pub struct Inflater {
    decoder: Decompress,
    /// Bits that were not decoded yet.
    bits: Bits,
    /// Bytes of the stored block that are still to come out.
    before: usize,
    /// Bytes that are wanted behind these.
    left: u64,
    plain: Vec<u8>,
}

impl Inflater {
    /// Begins behind the bytes `before`, of which the last 32 KiB count, and in the block
    /// whose `header` is given, or else with a block; the first bit is number `bit` of its
    /// byte. Of what comes out, `len` bytes are wanted.
    pub fn new(before: &[u8], header: Option<&BlockHeader>, bit: usize, len: u64) -> Self {
        let before = &before[before.len().saturating_sub(WINDOW as usize)..];
        let mut bits = BlockHeader::of_stored(false, before.len() as u16, 0).bits().clone();
        bits.push(before, 0..before.len() * 8);
        let header_bits = header.map_or(0, |header| header.bits().len());
        while (bits.len() + header_bits) % 8 != bit % 8 {
            bits.push(&EMPTY, 0..EMPTY_BITS);
        }
        if let Some(header) = header {
            bits.append(header.bits());
        }
        Self {
            decoder: Decompress::new(false),
            bits,
            before: before.len(),
            left: len,
            plain: Vec::with_capacity(PIECE),
        }
    }

    /// Bytes that have not come out yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Decodes the next bits, which are those at `range` in `data`, and hands on what comes
    /// out of them in pieces of up to 64 KiB. Of the last bits given so far, those stay
    /// behind that fill no byte. What is there beyond the end is passed over.
    ///
    /// # Errors
    ///
    /// When they are no deflate, or `deliver` fails.
    pub fn push<E: From<InflateError>>(
        &mut self,
        data: &[u8],
        range: Range<usize>,
        mut deliver: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.bits.push(data, range);
        let bits = std::mem::take(&mut self.bits);
        let decoded = self.decode(bits.full(), &mut deliver);
        self.bits = bits;
        self.bits.drop_full();
        decoded
    }

    /// Decodes what stayed behind.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and [`InflateError::CutOff`] when less came out than is wanted.
    pub fn finish<E: From<InflateError>>(mut self, mut deliver: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let bits = std::mem::take(&mut self.bits);
        self.decode(bits.padded(), &mut deliver)?;
        if self.left == 0 { Ok(()) } else { Err(InflateError::CutOff.into()) }
    }

    fn decode<E: From<InflateError>>(
        &mut self,
        mut data: &[u8],
        deliver: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.left > 0 {
            self.plain.clear();
            let taken = self.decoder.total_in();
            let status = self.decoder.decompress_vec(data, &mut self.plain, FlushDecompress::None);
            let status = status.map_err(|_| InflateError::Broken)?;
            let taken = (self.decoder.total_in() - taken) as usize;
            data = &data[taken..];
            let skipped = self.before.min(self.plain.len());
            self.before -= skipped;
            let wanted = &self.plain[skipped..];
            let wanted = &wanted[..wanted.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
            self.left -= wanted.len() as u64;
            if !wanted.is_empty() {
                deliver(wanted)?;
            }
            // That there is room left does not mean that nothing more would come out.
            if status == Status::StreamEnd || taken == 0 && self.plain.is_empty() {
                break;
            }
        }
        Ok(())
    }
}
