//! The page that lists a directory.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::names::{encode, is_hidden};

/// More entries than this are not listed.
const MOST_ENTRIES: usize = 10_000;

/// An HTML page of what is in the directory at `path`, which `names` lead to.
pub(crate) fn page(path: &Path, names: &[OsString]) -> io::Result<String> {
    let mut entries = Vec::new();
    let mut are_left_out = false;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if is_hidden(&entry.file_name()) {
            continue;
        }
        if entries.len() == MOST_ENTRIES {
            are_left_out = true;
            break;
        }
        // Follows links, and leaves out those that lead nowhere.
        if let Ok(metadata) = fs::metadata(entry.path()) {
            entries.push((entry.file_name(), metadata.is_dir(), metadata.len()));
        }
    }
    entries.sort_unstable();

    let title: String = names.iter().map(|name| format!("{}/", escape(&name.to_string_lossy()))).collect();
    let mut page =
        format!("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/{title}</title>\n<h1>/{title}</h1>\n<ul>\n");
    if !names.is_empty() {
        page.push_str("<li><a href=\"../\">../</a>\n");
    }
    for (name, is_directory, length) in entries {
        let link = encode(&name);
        let text = escape(&name.to_string_lossy());
        let written = if is_directory {
            writeln!(page, "<li><a href=\"{link}/\">{text}/</a>")
        } else {
            writeln!(page, "<li><a href=\"{link}\">{text}</a> {length}")
        };
        written.expect("strings take all that is written");
    }
    page.push_str("</ul>\n");
    if are_left_out {
        page.push_str("<p>There is more.\n");
    }
    Ok(page)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Windows has no such names.
    #[test]
    fn names_are_text_and_not_markup() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("<b>&\"'"), "12345").unwrap();
        fs::write(directory.path().join(".x.gosync-part"), "").unwrap();
        fs::create_dir(directory.path().join("a:b")).unwrap();
        let page = page(directory.path(), &["<i>".into()]).unwrap();
        assert!(page.contains("<title>/&lt;i&gt;/</title>"), "{page}");
        assert!(page.contains("<li><a href=\"%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;&#39;</a> 5\n"), "{page}");
        assert!(page.contains("<li><a href=\"a%3Ab/\">a:b/</a>\n"), "{page}");
        assert!(!page.contains("gosync-part"), "{page}");
    }
}
