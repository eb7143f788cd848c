//! Makes the bytes of a stream again.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crate::deflate::bits::BitWriter;
use crate::deflate::block::{Block, Coded, put_fixed, put_stored};
use crate::deflate::token::Token;
use crate::encoder::parse::{Guide, Parser};
use crate::encoder::replay::Replay;
use crate::encoder::settings::Encoder;

/// A stream of deflate (RFC 1951), made of what is in it while it is read.
///
/// [`Encoder::deflate`] makes one. It takes a mebibyte of memory, however long the stream is.
pub struct Deflate<R> {
    plain: R,
    parser: Parser,
    writer: Writer,
    ready: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Deflate<R> {
    fn new(encoder: Encoder, mut parser: Parser, plain: R, replay: Option<Box<Replay>>) -> Self {
        let settings = encoder.settings();
        parser.begin(settings);
        let writer = Writer { out: BitWriter::default(), has_fixed_codes: settings.has_fixed_codes, replay };
        Self { plain, parser, writer, ready: Vec::new(), given: 0, is_over: false }
    }
}

impl<R> Deflate<R> {
    /// What it was made with, to be used again.
    pub(crate) fn into_parser(self) -> Parser {
        self.parser
    }
}

impl<R: Read> Read for Deflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.is_over {
            if !self.parser.next_block(&mut self.plain, &mut self.writer)? {
                self.writer.out.align();
                self.is_over = true;
            }
            (self.ready, self.given) = (self.writer.out.take(), 0);
        }
        let rest = &self.ready[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

impl Encoder {
    /// The stream that this encoder makes of `plain`, byte for byte.
    ///
    /// It is found out while it is read how `plain` goes on, so errors come when it is.
    pub fn deflate<R: Read>(self, plain: R) -> Deflate<R> {
        Deflate::new(self, Parser::new(self.settings()), plain, None)
    }

    /// The same with `corrections`, if there are some, which [`record`] has made. `parser` is used
    /// for that, whatever it was used for before.
    ///
    /// [`record`]: crate::encoder::record::record
    pub(crate) fn deflate_with<R: Read>(
        self,
        parser: Parser,
        corrections: Option<&Arc<[u8]>>,
        plain: R,
    ) -> io::Result<Deflate<R>> {
        let replay = corrections.map(Replay::new).transpose();
        let replay = replay.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Deflate::new(self, parser, plain, replay.map(Box::new)))
    }
}

impl<R> fmt::Debug for Deflate<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate").finish_non_exhaustive()
    }
}

/// Lets the encoder choose, and writes what it has chosen.
struct Writer {
    out: BitWriter,
    has_fixed_codes: bool,
    replay: Option<Box<Replay>>,
}

impl Guide for Writer {
    type Error = io::Error;

    #[inline]
    fn token(&mut self, predicted: Token, byte: u8) -> io::Result<Token> {
        match &mut self.replay {
            None => Ok(predicted),
            Some(replay) => replay.token(predicted, byte),
        }
    }

    #[inline]
    fn ends_block(&mut self, predicted: bool) -> io::Result<bool> {
        Ok(self.replay.as_ref().map_or(predicted, |replay| replay.is_at_end()))
    }

    fn block(&mut self, block: &Block, len: u64, bytes: Option<&[u8]>, is_last: bool) -> io::Result<()> {
        if let Some(replay) = &mut self.replay {
            return replay.block(block, bytes, &mut self.out);
        }
        match (block.coded(len, bytes.is_some(), self.has_fixed_codes), bytes) {
            (Coded::Stored, Some(bytes)) => put_stored(bytes, is_last, &mut self.out),
            (Coded::Stored | Coded::Fixed, _) => put_fixed(block, is_last, &mut self.out),
            (Coded::Dynamic(codes), _) => codes.put(block, is_last, &mut self.out),
        }
        Ok(())
    }
}
