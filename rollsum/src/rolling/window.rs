//! What moves on byte by byte, in one way or another.

#[cfg(target_arch = "x86_64")]
use fearless_simd::x86::Avx512;

#[cfg(target_arch = "x86_64")]
use crate::avx512::groups::Groups;
use crate::lanes::Vectors;

/// A sum of a window that moves on byte by byte.
pub(crate) trait Rolling: Copy {
    /// From the whole key of the first window of `window` bytes. Of later keys only the
    /// bits in `mask` are wanted.
    fn new(key: u32, window: usize, mask: u32) -> Self;

    /// The key now.
    fn key(&self) -> u32;

    /// Moves the window on byte by byte, and leaves the hash of the key after each.
    fn roll_bytes(&mut self, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]);

    /// Moves the window on by whole vectors of bytes, and leaves the hash of the key after
    /// each byte.
    fn roll_lanes<V: Vectors>(&mut self, vectors: V, outgoing: &[u8], incoming: &[u8], hashes: &mut [u32]);

    /// The same window, to be moved on by groups.
    #[cfg(target_arch = "x86_64")]
    type Groups: Groups;

    /// Begins to move by groups.
    #[cfg(target_arch = "x86_64")]
    fn groups(&self, avx512: Avx512) -> Self::Groups;

    /// Takes over what was moved by groups.
    #[cfg(target_arch = "x86_64")]
    fn take_groups(&mut self, groups: Self::Groups);
}
