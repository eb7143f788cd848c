//! Control files: what a `.zsync` says of its target.

mod error;
mod read;
mod write;

use std::time::SystemTime;

use gosync_chunks::{Signature, TargetName};
use gosync_payloads::gzip::BlockMap;

pub use error::{ControlError, UnwritableError};

use crate::file_digest::FileDigest;
use crate::hash_lengths::HashLengths;
use crate::recompress::Recompress;
use crate::sums::StrongKind;

/// What every maker has written as its version since 2010, and every client takes.
pub(crate) const VERSION: &str = "0.6.2";

/// The content of a control file.
#[derive(Clone, Debug)]
pub struct Control {
    /// The version of its maker, as it says.
    pub version: String,
    /// What the target is called.
    pub file_name: Option<TargetName>,
    /// What the compressed file is called that the target was in.
    pub z_file_name: Option<TargetName>,
    /// When the target was last changed.
    pub modified: Option<SystemTime>,
    /// How the sums of blocks are cut.
    pub hash_lengths: HashLengths,
    /// What the strong sums are cut from.
    pub strong_kind: StrongKind,
    /// Where the target is, relative to where the control file is.
    pub urls: Vec<String>,
    /// Where the target is compressed, likewise.
    pub z_urls: Vec<String>,
    /// The hashes of the whole target; all of them have to hold.
    pub digests: Vec<FileDigest>,
    /// How to compress the target again, where the compressed file is what was published.
    pub recompress: Option<Recompress>,
    /// Which of the compressed bytes the parts of the target are in.
    pub block_map: Option<BlockMap>,
    /// The sums of the target's blocks.
    pub signature: Signature,
}

/// What a reader of untrusted control files takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The most bytes that a control file may have.
    pub max_bytes: u64,
}

impl Default for ReadOptions {
    /// 4 GiB: that of a target of more than a terabyte.
    fn default() -> Self {
        Self { max_bytes: 4 << 30 }
    }
}

impl Control {
    /// Reads a control file of any version from 0.6 to 0.8, or of zsync2.
    ///
    /// # Errors
    ///
    /// When it is not a control file, is damaged, or needs a feature that is not known here.
    pub fn read(bytes: &[u8]) -> Result<Self, ControlError> {
        read::read(bytes)
    }

    /// Whether a file that begins with these bytes, some hundreds of them, means to be a
    /// control file.
    pub fn is_one(beginning: &[u8]) -> bool {
        read::is_control(beginning)
    }

    /// The bytes of the control file. Where there is a hash besides SHA-1, clients that do
    /// not know it are told that they need not.
    ///
    /// # Errors
    ///
    /// When a name or URL does not fit on a line.
    pub fn write(&self) -> Result<Vec<u8>, UnwritableError> {
        write::write(self)
    }

    /// Whether a hash tells whether the whole target is right.
    pub fn is_verifiable(&self) -> bool {
        !self.digests.is_empty()
    }
}
