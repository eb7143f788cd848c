//! Corrects an encoder, so that it makes a stream of another.

use std::io;
use std::sync::Arc;
use std::vec::IntoIter;

use crate::deflate::bits::BitWriter;
use crate::deflate::block::{Block, Dynamic, put_fixed, put_stored, put_with_header};
use crate::deflate::decode::TokenReader;
use crate::deflate::token::{Kind, Token};
use crate::encoder::corrections::{Model, Spec, spec};
use crate::encoder::range_coder::RangeDecoder;
use crate::error::RecipeError;
use crate::numbers::Input;

/// The corrections of a stream, on their way.
pub(crate) struct Replay {
    specs: IntoIter<Spec>,
    /// Blocks before that one which have nothing in them.
    empty: Vec<Spec>,
    /// The block that is under way; none behind the last.
    current: Option<Spec>,
    /// How many tokens of it are still to come, or bytes if it is stored.
    left: u64,
    model: Model,
    coder: RangeDecoder,
}

impl Replay {
    pub(crate) fn new(corrections: &Arc<[u8]>) -> Result<Self, RecipeError> {
        let mut input = Input(corrections);
        let mut specs = Vec::new();
        while specs.last().is_none_or(|last: &Spec| !last.is_last) {
            specs.push(spec(&mut input)?);
        }
        let coder = RangeDecoder::new(Arc::clone(corrections), corrections.len() - input.0.len());
        let specs = specs.into_iter();
        let mut replay = Self { specs, empty: Vec::new(), current: None, left: 0, model: Model::default(), coder };
        replay.next();
        Ok(replay)
    }

    /// Goes on to the next block that has something in it.
    fn next(&mut self) {
        for spec in self.specs.by_ref() {
            if spec.len > 0 {
                self.left = spec.len;
                self.current = Some(spec);
                return;
            }
            self.empty.push(spec);
        }
    }

    /// The token that is there instead of `predicted`.
    pub(crate) fn token(&mut self, predicted: Token, byte: u8) -> io::Result<Token> {
        let is_stored = self.current.as_ref().is_some_and(|spec| spec.kind == Kind::Stored);
        let (token, len) = if is_stored {
            let token = if predicted.len() as u64 <= self.left { predicted } else { Token::literal(byte) };
            (Some(token), token.len() as u64)
        } else {
            (self.model.token(&mut self.coder, predicted, predicted, byte), 1)
        };
        self.left = self.left.checked_sub(len).ok_or(io::ErrorKind::InvalidData)?;
        token.ok_or(io::ErrorKind::InvalidData.into())
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Puts a block, which makes `bytes`, and those around it that have nothing in them.
    pub(crate) fn block(&mut self, block: &Block, bytes: Option<&[u8]>, out: &mut BitWriter) -> io::Result<()> {
        self.put_empty(out)?;
        if self.left > 0 || self.current.is_none() && !block.tokens.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(spec) = self.current.take() {
            put(&spec, block, bytes, out)?;
            self.next();
        }
        self.put_empty(out)
    }

    fn put_empty(&mut self, out: &mut BitWriter) -> io::Result<()> {
        self.empty.drain(..).try_for_each(|spec| put(&spec, &Block::default(), Some(&[]), out))
    }
}

fn put(spec: &Spec, block: &Block, bytes: Option<&[u8]>, out: &mut BitWriter) -> io::Result<()> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    match (spec.kind, &spec.header) {
        (Kind::Stored, _) => {
            let bytes = bytes.filter(|bytes| bytes.len() <= usize::from(u16::MAX)).ok_or_else(wrong)?;
            put_stored(bytes, spec.is_last, out);
        }
        (Kind::Fixed, _) => put_fixed(block, spec.is_last, out),
        (Kind::Dynamic, None) => Dynamic::of(block).put(block, spec.is_last, out),
        (Kind::Dynamic, Some((header, bits))) => {
            let mut read = BitWriter::default();
            let codes = TokenReader::new(&header[..]).dynamic(&mut read).map_err(|_| wrong())?;
            if read.into_bytes() != (header.clone(), *bits) {
                return Err(wrong());
            }
            put_with_header(block, header, *bits, codes, spec.is_last, out);
        }
    }
    Ok(())
}
