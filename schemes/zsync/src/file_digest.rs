//! The hashes of a whole file that control files give.

use std::fmt;
use std::io;

use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::ReadBuffer;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash of a whole target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileDigest {
    /// `SHA-1`, which clients before 0.8 know only.
    Sha1([u8; 20]),
    /// `File-Hash: SHA-256:`.
    Sha256([u8; 32]),
}

/// Bytes hashed at a time.
const PIECE: u64 = 1 << 20;

impl FileDigest {
    /// SHA-1 of `data`.
    ///
    /// # Errors
    ///
    /// When it cannot be read; [`io::ErrorKind::Interrupted`] when `is_cancelled` says so.
    pub fn sha1(data: &dyn ReadAt, is_cancelled: &dyn Fn() -> bool) -> io::Result<Self> {
        Ok(Self::Sha1(hash::<Sha1>(data, is_cancelled)?.into()))
    }

    /// SHA-256 of `data`.
    ///
    /// # Errors
    ///
    /// As [`Self::sha1`].
    pub fn sha256(data: &dyn ReadAt, is_cancelled: &dyn Fn() -> bool) -> io::Result<Self> {
        Ok(Self::Sha256(hash::<Sha256>(data, is_cancelled)?.into()))
    }

    /// What the hash of `data` is that this one should be.
    ///
    /// # Errors
    ///
    /// As [`Self::sha1`].
    pub fn again(&self, data: &dyn ReadAt, is_cancelled: &dyn Fn() -> bool) -> io::Result<Self> {
        match self {
            Self::Sha1(_) => Self::sha1(data, is_cancelled),
            Self::Sha256(_) => Self::sha256(data, is_cancelled),
        }
    }

    /// What it is called.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha1(_) => "SHA-1",
            Self::Sha256(_) => "SHA-256",
        }
    }

    /// From its name and hexadecimal digits.
    pub(crate) fn parse(algorithm: &str, digits: &str) -> Option<Self> {
        match algorithm {
            "SHA-1" => from_hex(digits).map(Self::Sha1),
            "SHA-256" => from_hex(digits).map(Self::Sha256),
            _ => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

impl fmt::Display for FileDigest {
    /// In hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Hashes what goes through it.
pub(crate) struct Hashing {
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
}

impl Hashing {
    /// Computes what is in `wanted`.
    pub(crate) fn new(wanted: &[FileDigest]) -> Self {
        let has = |algorithm: &str| wanted.iter().any(|digest| digest.algorithm() == algorithm);
        Self { sha1: has("SHA-1").then(Sha1::new), sha256: has("SHA-256").then(Sha256::new) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Vec<FileDigest> {
        let sha1 = self.sha1.map(|sha1| FileDigest::Sha1(sha1.finalize().into()));
        let sha256 = self.sha256.map(|sha256| FileDigest::Sha256(sha256.finalize().into()));
        sha1.into_iter().chain(sha256).collect()
    }
}

fn hash<D: Digest>(data: &dyn ReadAt, is_cancelled: &dyn Fn() -> bool) -> io::Result<sha2::digest::Output<D>> {
    let mut hasher = D::new();
    let mut buffer = ReadBuffer::default();
    let size = data.size();
    for start in (0..size).step_by(PIECE as usize) {
        if is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        hasher.update(buffer.read(data, ByteRange::at(start, PIECE.min(size - start)))?);
    }
    Ok(hasher.finalize())
}

/// Exactly as many bytes as `LEN`, from digits of either case.
pub(crate) fn from_hex<const LEN: usize>(digits: &str) -> Option<[u8; LEN]> {
    let digits = digits.as_bytes();
    let mut bytes = [0; LEN];
    if digits.len() != 2 * LEN {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let never = || false;
        let sha1 = FileDigest::sha1(&b"abc".to_vec(), &never).unwrap();
        assert_eq!(sha1.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha256 = FileDigest::sha256(&vec![], &never).unwrap();
        assert_eq!(sha256.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for digest in [sha1, sha256] {
            assert_eq!(FileDigest::parse(digest.algorithm(), &digest.to_string().to_uppercase()), Some(digest));
        }
        assert_eq!(FileDigest::parse("SHA-1", &"0".repeat(39)), None);
        assert_eq!(FileDigest::parse("SHA-1", &"g".repeat(40)), None);
        assert_eq!(FileDigest::parse("SHA-512", &"0".repeat(40)), None);
    }

    #[test]
    fn a_long_file_in_pieces() {
        let data: Vec<u8> = (0..3 * PIECE as u32 + 7).map(|at| ((at.wrapping_mul(at)) >> 7) as u8).collect();
        let wanted = [FileDigest::sha1(&data, &|| false).unwrap(), FileDigest::sha256(&data, &|| false).unwrap()];
        assert_eq!(wanted[0].to_string().len() + wanted[1].to_string().len(), 104);
        let mut hashing = Hashing::new(&wanted);
        data.chunks(100_001).for_each(|piece| hashing.update(piece));
        assert_eq!(hashing.finish(), wanted);
        assert!(FileDigest::sha1(&data, &|| true).is_err());
    }
}
