//! Our own format, version 2, as FORMAT.md specifies it: layers of block sums.

use std::sync::Arc;

use gosync_chunks::{BlockId, BlockLayout, BlockRange, ByteRange, FileHash, MAX_BLOCK_SIZE, SourceError, Transfer};
use gosync_sums::{SUBTREE, Xxh3};

use super::header::{Header, LayerHeader, PayloadHeader};
use super::parts::Parts;
use super::{FormatError, TargetName, head};
use crate::Error;
use crate::payload::{FrameKind, MAX_PREAMBLE, MIN_PREAMBLE, PayloadLayout};

/// Bytes of a weak sum in a record.
pub(crate) const WEAK_LEN: usize = 4;

/// The smallest block of a layer, in bytes.
pub const MIN_BLOCK_SIZE: u32 = 64;

/// The most layers that an index can have.
pub const MAX_LAYERS: usize = 16;

pub(super) const WEAK_KIND: u8 = 2;
pub(super) const STRONG_KIND: u8 = 2;
pub(super) const NODE_LEN: u64 = 32;

/// An index in our own format: what its header says, and a way to the rest.
#[derive(Clone, Debug)]
pub(crate) struct Layered {
    head: Arc<Vec<u8>>,
    header: Header,
    target_name: Option<TargetName>,
    payload: Option<Payload>,
    layers: Vec<Layer>,
    tree: ByteRange,
    len: u64,
    parts: Parts,
}

/// A layer, and where its records are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    /// How it cuts the target.
    pub(crate) layout: BlockLayout,
    /// Bytes in a record: weak sum, strong sum, compressed length.
    pub(crate) record_len: usize,
    /// Where the records begin in the index.
    offset: u64,
    hash: [u8; 32],
}

impl Layer {
    /// Where the records of `blocks` are.
    fn bytes(&self, blocks: BlockRange) -> ByteRange {
        let at = |block: BlockId| self.offset + u64::from(block.0) * self.record_len as u64;
        ByteRange { start: at(blocks.start), end: at(blocks.end) }
    }

    fn all(&self) -> ByteRange {
        self.bytes(self.layout.blocks())
    }
}

impl Layered {
    /// An index that is whole in memory: `bulk` is what follows the header.
    pub(super) fn assemble(header: Header, bulk: Vec<u8>) -> Result<Self, FormatError> {
        let head = head::encode(&header);
        let bytes = Arc::new([head.as_slice(), &bulk].concat());
        Self::new(head, Parts::Here(bytes))
    }

    /// The index with this head, whose other parts are in `parts`.
    pub(super) fn new(head: Vec<u8>, parts: Parts) -> Result<Self, FormatError> {
        let header = head::decode(&head)?;
        let Checked { target_name, payload, layouts } = check(&header)?;
        let mut offset = head.len() as u64;
        let mut layers = Vec::new();
        for (layer, layout) in header.layers.iter().zip(layouts) {
            let record_len = record_len(&header, layer);
            let layer = Layer { layout, record_len, offset, hash: layer.hash };
            offset = layer.all().end;
            layers.push(layer);
        }
        let nodes = header.length.div_ceil(SUBTREE as u64);
        let tree = ByteRange::at(offset, nodes * NODE_LEN);
        let len = header.sections.iter().try_fold(tree.end, |sum, section| sum.checked_add(section.length));
        let len = len.ok_or(FormatError::TooLarge { len: u64::MAX, limit: u64::MAX })?;
        Ok(Self { head: Arc::new(head), header, target_name, payload, layers, tree, len, parts })
    }

    /// The same index whole in memory: `bytes` are all of it. Checks the hashes.
    pub(super) fn with_bytes(mut self, bytes: Vec<u8>) -> Result<Self, FormatError> {
        debug_assert_eq!(bytes.len() as u64, self.len);
        match self.damage_in(|range| Ok::<_, FormatError>(&bytes[range.start as usize..range.end as usize]))? {
            Some(what) => Err(FormatError::Damaged { what }),
            None => {
                self.parts = Parts::Here(Arc::new(bytes));
                Ok(self)
            }
        }
    }

    /// What part of the index does not have the hash that the header gives, if any does.
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn damage(&self) -> Result<Option<Damage>, Error> {
        Ok(self.damage_in(|range| self.parts.read(&[range]).map(|(bytes, _)| bytes))?)
    }

    fn damage_in<B: AsRef<[u8]>, E>(&self, read: impl Fn(ByteRange) -> Result<B, E>) -> Result<Option<Damage>, E> {
        for (at, layer) in self.layers.iter().enumerate() {
            if hash_of(layer.all(), &read)? != layer.hash {
                return Ok(Some(Damage::Layer { layer: at, block_size: layer.layout.block_size() }));
            }
        }
        if hash_of(self.tree, &read)? != self.header.tree_hash {
            return Ok(Some(Damage::Tree));
        }
        let mut offset = self.tree.end;
        for section in &self.header.sections {
            if hash_of(ByteRange::at(offset, section.length), &read)? != section.hash {
                return Ok(Some(Damage::Section { id: section.id }));
            }
            offset += section.length;
        }
        Ok(None)
    }

    /// The bytes that a signature signs: all up to the layers.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Length of the target in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.header.length
    }

    pub(crate) fn file_hash(&self) -> FileHash {
        FileHash(self.header.file_hash)
    }

    pub(crate) fn target_name(&self) -> Option<&TargetName> {
        self.target_name.as_ref()
    }

    /// How the payload is compressed, if it is.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }

    pub(crate) fn strong_len(&self) -> usize {
        self.header.strong_len.into()
    }

    pub(crate) fn odds(&self) -> u8 {
        self.header.odds
    }

    /// What makes the strong sums.
    pub(crate) fn hasher(&self) -> Xxh3 {
        Xxh3::truncated(self.strong_len(), self.header.salt).expect("checked when it was read")
    }

    /// From the coarsest to the finest.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Length of the index in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Reads the records of `blocks`, ranges of a layer's blocks that ascend and do not
    /// overlap. All of a layer at once are checked against its hash.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are damaged.
    pub(crate) fn records(&self, layer: usize, blocks: &[BlockRange]) -> Result<(Vec<u8>, Transfer), Error> {
        let of = &self.layers[layer];
        let (bytes, transfer) = self.unchecked_records(layer, blocks)?;
        if bytes.len() as u64 == of.all().len() && blake3::hash(&bytes).as_bytes() != &of.hash {
            let what = Damage::Layer { layer, block_size: of.layout.block_size() };
            return Err(Error::Index { location: format!("{:?}", self.parts), source: FormatError::Damaged { what } });
        }
        Ok((bytes, transfer))
    }

    /// The same without a check, be they all of a layer.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub(crate) fn unchecked_records(
        &self,
        layer: usize,
        blocks: &[BlockRange],
    ) -> Result<(Vec<u8>, Transfer), SourceError> {
        let ranges: Vec<ByteRange> = blocks.iter().map(|&blocks| self.layers[layer].bytes(blocks)).collect();
        self.parts.read(&ranges)
    }

    /// That the lengths in records make no frames.
    pub(crate) fn impossible_frames(&self) -> Error {
        let source = FormatError::Corrupt { what: "the compressed lengths make no frames" };
        Error::Index { location: format!("{:?}", self.parts), source }
    }

    /// The nodes of the target's tree, one for each [`SUBTREE`] bytes.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are damaged.
    pub(crate) fn tree(&self) -> Result<(Vec<[u8; 32]>, Transfer), Error> {
        let (bytes, transfer) = self.parts.read(&[self.tree])?;
        if blake3::hash(&bytes).as_bytes() != &self.header.tree_hash {
            let source = FormatError::Damaged { what: Damage::Tree };
            return Err(Error::Index { location: format!("{:?}", self.parts), source });
        }
        Ok((bytes.as_chunks().0.to_vec(), transfer))
    }
}

/// What a header says, where it is sound.
pub(super) struct Checked {
    pub(super) target_name: Option<TargetName>,
    pub(super) payload: Option<Payload>,
    /// How each layer cuts the target.
    pub(super) layouts: Vec<BlockLayout>,
}

/// Checks what a header says.
///
/// # Errors
///
/// When it is nothing that this version can read.
pub(super) fn check(header: &Header) -> Result<Checked, FormatError> {
    let name = |name: &str| if name.is_empty() { Ok(None) } else { TargetName::new(name).map(Some) };
    let target_name = name(&header.target_name)?;
    known("weak sums of kind", header.weak_kind.into(), WEAK_KIND.into())?;
    known("strong sums of kind", header.strong_kind.into(), STRONG_KIND.into())?;
    if !(1..=Xxh3::FULL_LEN).contains(&header.strong_len.into()) {
        return Err(FormatError::Corrupt { what: "the strong sums have an impossible length" });
    }
    if let Some(section) = header.sections.iter().find(|section| section.is_critical()) {
        return Err(FormatError::Unsupported { what: "section", value: section.id });
    }
    let payload = header.payload.as_ref().map(|payload| payload_of(header, payload)).transpose()?;
    check_sizes(&header.layers.iter().map(|layer| layer.block_size).collect::<Vec<_>>())?;
    let layouts = header.layers.iter().map(|layer| {
        let expected = payload.as_ref().map_or(0, |payload| payload.lengths_len(layer.block_size));
        if usize::from(layer.compressed_len) != expected {
            return Err(FormatError::Corrupt { what: "the compressed lengths do not fit the payload" });
        }
        Ok(BlockLayout::new(header.length, layer.block_size)?)
    });
    let layouts = layouts.collect::<Result<_, _>>()?;
    Ok(Checked { target_name, payload, layouts })
}

/// Equal when the headers are, which hold the hashes of all the rest.
impl PartialEq for Layered {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
    }
}

/// A part of an index that is not as the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The sums of a layer.
    Layer {
        /// Which, from 0, the coarsest.
        layer: usize,
        /// Its block size in bytes.
        block_size: u32,
    },
    /// The tree of hashes that tells which part of a target is wrong.
    Tree,
    /// A section that this version gives no meaning to.
    Section {
        /// Which.
        id: u32,
    },
}

impl std::fmt::Display for Damage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layer { layer, block_size } => write!(formatter, "layer {layer} (blocks of {block_size} bytes)"),
            Self::Tree => formatter.write_str("the tree of hashes"),
            Self::Section { id } => write!(formatter, "section {id}"),
        }
    }
}

/// A compressed payload.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) name: TargetName,
    pub(crate) layout: PayloadLayout,
    /// What all frames are decoded with.
    pub(crate) preamble: Vec<u8>,
    /// Length in bytes.
    pub(crate) len: u64,
}

impl Payload {
    /// Bytes of lengths in the record of a block of `size` bytes: that of all frames of the
    /// block, coarse ones only where it has some; and where it is one coarse frame, the
    /// length of that.
    pub(crate) fn lengths_len(&self, size: u32) -> usize {
        let coarse = self.layout.frame_size(FrameKind::Coarse) as u32;
        match size.cmp(&coarse) {
            std::cmp::Ordering::Greater => 4,
            std::cmp::Ordering::Equal => 6,
            std::cmp::Ordering::Less => fine_len(size),
        }
    }
}

/// Bytes of a length of at most `most`, of which 1 is taken off.
fn fine_len(most: u32) -> usize {
    match most - 1 {
        0..0x100 => 1,
        0x100..0x1_0000 => 2,
        _ => 3,
    }
}

fn payload_of(header: &Header, payload: &PayloadHeader) -> Result<Payload, FormatError> {
    known("payload of kind", payload.kind.into(), 1)?;
    let impossible = |_| FormatError::Corrupt { what: "the payload is cut into impossible frames" };
    let layout = PayloadLayout::new(header.length, payload.fine, payload.coarse)
        .and_then(|layout| layout.with_prefixes(payload.fine_prefix, payload.coarse_prefix))
        .and_then(|layout| layout.with_regions(payload.fine_region, payload.coarse_region))
        .map_err(impossible)?;
    let has_layer = |size: u32| header.layers.iter().any(|layer| layer.block_size == size);
    let finest = header.layers.last().map(|layer| layer.block_size);
    if !has_layer(payload.coarse) || finest != Some(payload.fine) {
        return Err(FormatError::Corrupt { what: "the frames of the payload are no blocks of a layer" });
    }
    if !(MIN_PREAMBLE..=MAX_PREAMBLE).contains(&payload.preamble.len()) {
        return Err(FormatError::Corrupt { what: "the preamble of the payload has an impossible length" });
    }
    let name = TargetName::new(payload.name.as_str())?;
    Ok(Payload { name, layout, preamble: payload.preamble.clone(), len: payload.length })
}

/// Checks the block sizes of layers, from the coarsest to the finest.
pub(crate) fn check_sizes(sizes: &[u32]) -> Result<(), FormatError> {
    let is_size = |size: &u32| size.is_power_of_two() && (MIN_BLOCK_SIZE..=MAX_BLOCK_SIZE).contains(size);
    if sizes.is_empty() || sizes.len() > MAX_LAYERS {
        return Err(FormatError::Corrupt { what: "there are no layers, or too many" });
    }
    if !sizes.iter().all(is_size) || !sizes.is_sorted_by(|coarse, fine| coarse > fine) {
        return Err(FormatError::Corrupt { what: "the block sizes of the layers are not descending powers of two" });
    }
    Ok(())
}

/// Bytes in a record of a layer.
pub(crate) fn record_len(header: &Header, layer: &LayerHeader) -> usize {
    WEAK_LEN + usize::from(header.strong_len) + usize::from(layer.compressed_len)
}

/// Bytes that are hashed at once.
const HASHED: u64 = 4 << 20;

fn hash_of<B: AsRef<[u8]>, E>(range: ByteRange, read: impl Fn(ByteRange) -> Result<B, E>) -> Result<[u8; 32], E> {
    let mut hasher = blake3::Hasher::new();
    let mut start = range.start;
    while start < range.end {
        let piece = ByteRange { start, end: range.end.min(start + HASHED) };
        hasher.update(read(piece)?.as_ref());
        start = piece.end;
    }
    Ok(*hasher.finalize().as_bytes())
}

fn known(what: &'static str, value: u32, expected: u32) -> Result<(), FormatError> {
    if value == expected { Ok(()) } else { Err(FormatError::Unsupported { what, value }) }
}
