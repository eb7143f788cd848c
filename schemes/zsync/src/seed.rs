//! Seeds that are compressed, as what is in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use gosync_files::LocalFile;
use gosync_files::entry::open_stream;
use gosync_update::{Error, Seed};

/// More than so many times the length of a target hardly any seed has that is of use.
const MOST_TIMES: u64 = 8;

/// But it may have so many bytes in any case.
const LEAST: u64 = 64 << 20;

/// What a seed has for a target of `length` bytes that is in a gzip file: what is in it, where its
/// name ends in `.gz` and it is a gzip file, or else itself.
///
/// # Errors
///
/// When it cannot be read, or there is no room for what is in it.
pub(crate) fn unpack(file: LocalFile, length: u64) -> Result<Seed, Error> {
    let path = file.path().to_owned();
    let is_named_so = path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.len() > 3 && name.ends_with(b".gz")
    });
    let read = |source| Error::Read { path: path.clone(), source };
    if !is_named_so || !is_gzip(&path).map_err(read)? {
        return Ok(Seed::plain(file));
    }
    let most = LEAST.max(length.saturating_mul(MOST_TIMES));
    let mut inflater = MultiGzDecoder::new(io::BufReader::with_capacity(64 << 10, File::open(&path).map_err(read)?));
    let unwritable = |source| Error::Write { path: "a temporary file".into(), source };
    let mut unpacked = tempfile::tempfile().map_err(unwritable)?;
    let trouble = copy(&mut inflater, &mut unpacked, most).map_err(unwritable)?;
    let unpacked = LocalFile::new(&path, unpacked).map_err(unwritable)?;
    Ok(Seed::opened(&path, unpacked, trouble))
}

/// Whether the file at `path` begins as a gzip file does.
///
/// # Errors
///
/// When it cannot be read.
pub fn is_gzip(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    open_stream(path)?.take(3).read_to_end(&mut beginning)?;
    Ok(beginning == [0x1f, 0x8b, 8])
}

/// Only what fails when it is written is an error.
fn copy(inflater: &mut impl Read, file: &mut impl io::Write, most: u64) -> io::Result<Option<io::Error>> {
    let mut buffer = vec![0; 256 << 10];
    let mut left = most;
    loop {
        match inflater.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                let taken = read.min(usize::try_from(left).unwrap_or(usize::MAX));
                file.write_all(&buffer[..taken])?;
                left -= taken as u64;
                if taken < read {
                    return Ok(Some(io::Error::other(format!("it has more than {most} bytes in it"))));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Some(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_is_wanted() {
        for (most, expected, whole) in [(0, 0, false), (999, 999, false), (1000, 1000, true), (1001, 1000, true)] {
            let mut out = Vec::new();
            let trouble = copy(&mut io::repeat(7).take(1000), &mut out, most).unwrap();
            assert_eq!((out.len(), trouble.is_none()), (expected, whole), "{most}");
        }
    }
}
