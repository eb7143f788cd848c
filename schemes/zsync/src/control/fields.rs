//! What is in a control file.

use std::time::SystemTime;

use gosync_chunks::{Signature, TargetName};
use gosync_payloads::gzip::BlockMap;

use super::error::ControlError;
use crate::file_digest::FileDigest;
use crate::hash_lengths::HashLengths;
use crate::recompress::Recompress;
use crate::sums::StrongKind;

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
    /// What was wrong with a control file that was read, and is of no account because a hash of
    /// the whole tells whether the target is right. Users may want to know. None of it is written.
    pub ignored: Vec<ControlError>,
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
    /// Whether a hash tells whether the whole target is right.
    pub fn is_verifiable(&self) -> bool {
        !self.digests.is_empty()
    }
}
