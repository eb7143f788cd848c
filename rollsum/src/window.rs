//! A window that moves on one byte at a time.

use crate::polynomial::{MULTIPLIER, SEED, power};
use crate::rolling_sum::RollingSum;
use crate::rsync::{LIBRSYNC_OFFSET, pack};

/// The key of a window that moves on one byte at a time, and may grow and shrink.
///
/// It is slow: a step waits for the one before, and each key has to be looked up by itself. For
/// data that comes byte by byte, and as the plain code that [`Scanner`](crate::Scanner) is tested
/// against; a buffer is scanned ten times as fast.
///
/// ```
/// use gosync_rollsum::{RollingSum, RollingWindow};
///
/// let data = b"a set of rolling checksums";
/// let mut window = RollingWindow::new(RollingSum::Rsync, &data[..7]);
/// for at in 0..data.len() - 7 {
///     assert_eq!(window.key(), RollingSum::Rsync.key(&data[at..at + 7]));
///     window.roll(data[at], data[at + 7]);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RollingWindow {
    sum: RollingSum,
    length: u32,
    /// rsync's plain sum; the polynomial without its seed.
    a: u32,
    /// rsync's sum of sums; what the seed has come to.
    b: u32,
}

impl RollingWindow {
    /// The window that has `bytes`, which may be none.
    pub fn new(sum: RollingSum, bytes: &[u8]) -> Self {
        let empty = Self { sum, length: 0, a: 0, b: if sum == RollingSum::RabinKarp { SEED } else { 0 } };
        bytes.iter().fold(empty, |mut window, &byte| {
            window.push(byte);
            window
        })
    }

    /// The key of the bytes that are in the window.
    pub fn key(&self) -> u32 {
        match self.sum {
            RollingSum::RabinKarp => self.a.wrapping_add(self.b),
            _ => pack(self.a, self.b),
        }
    }

    /// How many bytes are in the window.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Moves the window on: `outgoing` is its first byte, `incoming` the one behind its last.
    pub fn roll(&mut self, outgoing: u8, incoming: u8) {
        self.push(incoming);
        self.pop(outgoing);
    }

    /// Takes in the byte behind the last.
    pub fn push(&mut self, incoming: u8) {
        self.length = self.length.wrapping_add(1);
        match self.weight(incoming) {
            None => {
                self.a = self.a.wrapping_mul(MULTIPLIER).wrapping_add(incoming.into());
                self.b = self.b.wrapping_mul(MULTIPLIER);
            }
            Some(weight) => {
                self.a = self.a.wrapping_add(weight);
                self.b = self.b.wrapping_add(self.a);
            }
        }
    }

    /// Lets go of the first byte, which is `outgoing`.
    pub fn pop(&mut self, outgoing: u8) {
        match self.weight(outgoing) {
            None => {
                // The seed stands before all bytes, and moves up to the one that is first now.
                let factor = power(MULTIPLIER, (self.length as usize).wrapping_sub(1));
                self.a = self.a.wrapping_sub(factor.wrapping_mul(outgoing.into()));
                self.b = factor.wrapping_mul(SEED);
            }
            Some(weight) => {
                self.a = self.a.wrapping_sub(weight);
                self.b = self.b.wrapping_sub(self.length.wrapping_mul(weight));
            }
        }
        self.length = self.length.wrapping_sub(1);
    }

    /// What a byte counts in rsync's sums; a polynomial has none.
    fn weight(&self, byte: u8) -> Option<u32> {
        match self.sum {
            RollingSum::Rsync => Some(byte.into()),
            RollingSum::Librsync => Some(u32::from(byte) + LIBRSYNC_OFFSET),
            RollingSum::RabinKarp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SUMS: [RollingSum; 3] = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp];

    proptest! {
        #[test]
        fn any_window_has_the_key_of_its_bytes(
            sum in prop::sample::select(&SUMS[..]),
            data in prop::collection::vec(any::<u8>(), 0..300),
            // Grow, shrink or roll.
            moves in prop::collection::vec(0u8..3, 0..300),
        ) {
            let (mut start, mut end) = (0, 0);
            let mut window = RollingWindow::new(sum, &[]);
            for one in moves {
                match one {
                    0 if end < data.len() => { window.push(data[end]); end += 1; }
                    1 if start < end => { window.pop(data[start]); start += 1; }
                    2 if start < end && end < data.len() => {
                        window.roll(data[start], data[end]);
                        (start, end) = (start + 1, end + 1);
                    }
                    _ => continue,
                }
                prop_assert_eq!((window.key(), window.length() as usize), (sum.key(&data[start..end]), end - start));
            }
        }
    }

    #[test]
    fn a_long_window_does_not_overflow() {
        for sum in SUMS {
            let data = [255; 70_001];
            let mut window = RollingWindow::new(sum, &data[1..]);
            window.roll(255, 255);
            assert_eq!(window.key(), sum.key(&data[1..]));
        }
    }
}
