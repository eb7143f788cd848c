//! rsync's sum of a window that moves.

#[cfg(target_arch = "x86_64")]
use fearless_simd::x86::Avx512;

#[cfg(target_arch = "x86_64")]
use crate::avx512::rsync::RsyncGroups;
use crate::lanes::{self, Vectors};
use crate::rsync::pack;
use crate::sieve::HASH_MULTIPLIER;

use super::window::Rolling;

/// The sum of a window that moves. `MASKED` where some bits of its key are not wanted.
#[derive(Clone, Copy)]
pub(crate) struct Rsync<const OFFSET: u32, const MASKED: bool> {
    a: u32,
    b: u32,
    window: u32,
    mask: u32,
}

impl<const OFFSET: u32, const MASKED: bool> Rolling for Rsync<OFFSET, MASKED> {
    fn new(key: u32, window: usize, mask: u32) -> Self {
        Self { a: key & 0xffff, b: key >> 16, window: window as u32, mask }
    }

    #[inline(always)]
    fn key(&self) -> u32 {
        let key = pack(self.a, self.b);
        if MASKED { key & self.mask } else { key }
    }

    #[inline(always)]
    fn roll_bytes(&mut self, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        for ((hash, &outgoing), &incoming) in hashes.iter_mut().zip(outgoing).zip(incoming) {
            let outgoing = u32::from(outgoing);
            self.a = self.a.wrapping_add(incoming.into()).wrapping_sub(outgoing);
            self.b = self.b.wrapping_add(self.a).wrapping_sub(self.window.wrapping_mul(outgoing + OFFSET));
            *hash = self.key().wrapping_mul(HASH_MULTIPLIER);
        }
    }

    #[inline(always)]
    fn roll_lanes<V: Vectors>(&mut self, vectors: V, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]) {
        let (mut a, mut b) = (self.a as u16, self.b as u16);
        let mask = MASKED.then_some(self.mask);
        let terms = lanes::RsyncTerms { window: self.window as u16, offset: OFFSET as u16, mask };
        lanes::roll_rsync(vectors, (&mut a, &mut b), terms, (outgoing, incoming), hashes);
        (self.a, self.b) = (a.into(), b.into());
    }

    #[cfg(target_arch = "x86_64")]
    type Groups = RsyncGroups;

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn groups(&self, avx512: Avx512) -> RsyncGroups {
        RsyncGroups::new(avx512, (self.a, self.b), (self.window, OFFSET), MASKED.then_some(self.mask))
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn take_groups(&mut self, groups: RsyncGroups) {
        (self.a, self.b) = groups.halves();
    }
}
