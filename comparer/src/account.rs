//! What the search of a piece may cost, and how it saves.
//!
//! Every byte that is searched pays in the same amount, and everything that is done about a weak
//! hit is paid for out of that, in bytes of strong sums that take as long. A search that runs out
//! of it saves: it looks for less, and when that is still too much, it passes over positions
//! until there is enough again. So the work is in proportion to the data, whatever that is.

use std::ops::Range;

/// To look up a weak hit.
const HIT: u64 = 64;

/// To look at one of several blocks with a key.
const IN_CHAIN: u64 = 16;

/// To report a match.
const MATCH: u64 = 256;

/// To roll a second window over a position, as for pairs.
const SECOND_WINDOW: u64 = 5;

/// What there is before anything was paid in, or no small piece could find anything: so many windows,
/// or twice what all its positions pay in, up to so many bytes.
const FIRST_WINDOWS: u64 = 16;
const FIRST_BYTES: u64 = 256 << 10;

/// What all of so many bytes pay in is left untouched before a search stops saving.
const QUIET: u64 = 64 << 10;

/// What a search looks for, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thrift {
    /// All that it is to find.
    None,
    /// Blocks that do not begin within one that was found.
    Disjoint,
    /// Those whose next block seems to follow too.
    Pairs,
}

/// What is left to spend.
pub(crate) struct Account {
    /// What a byte pays in; without it there is no limit.
    budget: Option<u64>,
    window: u64,
    is_overlapping: bool,
    thrift: Thrift,
    /// What was left at position `at`, below zero where more was spent.
    credit: i64,
    at: usize,
}

impl Account {
    /// For windows of so many bytes at some positions.
    pub(crate) fn new(budget: Option<u32>, window: usize, is_overlapping: bool, positions: &Range<usize>) -> Self {
        let (window, budget) = (window as u64, budget.map(u64::from));
        let credit = FIRST_BYTES.min(2 * budget.unwrap_or(0) * positions.len() as u64);
        let credit = credit.max(FIRST_WINDOWS * (window + HIT)) as i64;
        Self { budget, window, is_overlapping, thrift: Thrift::None, credit, at: positions.start }
    }

    pub(crate) fn thrift(&self) -> Thrift {
        self.thrift
    }

    /// A weak hit was looked up.
    pub(crate) fn look_up(&mut self) {
        self.spend(HIT);
    }

    /// So many blocks with its key were looked at.
    pub(crate) fn ask(&mut self, blocks: u64) {
        self.spend(IN_CHAIN * blocks);
    }

    /// So many windows were summed.
    pub(crate) fn sum(&mut self, windows: usize) {
        self.spend(windows as u64 * self.window);
    }

    /// So many bytes were read, not more than compared or summed weakly.
    pub(crate) fn read(&mut self, bytes: u64) {
        self.spend(bytes / 8);
    }

    /// So many positions were scanned for pairs. A third of what they pay in is left for what is found.
    pub(crate) fn scan_pairs(&mut self, positions: usize) {
        let each = SECOND_WINDOW.min(2 * self.budget.unwrap_or(0) / 3);
        self.spend(each * positions as u64);
    }

    /// A match was reported.
    pub(crate) fn report(&mut self) {
        self.spend(MATCH);
    }

    /// Whether more was spent than the bytes up to `position` paid for.
    pub(crate) fn is_overdrawn(&self, position: usize) -> bool {
        self.credit < 0 && self.budget.is_some_and(|budget| self.credit_at(budget, position) < 0)
    }

    /// Looks for less from `position` on, where it [is overdrawn](Self::is_overdrawn). Returns
    /// the position from which on there is something to spend again.
    pub(crate) fn save(&mut self, position: usize) -> usize {
        let Some(budget) = self.budget else { return position };
        let credit = self.credit_at(budget, position);
        (self.thrift, self.credit, self.at) = match self.thrift {
            Thrift::None if self.is_overlapping => (Thrift::Disjoint, 0, position),
            Thrift::None | Thrift::Disjoint => (Thrift::Pairs, 0, position),
            Thrift::Pairs => {
                let passed_over = credit.unsigned_abs() / budget.max(1) + 1;
                (Thrift::Pairs, 0, position.saturating_add(passed_over as usize))
            }
        };
        self.at
    }

    /// Looks for all again where there is much left at `position`. Tells whether that is new.
    pub(crate) fn recover(&mut self, position: usize) -> bool {
        let Some(budget) = self.budget.filter(|_| self.thrift > Thrift::None) else { return false };
        let recovers = self.credit_at(budget, position) > (QUIET * budget) as i64;
        if recovers {
            self.thrift = Thrift::None;
        }
        recovers
    }

    fn spend(&mut self, bytes: u64) {
        self.credit -= bytes as i64;
    }

    fn credit_at(&self, budget: u64, position: usize) -> i64 {
        self.credit + (budget * position.saturating_sub(self.at) as u64) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saves_in_steps_and_recovers() {
        let mut account = Account::new(Some(8), 1000, true, &(0..1 << 20));
        account.sum(262);
        assert!(!account.is_overdrawn(0), "the first are free");
        account.sum(1);
        assert!(account.is_overdrawn(0));
        assert!(!account.is_overdrawn(1000), "which paid in");
        assert_eq!((account.save(0), account.thrift()), (0, Thrift::Disjoint));
        account.sum(1);
        assert_eq!((account.save(100), account.thrift()), (100, Thrift::Pairs));
        account.sum(8);
        assert!(account.is_overdrawn(200));
        assert_eq!((account.save(200), account.thrift()), (200 + 7200 / 8 + 1, Thrift::Pairs));
        assert!(!account.is_overdrawn(200 + 7200 / 8 + 1));
        assert!(!account.recover(50_000));
        assert!(account.recover(70_000));
        assert_eq!(account.thrift(), Thrift::None);
    }

    #[test]
    fn a_scan_for_pairs_leaves_a_third_for_what_it_finds() {
        for (budget, left) in [(16, 11), (8, 3), (6, 2), (2, 1), (1, 1)] {
            let mut account = Account::new(Some(budget), 1000, false, &(0..1 << 20));
            account.scan_pairs(1 << 20);
            let credit = FIRST_BYTES as i64;
            assert_eq!(account.credit_at(budget.into(), 1 << 20) - credit, left << 20, "{budget}");
        }
    }

    #[test]
    fn without_a_budget_nothing_is_too_much() {
        let mut account = Account::new(None, 1000, false, &(0..1 << 20));
        account.sum(1_000_000);
        assert!(!account.is_overdrawn(0));
    }

    /// However much there is to do, what is done about it is in proportion to the positions.
    #[test]
    fn what_is_spent_is_bounded() {
        for window in [64, 2048, 1 << 20] {
            let mut account = Account::new(Some(8), window, true, &(0..1 << 20));
            let (mut spent, mut position) = (0, 0);
            let positions = 1 << 20;
            while position < positions {
                account.recover(position);
                if account.is_overdrawn(position) {
                    position = account.save(position);
                    continue;
                }
                account.sum(1);
                spent += window;
                position += 1;
            }
            assert!(spent <= 8 * positions + 20 * window + FIRST_BYTES as usize, "{spent} in windows of {window}");
        }
    }
}
