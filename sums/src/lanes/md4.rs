//! MD4 (RFC 1320).

use fearless_simd::Simd;
use fearless_simd::prelude::*;

use super::kernel::rotate_left;
use super::md::{Compress, State, Words};

pub(crate) struct Md4Lanes;

/// One step in every vector. The vectors are independent, which hides the latency.
macro_rules! step {
    ($words:ident, $function:expr, $add:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:expr, $shift:literal) => {
        for vector in 0..VECTORS {
            let mixed = $function($b[vector], $c[vector], $d[vector]);
            let sum = $a[vector] + ($words[vector][$word] + $add) + mixed;
            $a[vector] = rotate_left::<S, _, 32>(sum, $shift);
        }
    };
}

/// Sixteen steps, which take the words in the order given.
macro_rules! round {
    ($words:ident, $function:expr, $add:ident, [$a:ident $b:ident $c:ident $d:ident], [$s0:literal $s1:literal $s2:literal $s3:literal], $([$w0:literal $w1:literal $w2:literal $w3:literal])*) => {$(
        step!($words, $function, $add, $a, $b, $c, $d, $w0, $s0);
        step!($words, $function, $add, $d, $a, $b, $c, $w1, $s1);
        step!($words, $function, $add, $c, $d, $a, $b, $w2, $s2);
        step!($words, $function, $add, $b, $c, $d, $a, $w3, $s3);
    )*};
}

impl Compress for Md4Lanes {
    #[inline(always)]
    fn compress<S: Simd, const VECTORS: usize>(
        simd: S,
        state: State<S, VECTORS>,
        words: &Words<S, VECTORS>,
    ) -> State<S, VECTORS> {
        let [mut a, mut b, mut c, mut d] = state;
        let none = S::u32s::splat(simd, 0);
        let root_of_2 = S::u32s::splat(simd, 0x5a82_7999);
        let root_of_3 = S::u32s::splat(simd, 0x6ed9_eba1);
        round!(words, |x, y, z| z ^ (x & (y ^ z)), none, [a b c d], [3 7 11 19],
            [0 1 2 3] [4 5 6 7] [8 9 10 11] [12 13 14 15]);
        // The majority: where y and z agree it is theirs, and else x has the casting vote.
        round!(words, |x, y, z| y ^ ((x ^ y) & (y ^ z)), root_of_2, [a b c d], [3 5 9 13],
            [0 4 8 12] [1 5 9 13] [2 6 10 14] [3 7 11 15]);
        round!(words, |x, y, z| x ^ (y ^ z), root_of_3, [a b c d], [3 9 11 15],
            [0 8 4 12] [2 10 6 14] [1 9 5 13] [3 11 7 15]);
        [a, b, c, d]
    }
}
