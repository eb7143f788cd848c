//! A source of one's own: a file that was cut into pieces, as `split -b` does.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin own_source
//! ```
//!
//! All that a source has to do is to deliver the ranges that it is asked for. Policies then
//! come for free: here `Retrying` asks again for what a missing piece kept back.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use gosync_blocksources::{Pauses, RetryOptions, Retrying, read_ranges};
use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};

/// Files of `piece` bytes each, of which only the last may be shorter.
struct Split {
    folder: PathBuf,
    piece: u64,
    length: u64,
}

impl Split {
    /// Reads what is at `offset`, up to `end` or to the end of its piece.
    fn read(&self, offset: u64, end: u64) -> Result<Vec<u8>, SourceError> {
        let path = self.folder.join(format!("piece-{:03}", offset / self.piece));
        let end = end.min((offset / self.piece + 1) * self.piece);
        let mut bytes = vec![0; (end - offset) as usize];
        let mut read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(offset % self.piece))?;
            file.read_exact(&mut bytes)
        };
        read().map_err(|source| SourceError::Unreachable {
            location: path.display().to_string(),
            // The piece may still come: a decorator that retries asks again.
            is_transient: true,
            source: source.into(),
        })?;
        Ok(bytes)
    }
}

impl Source for Split {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.length))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut transfer = Transfer::default();
        for range in ranges {
            let mut offset = range.start;
            while offset < range.end {
                let bytes = self.read(offset, range.end)?;
                sink.deliver(offset, &bytes).map_err(SourceError::Sink)?;
                transfer += Transfer { bytes: bytes.len() as u64, requests: 1 };
                offset += bytes.len() as u64;
            }
        }
        Ok(transfer)
    }

    fn limits(&self) -> Limits {
        Limits { request_size: self.piece, bridged_gap: 0, parallelism: 1 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        // There is no other place to have the bytes from.
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data: Vec<u8> = (0..2_500_000u32).map(|at| (at / 251) as u8).collect();
    for (number, piece) in data.chunks(1 << 20).enumerate() {
        fs::write(folder.path().join(format!("piece-{number:03}")), piece)?;
    }
    // The second piece comes late: while it is waited for.
    let (late, away) = (folder.path().join("piece-001"), folder.path().join("away"));
    fs::rename(&late, &away)?;

    let split = Split { folder: folder.path().into(), piece: 1 << 20, length: data.len() as u64 };
    let wanted = [ByteRange::at(1_000_000, 200_000), ByteRange::at(2_400_000, 100_000)];
    let pauses = Pauses::until(move || {
        _ = fs::rename(&away, &late);
        false
    });
    let source = Retrying::new(split, RetryOptions::default(), pauses);
    let (bytes, transfer) = read_ranges(&source, "the pieces", &wanted)?;

    assert_eq!(bytes, [&data[1_000_000..1_200_000], &data[2_400_000..]].concat());
    println!("{} bytes of {} pieces, in {} reads", transfer.bytes, data.len().div_ceil(1 << 20), transfer.requests);
    Ok(())
}
