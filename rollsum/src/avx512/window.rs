//! Windows that move over a tile.

use fearless_simd::prelude::*;
use fearless_simd::x86::Avx512;

use super::groups::{Bytes, Groups, Words};
use crate::tile::GROUP;

/// A window, or a pair of them, that moves over a tile group by group.
pub(super) trait Steps {
    /// Begins group `at`.
    fn begin(&mut self, avx512: Avx512, at: usize);

    /// The hashes of group `at`.
    fn finish(&mut self, avx512: Avx512, at: usize) -> [Words; 4];
}

/// Bytes of a tile in groups; zeros follow the last.
#[derive(Clone, Copy)]
pub(super) struct Strip<'a> {
    whole: &'a [[u8; GROUP]],
    last: [u8; GROUP],
}

impl<'a> Strip<'a> {
    #[inline(always)]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (whole, rest) = bytes.as_chunks();
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        Self { whole, last }
    }

    #[inline(always)]
    fn group(&self, avx512: Avx512, at: usize) -> Bytes {
        Bytes::from_slice(avx512, self.whole.get(at).unwrap_or(&self.last))
    }
}

/// One window.
pub(super) struct Window<'a, Sums: Groups> {
    pub(super) sums: Sums,
    outgoing: Strip<'a>,
    incoming: Strip<'a>,
    /// What is begun and not finished; in memory, where the compiler would fill registers.
    begun: [Sums::Begun; 2],
}

impl<'a, Sums: Groups> Window<'a, Sums> {
    #[inline(always)]
    pub(super) fn new(avx512: Avx512, sums: Sums, outgoing: Strip<'a>, incoming: Strip<'a>) -> Self {
        let zero = Bytes::splat(avx512, 0);
        let begun = { sums }.begin(avx512, zero, zero);
        Self { sums, outgoing, incoming, begun: [begun; 2] }
    }
}

impl<Sums: Groups> Steps for Window<'_, Sums> {
    #[inline(always)]
    fn begin(&mut self, avx512: Avx512, at: usize) {
        let (outgoing, incoming) = (self.outgoing.group(avx512, at), self.incoming.group(avx512, at));
        self.begun[at % 2] = self.sums.begin(avx512, outgoing, incoming);
    }

    #[inline(always)]
    fn finish(&mut self, avx512: Avx512, at: usize) -> [Words; 4] {
        self.sums.finish(avx512, self.begun[at % 2])
    }
}

/// Two windows, one right behind the other.
pub(super) struct Pair<'a, Sums: Groups> {
    pub(super) first: Window<'a, Sums>,
    pub(super) second: Window<'a, Sums>,
}

impl<Sums: Groups> Steps for Pair<'_, Sums> {
    #[inline(always)]
    fn begin(&mut self, avx512: Avx512, at: usize) {
        self.first.begin(avx512, at);
        self.second.begin(avx512, at);
    }

    /// As [`join`](crate::tile::join) has it.
    #[inline(always)]
    fn finish(&mut self, avx512: Avx512, at: usize) -> [Words; 4] {
        let mut hashes = self.first.finish(avx512, at);
        for (hash, behind) in hashes.iter_mut().zip(self.second.finish(avx512, at)) {
            *hash ^= behind << 16 | behind >> 16;
        }
        hashes
    }
}
