//! Long lists in short.

use std::fmt;

/// A list as `{:?}` shows it: how many things there are, and with `{:#?}` all of them. A plan has
/// a hundred thousand steps, and reports are put into logs.
#[derive(Clone, Copy)]
pub struct Brief<'a, T>(pub &'a [T]);

impl<T: fmt::Debug> fmt::Debug for Brief<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match formatter.alternate() {
            true => self.0.fmt(formatter),
            false => write!(formatter, "[{} of them]", self.0.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_counted() {
        assert_eq!(format!("{:?}", Brief(&[1, 2, 3])), "[3 of them]");
        assert_eq!(format!("{:#?}", Brief(&[1])), "[\n    1,\n]");
    }
}
