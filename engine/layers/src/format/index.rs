//! Our own format, version 2, as FORMAT.md specifies it: layers of block sums.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use gosync_chunks::frames::{FrameKind, MAX_PREAMBLE, MIN_PREAMBLE, PayloadLayout};
use gosync_chunks::{
    BlockId, BlockLayout, BlockRange, Brief, ByteRange, FileHash, MAX_BLOCK_SIZE, Source, SourceError, TargetName,
    Transfer,
};
use gosync_sums::{SUBTREE, Xxh3};

use super::body::Body;
use super::bytes::IndexBytes;
use super::damage::Damage;
use super::error::FormatError;
use super::head;
use super::header::{Header, LayerHeader, PayloadHeader};
use super::input::{Extent, Input, read_up_to};
use super::options::ReadOptions;
use super::section::{SectionId, Sections};
use crate::error::Error;

/// Bytes of a weak sum in a record.
pub const WEAK_LEN: usize = 4;

/// The smallest block of a layer, in bytes.
pub const MIN_BLOCK_SIZE: u32 = 64;

/// The most layers that an index can have.
pub const MAX_LAYERS: usize = 16;

pub(super) const WEAK_KIND: u8 = 2;
pub(super) const STRONG_KIND: u8 = 2;
pub(super) const NODE_LEN: u64 = 32;

/// An index in our own format: what its header says, and a way to the rest, which need not be
/// here.
#[derive(Clone)]
pub struct LayeredIndex {
    head: Arc<Vec<u8>>,
    header: Header,
    target_name: Option<TargetName>,
    payload: Option<Payload>,
    layers: Vec<Layer>,
    tree: ByteRange,
    len: u64,
    bytes: IndexBytes,
}

impl fmt::Debug for LayeredIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target_name, payload, layers, len, .. } = self;
        let mut shown = formatter.debug_struct("LayeredIndex");
        shown.field("target_name", target_name).field("length", &self.length()).field("payload", payload);
        let sizes: Vec<u32> = layers.iter().map(|layer| layer.layout.block_size()).collect();
        shown.field("block_sizes", &sizes).field("len", len).finish_non_exhaustive()
    }
}

/// A layer, and where its records are.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// How it cuts the target.
    pub layout: BlockLayout,
    /// Bytes in a record: weak sum, strong sum, compressed length.
    pub record_len: usize,
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

impl LayeredIndex {
    /// Reads an index to the end of the input, and checks all its hashes.
    ///
    /// Memory follows the bytes that were read, not those that are declared, and comes
    /// to no more than the index has. The reader is asked for large pieces and needs no
    /// buffer of its own.
    ///
    /// # Errors
    ///
    /// When reading fails, or the bytes are not one whole index: see [`FormatError`].
    pub fn read(mut reader: impl Read, options: &ReadOptions) -> Result<Self, FormatError> {
        let mut start = [0; head::PREFIX_LEN];
        let len = read_up_to(&mut reader, &mut start)?;
        if !Self::begins(&start[..len])? {
            return Err(FormatError::NotAnIndex);
        }
        let mut input = Input::new(start[..len].chain(reader));
        let prefix: [u8; head::PREFIX_LEN] = input.array()?;
        let mut bytes = prefix.to_vec();
        input.bytes((head::len(&prefix)? - prefix.len()) as u64, &mut bytes)?;
        let index = Self::new(bytes.clone(), IndexBytes::Here(Arc::default()), options)?;
        input.bytes(index.len - bytes.len() as u64, &mut bytes)?;
        input.end()?;
        index.with_bytes(bytes)
    }

    /// How long an index is that begins with `start`, or how much of it tells that.
    ///
    /// # Errors
    ///
    /// When it is the beginning of no index that this reader takes.
    pub fn extent(start: &[u8], options: &ReadOptions) -> Result<Extent, FormatError> {
        let Some(prefix) = start.first_chunk() else { return Ok(Extent::Head(head::PREFIX_LEN as u64)) };
        // A long name and sections of later versions can make it longer than what is here.
        let len = head::len(prefix)?;
        let Some(head) = start.get(..len) else { return Ok(Extent::Head(len as u64)) };
        let index = Self::new(head.to_vec(), IndexBytes::Here(Arc::default()), options)?;
        Ok(Extent::Whole(index.len))
    }

    /// The index that begins with `start` and is as a whole behind `source`, which is asked
    /// for the rest part by part when that is needed. What it is called in messages is `location`.
    ///
    /// # Errors
    ///
    /// When `start` is the beginning of no index, or too short to tell.
    pub fn open(
        source: Arc<dyn Source>,
        location: &str,
        start: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<Self, FormatError> {
        let truncated = || FormatError::Truncated { len: start.len() as u64 };
        let prefix = start.first_chunk().ok_or_else(truncated)?;
        let head = start.get(..head::len(prefix)?).ok_or_else(truncated)?.to_vec();
        Self::new(head, IndexBytes::there(source, location, start), options)
    }

    /// Whether an index of ours begins with `start`, of which eight bytes will do.
    ///
    /// # Errors
    ///
    /// When it is one that was taken for text on its way, and is damaged.
    pub fn begins(start: &[u8]) -> Result<bool, FormatError> {
        let (magic, line_feed) = head::MAGIC.split_at(head::MAGIC.len() - 1);
        let is_translated =
            start.strip_prefix(magic).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(line_feed));
        if is_translated {
            return Err(FormatError::Corrupt { what: "its line ends were translated, as if it were text" });
        }
        Ok(start.starts_with(&head::MAGIC))
    }

    /// An index that is whole in memory.
    pub(super) fn assemble(header: &Header, body: Body) -> Result<Self, FormatError> {
        let head = head::encode(header);
        let bytes = Arc::new(body.behind(&head));
        Self::with_head(head, IndexBytes::Here(bytes), |_| true)
    }

    /// The index with this head, whose other parts are in `bytes`.
    pub(super) fn new(head: Vec<u8>, bytes: IndexBytes, options: &ReadOptions) -> Result<Self, FormatError> {
        let index = Self::with_head(head, bytes, |section| options.sections.contains(&section))?;
        options.check_len(index.len)?;
        Ok(index)
    }

    fn with_head(
        head: Vec<u8>,
        bytes: IndexBytes,
        understands: impl Fn(SectionId) -> bool,
    ) -> Result<Self, FormatError> {
        let header = head::decode(&head)?;
        let Checked { target_name, payload, layouts } = check(&header)?;
        Sections::new(&header.sections).check(understands)?;
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
        Ok(Self { head: Arc::new(head), header, target_name, payload, layers, tree, len, bytes })
    }

    /// The same index whole in memory: `bytes` are all of it. Checks the hashes.
    fn with_bytes(mut self, bytes: Vec<u8>) -> Result<Self, FormatError> {
        debug_assert_eq!(bytes.len() as u64, self.len);
        match self.damage_in(|range| Ok::<_, FormatError>(&bytes[range.start as usize..range.end as usize]))? {
            Some(what) => Err(FormatError::Damaged { what }),
            None => {
                self.bytes = IndexBytes::Here(Arc::new(bytes));
                Ok(self)
            }
        }
    }

    /// Writes the index. What was read comes out as it was, byte for byte.
    ///
    /// The writer is given large pieces and needs no buffer of its own. It is not
    /// flushed.
    ///
    /// # Errors
    ///
    /// When the writer fails, or parts that are not here cannot be read.
    pub fn write(&self, mut writer: impl Write) -> io::Result<()> {
        for start in (0..self.len).step_by(COPIED as usize) {
            let piece = ByteRange { start, end: self.len.min(start + COPIED) };
            let (bytes, _) = self.bytes.read(&[piece]).map_err(io::Error::other)?;
            writer.write_all(&bytes)?;
        }
        Ok(())
    }

    /// What part of the index does not have the hash that the header gives, if any does.
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn damage(&self) -> Result<Option<Damage>, Error> {
        Ok(self.damage_in(|range| self.bytes.read(&[range]).map(|(bytes, _)| bytes))?)
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
        for (section, range) in self.sections().placed(self.tree.end) {
            if hash_of(range, &read)? != section.hash {
                return Ok(Some(Damage::Section { id: section.id }));
            }
        }
        Ok(None)
    }

    /// The bytes that are signed: all up to the layers, with the hashes of all the rest.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Length of the target in bytes.
    pub fn length(&self) -> u64 {
        self.header.length
    }

    /// The hash of the whole target.
    pub fn file_hash(&self) -> FileHash {
        FileHash(self.header.file_hash)
    }

    /// The target's file name, if the index gives one.
    pub fn target_name(&self) -> Option<&TargetName> {
        self.target_name.as_ref()
    }

    /// How the payload is compressed, if it is.
    pub fn payload(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }

    /// Bytes in a strong sum.
    pub fn strong_len(&self) -> usize {
        self.header.strong_len.into()
    }

    /// The binary logarithm of the odds against a wrong match anywhere, where seeds are no
    /// longer than twice the target.
    pub fn odds(&self) -> u8 {
        self.header.odds
    }

    /// What makes the strong sums.
    pub fn hasher(&self) -> Xxh3 {
        Xxh3::truncated(self.strong_len(), self.header.salt).expect("checked when it was read")
    }

    /// Whether all of it is in memory.
    pub fn is_here(&self) -> bool {
        matches!(self.bytes, IndexBytes::Here(_))
    }

    /// From the coarsest to the finest.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Length of the index in bytes.
    pub fn encoded_len(&self) -> u64 {
        self.len
    }

    /// Length in bytes of what a client fetches parts of: the target, or its compressed payload.
    pub fn source_length(&self) -> u64 {
        self.payload.as_ref().map_or(self.header.length, |payload| payload.len)
    }

    /// The file name of what a client fetches parts of, if the index gives one.
    pub fn source_name(&self) -> Option<&TargetName> {
        self.payload.as_ref().map(|payload| &payload.name).or(self.target_name.as_ref())
    }

    /// What follows the layers and the tree.
    pub fn sections(&self) -> Sections<'_> {
        Sections::new(&self.header.sections)
    }

    /// Where the sections begin in the index, one after another to its end.
    pub fn sections_at(&self) -> u64 {
        self.tree.end
    }

    /// Reads the section `id` and checks its hash; `None` where the index has none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is damaged.
    pub fn section(&self, id: SectionId) -> Result<Option<(Vec<u8>, Transfer)>, Error> {
        self.read_section(id, |range| self.bytes.read(&[range]))
    }

    fn read_section(
        &self,
        id: SectionId,
        read: impl Fn(ByteRange) -> Result<(Vec<u8>, Transfer), SourceError>,
    ) -> Result<Option<(Vec<u8>, Transfer)>, Error> {
        let mut placed = self.sections().placed(self.tree.end);
        let Some((section, range)) = placed.find(|(section, _)| section.id == id.0) else { return Ok(None) };
        let (bytes, transfer) = read(range)?;
        if *blake3::hash(&bytes).as_bytes() != section.hash {
            return Err(self.damaged(Damage::Section { id: id.0 }));
        }
        Ok(Some((bytes, transfer)))
    }

    /// The BLAKE3 that the section `id` has; `None` where the index has no such section.
    pub fn section_hash(&self, id: SectionId) -> Option<[u8; 32]> {
        self.header.sections.iter().find(|section| section.id == id.0).map(|section| section.hash)
    }

    /// The same as [`section`](Self::section). Some of the records that an update needs first come
    /// with it, where they cost no round trip more.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn section_and_more(&self, id: SectionId) -> Result<Option<(Vec<u8>, Transfer)>, Error> {
        self.read_section(id, |range| {
            let top = self.layers.first().map_or(0, |layer| layer.all().end);
            self.bytes.read_with_start(top.min(self.head.len() as u64 + AHEAD), range)
        })
    }

    /// Reads the records of `blocks`, ranges of a layer's blocks that ascend and do not
    /// overlap. All of a layer at once are checked against its hash.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are damaged.
    pub fn records(&self, layer: usize, blocks: &[BlockRange]) -> Result<(Vec<u8>, Transfer), Error> {
        let of = &self.layers[layer];
        let (bytes, transfer) = self.unchecked_records(layer, blocks)?;
        if bytes.len() as u64 == of.all().len() && blake3::hash(&bytes).as_bytes() != &of.hash {
            return Err(self.damaged(Damage::Layer { layer, block_size: of.layout.block_size() }));
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
        self.bytes.read(&ranges)
    }

    /// That the lengths in records make no frames.
    pub(crate) fn impossible_frames(&self) -> Error {
        self.unusable(FormatError::Corrupt { what: "the compressed lengths make no frames" })
    }

    fn damaged(&self, what: Damage) -> Error {
        self.unusable(FormatError::Damaged { what })
    }

    fn unusable(&self, source: FormatError) -> Error {
        Error::Index { location: self.bytes.to_string(), source }
    }

    /// The nodes of the target's tree, one for each [`SUBTREE`] bytes.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are damaged.
    pub fn tree(&self) -> Result<(Vec<[u8; 32]>, Transfer), Error> {
        let (bytes, transfer) = self.bytes.read(&[self.tree])?;
        if blake3::hash(&bytes).as_bytes() != &self.header.tree_hash {
            return Err(self.damaged(Damage::Tree));
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
impl PartialEq for LayeredIndex {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
    }
}

/// A compressed payload.
#[derive(Clone)]
pub struct Payload {
    /// Its file name.
    pub name: TargetName,
    /// How the target is cut into its frames.
    pub layout: PayloadLayout,
    /// What all frames are decoded with.
    pub preamble: Vec<u8>,
    /// Length in bytes.
    pub len: u64,
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, layout, preamble, len } = self;
        let mut shown = formatter.debug_struct("Payload");
        shown.field("name", name).field("layout", layout).field("preamble", &Brief(preamble)).field("len", len).finish()
    }
}

impl Payload {
    /// Bytes of lengths in the record of a block of `size` bytes: that of all frames of the
    /// block, coarse ones only where it has some; and where it is one coarse frame, the
    /// length of that.
    pub fn lengths_len(&self, size: u32) -> usize {
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

/// Checks the block sizes of layers in bytes, from the coarsest to the finest.
///
/// # Errors
///
/// When they are not descending powers of two from [`MIN_BLOCK_SIZE`] to [`MAX_BLOCK_SIZE`], or more
/// than [`MAX_LAYERS`].
pub fn check_sizes(sizes: &[u32]) -> Result<(), FormatError> {
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

/// Bytes of the coarsest layer that are read with a section, at most: what a new connection of TCP
/// sends at once.
const AHEAD: u64 = 12 << 10;

/// Bytes of an index that are copied at once.
const COPIED: u64 = 4 << 20;

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
