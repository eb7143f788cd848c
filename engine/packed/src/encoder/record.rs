//! Finds out how an encoder would have to be corrected to make a stream.

use std::io::{self, Read};

use crate::deflate::bits::BitWriter;
use crate::deflate::block::{Block, Dynamic};
use crate::deflate::decode::{Head, TokenReader};
use crate::deflate::token::{Kind, Token};
use crate::encoder::check::Failure;
use crate::encoder::corrections::{Model, Spec, put_specs};
use crate::encoder::parse::{Guide, Parser};
use crate::encoder::range_coder::RangeEncoder;
use crate::encoder::settings::Encoder;

/// The corrections that make `encoder` make `stream`, which has `len` bytes, of `plain`. `None`
/// where it cannot be made to, or where they are more than `most` bytes.
pub(crate) fn record(
    encoder: Encoder,
    parser: &mut Parser,
    plain: &mut dyn Read,
    stream: impl Read,
    len: u64,
    most: usize,
) -> io::Result<Option<Vec<u8>>> {
    parser.begin(encoder.settings());
    let mut recorder = Recorder::new(stream, most, u64::MAX);
    match recorder.run(parser, plain) {
        Ok(()) if recorder.tokens.position() == len => Ok(Some(recorder.finish()).filter(|bytes| bytes.len() <= most)),
        Ok(()) | Err(Failure::Differs) => Ok(None),
        Err(Failure::Read(error)) => Err(error),
    }
}

/// How many bytes of corrections `encoder` takes for the first `tokens` tokens of `stream`.
pub(crate) fn estimate(
    encoder: Encoder,
    parser: &mut Parser,
    plain: &mut dyn Read,
    stream: impl Read,
    tokens: u64,
) -> io::Result<usize> {
    parser.begin(encoder.settings());
    let mut recorder = Recorder::new(stream, usize::MAX, tokens);
    match recorder.run(parser, plain) {
        Err(Failure::Read(error)) => Err(error),
        _ => Ok(recorder.coder.len()),
    }
}

struct Recorder<R> {
    tokens: TokenReader<R>,
    head: Head,
    /// The next token of the block, unless that is stored.
    next: Option<Token>,
    /// How many bytes of a stored block are still to come.
    left: usize,
    /// The last block has ended.
    is_done: bool,
    specs: Vec<Spec>,
    model: Model,
    coder: RangeEncoder,
    /// More bytes than this are of no use, nor more tokens than that of interest.
    most: usize,
    tokens_left: u64,
}

impl<R: Read> Recorder<R> {
    fn new(stream: R, most: usize, tokens: u64) -> Self {
        let head = Head { kind: Kind::Fixed, is_last: false, stored: 0, header: BitWriter::default() };
        Self {
            tokens: TokenReader::new(stream),
            head,
            next: None,
            left: 0,
            is_done: false,
            specs: Vec::new(),
            model: Model::default(),
            coder: RangeEncoder::default(),
            most,
            tokens_left: tokens,
        }
    }

    fn run(&mut self, parser: &mut Parser, plain: &mut dyn Read) -> Result<(), Failure> {
        self.next_block()?;
        while parser.next_block(plain, self)? {}
        self.tokens.align()?;
        if self.is_done { Ok(()) } else { Err(Failure::Differs) }
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_specs(&self.specs, &mut bytes);
        bytes.extend(self.coder.finish());
        bytes
    }

    /// Goes on to the next block that has something in it.
    fn next_block(&mut self) -> Result<(), Failure> {
        loop {
            self.head = self.tokens.head()?;
            self.left = self.head.stored;
            match self.head.kind {
                Kind::Stored => self.tokens.skip(self.left)?,
                Kind::Fixed | Kind::Dynamic => self.next = self.tokens.token()?,
            }
            if !self.is_at_end() {
                return Ok(());
            }
            self.put_spec(&Block::default(), 0);
            if self.head.is_last {
                self.is_done = true;
                return Ok(());
            }
        }
    }

    fn is_at_end(&self) -> bool {
        if self.head.kind == Kind::Stored { self.left == 0 } else { self.next.is_none() }
    }

    fn put_spec(&mut self, block: &Block, len: u64) {
        let header = (self.head.kind == Kind::Dynamic).then(|| {
            let mut predicted = BitWriter::default();
            Dynamic::of(block).put_header(&mut predicted);
            (predicted != self.head.header).then(|| std::mem::take(&mut self.head.header).into_bytes())
        });
        let len = if self.head.kind == Kind::Stored { len } else { block.tokens.len() as u64 };
        let (kind, is_last) = (self.head.kind, self.head.is_last);
        self.specs.push(Spec { kind, is_last, len, header: header.flatten() });
    }
}

impl<R: Read> Guide for Recorder<R> {
    type Error = Failure;

    fn token(&mut self, predicted: Token, byte: u8) -> Result<Token, Failure> {
        if self.head.kind == Kind::Stored {
            let token = if predicted.len() <= self.left { predicted } else { Token::literal(byte) };
            self.left = self.left.checked_sub(token.len()).ok_or(Failure::Differs)?;
            return Ok(token);
        }
        let actual = self.next.ok_or(Failure::Differs)?;
        self.next = self.tokens.token()?;
        self.model.token(&mut self.coder, predicted, actual, byte);
        self.tokens_left = self.tokens_left.checked_sub(1).ok_or(Failure::Differs)?;
        Ok(actual)
    }

    fn ends_block(&mut self, _: bool) -> Result<bool, Failure> {
        Ok(self.is_at_end())
    }

    fn block(&mut self, block: &Block, len: u64, bytes: Option<&[u8]>, _: bool) -> Result<(), Failure> {
        if self.is_done {
            return if block.tokens.is_empty() { Ok(()) } else { Err(Failure::Differs) };
        }
        let is_lost = self.head.kind == Kind::Stored && bytes.is_none();
        if !self.is_at_end() || is_lost || self.coder.len() > self.most {
            return Err(Failure::Differs);
        }
        self.put_spec(block, len);
        if self.head.is_last {
            self.is_done = true;
            return Ok(());
        }
        self.next_block()
    }
}
