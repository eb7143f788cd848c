//! What the indexes of all formats have to say.

use gosync_chunks::frames::PayloadLayout;
use gosync_chunks::{BlockLayout, FileHash, TargetName};
use gosync_layers::format::{LayeredIndex, VERSION};

use crate::format::Format;
use crate::go_sync::{GoSyncIndex, RECORD_LEN};

/// What an index says of itself and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexInfo {
    /// The format of the file.
    pub format: Format,
    /// The version of the format, as people write it.
    pub version: String,
    /// Length of the index in bytes.
    pub index_bytes: u64,
    /// Length of the target in bytes.
    pub length: u64,
    /// The target's file name, if the index gives one.
    pub target_name: Option<TargetName>,
    /// The hash of the whole target, if the index gives one.
    pub file_hash: Option<FileHash>,
    /// The compressed payload, if there is one.
    pub payload: Option<PayloadInfo>,
    /// The layers of block sums, from the coarsest to the finest.
    pub layers: Vec<LayerInfo>,
    /// What the weak sums are called.
    pub weak_sum: &'static str,
    /// Bytes that a weak sum takes in the file.
    pub weak_len: usize,
    /// What the strong sums are called.
    pub strong_sum: &'static str,
    /// Bytes that a strong sum takes in the file.
    pub strong_len: usize,
    /// The binary logarithm of the odds against a wrong match anywhere, where seeds are no
    /// longer than twice the target, if the index gives it.
    pub odds: Option<u8>,
}

/// A layer of block sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    /// Size of a block in bytes; the last may be shorter.
    pub block_size: u32,
    /// How many blocks there are.
    pub blocks: u32,
    /// Bytes in the index that all sums of the layer take.
    pub index_bytes: u64,
}

/// A compressed payload: what a client fetches parts of in place of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadInfo {
    /// Its file name.
    pub name: TargetName,
    /// Its length in bytes.
    pub bytes: u64,
    /// How the target is cut into its frames.
    pub layout: PayloadLayout,
    /// Bytes that stand before the prefix of every frame.
    pub preamble_bytes: usize,
}

impl IndexInfo {
    /// Length in bytes of what a client fetches parts of: the target, or its compressed payload.
    pub fn source_length(&self) -> u64 {
        self.payload.as_ref().map_or(self.length, |payload| payload.bytes)
    }

    /// The file name of what a client fetches parts of, if the index gives one.
    pub fn source_name(&self) -> Option<&TargetName> {
        self.payload.as_ref().map(|payload| &payload.name).or(self.target_name.as_ref())
    }
}

impl From<&LayeredIndex> for IndexInfo {
    fn from(index: &LayeredIndex) -> Self {
        Self {
            format: Format::Layered,
            version: VERSION.to_string(),
            index_bytes: index.encoded_len(),
            length: index.length(),
            target_name: index.target_name().cloned(),
            file_hash: Some(index.file_hash()),
            payload: index.payload().map(|payload| PayloadInfo {
                name: payload.name.clone(),
                bytes: payload.len,
                layout: payload.layout,
                preamble_bytes: payload.preamble.len(),
            }),
            layers: index.layers().iter().map(|layer| layer_info(layer.layout, layer.record_len)).collect(),
            weak_sum: "Rabin-Karp",
            weak_len: size_of::<u32>(),
            strong_sum: "XXH3-128, salted",
            strong_len: index.strong_len(),
            odds: Some(index.odds()),
        }
    }
}

impl From<&GoSyncIndex> for IndexInfo {
    fn from(index: &GoSyncIndex) -> Self {
        let layout = index.signature().layout();
        Self {
            format: Format::GoSync,
            version: index.version(),
            index_bytes: index.encoded_len(),
            length: layout.length(),
            target_name: None,
            file_hash: None,
            payload: None,
            layers: vec![layer_info(layout, RECORD_LEN)],
            weak_sum: "rsync's sum",
            weak_len: size_of::<u32>(),
            strong_sum: "MD5",
            strong_len: index.signature().hasher().sum_len(),
            odds: None,
        }
    }
}

fn layer_info(layout: BlockLayout, record_len: usize) -> LayerInfo {
    LayerInfo {
        block_size: layout.block_size(),
        blocks: layout.block_count(),
        index_bytes: u64::from(layout.block_count()) * record_len as u64,
    }
}
