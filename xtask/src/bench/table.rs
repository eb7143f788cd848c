//! Tables of Markdown, and figures in them.

/// A table: the first column is text, the others are figures, unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![header.into_iter().map(Into::into).collect()], left: 1 }
    }

    /// The first `count` columns are text.
    pub(crate) fn left(mut self, count: usize) -> Self {
        self.left = count;
        self
    }

    /// Adds a row, of as many cells as the header has.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| cell.into().replace('|', "\\|")).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.rows[0].len();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.rows[0]);
        text += &format!("|{}{}\n", "---|".repeat(self.left), "--:|".repeat(columns - self.left));
        text.extend(self.rows[1..].iter().map(|cells| line(cells)));
        text
    }
}

/// A figure with about three digits that count.
pub(crate) fn figure(value: f64) -> String {
    match value {
        value if value >= 99.5 => grouped(value.round() as u64),
        value if value >= 9.95 => format!("{value:.1}"),
        value if value >= 0.0995 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_markdown() {
        let mut table = Table::new(["what", "s", "MB"]);
        assert!(table.is_empty());
        table.row(["a|b", "1", "2"]);
        assert!(!table.is_empty());
        assert_eq!(table.render(), "| what | s | MB |\n|---|--:|--:|\n| a\\|b | 1 | 2 |\n");
        assert_eq!(Table::new(["a", "b"]).left(2).render(), "| a | b |\n|---|---|\n");
    }

    #[test]
    fn figures_have_three_digits() {
        let shown = [0.0, 0.01234, 0.5, 1.0, 9.96, 12.34, 99.6, 1234.5].map(figure);
        assert_eq!(shown, ["0.000", "0.012", "0.50", "1.00", "10.0", "12.3", "100", "1,235"]);
    }

    #[test]
    fn thousands_are_apart() {
        let shown = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
