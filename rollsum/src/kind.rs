//! The kinds of sum that a scan can roll.

use crate::{polynomial, rsync};

/// Which rolling checksum. The crate's documentation has the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// rsync's sum without offset, as in go-sync and zsync.
    Rsync,
    /// rsync's sum with 31 added to every byte, as in librsync's rollsum.
    Librsync,
    /// A polynomial modulo 2^32, as in librsync's RabinKarp.
    RabinKarp,
    /// Two polynomials modulo 2^32: RabinKarp's rolls, and a second is the check.
    Wide,
}

impl Kind {
    /// The part of the sum of `block` that rolls.
    pub fn key(self, block: &[u8]) -> u32 {
        match self {
            Self::Rsync => rsync::sum(block, 0),
            Self::Librsync => rsync::sum(block, rsync::LIBRSYNC_OFFSET),
            Self::RabinKarp | Self::Wide => polynomial::sum::<{ polynomial::KEY_MULTIPLIER }>(block),
        }
    }

    /// The part of the sum of `block` that does not roll; 0 for sums of 32 bits.
    pub fn check(self, block: &[u8]) -> u32 {
        if self.is_wide() { polynomial::sum::<{ polynomial::CHECK_MULTIPLIER }>(block) } else { 0 }
    }

    /// Whether the sum has a check beside the key.
    pub fn is_wide(self) -> bool {
        self == Self::Wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20,000 bytes of `x = (x * 1103515245 + 12345) mod 2^31`, the data of the golden sums.
    fn golden_data() -> Vec<u8> {
        let mut x = 12345u32;
        (0..20_000)
            .map(|_| {
                x = x.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7fff_ffff;
                (x >> 16) as u8
            })
            .collect()
    }

    /// Sums of the first 2,048 bytes, from files made by go-sync, zsyncmake 0.6.2 and rdiff 2.3.2.
    #[test]
    fn golden_sums() {
        let data = golden_data();
        let block = &data[..2048];
        assert_eq!(Kind::Rsync.key(block).to_le_bytes(), [0x08, 0x04, 0xef, 0x40], "go-sync's bytes on disk");
        let zsync = Kind::Rsync.key(block).rotate_left(16);
        assert_eq!(zsync, 0x0408_40ef, "zsync writes a before b");
        assert_eq!(Kind::Librsync.key(block), 0xbcef_fc08);
        assert_eq!(Kind::RabinKarp.key(block), 0x9505_48b5);
        assert_eq!(Kind::Wide.key(block), 0x9505_48b5);
        assert_eq!((Kind::Rsync.check(block), Kind::RabinKarp.check(block)), (0, 0));
    }

    #[test]
    fn sums_of_nothing() {
        assert_eq!(Kind::Rsync.key(&[]), 0);
        assert_eq!(Kind::Librsync.key(&[]), 0);
        assert_eq!(Kind::RabinKarp.key(&[]), 1, "so that leading zeros count");
        assert_ne!(Kind::Wide.key(&[0]), Kind::Wide.key(&[0, 0]));
    }
}
