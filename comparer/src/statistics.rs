//! What a comparison had to do.

/// Counts of the work of a comparison. They do not depend on the number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes of all seeds.
    pub seed_bytes: u64,
    /// Weak sums compared: positions scanned, and blocks expected after a match.
    pub comparisons: u64,
    /// Comparisons where some block has that key, exactly.
    pub weak_hits: u64,
    /// Weak hits where the check or the strong sum then differed.
    pub false_weak_hits: u64,
    /// Strong sums computed.
    pub strong_sums: u64,
    /// Positions where not all was looked for, or nothing, because weak hits had cost their
    /// [budget](crate::CompareOptions::strong_budget); blocks may have been missed there.
    pub passed_over: u64,
    /// Blocks found, counting each place.
    pub matches: u64,
    /// Blocks that directly followed another match.
    pub expected_matches: u64,
}

impl Statistics {
    /// Weak hits for each comparison, 0 to 1.
    pub fn weak_hit_rate(&self) -> f64 {
        rate(self.weak_hits, self.comparisons)
    }

    /// False weak hits for each weak hit, 0 to 1.
    pub fn false_weak_hit_rate(&self) -> f64 {
        rate(self.false_weak_hits, self.weak_hits)
    }
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.seed_bytes += other.seed_bytes;
        self.comparisons += other.comparisons;
        self.weak_hits += other.weak_hits;
        self.false_weak_hits += other.false_weak_hits;
        self.strong_sums += other.strong_sums;
        self.passed_over += other.passed_over;
        self.matches += other.matches;
        self.expected_matches += other.expected_matches;
    }
}

fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
