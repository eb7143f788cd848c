//! What the sums of each format are.

use crate::Format;

impl Format {
    /// What the weak sums of this format are called.
    pub fn weak_sum_name(self) -> &'static str {
        match self {
            Self::Layered => "Rabin-Karp",
            Self::GoSync => "rsync's sum",
        }
    }

    /// What the strong sums of this format are called.
    pub fn strong_sum_name(self) -> &'static str {
        match self {
            Self::Layered => "XXH3-128, salted",
            Self::GoSync => "MD5",
        }
    }
}
