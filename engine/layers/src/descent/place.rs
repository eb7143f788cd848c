//! Where a block is.

use std::fmt;

use gosync_chunks::SeedId;

/// Where a block is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In none of the seeds, by what was searched so far.
    Unknown,
    /// In a seed, at this offset.
    Seed(SeedId, u64),
    /// Nowhere: it is zeros.
    Zeros,
    /// In no seed either, but equal to the block of the same size that begins at this offset of
    /// the target, before this one.
    Like(u64),
    /// Only some of it is wanted, and it can be divided.
    Partly,
    /// Nothing of it is wanted.
    Unwanted,
}

/// A [`Place`] in eight bytes: where everything changed, each block of the finest layer has one.
///
/// The highest bit is clear for a place in a seed, whose number has the next 15 bits and whose
/// offset the other 48. The comparer refuses more seeds and longer ones. Otherwise the next three
/// bits tell what it is, and the other 60 have the offset of an equal block. So the least of several
/// is the first place in the first seed, if it is in any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed(u64);

const OFFSET_BITS: u32 = 48;
const SEED_BITS: u32 = 15;
const NO_SEED: u64 = 1 << 63;
const KIND_SHIFT: u32 = 60;

const UNKNOWN: u64 = NO_SEED;
const ZEROS: u64 = NO_SEED | 1 << KIND_SHIFT;
const LIKE: u64 = NO_SEED | 2 << KIND_SHIFT;
const PARTLY: u64 = NO_SEED | 3 << KIND_SHIFT;
const UNWANTED: u64 = NO_SEED | 4 << KIND_SHIFT;
const KIND: u64 = NO_SEED | 7 << KIND_SHIFT;

impl Packed {
    pub(super) const UNKNOWN: Self = Self(UNKNOWN);

    pub(super) fn place(self) -> Place {
        let Self(bits) = self;
        if bits & NO_SEED == 0 {
            return Place::Seed(SeedId((bits >> OFFSET_BITS) as u16), bits & ((1 << OFFSET_BITS) - 1));
        }
        match bits & KIND {
            ZEROS => Place::Zeros,
            LIKE => Place::Like(bits & !KIND),
            PARTLY => Place::Partly,
            UNWANTED => Place::Unwanted,
            _ => Place::Unknown,
        }
    }
}

impl From<Place> for Packed {
    fn from(place: Place) -> Self {
        Self(match place {
            Place::Unknown => UNKNOWN,
            Place::Seed(SeedId(seed), offset) => {
                debug_assert!(seed < 1 << SEED_BITS && offset < 1 << OFFSET_BITS, "the comparer refuses these");
                u64::from(seed) << OFFSET_BITS | offset
            }
            Place::Zeros => ZEROS,
            Place::Like(offset) => LIKE | offset,
            Place::Partly => PARTLY,
            Place::Unwanted => UNWANTED,
        })
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let last = SeedId((1 << SEED_BITS) - 1);
        let places = [
            Place::Unknown,
            Place::Seed(SeedId(0), 0),
            Place::Seed(last, (1 << OFFSET_BITS) - 1),
            Place::Zeros,
            Place::Like(0),
            Place::Like((1 << 56) - 1),
            Place::Partly,
            Place::Unwanted,
        ];
        for place in places {
            assert_eq!(Packed::from(place).place(), place);
        }
        assert_eq!((Packed::UNKNOWN.place(), size_of::<Packed>()), (Place::Unknown, 8));
    }
}
