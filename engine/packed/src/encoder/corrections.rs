//! What an encoder would have chosen otherwise than it is: the recipe of streams whose own
//! encoder is not known.
//!
//! FORMAT.md has the bytes, in the chapter on recipes.

use crate::deflate::symbols::{DISTANCE_BASE, DISTANCES, MIN_MATCH, distance_symbol};
use crate::deflate::token::{Kind, Token};
use crate::encoder::range_coder::{Coder, Odds};
use crate::error::RecipeError;
use crate::numbers::{Input, put_number};

/// A block of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) is_last: bool,
    /// How many tokens it has, or bytes if it is stored.
    pub(crate) len: u64,
    /// Of a dynamic block whose codes are not zlib's: the bits before its tokens, and how many.
    pub(crate) header: Option<(Vec<u8>, u64)>,
}

/// Puts the blocks of a stream, of which the last is the last.
pub(crate) fn put_specs(specs: &[Spec], out: &mut Vec<u8>) {
    for spec in specs {
        let flags = spec.kind as u8 | u8::from(spec.is_last) << 2 | u8::from(spec.header.is_some()) << 3;
        out.push(flags);
        put_number(out, spec.len);
        if let Some((bytes, bits)) = &spec.header {
            put_number(out, *bits);
            out.extend_from_slice(bytes);
        }
    }
}

/// The next block of a stream; `input` is its corrections from there on.
pub(crate) fn spec(input: &mut Input<'_>) -> Result<Spec, RecipeError> {
    let [flags] = input.array()?;
    let kind = *[Kind::Stored, Kind::Fixed, Kind::Dynamic]
        .get(usize::from(flags & 3))
        .filter(|kind| flags < 16 && (flags < 8 || **kind == Kind::Dynamic))
        .ok_or(RecipeError::new("a block is of no kind"))?;
    let len = input.number()?;
    let header = match flags & 8 {
        0 => None,
        _ => {
            let bits = input.number()?;
            let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
            Some((input.take(bytes)?.to_vec(), bits))
        }
    };
    Ok(Spec { kind, is_last: flags & 4 != 0, len, header })
}

/// What is learned of how an encoder differs from the one that predicts.
pub(crate) struct Model {
    /// Whether a prediction is right; by what it is, and by the last ones.
    right: [Odds; 8 * 16],
    /// Where a match was predicted, whether there is none.
    literal: [Odds; 8],
    /// Where a match was predicted and another is there, whether it is as far.
    same: Odds,
    lengths: [[Odds; 256]; 2],
    symbols: [Odds; 32],
    /// Whether the last four predictions were right.
    last: usize,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            right: [Odds::EVEN; 8 * 16],
            literal: [Odds::EVEN; 8],
            same: Odds::EVEN,
            lengths: [[Odds::EVEN; 256]; 2],
            symbols: [Odds::EVEN; 32],
            last: 0,
        }
    }
}

impl Model {
    /// Codes `actual` where `predicted` was, or finds it again; a literal is `byte`. `None` where
    /// nothing is found that a token can be.
    #[inline]
    pub(crate) fn token(&mut self, coder: &mut impl Coder, predicted: Token, actual: Token, byte: u8) -> Option<Token> {
        let kind = match (predicted.distance(), predicted.value()) {
            (0, _) => 0,
            (_, length @ 3..=6) => length - 2,
            (_, 7..=12) => 5,
            (_, 13..=32) => 6,
            _ => 7,
        };
        let is_right = coder.bit(&mut self.right[kind * 16 + self.last], predicted == actual);
        self.last = (2 * self.last + usize::from(is_right)) % 16;
        if is_right { Some(predicted) } else { self.correction(coder, predicted, kind, actual, byte) }
    }

    #[cold]
    fn correction(
        &mut self,
        coder: &mut impl Coder,
        predicted: Token,
        kind: usize,
        actual: Token,
        byte: u8,
    ) -> Option<Token> {
        if kind > 0 && coder.bit(&mut self.literal[kind], actual.distance() == 0) {
            return Some(Token::literal(byte));
        }
        let length = actual.value().wrapping_sub(MIN_MATCH) & 255;
        let length = MIN_MATCH + coder.number(&mut self.lengths[usize::from(kind > 0)], 8, length);
        if kind > 0 && coder.bit(&mut self.same, predicted.distance() == actual.distance()) {
            return Some(Token::repeat(length, predicted.distance()));
        }
        let symbol = coder.number(&mut self.symbols, 5, distance_symbol(actual.distance().max(1)));
        let (base, extra) = *DISTANCE_BASE.get(symbol).filter(|_| symbol < DISTANCES)?;
        let within = actual.distance().wrapping_sub(usize::from(base)) & ((1 << extra) - 1);
        let distance = usize::from(base) + coder.even(u32::from(extra), within);
        Some(Token::repeat(length, distance))
    }
}
