//! What is compressed already, by its content.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use gosync_unpack::PackedInfo;

use crate::console::Console;
use crate::failure::Usage;
use crate::table::counted;
use crate::text::size;

/// What a file begins with that is compressed as a whole.
const MAGICS: &[(&[u8], &str)] = &[
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP", "lzip"),
    (b"\x1f\x9d", "compress"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"MSCF\0\0\0\0", "CAB"),
    (b"\xed\xab\xee\xdb", "RPM"),
];

/// Formats that begin like anything, by the ends of their names.
const SUFFIXES: &[(&str, &str)] = &[(".br", "Brotli"), (".lzma", "LZMA")];

/// How much of a ZIP file's end is read: its list of entries, or the last of them.
const LIST: u64 = 1 << 20;

/// Whether what is packed is opened where it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opens {
    /// It was tried, and there is too little in it that can be opened.
    DoesNotPay,
    /// It could be tried.
    NotAsked,
    /// Not in this way to publish.
    Never,
}

/// Warns where little of `file` will match its next version, and says what to publish instead.
/// What cannot be read is told of when the index is made.
pub(crate) fn warn(file: &Path, opens: Opens, console: &Console) {
    if !file.is_file() {
        return;
    }
    let Ok(Some(format)) = File::open(file).and_then(|mut opened| packed(&mut opened, file)) else { return };
    let file = file.display();
    let can_be_opened = matches!(format, "gzip" | "ZIP");
    let hint = match opens {
        Opens::NotAsked if can_be_opened => {
            "`gosync build --unpack`, without other block sizes, looks at what is in it, and patches that"
        }
        Opens::Never if format == "gzip" => {
            "`gosync build` looks at what is in it, in gosync's own format and as a whole, and patches that; \
             in zsync's, zsyncmake -z does"
        }
        Opens::Never if can_be_opened => {
            "`gosync build` looks at what is in it, in gosync's own format and as a whole, and patches that"
        }
        _ => "publish what is in it instead, as a directory if it is several files; --compress keeps that small",
    };
    console.message(format_args!(
        "warning: {file} is compressed ({format}): a small change in what is in it changes most of its bytes, \
         so that little will match",
    ));
    console.message(format_args!("hint: {hint}"));
}

/// Tells what was opened of `file`.
pub(crate) fn tell(file: &Path, info: &PackedInfo, console: &Console) {
    let recipe = &info.recipe;
    console.message(format_args!(
        "{}: {} of {}, opened to {}",
        file.display(),
        counted(recipe.streams().len() as u64, "stream"),
        size(recipe.packed_len()),
        size(recipe.flat_len())
    ));
}

/// That `file` is to be opened, and cannot be.
pub(crate) fn nothing_in(file: &Path) -> Usage {
    Usage {
        message: format!("there is nothing in {} that can be opened and packed again", file.display()),
        hint: "leave out --unpack; what can be opened are zip and gzip files, and jars, wheels and others like them",
    }
}

/// What `file`, called `path`, is compressed with as a whole or for the most part.
fn packed(file: &mut (impl Read + Seek), path: &Path) -> io::Result<Option<&'static str>> {
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    if start.starts_with(b"\x1f\x8b\x08") {
        return Ok(Some("gzip"));
    }
    if start.starts_with(b"PK\x03\x04") {
        return Ok(is_deflated(file)?.then_some("ZIP"));
    }
    if start == b"!<arch>\n" {
        return Ok(has_packed_member(file)?.then_some("deb"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let known = MAGICS.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| *format);
    Ok(known.or_else(|| SUFFIXES.iter().find(|(suffix, _)| name.ends_with(suffix)).map(|(_, format)| *format)))
}

/// Whether most bytes of a ZIP file are in compressed entries, by the list at its end (APPNOTE 4.3.12).
fn is_deflated(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(LIST)))?;
    file.take(LIST).read_to_end(&mut end)?;
    let (mut compressed, mut stored) = (0, 0);
    let mut rest = end.as_slice();
    while let Some(at) = rest.windows(4).position(|bytes| bytes == b"PK\x01\x02") {
        let Some(entry) = rest.get(at..at + 46) else { break };
        let size = u64::from(u32::from_le_bytes([entry[20], entry[21], entry[22], entry[23]]));
        let is_stored = entry[10..12] == [0, 0];
        *(if is_stored { &mut stored } else { &mut compressed }) += size;
        rest = &rest[at + 46..];
    }
    Ok(compressed > stored)
}

/// Whether a Debian package has compressed data; what other archives of `ar` have is not.
fn has_packed_member(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    // A package has three members, the last of which has the data.
    for _ in 0..8 {
        let mut header = [0; 60];
        if file.read_exact(&mut header).is_err() {
            break;
        }
        let text = String::from_utf8_lossy(&header).into_owned();
        if text.starts_with("data.tar.") {
            return Ok(true);
        }
        let Some(size) = text.get(48..58).and_then(|size| size.trim().parse::<i64>().ok()) else { break };
        file.seek(SeekFrom::Current(size + size % 2))?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn format(content: &[u8], name: &str) -> Option<&'static str> {
        packed(&mut Cursor::new(content), Path::new(name)).unwrap()
    }

    /// The list of a ZIP file whose entries have these methods and sizes.
    fn zip(entries: &[(u16, u32)]) -> Vec<u8> {
        let mut file = b"PK\x03\x04".to_vec();
        for (method, size) in entries {
            let mut entry = [0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[10..12].copy_from_slice(&method.to_le_bytes());
            entry[20..24].copy_from_slice(&size.to_le_bytes());
            file.extend(entry);
        }
        file
    }

    fn deb(data: &str) -> Vec<u8> {
        let member = |name: &str| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\nabc\n", 0, 0, 0, 100_644, 3);
        format!("!<arch>\n{}{}{}", member("debian-binary"), member("control.tar.xz"), member(data)).into_bytes()
    }

    #[test]
    fn content_tells_and_not_the_name() {
        assert_eq!(format(b"\x1f\x8b\x08\0more", "app.img"), Some("gzip"));
        assert_eq!(format(b"\xfd7zXZ\0\0\x04", "app"), Some("xz"));
        assert_eq!(format(b"\x28\xb5\x2f\xfdxxxx", "app"), Some("zstd"));
        assert_eq!(format(b"anything", "app.tar.BR"), Some("Brotli"));
        for plain in ["app.tgz", "app.zip", "app.xz", "app.deb", "app"] {
            assert_eq!(format(b"plain text", plain), None);
            assert_eq!(format(b"", plain), None);
        }
    }

    #[test]
    fn archives_count_by_what_most_of_them_is() {
        assert_eq!(format(&zip(&[(0, 20), (8, 1000)]), "app.whl"), Some("ZIP"));
        assert_eq!(format(&zip(&[(0, 1000), (8, 20)]), "app.zip"), None);
        assert_eq!(format(&zip(&[]), "app.zip"), None);
        assert_eq!(format(&deb("data.tar.xz"), "app"), Some("deb"));
        assert_eq!(format(&deb("data.tar"), "app.deb"), None);
        assert_eq!(format(b"!<arch>\nfoo.o/", "lib.a"), None);
    }
}
