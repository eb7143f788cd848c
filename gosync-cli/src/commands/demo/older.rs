//! An older version of a file, made with the kinds of edits that releases consist of.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::Context;

/// Edits in all; files too short for so many get fewer.
const EDITS: u64 = 120;

/// Writes the older version of `new` to `old`. The same file always has the same
/// older version. Returns how many edits there are between them.
pub(super) fn write(new: &Path, old: &Path) -> anyhow::Result<u64> {
    let input = File::open(new).with_context(|| format!("cannot read {}", new.display()))?;
    let output = File::create_new(old).with_context(|| format!("cannot write {}", old.display()))?;
    edit(input, BufWriter::with_capacity(1 << 20, output)).with_context(|| format!("cannot write {}", old.display()))
}

fn edit(mut new: impl Read + Seek, mut old: impl Write) -> io::Result<u64> {
    let length = new.seek(SeekFrom::End(0))?;
    let edits = EDITS.min(length / 1024);
    let mut random = Random(length);
    let mut done = 0;
    let mut copy = |old: &mut dyn Write, start: u64, end: u64| -> io::Result<()> {
        new.seek(SeekFrom::Start(start))?;
        io::copy(&mut new.by_ref().take(end - start), old).map(drop)
    };
    for edit in 0..edits {
        // Each edit has a stretch of the file to itself, and lies somewhere in it.
        let stretch_end = length * (edit + 1) / edits;
        let room = stretch_end - done;
        let at = done + random.below(room / 2);
        let len = 1 + random.below((room / 4).min(16 << 10));
        copy(&mut old, done, at)?;
        match edit % 4 {
            0 => old.write_all(&random.bytes(len))?,
            1 => {
                // Bytes that the new version no longer has.
                old.write_all(&random.bytes(len))?;
                copy(&mut old, at, at + len)?;
            }
            2 => {} // Bytes that the old version did not have yet.
            _ => {
                // Two neighbouring runs that have changed places.
                copy(&mut old, at + len, at + 2 * len)?;
                copy(&mut old, at, at + len)?;
            }
        }
        done = if edit % 4 == 3 { at + 2 * len } else { at + len };
    }
    copy(&mut old, done, length)?;
    old.flush()?;
    Ok(edits)
}

/// Steele, Lea and Flood's splitmix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_any_length_have_an_older_version() {
        for length in [0, 1, 1023, 1024, 5000, 1_000_000] {
            let new = Random(7).bytes(length);
            let mut old = Vec::new();
            let edits = edit(io::Cursor::new(&new), &mut old).unwrap();
            assert_eq!(edits, EDITS.min(length / 1024));
            assert_eq!(old != new, edits > 0, "{length}");
            assert!(old.len().abs_diff(new.len()) <= new.len() / 10, "{length}: {}", old.len());
        }
    }
}
