//! All bytes that one side sends as one stream of zstd, so that each answer is compressed with those
//! before it at hand.

use std::io;

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use crate::message::Broken;

/// Bytes that are packed at once, at most.
pub(crate) const PIECE: usize = 128 << 10;

/// The binary logarithm of how many bytes before it something is compressed with.
const WINDOW: u32 = 22;

/// About as fast as ssh takes it.
const LEVEL: i32 = 6;

/// Packs what is sent.
pub(crate) struct Packer {
    context: CCtx<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        let mut context = CCtx::create();
        for parameter in [CParameter::CompressionLevel(LEVEL), CParameter::WindowLog(WINDOW)] {
            context.set_parameter(parameter).map_err(failed)?;
        }
        Ok(Self { context, packed: Vec::with_capacity(zstd_safe::compress_bound(PIECE) + 64) })
    }

    /// Packs `plain`, of up to [`PIECE`] bytes, to its end.
    pub(crate) fn pack(&mut self, plain: &[u8]) -> io::Result<&[u8]> {
        self.packed.clear();
        let mut input = InBuffer::around(plain);
        loop {
            let at = self.packed.len();
            self.packed.reserve(zstd_safe::compress_bound(plain.len()) + 64);
            let mut output = OutBuffer::around_pos(&mut self.packed, at);
            let flush = ZSTD_EndDirective::ZSTD_e_flush;
            if self.context.compress_stream2(&mut output, &mut input, flush).map_err(failed)? == 0 {
                return Ok(&self.packed);
            }
        }
    }
}

fn failed(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}

/// Unpacks what comes.
pub(crate) struct Unpacker {
    context: DCtx<'static>,
    plain: Vec<u8>,
}

impl Unpacker {
    pub(crate) fn new() -> io::Result<Self> {
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW)).map_err(failed)?;
        Ok(Self { context, plain: Vec::with_capacity(PIECE) })
    }

    /// Unpacks `packed`, which has `most` bytes at most, and hands them to `take` piece by piece.
    pub(crate) fn unpack(&mut self, packed: &[u8], mut most: u64, mut take: impl FnMut(&[u8])) -> Result<(), Broken> {
        let mut input = InBuffer::around(packed);
        loop {
            self.plain.clear();
            let mut output = OutBuffer::around(&mut self.plain);
            let unpacked = self.context.decompress_stream(&mut output, &mut input);
            if unpacked.map_err(|_| "what it sends cannot be decompressed")? == 0 {
                return Err("it ends what it has not sent all of".into());
            }
            most = most.checked_sub(self.plain.len() as u64).ok_or("it sends more than was asked for")?;
            take(&self.plain);
            if input.pos() == packed.len() && self.plain.len() < self.plain.capacity() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::corpus;

    fn unpacked(unpacker: &mut Unpacker, packed: &[u8], most: u64) -> Result<Vec<u8>, Broken> {
        let mut plain = Vec::new();
        unpacker.unpack(packed, most, |piece| plain.extend_from_slice(piece))?;
        Ok(plain)
    }

    #[test]
    fn each_piece_comes_at_once_and_later_ones_are_short() {
        let (mut packer, mut unpacker) = (Packer::new().unwrap(), Unpacker::new().unwrap());
        let random = corpus::random(1, PIECE);
        for (plain, most) in [(&random[..], PIECE + 100), (&random, 200), (&[0; PIECE], 200), (&[], 0), (b"x", 20)] {
            let packed = packer.pack(plain).unwrap().to_vec();
            assert!(packed.len() <= most, "{} of {}", packed.len(), plain.len());
            assert!(unpacked(&mut unpacker, &packed, plain.len() as u64).unwrap() == plain);
        }
    }

    #[test]
    fn no_more_comes_than_was_asked_for() {
        let packed = Packer::new().unwrap().pack(&[0; PIECE]).unwrap().to_vec();
        let error = unpacked(&mut Unpacker::new().unwrap(), &packed, PIECE as u64 - 1).unwrap_err();
        assert_eq!(error.to_string(), "it sends more than was asked for");
        let error = unpacked(&mut Unpacker::new().unwrap(), &corpus::random(2, 500), 500).unwrap_err();
        assert_eq!(error.to_string(), "what it sends cannot be decompressed");
        // A window of 128 MiB.
        let far = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
        assert!(unpacked(&mut Unpacker::new().unwrap(), &far, 500).is_err());
    }
}
