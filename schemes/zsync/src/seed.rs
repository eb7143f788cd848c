//! Seeds that are compressed, as what is in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use gosync_files::LocalFile;

use crate::{Control, Error};

/// More than so many times the length of a target hardly any seed has that is of use.
const MOST_TIMES: u64 = 8;

/// But it may have so many bytes in any case.
const LEAST: u64 = 64 << 20;

/// What is in a gzip file.
#[derive(Debug)]
pub struct UnpackedSeed {
    /// In a temporary file, which goes by the name of the gzip file.
    pub file: LocalFile,
    /// Why there is no more of it, where the gzip file is damaged, or has far more in it
    /// than the target.
    pub trouble: Option<io::Error>,
}

/// Unpacks the seed at `path` where zsync does so: where the target of `control` is there in
/// a gzip file, and the seed's name ends in `.gz`. There, two versions of the gzip file
/// themselves have next to nothing in common. `None` where the seed is to be taken as it is,
/// which it is too when it is no gzip file at all.
///
/// # Errors
///
/// When it cannot be read, or there is no room for what is in it.
pub fn unpack_seed(path: &Path, control: &Control) -> Result<Option<UnpackedSeed>, Error> {
    let is_named_so = path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.len() > 3 && name.ends_with(b".gz")
    });
    if control.z_urls.is_empty() || !is_named_so {
        return Ok(None);
    }
    let read = |source| Error::Read { path: path.to_owned(), source };
    if !is_gzip(path).map_err(read)? {
        return Ok(None);
    }
    let length = control.signature.layout().length();
    let most = LEAST.max(length.saturating_mul(MOST_TIMES));
    let mut inflater = MultiGzDecoder::new(io::BufReader::with_capacity(64 << 10, File::open(path).map_err(read)?));
    let unwritable = |source| Error::Prepare { path: "a temporary file".into(), source };
    let mut file = tempfile::tempfile().map_err(unwritable)?;
    let trouble = unpack(&mut inflater, &mut file, most).map_err(unwritable)?;
    let file = LocalFile::new(path, file).map_err(unwritable)?;
    Ok(Some(UnpackedSeed { file, trouble }))
}

/// Whether the file at `path` begins as a gzip file does.
///
/// # Errors
///
/// When it cannot be read.
pub fn is_gzip(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(3).read_to_end(&mut beginning)?;
    Ok(beginning == [0x1f, 0x8b, 8])
}

/// Only what fails when it is written is an error.
fn unpack(inflater: &mut impl Read, file: &mut impl io::Write, most: u64) -> io::Result<Option<io::Error>> {
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
            let trouble = unpack(&mut io::repeat(7).take(1000), &mut out, most).unwrap();
            assert_eq!((out.len(), trouble.is_none()), (expected, whole), "{most}");
        }
    }
}
