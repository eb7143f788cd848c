//! Whether an encoder makes a stream.

use std::io::{self, Read};

use crate::deflate::bits::BitWriter;
use crate::deflate::block::{Block, Coded};
use crate::deflate::decode::{DecodeError, Head, TokenReader};
use crate::deflate::token::{Kind, Token};
use crate::encoder::parse::{Guide, Parser};
use crate::encoder::settings::Encoder;

/// How far an encoder goes with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It makes the same bytes.
    Exact,
    /// It is another, or this is no deflate.
    Differs,
}

/// Compares `stream`, `len` bytes, with what `encoder` makes of `plain`. `parser` is used for
/// that, whatever it was used for before.
pub(crate) fn check(
    encoder: Encoder,
    parser: &mut Parser,
    plain: &mut dyn Read,
    stream: impl Read,
    len: u64,
) -> io::Result<Verdict> {
    let settings = encoder.settings();
    parser.begin(settings);
    let check = || -> Result<bool, Failure> {
        let mut guide = Check::begin(stream, settings.has_fixed_codes)?;
        while parser.next_block(plain, &mut guide)? {}
        guide.tokens.align()?;
        Ok(guide.tokens.position() == len)
    };
    match check() {
        Ok(true) => Ok(Verdict::Exact),
        Ok(false) | Err(Failure::Differs) => Ok(Verdict::Differs),
        Err(Failure::Read(error)) => Err(error),
    }
}

/// Why a comparison ends.
pub(crate) enum Failure {
    Differs,
    Read(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // A parser says so of tokens that it cannot follow; what cannot be read has a cause.
        let has_cause = error.raw_os_error().is_some() || error.get_ref().is_some();
        match error.kind() == io::ErrorKind::InvalidData && !has_cause {
            true => Self::Differs,
            false => Self::Read(error),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Invalid => Self::Differs,
            DecodeError::Read(error) => Self::Read(error),
        }
    }
}

/// Holds what an encoder chooses against a stream.
struct Check<R> {
    tokens: TokenReader<R>,
    has_fixed_codes: bool,
    head: Head,
    /// The next token of the block, unless that is stored.
    next: Option<Token>,
    /// How many bytes of a stored block are still to come.
    left: usize,
}

impl<R: Read> Check<R> {
    fn begin(stream: R, has_fixed_codes: bool) -> Result<Self, DecodeError> {
        let mut tokens = TokenReader::new(stream);
        let head = tokens.head()?;
        let mut check = Self { tokens, has_fixed_codes, left: head.stored, head, next: None };
        check.begin_block()?;
        Ok(check)
    }

    fn begin_block(&mut self) -> Result<(), DecodeError> {
        self.left = self.head.stored;
        match self.head.kind {
            Kind::Stored => self.tokens.skip(self.left)?,
            Kind::Fixed | Kind::Dynamic => self.next = self.tokens.token()?,
        }
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        if self.head.kind == Kind::Stored { self.left == 0 } else { self.next.is_none() }
    }
}

impl<R: Read> Guide for Check<R> {
    type Error = Failure;

    #[inline]
    fn token(&mut self, predicted: Token, _: u8) -> Result<Token, Failure> {
        if self.next == Some(predicted) {
            self.next = self.tokens.token()?;
            return Ok(predicted);
        }
        // Of what is stored it is not known how it was cut into tokens.
        self.left = self.left.checked_sub(predicted.len()).ok_or(Failure::Differs)?;
        Ok(predicted)
    }

    #[inline]
    fn ends_block(&mut self, predicted: bool) -> Result<bool, Failure> {
        match (self.is_at_end(), predicted) {
            (ends, predicted) if ends == predicted => Ok(predicted),
            // The last ends where the data does.
            (true, _) if self.head.is_last => Ok(false),
            _ => Err(Failure::Differs),
        }
    }

    fn block(&mut self, block: &Block, len: u64, bytes: Option<&[u8]>, is_last: bool) -> Result<(), Failure> {
        let coded = block.coded(len, bytes.is_some(), self.has_fixed_codes);
        if !self.is_at_end() || coded.kind() != self.head.kind || is_last != self.head.is_last {
            return Err(Failure::Differs);
        }
        if let Coded::Dynamic(codes) = coded {
            let mut header = BitWriter::default();
            codes.put_header(&mut header);
            if header != self.head.header {
                return Err(Failure::Differs);
            }
        }
        if !is_last {
            self.head = self.tokens.head()?;
            self.begin_block()?;
        }
        Ok(())
    }
}
