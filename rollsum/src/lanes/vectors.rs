//! Vectors of one width, whatever it is.

use fearless_simd::{Simd, SimdBase, SimdInt, SimdIntWiden};

/// Vectors of one width.
pub(crate) trait Vectors: Copy {
    /// The instructions that they are made for.
    type Level: Simd;
    /// Lanes of bytes.
    type U8: SimdInt<Self::Level, Element = u8, ByteVector = Self::U8> + SimdIntWiden<Self::Level, Widened = Self::U16>;
    /// Lanes of 16 bits.
    type U16: SimdInt<Self::Level, Element = u16, ByteVector = Self::U8>
        + SimdIntWiden<Self::Level, Widened = Self::U32>;
    /// The same, with a sign.
    type I16: SimdInt<Self::Level, Element = i16, ByteVector = Self::U8>
        + SimdIntWiden<Self::Level, Widened = Self::I32>;
    /// Lanes of 32 bits.
    type U32: SimdInt<Self::Level, Element = u32, ByteVector = Self::U8>;
    /// The same, with a sign.
    type I32: SimdInt<Self::Level, Element = i32, ByteVector = Self::U8>;

    /// The proof that the processor has the instructions.
    fn level(self) -> Self::Level;
}

/// Vectors as wide as the processor's.
#[derive(Clone, Copy)]
pub(crate) struct Native<S>(pub(crate) S);

impl<S: Simd> Vectors for Native<S> {
    type Level = S;
    type U8 = S::u8s;
    type U16 = S::u16s;
    type I16 = S::i16s;
    type U32 = S::u32s;
    type I32 = S::i32s;

    #[inline(always)]
    fn level(self) -> S {
        self.0
    }
}

/// Vectors of 512 bits on any processor, to test what it takes a rare one to run.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Wide<S>(pub(crate) S);

#[cfg(test)]
impl<S: Simd> Vectors for Wide<S> {
    type Level = S;
    type U8 = fearless_simd::u8x64<S>;
    type U16 = fearless_simd::u16x32<S>;
    type I16 = fearless_simd::i16x32<S>;
    type U32 = fearless_simd::u32x16<S>;
    type I32 = fearless_simd::i32x16<S>;

    #[inline(always)]
    fn level(self) -> S {
        self.0
    }
}

/// Lanes shifted up by whole blocks of 128 bits, with zeros coming in.
#[inline(always)]
fn blocks_up<S: Simd, V: SimdBase<S>>(vector: V, zero: V, blocks: usize) -> V {
    // A slide cuts a vector out of two; how many lanes it skips has to be a constant.
    match V::LEN - blocks * V::Block::LEN {
        4 => zero.slide::<4>(vector),
        8 => zero.slide::<8>(vector),
        12 => zero.slide::<12>(vector),
        16 => zero.slide::<16>(vector),
        24 => zero.slide::<24>(vector),
        lanes => unreachable!("no vector of two or four blocks has {lanes} lanes less"),
    }
}

/// Given sums that run within each block of 128 bits, and the last of each block's in all
/// of its lanes: sums that run through the whole vector.
#[inline(always)]
pub(super) fn join_blocks<S: Simd, V: SimdBase<S>>(within: V, totals: V, zero: V) -> V {
    let blocks = V::LEN / V::Block::LEN;
    if blocks == 1 {
        return within;
    }
    let one_before = blocks_up(totals, zero, 1);
    let joined = within + one_before;
    if blocks == 2 { joined } else { joined + blocks_up(totals + one_before, zero, 2) }
}
