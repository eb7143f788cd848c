//! Numbers for people, names on terminals and in pages, and URLs in what is told.

use gosync::sources::redact;

/// Whether `c` makes what is shown differ from what is there: it commands a terminal, turns the
/// direction of writing, or is not seen. The two joiners (U+200C, U+200D) are left: Persian and
/// others are not written without them.
pub(crate) fn misleads(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let is_unseen = matches!(
        c,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    c.is_control() || turns || breaks || is_unseen
}

/// `text` with what `shown` makes of each character that [misleads] in the place of it.
pub(crate) fn plain(text: &str, shown: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if misleads(c) { shown(c) } else { c.to_string() }).collect()
}

/// `text` as lines that mislead nobody: names, URLs and what servers say are from outside.
pub(crate) fn visible(text: &str) -> String {
    plain(text, |c| match c {
        '\n' | '\t' => c.to_string(),
        c => c.escape_default().to_string(),
    })
}

/// `text` as one line that misleads nobody.
pub(crate) fn one_line(text: &str) -> String {
    plain(text, |c| c.escape_default().to_string())
}

/// `text` as content or attribute of XML, without the characters that XML has not.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if misleads(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
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
    fn nothing_looks_like_what_it_is_not() {
        for c in "\u{7}\u{1b}\u{9b}\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{e0041}".chars()
        {
            let shown = visible(&format!("a{c}b"));
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(c)));
            assert_eq!(escaped(&format!("a{c}b")), "a\u{fffd}b");
        }
        for name in ["ein Käse", "名前", "שלום", "می\u{200c}خواهم", "👩\u{200d}🔬", "two\nlines\tof two"]
        {
            assert_eq!(visible(name), name);
            assert_eq!(one_line(name).lines().count(), 1);
        }
    }

    #[test]
    fn no_name_gets_out_of_its_place() {
        assert_eq!(escaped("<b a=\"'\">&\u{1b}\n\u{85}é"), "&lt;b a=&quot;'&quot;&gt;&amp;\u{fffd}\u{fffd}\u{fffd}é");
    }
}
