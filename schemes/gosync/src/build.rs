//! Publishing: making the index of a target.

use std::fs::File;
use std::path::Path;

use gosync_chunks::{LocalFile, Progress, ReadAt, SignError, SignOptions, sign};

use crate::{Error, Format, Index, TargetName};

/// How to make an index.
#[derive(Clone, Copy, Debug)]
pub struct BuildOptions {
    /// The format to make it in.
    pub format: Format,
    /// Size of a block in bytes; chosen by the target's length when there is none.
    pub block_size: Option<u32>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { format: Format::Gosync, block_size: None }
    }
}

/// Makes the index of the file at `target`, on all threads of the current rayon pool.
///
/// The index names the target by its file name, if that is fit for it.
///
/// # Errors
///
/// When `target` cannot be read, changes meanwhile, or cannot be cut into such blocks.
pub fn build(target: &Path, options: &BuildOptions, progress: &dyn Progress) -> Result<Index, Error> {
    let read = |source| Error::Read { path: target.to_owned(), source };
    let sign_error = |source| match source {
        SignError::Read(source) => read(source),
        source => Error::Sign { path: target.to_owned(), source },
    };
    let file = File::open(target).map_err(read)?;
    let before = file.metadata().map_err(read)?;
    let file = LocalFile::new(target, file).map_err(read)?;

    let format = options.format;
    let block_size = options.block_size.unwrap_or_else(|| format.default_block_size(file.size()));
    let sign_options = SignOptions { block_size, file_hash: format.has_file_hash() };
    let signed = sign(&file, &sign_options, &format.weak(), format.strong(), progress).map_err(sign_error)?;

    let after = file.file().map(File::metadata).transpose().map_err(read)?;
    if after.is_some_and(|after| after.len() != before.len() || after.modified().ok() != before.modified().ok()) {
        return Err(Error::Changed { path: target.to_owned() });
    }
    let name = target.file_name().and_then(|name| TargetName::new(name.to_str()?).ok());
    let index = match signed.file_hash {
        Some(file_hash) => Index::new(signed.signature, file_hash, name),
        None => Index::go_sync(signed.signature),
    };
    Ok(index.expect("signed with the sums of the format"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadOptions;
    use gosync_chunks::FileHash;

    #[test]
    fn both_formats_at_every_boundary() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target.bin");
        for length in [0, 1, 1023, 1024, 1025, 100_000] {
            let data: Vec<u8> = (0..length).map(|i: u32| i.wrapping_mul(i) as u8).collect();
            std::fs::write(&path, &data).unwrap();
            for format in [Format::Gosync, Format::GoSync] {
                let options = BuildOptions { format, block_size: Some(1024) };
                let index = build(&path, &options, &()).unwrap();
                assert_eq!(index.signature().layout().length(), data.len() as u64);
                assert_eq!(index.file_hash().is_some(), format == Format::Gosync);
                assert!(index.file_hash().is_none_or(|hash| hash == FileHash::of(&data)));
                let mut bytes = Vec::new();
                index.write(&mut bytes).unwrap();
                assert_eq!(Index::read(bytes.as_slice(), &ReadOptions::default()).unwrap(), index);
            }
        }
    }

    #[test]
    fn errors_name_the_file() {
        let missing = build(Path::new("no/such/file"), &BuildOptions::default(), &()).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read no/such/file");
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(build(directory.path(), &BuildOptions::default(), &()), Err(Error::Read { .. })));
        let file = directory.path().join("file");
        std::fs::write(&file, b"data").unwrap();
        for block_size in [0, 1 << 31] {
            let options = BuildOptions { block_size: Some(block_size), ..BuildOptions::default() };
            assert!(matches!(build(&file, &options, &()), Err(Error::Sign { source: SignError::Layout(_), .. })));
        }
    }
}
