//! Medians, and ratios of figures that were taken side by side.

/// `None` where there are no figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = figures.get(middle)?;
    Some(if figures.len() % 2 == 1 { *upper } else { (figures[middle - 1] + upper) / 2.0 })
}

/// The median of `figures[i] / base[i]`: each pair was measured in the same round, so that
/// whatever slowed the machine down slowed both. Figures without a partner are left out, and so
/// are those whose partner is too small to be divided by.
pub(crate) fn median_of_ratios(figures: &[f64], base: &[f64]) -> Option<f64> {
    median(figures.iter().zip(base).filter(|(_, base)| **base > 0.0).map(|(figure, base)| figure / base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([]), None);
        assert_eq!(median([4.0]), Some(4.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([9.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine was ten times slower in the second round; the ratio does not show it.
        assert_eq!(median_of_ratios(&[2.0, 20.0, 3.0], &[1.0, 10.0, 1.0]), Some(2.0));
    }

    #[test]
    fn figures_without_a_partner_do_not_count() {
        assert_eq!(median_of_ratios(&[2.0], &[1.0, 7.0, 9.0]), Some(2.0));
        assert_eq!(median_of_ratios(&[2.0, 6.0], &[0.0, 2.0]), Some(3.0));
        assert_eq!(median_of_ratios(&[], &[1.0]), None);
        assert_eq!(median_of_ratios(&[1.0], &[0.0]), None);
    }
}
