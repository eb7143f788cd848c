//! How to compare.

use gosync_rollsum::RollingSum;

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct CompareOptions {
    /// The sum of the signature's keys.
    pub sum: RollingSum,
    /// What may be done about weak hits for each byte searched, in strong-summed bytes that take
    /// as long. Where hostile or repetitive data needs more, only hits are verified whose next
    /// block fits too, and where that needs more as well, some are passed over. What is missed
    /// so is fetched. Without a budget all are verified.
    pub strong_budget: Option<u32>,
    /// The bits of a key that the signature has, where it has not all of them. The others
    /// are 0 in it.
    pub key_mask: u32,
    /// Whether the lookup has the [keys of pairs](gosync_rollsum::pair_key): those of each
    /// block and the one behind it. Where the keys of single blocks fit nearly
    /// everywhere, those of pairs do not; blocks that are alone are not found.
    pub in_pairs: bool,
    /// Whether the last block was summed with zeros behind it, up to the size of the
    /// others, and is in the lookup as they are. Seeds are then searched as if zeros
    /// followed them.
    pub padded: bool,
    /// Whether blocks are looked for within blocks that were found, too, where others may
    /// begin, such as those of a second copy that is cut elsewhere. Then all is rolled over,
    /// and of what repeats itself at once only the first is taken.
    pub overlapping: bool,
}

impl CompareOptions {
    /// The [budget](Self::strong_budget) of a comparison that does not ask for another: with it no
    /// data takes more than a few times as long as data in which there is nothing to find, and
    /// data that does not repeat itself never needs so much.
    pub const STRONG_BUDGET: u32 = 8;

    /// Compares by keys that are `sum`s, and with the usual budget.
    pub fn new(sum: RollingSum) -> Self {
        let strong_budget = Some(Self::STRONG_BUDGET);
        Self { sum, strong_budget, key_mask: u32::MAX, in_pairs: false, padded: false, overlapping: false }
    }
}
