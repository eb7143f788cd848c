//! Medians, and ratios of figures that were taken side by side.

use serde::{Deserialize, Serialize};

/// A median, with the least and the greatest of what it is the median of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    /// `None` where there are no figures.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (least, greatest) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median =
            if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 };
        Some(Self { median, least, greatest })
    }

    /// The spread of `figures[i] / base[i]`: each pair was measured in the same round, so
    /// that whatever slowed the machine down slowed both. Figures without a partner are
    /// left out, and so are those whose partner is too small to be divided by.
    pub(crate) fn of_ratios(figures: &[f64], base: &[f64]) -> Option<Self> {
        Self::of(figures.iter().zip(base).filter(|(_, base)| **base > 0.0).map(|(figure, base)| figure / base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([4.0]), Some(Spread { median: 4.0, least: 4.0, greatest: 4.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, greatest: 4.0 }));
        assert_eq!(Spread::of([9.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, greatest: 9.0 }));
        assert_eq!(Spread::of([9.0, 1.0, 3.0, 2.0]).map(|spread| spread.median), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine was ten times slower in the second round; the ratio does not show it.
        let spread = Spread::of_ratios(&[2.0, 20.0, 3.0], &[1.0, 10.0, 1.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, least: 2.0, greatest: 3.0 });
    }

    #[test]
    fn figures_without_a_partner_do_not_count() {
        assert_eq!(Spread::of_ratios(&[2.0], &[1.0, 7.0, 9.0]).map(|spread| spread.greatest), Some(2.0));
        assert_eq!(Spread::of_ratios(&[2.0, 6.0], &[0.0, 2.0]).map(|spread| spread.least), Some(3.0));
        assert_eq!(Spread::of_ratios(&[], &[1.0]), None);
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }
}
