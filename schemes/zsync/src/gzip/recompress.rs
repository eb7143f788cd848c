//! How to make the compressed file again that was published.

use std::fmt;

/// The header of a gzip file and the options of the program that made the rest of it.
///
/// Only options from a list that is written here are ever read, so that a control file
/// cannot make anyone run a program in a way that its publisher chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recompress {
    header: Vec<u8>,
    options: &'static str,
}

/// What zsyncmake tries.
const OPTIONS: [&str; 8] = [
    "",
    "--best",
    "--rsync",
    "--rsync --best",
    "--no-name",
    "--best --no-name",
    "--rsync --no-name",
    "--rsync --best --no-name",
];

impl Recompress {
    /// The header, which begins with gzip's magic.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The options of `gzip`.
    pub fn options(&self) -> impl Iterator<Item = &'static str> {
        self.options.split_ascii_whitespace()
    }

    /// From hexadecimal digits and options.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (digits, options) = text.split_once(' ').unwrap_or((text, ""));
        // The order in which they are given says nothing.
        let mut given: Vec<&str> = options.split_ascii_whitespace().collect();
        given.sort_unstable();
        let same = |known: &&&str| {
            let mut known: Vec<&str> = known.split_ascii_whitespace().collect();
            known.sort_unstable();
            known == given
        };
        let options = OPTIONS.iter().find(same)?;
        if !digits.is_ascii() || digits.len() % 2 == 1 || !digits.starts_with("1f8b08") {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        let header = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
        (header.len() >= 10).then_some(Self { header, options })
    }
}

impl fmt::Display for Recompress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))?;
        write!(formatter, " {}", self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_list() {
        let header = "1f8b0808aabbccdd0203";
        for options in OPTIONS {
            let text = format!("{header} {options}");
            let recompress = Recompress::parse(&text).unwrap();
            assert_eq!(recompress.to_string(), text);
            assert_eq!(recompress.header()[8..], [2, 3]);
        }
        assert_eq!(Recompress::parse(header), Recompress::parse(&format!("{header} ")));
        assert!(Recompress::parse(&format!("{header} --best --rsync")).is_some());
        for text in [
            "",
            " ",
            "zz",
            "1f8b",
            "1f8b08",
            "1f8b0808aabbccdd020",
            "ff8b0808aabbccdd0203",
            "1f8b08é8aabbccdd020",
            "1f8b0808aabbccdd0203 -9",
            "1f8b0808aabbccdd0203 --best;reboot",
            "1f8b0808aabbccdd0203 --best --best",
            "1f8b0808aabbccdd0203 --use-compress-program=x",
        ] {
            assert_eq!(Recompress::parse(text), None, "{text}");
        }
    }
}
