//! Reading control files. Nothing in them is trusted.
//!
//! Other clients pass over much that is odd. So does this reader, and tells of it, where a hash of
//! the whole will show whether the result is right. Where there is none, it refuses.

use std::borrow::Cow;

use gosync_chunks::{BlockLayout, MAX_BLOCK_SIZE, Signature, TargetName};
use gosync_payloads::gzip::BlockMap;

use super::error::ControlError;
use super::fields::Control;
use crate::date;
use crate::file_digest::FileDigest;
use crate::hash_lengths::HashLengths;
use crate::recompress::Recompress;
use crate::sums::{StrongKind, read_key};

/// Longer than other clients take, so that nothing is refused that they read.
const MOST_LINE: usize = 8 << 10;

/// What is wrong with a last line that may go on.
pub(super) const UNFINISHED: &str = "does not end";

/// More lines than URLs that anyone lists.
const MOST_LINES: usize = 10_000;

/// Whether a file that begins so may be a control file.
fn is_control(beginning: &[u8]) -> bool {
    // zsync2 writes its keys in alphabetical order, so that this one comes last.
    let mut lines = Lines::of(beginning);
    while let Ok(Some(line)) = lines.next() {
        match line.split_once(": ") {
            Some(("zsync", _)) => return true,
            Some((key, _)) if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {}
            _ => return false,
        }
    }
    false
}

impl Control {
    /// Reads a control file of any version from 0.6 to 0.8, or of zsync2.
    ///
    /// # Errors
    ///
    /// When it is not a control file, is damaged, or needs a feature that is not known here; also
    /// when something is wrong with it that does no harm, and it has no hash of the whole target.
    pub fn read(bytes: &[u8]) -> Result<Self, ControlError> {
        read(bytes)
    }

    /// Whether a file that begins with these bytes, some hundreds of them, means to be a
    /// control file.
    pub fn is_one(beginning: &[u8]) -> bool {
        is_control(beginning)
    }
}

fn read(bytes: &[u8]) -> Result<Control, ControlError> {
    if !is_control(&bytes[..bytes.len().min(MOST_LINE * 16)]) {
        return Err(ControlError::NotAControlFile);
    }
    let mut header = Header::default();
    let mut lines = Lines::of(bytes);
    while let Some(line) = lines.next()? {
        let number = lines.number;
        let error = |what| ControlError::Line { line: number, what };
        let is_text = matches!(line, Cow::Borrowed(_));
        if !is_text {
            header.ignored.push(error("is not text in UTF-8"));
        }
        let (key, value) = line.split_once(": ").ok_or(error("has no \": \" between a key and a value"))?;
        if line.contains(char::is_control) {
            // It could steer the terminal that it is shown on.
            let error = error("has a control character");
            if NEEDED.contains(&key) {
                return Err(error);
            }
            header.ignored.push(error);
        } else if !is_text && matches!(key, "URL" | "Z-URL") {
            header.take(key, &as_bytes_of_url(value), &mut lines)?;
        } else {
            header.take(key, value, &mut lines)?;
        }
    }
    header.finish(lines.rest, lines.len)
}

/// Without these a control file cannot be understood.
const NEEDED: [&str; 7] =
    ["zsync", "Blocksize", "Length", "Hash-Lengths", "Strong-Hash-Algorithm", "Recompress", "Z-Map2"];

/// What a URL in Latin-1 asks for, as other clients send it.
fn as_bytes_of_url(url: &str) -> String {
    url.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("%{:02X}", u32::from(c)) }).collect()
}

/// What was read so far.
#[derive(Default)]
struct Header {
    version: Option<String>,
    safe: Vec<String>,
    unknown: Vec<String>,
    file_name: Option<TargetName>,
    z_file_name: Option<TargetName>,
    modified: Option<std::time::SystemTime>,
    block_size: Option<u32>,
    length: Option<u64>,
    hash_lengths: HashLengths,
    strong_kind: StrongKind,
    urls: Vec<String>,
    z_urls: Vec<String>,
    digests: Vec<FileDigest>,
    recompress: Option<Recompress>,
    map: Option<Vec<u8>>,
    /// What was wrong, and may be ignored if a hash of the whole is known.
    ignored: Vec<ControlError>,
}

impl Header {
    fn take(&mut self, key: &str, value: &str, lines: &mut Lines<'_>) -> Result<(), ControlError> {
        let bad = |key| ControlError::Value { key, value: value.to_owned() };
        match key {
            // The first versions were another format.
            "zsync" if value == "0.0.4" => return Err(bad("zsync")),
            "zsync" => self.version = Some(value.to_owned()),
            "Min-Version" => {}
            "Safe" => self.safe.push(value.to_owned()),
            "Filename" => self.file_name = self.name(value),
            "Z-Filename" => self.z_file_name = self.name(value),
            // It is only a date: an odd one does no harm.
            "MTime" => self.modified = date::parse(value),
            "Blocksize" => {
                let size = value.parse().ok().filter(|size: &u32| size.is_power_of_two() && *size <= MAX_BLOCK_SIZE);
                self.block_size = Some(size.ok_or_else(|| bad("Blocksize"))?);
            }
            "Length" => self.length = Some(value.parse().map_err(|_| bad("Length"))?),
            "Hash-Lengths" => {
                let numbers: Option<Vec<u8>> = value.split(',').map(|number| number.trim().parse().ok()).collect();
                let Some(&[sequence, weak, strong]) = numbers.as_deref() else { return Err(bad("Hash-Lengths")) };
                self.hash_lengths = HashLengths { sequence, weak, strong };
                if !self.hash_lengths.is_valid() {
                    return Err(bad("Hash-Lengths"));
                }
            }
            "Strong-Hash-Algorithm" => {
                self.strong_kind = StrongKind::from_name(value).ok_or_else(|| bad("Strong-Hash-Algorithm"))?;
            }
            "URL" => self.urls.push(value.to_owned()),
            "Z-URL" => self.z_urls.push(value.to_owned()),
            "SHA-1" => self.digest(FileDigest::parse(key, value), || bad("SHA-1")),
            // As the pyzsync of PyPI writes it.
            "SHA-256" => self.digest(FileDigest::parse(key, value), || bad("SHA-256")),
            "File-Hash" => {
                let digest = value.split_once(':').and_then(|(name, digits)| FileDigest::parse(name, digits.trim()));
                self.digest(digest, || bad("File-Hash"));
            }
            "Recompress" => self.recompress = Some(Recompress::parse(value).ok_or_else(|| bad("Recompress"))?),
            "Z-Map2" => {
                let entries = value.parse::<u64>().map_err(|_| bad("Z-Map2"))?;
                let needed = entries.saturating_mul(BlockMap::ENTRY_LEN as u64);
                let left = lines.rest.len() as u64;
                if needed > left {
                    let needed = needed.saturating_add(lines.len - left);
                    return Err(ControlError::Truncated { len: lines.len, needed });
                }
                let (map, rest) = lines.rest.split_at(needed as usize);
                lines.rest = rest;
                self.map = Some(map.to_vec());
            }
            other => self.unknown.push(other.to_owned()),
        }
        Ok(())
    }

    /// The name that is meant. Of one with a path only the last part is, which leads nowhere.
    fn name(&mut self, value: &str) -> Option<TargetName> {
        TargetName::new(value)
            .or_else(|error| {
                self.ignored.push(error.into());
                TargetName::new(value.rsplit(['/', '\\']).next().unwrap_or_default())
            })
            .ok()
    }

    fn digest(&mut self, digest: Option<FileDigest>, error: impl FnOnce() -> ControlError) {
        match digest {
            Some(digest) => self.digests.push(digest),
            None => self.ignored.push(error()),
        }
    }

    /// The rest is the sums of blocks.
    fn finish(mut self, table: &[u8], file_len: u64) -> Result<Control, ControlError> {
        let missing = |key| ControlError::Missing { key };
        // zsync looks for the key within the line, its successor for a word between commas.
        let is_safe = |key: &String| self.safe.iter().any(|line| line.contains(key.as_str()));
        self.unknown.retain(|key| !is_safe(key));
        self.ignored.extend(self.unknown.into_iter().map(|key| ControlError::UnknownKey { key }));
        let is_verifiable = !self.digests.is_empty();
        if !is_verifiable && !self.ignored.is_empty() {
            return Err(self.ignored.remove(0));
        }
        let version = self.version.ok_or(missing("zsync"))?;
        let length = self.length.ok_or(missing("Length"))?;
        let layout = BlockLayout::new(length, self.block_size.ok_or(missing("Blocksize"))?)?;

        let HashLengths { weak, strong, .. } = self.hash_lengths;
        let hasher = self.strong_kind.hasher(strong, layout.block_size()).ok_or_else(|| ControlError::Value {
            key: "Hash-Lengths",
            value: format!("{strong} bytes of {}", self.strong_kind.name()),
        })?;
        let record_len = self.hash_lengths.record_len();
        let needed = u64::from(layout.block_count()) * record_len as u64;
        let Some((table, rest)) = usize::try_from(needed).ok().and_then(|needed| table.split_at_checked(needed)) else {
            return Err(ControlError::Truncated { len: file_len, needed: file_len - table.len() as u64 + needed });
        };
        // Where zsyncmake looks into gzip, it has one for a line end, and one for the empty
        // block behind a target that ends with a block.
        let is_even = self.map.is_some() && length.is_multiple_of(layout.block_size().into());
        if !rest.is_empty() && rest.len() != record_len && !(is_even && rest.len() == 2 * record_len) {
            let trailing = ControlError::Trailing { len: rest.len() as u64 };
            if !is_verifiable {
                return Err(trailing);
            }
            self.ignored.push(trailing);
        }
        let records = table.chunks_exact(record_len).map(|record| record.split_at(weak.into()));
        let keys = records.clone().map(|(weak, _)| read_key(weak)).collect();
        let mut strong_sums = Vec::with_capacity(layout.block_count() as usize * usize::from(strong));
        records.for_each(|(_, strong)| strong_sums.extend_from_slice(strong));
        Ok(Control {
            version,
            file_name: self.file_name,
            z_file_name: self.z_file_name,
            modified: self.modified,
            hash_lengths: self.hash_lengths,
            strong_kind: self.strong_kind,
            urls: self.urls,
            z_urls: self.z_urls,
            digests: self.digests,
            recompress: self.recompress,
            block_map: self.map.map(|map| BlockMap::read(&map, length)).transpose().map_err(ControlError::BlockMap)?,
            signature: Signature::new(layout, keys, strong_sums, hasher)
                .expect("the table has a record for each block"),
            ignored: self.ignored,
        })
    }
}

/// The lines of a header.
struct Lines<'a> {
    /// Bytes of the whole file.
    len: u64,
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    fn of(file: &'a [u8]) -> Self {
        Self { len: file.len() as u64, rest: file, number: 0 }
    }

    /// The next line without what ends it, read as Latin-1 if it is not UTF-8; `None` behind the
    /// empty one.
    fn next(&mut self) -> Result<Option<Cow<'a, str>>, ControlError> {
        self.number += 1;
        let error = |what| ControlError::Line { line: self.number, what };
        if self.number > MOST_LINES {
            return Err(error("is one too many"));
        }
        let end = self.rest.iter().take(MOST_LINE).position(|&byte| byte == b'\n');
        let end = end.ok_or(error(if self.rest.len() < MOST_LINE { UNFINISHED } else { "is too long" }))?;
        let (line, rest) = (&self.rest[..end], &self.rest[end + 1..]);
        self.rest = rest;
        if matches!(line, b"" | b"\r") {
            return Ok(None);
        }
        let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b' ')).map_or(0, |last| last + 1);
        let line = &line[..end];
        let latin_1 = || line.iter().map(|&byte| char::from(byte)).collect();
        Ok(Some(std::str::from_utf8(line).map_or_else(|_| Cow::Owned(latin_1()), Cow::Borrowed)))
    }
}
