//! Numbers for people, names in a page, and URLs in what is told.

use gosync::sources::redact;

/// `text` as content or attribute of XML, without the characters that XML has not.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `text` with the URLs in it as they may be shown.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let start = rest[..at].trim_end_matches(is_of_scheme).len();
        let end = rest[at..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
        let end = end.map_or(rest.len(), |length| at + length);
        shown.push_str(&rest[..start]);
        shown.push_str(&redact(&rest[start..end]));
        rest = &rest[end..];
    }
    shown + rest
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// A number of bytes, in a unit that suits it, to three digits or so.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let unit = (bytes.ilog2() / 10) as usize;
    format!("{:.1} {}", bytes as f64 / 1024f64.powi(unit as i32), UNITS[unit - 1])
}

/// A part of a whole, in per cent.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    share(if whole == 0 { 0.0 } else { part as f64 / whole as f64 })
}

/// A share of 1, in per cent. What is little is not called nothing, nor what is much all.
pub(crate) fn share(share: f64) -> String {
    match share * 100.0 {
        little if little > 0.0 && little < 0.1 => "< 0.1 %".into(),
        much if much > 99.9 && share < 1.0 => "> 99.9 %".into(),
        percent => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1023, 1024, 1536, 300 << 30, u64::MAX].map(size),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "300.0 GiB", "16.0 EiB"]
        );
        assert_eq!(
            [percent(0, 0), percent(1, 3), percent(1, 9999), percent(9998, 9999), percent(1, 1)],
            ["0.0 %", "33.3 %", "< 0.1 %", "> 99.9 %", "100.0 %"]
        );
    }

    #[test]
    fn urls_are_shown_without_secrets() {
        for (text, shown) in [
            ("nothing", "nothing"),
            ("cannot reach http://host:80/x: it is closed", "cannot reach http://host:80/x: it is closed"),
            ("'https://me:secret@host:99999/x?secret' for", "'https://host:99999/x?...' for"),
            ("(ssh://me@host/x) {\"url\":\"s3://a:secret@b\"}://", "(ssh://host/x) {\"url\":\"s3://b\"}://"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn no_name_gets_out_of_its_place() {
        assert_eq!(escaped("<b a=\"'\">&\u{1b}\n\u{85}é"), "&lt;b a=&quot;'&quot;&gt;&amp;\u{fffd}\u{fffd}\u{fffd}é");
    }
}
