//! MD5 (RFC 1321).

use fearless_simd::Simd;
use fearless_simd::prelude::*;

use super::kernel::rotate_left;
use super::md::{Compress, State, Words};

pub(crate) struct Md5Lanes;

/// RFC 1321, section 3.4: floor(2^32 * abs(sin(i + 1))).
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// One step in every vector. The vectors are independent, which hides the latency.
macro_rules! step {
    ($simd:ident, $words:ident, $function:expr, $a:ident, $b:ident, $c:ident, $d:ident, $word:expr, $shift:literal, $step:expr) => {
        for vector in 0..VECTORS {
            let mixed = $function($b[vector], $c[vector], $d[vector]);
            let sum = $a[vector] + ($words[vector][$word] + S::u32s::splat($simd, SINES[$step])) + mixed;
            $a[vector] = rotate_left::<S, _, 32>(sum, $shift) + $b[vector];
        }
    };
}

/// Sixteen steps: the `i`-th takes word `(factor * i + offset) % 16`.
macro_rules! round {
    ($simd:ident, $words:ident, $function:expr, [$a:ident $b:ident $c:ident $d:ident], $round:literal, $factor:literal, $offset:literal, [$s0:literal $s1:literal $s2:literal $s3:literal]) => {
        round!(@quad $simd $words $function, $a $b $c $d, $round, $factor, $offset, $s0 $s1 $s2 $s3, 0);
        round!(@quad $simd $words $function, $a $b $c $d, $round, $factor, $offset, $s0 $s1 $s2 $s3, 4);
        round!(@quad $simd $words $function, $a $b $c $d, $round, $factor, $offset, $s0 $s1 $s2 $s3, 8);
        round!(@quad $simd $words $function, $a $b $c $d, $round, $factor, $offset, $s0 $s1 $s2 $s3, 12);
    };
    (@quad $simd:ident $words:ident $function:expr, $a:ident $b:ident $c:ident $d:ident, $round:literal, $factor:literal, $offset:literal, $s0:literal $s1:literal $s2:literal $s3:literal, $i:literal) => {
        step!($simd, $words, $function, $a, $b, $c, $d, ($factor * $i + $offset) % 16, $s0, 16 * $round + $i);
        step!($simd, $words, $function, $d, $a, $b, $c, ($factor * ($i + 1) + $offset) % 16, $s1, 16 * $round + $i + 1);
        step!($simd, $words, $function, $c, $d, $a, $b, ($factor * ($i + 2) + $offset) % 16, $s2, 16 * $round + $i + 2);
        step!($simd, $words, $function, $b, $c, $d, $a, ($factor * ($i + 3) + $offset) % 16, $s3, 16 * $round + $i + 3);
    };
}

impl Compress for Md5Lanes {
    #[inline(always)]
    fn compress<S: Simd, const VECTORS: usize>(
        simd: S,
        state: State<S, VECTORS>,
        words: &Words<S, VECTORS>,
    ) -> State<S, VECTORS> {
        let [mut a, mut b, mut c, mut d] = state;
        round!(simd, words, |x, y, z| z ^ (x & (y ^ z)), [a b c d], 0, 1, 0, [7 12 17 22]);
        round!(simd, words, |x, y, z| y ^ (z & (x ^ y)), [a b c d], 1, 5, 1, [5 9 14 20]);
        round!(simd, words, |x, y, z| x ^ (y ^ z), [a b c d], 2, 3, 5, [4 11 16 23]);
        round!(simd, words, |x, y, z: S::u32s| y ^ (x | !z), [a b c d], 3, 7, 0, [6 10 15 21]);
        [a, b, c, d]
    }
}
