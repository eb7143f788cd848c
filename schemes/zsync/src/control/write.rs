//! Writing control files: byte for byte what zsyncmake 0.6.2 writes, where nothing is in
//! them that it does not know.

use gosync_chunks::BlockId;

use super::error::UnwritableError;
use super::fields::Control;
use crate::date;
use crate::file_digest::FileDigest;
use crate::hash_lengths::HashLengths;
use crate::sums::{StrongKind, write_key};

/// What clients read a line into, with its end.
const LINE: usize = 1024;

impl Control {
    /// The bytes of the control file. Where there is a hash besides SHA-1, clients that do
    /// not know it are told that they need not.
    ///
    /// # Errors
    ///
    /// When a name or URL does not fit on a line.
    pub fn write(&self) -> Result<Vec<u8>, UnwritableError> {
        write(self)
    }
}

fn write(control: &Control) -> Result<Vec<u8>, UnwritableError> {
    let layout = control.signature.layout();
    let mut header = Header(Vec::new());
    header.line("zsync", &control.version)?;
    header.line_of("Safe", safe(control))?;
    header.line_of("Z-Filename", control.z_file_name.as_ref().map(|name| name.as_str()))?;
    header.line_of("Filename", control.file_name.as_ref().map(|name| name.as_str()))?;
    header.line_of("MTime", control.modified.and_then(date::format))?;
    header.line("Blocksize", &layout.block_size().to_string())?;
    header.line("Length", &layout.length().to_string())?;
    let HashLengths { sequence, weak, strong } = control.hash_lengths;
    header.line("Hash-Lengths", &format!("{sequence},{weak},{strong}"))?;
    if control.strong_kind != StrongKind::Md4 {
        header.line("Strong-Hash-Algorithm", control.strong_kind.name())?;
    }
    control.z_urls.iter().try_for_each(|url| header.line("Z-URL", url))?;
    control.urls.iter().try_for_each(|url| header.line("URL", url))?;
    // zsync 0.8 believes the last one, and older ones this one only.
    for digest in &control.digests {
        match digest {
            FileDigest::Sha1(_) => header.line("SHA-1", &digest.to_string())?,
            FileDigest::Sha256(_) => header.line("File-Hash", &format!("SHA-256:{digest}"))?,
        }
    }
    header.line_of("Recompress", control.recompress.as_ref().map(ToString::to_string))?;
    let mut bytes = header.0;
    if let Some(map) = &control.block_map {
        bytes.extend_from_slice(format!("Z-Map2: {}\n", map.points().len()).as_bytes());
        map.write(&mut bytes);
    }
    bytes.push(b'\n');

    let cut = 4 - usize::from(weak);
    for block in 0..layout.block_count() {
        let block = BlockId(block);
        bytes.extend_from_slice(&write_key(control.signature.weak(block))[cut..]);
        bytes.extend_from_slice(control.signature.strong(block));
    }
    Ok(bytes)
}

/// What older clients need not know.
fn safe(control: &Control) -> Option<String> {
    let has_file_hash = control.digests.iter().any(|digest| matches!(digest, FileDigest::Sha256(_)));
    let mut keys: Vec<&str> = Vec::new();
    if control.recompress.is_some() {
        keys.extend(control.z_file_name.as_ref().map(|_| "Z-Filename"));
        keys.extend(["Recompress", "MTime"]);
    }
    keys.extend(has_file_hash.then_some("File-Hash"));
    // zsync looks for a key anywhere in the line, and since 0.8 between commas.
    (!keys.is_empty()).then(|| keys.join(if has_file_hash { "," } else { " " }))
}

struct Header(Vec<u8>);

impl Header {
    fn line(&mut self, key: &'static str, value: &str) -> Result<(), UnwritableError> {
        let has_end = value.is_empty() || value.ends_with([' ', '\r']) || value.contains('\n');
        if has_end || key.len() + 2 + value.len() + 1 >= LINE {
            return Err(UnwritableError::Value { key, value: value.to_owned() });
        }
        self.0.extend_from_slice(format!("{key}: {value}\n").as_bytes());
        Ok(())
    }

    fn line_of(&mut self, key: &'static str, value: Option<impl AsRef<str>>) -> Result<(), UnwritableError> {
        value.map_or(Ok(()), |value| self.line(key, value.as_ref()))
    }
}
