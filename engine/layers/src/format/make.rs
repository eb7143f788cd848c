//! Putting an index of our own together, or a part of one.

use gosync_chunks::frames::FrameKind;
use gosync_chunks::{ByteRange, TargetName};
use gosync_sums::FileHasher;

use super::body::Body;
use super::error::FormatError;
use super::header::{Header, LayerHeader, PartHeader, PayloadHeader};
use super::index::{LayeredIndex, Payload, STRONG_KIND, WEAK_KIND};
use super::part::IndexPart;
use super::section::Section;

/// What goes into an index, or into a part of one.
pub struct Contents {
    /// The target's file name, if it has one that is fit for it.
    pub target_name: Option<TargetName>,
    /// Length of the target in bytes.
    pub length: u64,
    /// Bytes in a strong sum, 1 to 16.
    pub strong_len: usize,
    /// The binary logarithm of the odds against a wrong match anywhere.
    pub odds: u8,
    /// What the strong sums are salted with.
    pub salt: u64,
    /// Block size, bytes of compressed lengths in a record, and all records of each layer.
    pub layers: Vec<(u32, u8, Vec<u8>)>,
    /// The compressed payload.
    pub payload: Option<Payload>,
    /// The nodes of the target's tree.
    pub tree: Vec<[u8; 32]>,
    /// What else the index says.
    pub sections: Vec<Section>,
}

/// Makes the index.
///
/// # Errors
///
/// When it could not be read again: the block sizes are out of bounds.
pub fn make(contents: Contents) -> Result<LayeredIndex, FormatError> {
    let file_hash = FileHasher::new(contents.length).finish(&contents.tree).0;
    let (header, body) = encode(contents, file_hash);
    LayeredIndex::assemble(&header, body)
}

/// Makes a part of an index: of the bytes of `range`, whose payload has the hash `payload_hash`.
///
/// # Errors
///
/// As [`make`], and when there are sections: a part has none.
pub fn make_part(contents: Contents, range: ByteRange, payload_hash: [u8; 32]) -> Result<IndexPart, FormatError> {
    let (index, body) = encode(contents, [0; 32]);
    IndexPart::assemble(&PartHeader { index, start: range.start, end: range.end, payload_hash }, body)
}

/// The header, and what follows it.
fn encode(contents: Contents, file_hash: [u8; 32]) -> (Header, Body) {
    let layers = contents.layers.iter().map(|(block_size, compressed_len, records)| LayerHeader {
        block_size: *block_size,
        compressed_len: *compressed_len,
        hash: *blake3::Hasher::new().update_rayon(records).finalize().as_bytes(),
    });
    let tree = contents.tree.concat();
    let header = Header {
        target_name: contents.target_name.map_or_else(String::new, |name| name.as_str().into()),
        length: contents.length,
        file_hash,
        weak_kind: WEAK_KIND,
        strong_kind: STRONG_KIND,
        strong_len: contents.strong_len as u8,
        odds: contents.odds,
        salt: contents.salt,
        layers: layers.collect(),
        payload: contents.payload.map(|payload| PayloadHeader {
            name: payload.name.as_str().into(),
            kind: 1,
            fine: payload.layout.frame_size(FrameKind::Fine) as u32,
            coarse: payload.layout.frame_size(FrameKind::Coarse) as u32,
            fine_prefix: payload.layout.prefix_len(FrameKind::Fine) as u32,
            coarse_prefix: payload.layout.prefix_len(FrameKind::Coarse) as u32,
            fine_region: payload.layout.region_len(FrameKind::Fine) as u32,
            coarse_region: payload.layout.region_len(FrameKind::Coarse) as u32,
            preamble: payload.preamble,
            length: payload.len,
        }),
        tree_hash: *blake3::hash(&tree).as_bytes(),
        sections: contents.sections.iter().map(Section::header).collect(),
    };
    let mut coarser: Vec<Vec<u8>> = contents.layers.into_iter().map(|(.., records)| records).collect();
    let finest = coarser.pop().unwrap_or_default();
    let mut rest = tree;
    contents.sections.iter().for_each(|section| rest.extend_from_slice(&section.bytes));
    (header, Body { coarser, finest, rest })
}
