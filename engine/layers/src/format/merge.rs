//! Putting parts of an index together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, Source, SourceError, Transfer};
use gosync_sums::FileHasher;

use super::bytes::IndexBytes;
use super::head;
use super::header::{Header, PayloadHeader};
use super::index::LayeredIndex;
use super::options::ReadOptions;
use super::part::{IndexPart, PartError, read_pieces};

/// Why parts make no index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is none.
    #[error("there are no parts to merge")]
    NoParts,
    /// A part does not make one with the others.
    #[error("cannot merge {}", path.display())]
    Part {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PartError,
    },
}

/// A part, and what it is called.
pub type NamedPart = (PathBuf, IndexPart);

/// The index that `parts` make, which are put into the target's order. All of them is read
/// and compared with its hashes; the index is read from them once more when it is written.
///
/// # Errors
///
/// When they do not make one.
pub fn merge(parts: &mut [NamedPart]) -> Result<LayeredIndex, MergeError> {
    parts.sort_by_key(|(_, part)| (part.header.start, part.header.end));
    let (first_path, first) = parts.first().ok_or(MergeError::NoParts)?;
    for (path, part) in parts.iter() {
        if let Some(what) = difference(&first.header.index, &part.header.index) {
            return Err(error(path, PartError::Different { what, other: first_path.clone() }));
        }
    }
    check_cover(parts)?;

    let mut header = first.header.index.clone();
    let mut tree = Vec::new();
    for column in 0..=header.layers.len() {
        let mut hasher = blake3::Hasher::new();
        for (path, part) in parts.iter() {
            let read = part.pieces(column, |piece| {
                hasher.update_rayon(piece);
                if column == header.layers.len() {
                    tree.extend_from_slice(piece);
                }
                Ok(())
            });
            read.map_err(|source| error(path, source.into()))?;
        }
        *header.layers.get_mut(column).map_or(&mut header.tree_hash, |layer| &mut layer.hash) =
            hasher.finalize().into();
    }
    header.file_hash = FileHasher::new(header.length).finish(tree.as_chunks().0).0;
    if let Some(payload) = &mut header.payload {
        let lengths = parts.iter().filter_map(|(_, part)| part.payload_length());
        payload.length = lengths.fold(0, u64::saturating_add);
    }
    let head = head::encode(&header);
    let source = Arc::new(Joined::new(parts, head.len() as u64));
    let place = IndexBytes::there(source, "the parts", head.clone());
    let options = ReadOptions { max_bytes: u64::MAX, ..ReadOptions::default() };
    let index = LayeredIndex::new(head, place, &options);
    index.map_err(|source| error(first_path, source.into()))
}

fn error(path: &Path, source: PartError) -> MergeError {
    MergeError::Part { path: path.to_owned(), source }
}

/// What two parts of one index have in common, and these do not.
fn difference(one: &Header, other: &Header) -> Option<&'static str> {
    let sizes = |header: &Header| header.layers.iter().map(|layer| layer.block_size).collect::<Vec<_>>();
    let sums = |header: &Header| (header.weak_kind, header.strong_kind, header.strong_len, header.odds);
    let payload = |header: &Header| header.payload.clone().map(|payload| PayloadHeader { length: 0, ..payload });
    let differences = [
        (one.target_name != other.target_name, "the target's name"),
        (one.length != other.length, "the target's length"),
        (sizes(one) != sizes(other), "the size of blocks"),
        (one.salt != other.salt, "the target's beginning"),
        (sums(one) != sums(other), "the kind of sums"),
        (payload(one) != payload(other), "the compression"),
    ];
    differences.into_iter().find_map(|(differs, what)| differs.then_some(what))
}

/// That the parts, in the target's order, have every byte of it once.
fn check_cover(parts: &[NamedPart]) -> Result<(), MergeError> {
    let mut covered = 0;
    let mut last = None;
    for (path, part) in parts.iter().filter(|(_, part)| !part.range().is_empty()) {
        let range = part.range();
        match last {
            Some(other) if range.start < covered => return Err(error(path, PartError::Overlap { other })),
            _ if range.start > covered => {
                return Err(error(path, PartError::Missing { range: ByteRange { start: covered, end: range.start } }));
            }
            _ => (covered, last) = (range.end, Some(path.clone())),
        }
    }
    match parts.last() {
        Some((path, part)) if covered < part.target_length() => {
            let range = ByteRange { start: covered, end: part.target_length() };
            Err(error(&last.unwrap_or_else(|| path.clone()), PartError::Missing { range }))
        }
        _ => Ok(()),
    }
}

/// An index whose bytes, from the end of its head on, are in parts.
struct Joined {
    /// What bytes of the index are where, ascending.
    pieces: Vec<(ByteRange, Arc<dyn ReadAt>, u64)>,
    len: u64,
}

impl Joined {
    fn new(parts: &[NamedPart], mut len: u64) -> Self {
        let columns = parts.first().map_or(0, |(_, part)| part.columns.len());
        let mut pieces = Vec::new();
        for column in 0..columns {
            for (_, part) in parts.iter().filter(|(_, part)| !part.range().is_empty()) {
                let place = part.columns[column];
                pieces.push((ByteRange::at(len, place.len()), part.data.clone(), place.start));
                len += place.len();
            }
        }
        Self { pieces, len }
    }
}

impl Source for Joined {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.len))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut transfer = Transfer::default();
        for range in ranges {
            let first = self.pieces.partition_point(|(piece, ..)| piece.end <= range.start);
            for (piece, data, offset) in self.pieces[first..].iter().take_while(|(piece, ..)| piece.start < range.end) {
                let (mut at, end) = (range.start.max(piece.start), range.end.min(piece.end));
                transfer.bytes += end - at;
                let wanted = ByteRange { start: at - piece.start + offset, end: end - piece.start + offset };
                let mut refused = None;
                let read = read_pieces(&**data, wanted, |bytes| {
                    refused = sink.deliver(at, bytes).err();
                    at += bytes.len() as u64;
                    if refused.is_some() { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
                });
                if let Some(refused) = refused {
                    return Err(SourceError::Sink(refused));
                }
                read.map_err(|source| SourceError::Read { location: "the parts".into(), source })?;
            }
        }
        Ok(transfer)
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 1 }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}
