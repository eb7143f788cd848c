//! How to make the compressed file again that was published.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use gosync_patcher::StagedFile;

use crate::error::Error;

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

    /// Puts the gzip file that was published at `output`, made of the file at `content`, which
    /// is then gone, as with zsync. The program that does it is always `gzip`.
    ///
    /// # Errors
    ///
    /// When `gzip` cannot be run or fails, or `output` cannot be written. `content` is then
    /// still there.
    pub fn compress(&self, content: &Path, output: &Path) -> Result<(), Error> {
        let failed = |source| Error::Recompress { path: content.to_owned(), source };
        let staged = StagedFile::create(output)?;
        self.write(content, staged.file()).map_err(failed)?;
        staged.commit()?;
        fs::remove_file(content).map_err(failed)
    }

    fn write(&self, content: &Path, mut out: &File) -> io::Result<()> {
        let mut gzip = Command::new("gzip");
        gzip.arg("-c").args(self.options()).stdin(File::open(content)?).stdout(Stdio::piped());
        let mut gzip = gzip.spawn()?;
        let mut made = gzip.stdout.take().expect("it was asked for");
        let copied = self.copy(&mut made, &mut out);
        // gzip stops when nobody reads on.
        drop(made);
        let status = gzip.wait()?;
        copied?;
        if !status.success() {
            return Err(io::Error::other(format!("gzip failed: {status}")));
        }
        // Where it can have no date, it is as good without.
        let _ = fs::metadata(content)?.modified().map(|modified| out.set_modified(modified));
        Ok(())
    }

    /// Writes what `gzip` made. Its header has no name and no date, because it reads no file by
    /// name; the header that was published may.
    fn copy(&self, made: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
        let mut header = [0; 10];
        made.read_exact(&mut header)?;
        if header[..4] != [0x1f, 0x8b, 8, 0] {
            return Err(io::Error::other("gzip writes a header that is not known here"));
        }
        out.write_all(&self.header)?;
        io::copy(made, out).map(drop)
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
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) || digits.len() % 2 == 1 {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        let header = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
        is_header(&header).then_some(Self { header, options })
    }
}

/// Whether this is a whole header of gzip (RFC 1952) and nothing else, as zsyncmake writes
/// it: with no other field than a name, in which nothing could be meant for a program.
fn is_header(bytes: &[u8]) -> bool {
    const TEXT: u8 = 1;
    const NAME: u8 = 8;
    let Some(([0x1f, 0x8b, 8, flags, ..], name)) = bytes.split_first_chunk::<10>() else { return false };
    match flags & !TEXT {
        0 => name.is_empty(),
        NAME => name.split_last().is_some_and(|(end, name)| *end == 0 && !name.iter().any(u8::is_ascii_control)),
        _ => false,
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
        let header = "1f8b0800aabbccdd0203";
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
            "1f8b0800aabbccdd020",
            "ff8b0808aabbccdd0203",
            "1f8b08é0aabbccdd020",
            "1f8b0800aabbccdd0203 -9",
            "1f8b0800aabbccdd0203 --best;reboot",
            "1f8b0800aabbccdd0203 --best --best",
            "1f8b0800aabbccdd0203 --use-compress-program=x",
        ] {
            assert_eq!(Recompress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_published() {
        let Some(gzip) = gosync_testkit::peers::require("gzip") else { return };
        let directory = tempfile::tempdir().unwrap();
        let [content, output] = ["x", "x.gz"].map(|name| directory.path().join(name));
        fs::write(&content, "one fish, two fish".repeat(1000)).unwrap();
        let published = Command::new(gzip).args(["--best", "-c"]).arg(&content).output().unwrap().stdout;
        let header: String = published[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let recompress = Recompress::parse(&format!("{header} --best")).unwrap();
        recompress.compress(&content, &output).unwrap();
        assert!(fs::read(&output).unwrap() == published && !content.exists());
        let absent = recompress.compress(&content, &output).unwrap_err();
        assert!(matches!(absent, Error::Recompress { .. }), "{absent:?}");
    }

    #[test]
    fn only_what_gzip_writes() {
        let recompress = Recompress::parse("1f8b08080000000002037800 --best").unwrap();
        let mut out = Vec::new();
        recompress.copy(&mut &b"\x1f\x8b\x08\0\x01\x02\x03\x04\0\x03rest"[..], &mut out).unwrap();
        assert_eq!(out, b"\x1f\x8b\x08\x08\0\0\0\0\x02\x03x\0rest");
        for made in [&b"\x1f\x8b\x08\x08\x01\x02\x03\x04\0\x03x\0rest"[..], b"\x1f\x8b\x08", b""] {
            assert!(recompress.copy(&mut &made[..], &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn only_headers() {
        let parse = |flags: u8, rest: &[u8]| {
            let bytes = [&[0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3], rest].concat();
            Recompress::parse(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        };
        for (flags, rest) in [(0, &b""[..]), (1, b""), (8, b"\0"), (8, b"x.img\0"), (9, "Käse\0".as_bytes())] {
            assert_eq!(parse(flags, rest).map(|it| it.header()[10..].to_vec()).as_deref(), Some(rest), "{flags}");
        }
        for (flags, rest) in [
            (0, &b"\nreboot\n"[..]),
            (0, b"\0"),
            (8, b""),
            (8, b"x.img"),
            (8, b"x.img\0\nreboot\n"),
            (8, b"\nreboot\n\0"),
            (8, b"\x1b[2J\0"),
            // Nobody writes these, and zsync knows none of them.
            (2, b"xx"),
            (4, b"\x08\0\nreboot\n"),
            (16, b"comment\0"),
            (0x20, b""),
        ] {
            assert_eq!(parse(flags, rest), None, "{flags} {rest:?}");
        }
    }
}
