//! Comments that were signed.

use std::fmt;

/// A comment that was signed too, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedComment(pub(super) String);

impl TrustedComment {
    /// The comment as it was signed. It may hold control characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrustedComment {
    /// Without what a terminal could take for a command.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&one_line(&self.0))
    }
}

/// `text` with spaces for control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_cannot_command_a_terminal() {
        let comment = TrustedComment("\x1b[2Jfile:x\ttime\u{9b}1m".into());
        assert_eq!(comment.to_string(), " [2Jfile:x time 1m");
        assert_eq!(comment.as_str().len(), 19);
    }
}
