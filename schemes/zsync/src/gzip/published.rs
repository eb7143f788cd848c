//! A target that is published as it is, compressed, or both.

use gosync_blocksources::Mirrors;
use gosync_chunks::{ByteRange, ReadAt, Source, SourceError};

use super::BlockMap;
use super::pieces::Pieces;
use super::whole::Whole;
use crate::Control;

/// The places where a target can be fetched from: those that have it as it is, and those
/// that have it in a gzip file.
///
/// Of a gzip file with a map those pieces are fetched that have what is missing, or all of
/// it: whatever takes the fewest bytes, the plain target included. The rest of the places
/// are there for when one fails, or has something else than the target.
pub struct Published<'a> {
    plain: Option<Box<dyn Source + 'a>>,
    compressed: Vec<(String, Box<dyn Source + 'a>)>,
}

/// One way to get at what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    Pieces,
    Whole,
}

impl<'a> Published<'a> {
    /// A target that is at `source` as it is.
    pub fn plain(source: impl Source + 'a) -> Self {
        Self { plain: Some(Box::new(source)), compressed: Vec::new() }
    }

    /// A target in gzip files, each with its path or URL, which are all the same.
    pub fn compressed(files: Vec<(String, Box<dyn Source + 'a>)>) -> Self {
        Self { plain: None, compressed: files }
    }

    /// The same target, as it is at `source` too.
    pub fn or_plain(self, source: impl Source + 'a) -> Self {
        Self { plain: Some(Box::new(source)), ..self }
    }

    /// Length of the target in bytes, if whoever has it as it is can tell.
    ///
    /// # Errors
    ///
    /// As of [`Source::size`].
    pub fn size(&self) -> Result<Option<u64>, SourceError> {
        self.plain.as_ref().map_or(Ok(None), |plain| plain.size())
    }

    /// Whether the target is best made in a file, even when it is wanted as a stream.
    pub(crate) fn wants_rebuilt(&self, control: &Control) -> bool {
        !self.compressed.is_empty() && usable_map(control).is_some()
    }

    /// One source of the target of `control`, which tries the way first by which `wanted`
    /// takes the fewest bytes. Pieces of gzip files are decoded with what is `rebuilt`.
    pub(crate) fn source<'b>(
        &'b self,
        control: &'b Control,
        wanted: &[ByteRange],
        rebuilt: Option<&'b dyn ReadAt>,
    ) -> Mirrors<'b> {
        let length = control.signature.layout().length();
        let map = usable_map(control).filter(|_| rebuilt.is_some());
        let mut places: Vec<(String, Box<dyn Source + 'b>)> = Vec::new();
        for way in ways(map, wanted, length, self.plain.is_some(), || self.compressed_size()) {
            match (way, &self.plain, map.zip(rebuilt)) {
                (Way::Plain, Some(plain), _) => places.push(("the uncompressed target".into(), Box::new(&**plain))),
                (Way::Pieces, _, Some((map, rebuilt))) => {
                    places.extend(self.compressed.iter().map(|(location, source)| {
                        let pieces: Box<dyn Source> = Box::new(Pieces { location, source, map, rebuilt });
                        (format!("pieces of {location}"), pieces)
                    }));
                }
                (Way::Whole, ..) => places.extend(self.compressed.iter().map(|(location, source)| {
                    let whole: Box<dyn Source> = Box::new(Whole::new(location, source, length));
                    (location.clone(), whole)
                })),
                _ => {}
            }
        }
        Mirrors::new(places, None)
    }

    fn compressed_size(&self) -> Option<u64> {
        self.compressed.first().and_then(|(_, source)| source.size().ok().flatten())
    }
}

/// The map of the gzip file, if it is one of all of the target.
pub(crate) fn usable_map(control: &Control) -> Option<&BlockMap> {
    control.block_map.as_ref().filter(|map| map.is_whole(control.signature.layout().length()))
}

/// The ways to `wanted` of a target of `length` bytes that has a gzip file with or without
/// a map, that which takes the fewest bytes first.
pub(crate) fn ways(
    map: Option<&BlockMap>,
    wanted: &[ByteRange],
    length: u64,
    has_plain: bool,
    size: impl FnOnce() -> Option<u64>,
) -> Vec<Way> {
    let plain: u64 = wanted.iter().map(|range| range.len()).sum();
    let pieces = map.map(|map| (map.compressed(&map.runs(wanted)).bytes(), map.file_len()));
    let whole = match pieces {
        Some((_, whole)) => Some(whole),
        // Not to be asked for where it can hardly be worth it.
        None if has_plain && plain >= length / 8 => size(),
        None => None,
    };
    let mut ways = vec![(plain, Way::Plain), (whole.unwrap_or(u64::MAX), Way::Whole)];
    ways.extend(pieces.map(|(bytes, _)| (bytes, Way::Pieces)));
    // Where there are all of the pieces, they are the whole, without the need to wait for it.
    ways.sort_by_key(|&(bytes, way)| (bytes, way == Way::Whole));
    ways.into_iter().map(|(_, way)| way).collect()
}
