//! How zlib and its kin cut bytes into tokens, and tokens into blocks.
//!
//! The algorithm is that of Gailly and Adler's deflate, which zlib's `doc/algorithm.txt`
//! describes: hash chains, lazy matches, blocks of as many tokens as a buffer holds.

use std::io::{self, Read};

use crate::deflate::block::Block;
use crate::deflate::symbols::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH};
use crate::deflate::token::Token;
use crate::encoder::settings::{Blocks, Effort, Settings, Way};
use crate::encoder::window::{Chains, Window};

/// A match of three bytes that is further away costs more than the bytes.
const TOO_FAR: usize = 4096;

/// Says what really is where an encoder would choose so, and takes the blocks.
pub(crate) trait Guide {
    type Error: From<io::Error>;

    /// The token that is where the encoder would have `predicted`; a literal there is `byte`.
    fn token(&mut self, predicted: Token, byte: u8) -> Result<Token, Self::Error>;

    /// Whether the block ends behind the token that was told last; the encoder's own choice is
    /// `predicted`.
    fn ends_block(&mut self, predicted: bool) -> Result<bool, Self::Error>;

    /// Takes a block, which makes `len` bytes; these too, if the encoder still had them.
    fn block(&mut self, block: &Block, len: u64, bytes: Option<&[u8]>, is_last: bool) -> Result<(), Self::Error>;
}

/// An encoder up to its tokens.
pub(crate) struct Parser {
    settings: Settings,
    window: Window,
    block: Block,
    /// What the lazy way has put off: the match at the byte before, where there is one.
    is_put_off: bool,
    length: usize,
    distance: usize,
    is_done: bool,
}

impl Parser {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            window: Window::new(&settings),
            settings,
            block: Block::default(),
            is_put_off: false,
            length: MIN_MATCH - 1,
            distance: 0,
            is_done: false,
        }
    }

    /// Begins another stream.
    pub(crate) fn begin(&mut self, settings: Settings) {
        self.settings = settings;
        self.window.begin(&settings);
        self.block.clear();
        (self.is_put_off, self.length, self.distance, self.is_done) = (false, MIN_MATCH - 1, 0, false);
    }

    /// Goes on to the end of the next block; `false` where there was none left.
    pub(crate) fn next_block<G: Guide>(&mut self, plain: &mut dyn Read, guide: &mut G) -> Result<bool, G::Error> {
        if self.is_done {
            return Ok(false);
        }
        match self.settings.way {
            Way::Fast => self.fast(plain, guide)?,
            Way::Lazy => self.lazy(plain, guide)?,
            Way::Runs => self.runs(plain, guide)?,
            Way::Literals => self.literals(plain, guide)?,
        }
        Ok(true)
    }

    /// Takes every match that it finds.
    fn fast<G: Guide>(&mut self, plain: &mut dyn Read, guide: &mut G) -> Result<(), G::Error> {
        let effort = self.settings.effort;
        loop {
            self.window.fill(plain)?;
            if self.window.ahead == 0 {
                return self.end_block(guide, true);
            }
            let byte = self.window.byte(self.window.at);
            let mut predicted = Token::literal(byte);
            if self.window.ahead >= MIN_MATCH {
                let chains = self.window.insert(self.window.at);
                let (length, distance) = self.window.longest(chains, MIN_MATCH - 1, &effort, MAX_DISTANCE);
                if length >= MIN_MATCH {
                    predicted = Token::repeat(length, distance);
                }
            }
            let token = guide.token(predicted, byte)?;
            self.block.push(token);
            let ends = self.is_block_full(guide)?;
            self.pass(token, &effort)?;
            if ends {
                return self.end_block(guide, false);
            }
        }
    }

    /// Goes on behind a token, and puts down the places in it unless it is long.
    fn pass(&mut self, token: Token, effort: &Effort) -> io::Result<()> {
        let length = token.len();
        if length > self.window.ahead {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let window = &mut self.window;
        window.ahead -= length;
        if length > 1 && length <= effort.lazy && window.ahead >= MIN_MATCH {
            (window.at + 1..window.at + length).for_each(|at| {
                window.insert(at);
            });
        }
        window.at += length;
        Ok(())
    }

    /// Looks whether the next byte has a longer match before it takes one.
    fn lazy<G: Guide>(&mut self, plain: &mut dyn Read, guide: &mut G) -> Result<(), G::Error> {
        let effort = self.settings.effort;
        loop {
            self.window.fill(plain)?;
            if self.window.ahead == 0 {
                if std::mem::take(&mut self.is_put_off) {
                    let byte = self.window.byte(self.window.at - 1);
                    let token = guide.token(Token::literal(byte), byte)?;
                    if token.len() != 1 {
                        return Err(io::Error::from(io::ErrorKind::InvalidData).into());
                    }
                    self.block.push(token);
                }
                return self.end_block(guide, true);
            }
            let is_at_end = self.window.ahead < MIN_MATCH;
            let chains = if is_at_end { Chains::NONE } else { self.window.insert(self.window.at) };
            let (before, distance) = (self.length, self.distance);
            self.length = MIN_MATCH - 1;
            if before < effort.lazy {
                (self.length, self.distance) = self.window.longest(chains, before, &effort, TOO_FAR);
                if self.length <= 5 && self.settings.is_filtered {
                    self.length = MIN_MATCH - 1;
                }
            }
            if !std::mem::replace(&mut self.is_put_off, true) {
                self.window.at += 1;
                self.window.ahead -= 1;
                continue;
            }
            let byte = self.window.byte(self.window.at - 1);
            let predicted = if before >= MIN_MATCH && self.length <= before {
                Token::repeat(before, distance)
            } else {
                Token::literal(byte)
            };
            let token = guide.token(predicted, byte)?;
            self.block.push(token);
            let ends = self.is_block_full(guide)?;
            if token.distance() == 0 {
                self.window.at += 1;
                self.window.ahead -= 1;
                if ends {
                    return self.end_block_at(guide, self.window.at - 1);
                }
            } else {
                self.pass_lazily(token.len())?;
                if ends {
                    return self.end_block(guide, false);
                }
            }
        }
    }

    /// Goes on behind a match that began at the byte before.
    #[inline]
    fn pass_lazily(&mut self, length: usize) -> io::Result<()> {
        let window = &mut self.window;
        if length - 1 > window.ahead {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // At the end of the stream there are no three bytes for the last places.
        let end = (window.at + length - 1).min((window.at + window.ahead + 1).saturating_sub(MIN_MATCH));
        (window.at + 1..end).for_each(|at| {
            window.insert(at);
        });
        window.at += length - 1;
        window.ahead -= length - 1;
        (self.is_put_off, self.length) = (false, MIN_MATCH - 1);
        Ok(())
    }

    /// Matches only runs of one byte.
    fn runs<G: Guide>(&mut self, plain: &mut dyn Read, guide: &mut G) -> Result<(), G::Error> {
        loop {
            self.window.fill(plain)?;
            if self.window.ahead == 0 {
                return self.end_block(guide, true);
            }
            let run = self.window.run();
            let predicted = if run >= MIN_MATCH {
                Token::repeat(run.min(MAX_MATCH), 1)
            } else {
                Token::literal(self.window.byte(self.window.at))
            };
            if self.take(guide, predicted)? {
                return self.end_block(guide, false);
            }
        }
    }

    /// Matches nothing.
    fn literals<G: Guide>(&mut self, plain: &mut dyn Read, guide: &mut G) -> Result<(), G::Error> {
        loop {
            self.window.fill(plain)?;
            if self.window.ahead == 0 {
                return self.end_block(guide, true);
            }
            if self.take(guide, Token::literal(self.window.byte(self.window.at)))? {
                return self.end_block(guide, false);
            }
        }
    }

    /// Takes a token without putting down places; whether the block ends behind it.
    fn take<G: Guide>(&mut self, guide: &mut G, predicted: Token) -> Result<bool, G::Error> {
        let token = guide.token(predicted, self.window.byte(self.window.at))?;
        if token.len() > self.window.ahead {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        self.block.push(token);
        self.window.at += token.len();
        self.window.ahead -= token.len();
        self.is_block_full(guide)
    }

    /// Whether the block ends behind its last token.
    #[inline]
    fn is_block_full<G: Guide>(&mut self, guide: &mut G) -> Result<bool, G::Error> {
        let tokens = self.block.tokens.len();
        let predicted = match self.settings.blocks {
            Blocks::Of(most) => tokens == most,
            Blocks::Gzip { is_cut } => tokens == 0x7fff || is_cut && tokens.is_multiple_of(0x1000) && self.pays(),
        };
        let ends = guide.ends_block(predicted)?;
        if !ends && tokens >= Block::MOST {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        Ok(ends)
    }

    /// Whether GNU gzip takes the block so far for one that compresses well.
    #[cold]
    fn pays(&self) -> bool {
        let tokens = self.block.tokens.len();
        // Eight bits for all but distances.
        let bits = 8 * tokens as u64 + self.block.distance_bits();
        let len = (self.window.at as isize - self.window.block) as u64;
        self.block.repeats() < tokens / 2 && bits / 8 < len / 2
    }

    fn end_block<G: Guide>(&mut self, guide: &mut G, is_last: bool) -> Result<(), G::Error> {
        self.is_done = is_last;
        self.give_block(guide, self.window.at, is_last)
    }

    fn end_block_at<G: Guide>(&mut self, guide: &mut G, end: usize) -> Result<(), G::Error> {
        self.give_block(guide, end, false)
    }

    fn give_block<G: Guide>(&mut self, guide: &mut G, end: usize, is_last: bool) -> Result<(), G::Error> {
        let len = (end as isize - self.window.block) as u64;
        guide.block(&self.block, len, self.window.block_bytes(end), is_last)?;
        self.block.clear();
        self.window.block = end as isize;
        Ok(())
    }
}
