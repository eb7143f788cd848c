//! The worked examples of FORMAT.md, which are also the files in `tests/vectors`.
//!
//! `fox.go-sync.gosync` is the index of [`FOX`] in go-sync's format, in blocks of 16 bytes,
//! and `fox.gosync` that of five of them in our own, in layers of 128 and 64 bytes. To make
//! them anew, and the seeds of the fuzz corpus with them, run the tests with `GOSYNC_BLESS`
//! set.

use std::fs;
use std::path::{Path, PathBuf};

use gosync::Index;

use crate::{bytes, legacy_index, native_index, read, root};

pub(crate) const FOX: &[u8] = b"the quick brown fox jumps over the lazy dog";

fn vector(name: &str) -> PathBuf {
    root().join("schemes/gosync/tests/vectors").join(name)
}

/// Makes sure that the file at `path` is `index`.
pub(crate) fn assert_file(path: &Path, index: &Index) {
    assert_bytes(path, &bytes(index));
    assert_eq!(&read(&fs::read(path).unwrap()).unwrap(), index, "{}", path.display());
}

/// Makes sure that the file at `path` has these bytes.
pub(crate) fn assert_bytes(path: &Path, expected: &[u8]) {
    if std::env::var_os("GOSYNC_BLESS").is_some() {
        fs::write(path, expected).unwrap();
    }
    let file = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(file == expected, "{} is not what is written now", path.display());
}

#[test]
fn vectors() {
    assert_file(&vector("fox.gosync"), &native_index(&FOX.repeat(5), &[128, 64], "fox.txt"));
    assert_file(&vector("fox.go-sync.gosync"), &legacy_index(FOX, 16));
}

/// The bytes of every block of the page that is marked as `hex NAME`: two hexadecimal
/// digits each, after the offset that begins the line and up to the comment that ends it.
fn hex_block(page: &str, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let start = page.find(&format!("```hex {name}\n")).unwrap_or_else(|| panic!("no block {name}"));
    for line in page[start..].lines().skip(1).take_while(|line| *line != "```") {
        let (offset, rest) = line.split_once(':').unwrap();
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), bytes.len(), "{line}");
        let digits = rest.split('|').next().unwrap();
        bytes.extend(digits.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    bytes
}

#[test]
fn the_page_shows_the_vectors() {
    let page = fs::read_to_string(root().join("FORMAT.md")).unwrap();
    for name in ["fox.gosync", "fox.go-sync.gosync", "fox.gosync-latest"] {
        assert_eq!(hex_block(&page, name), fs::read(vector(name)).unwrap(), "{name}");
    }
}
