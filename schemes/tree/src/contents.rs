//! Where the contents of files are in the flat target.

use gosync_chunks::{ByteRange, FileHash};
use gosync_packed::Recipe;
use hashbrown::HashMap;

use crate::error::Error;
use crate::listing::Listing;
use crate::listing::entry::{Content, Kind};
use crate::packed::recipes::Recipes;

/// Contents of this many bytes begin at multiples of [`LARGE_UNIT`].
const LARGE: u64 = 1 << 20;

/// What file systems share whole, and more: so a large file can be had without copying.
pub(crate) const LARGE_UNIT: u64 = 64 << 10;

/// The contents of the distinct files of a listing, one after another, each at a block of the
/// finest layer.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    /// In their order.
    pub(crate) places: Vec<Place>,
    numbers: HashMap<Content, usize>,
    /// Length of the flat target in bytes.
    pub(crate) length: u64,
    unit: u64,
}

/// One content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) content: Content,
    /// Where it is in the flat target.
    pub(crate) offset: u64,
    /// How many bytes it has there: those of a packed file, opened.
    pub(crate) length: u64,
    /// Which of the packed files it is, if it is one that is opened.
    pub(crate) packed: Option<usize>,
    /// The number of the first entry that has it.
    pub(crate) entry: usize,
}

impl Place {
    /// Its bytes in the flat target.
    pub(crate) fn range(&self) -> ByteRange {
        ByteRange::at(self.offset, self.length)
    }

    /// The BLAKE3 of these.
    pub(crate) fn hash(&self, recipes: &Recipes) -> FileHash {
        self.packed.map_or(self.content.hash, |number| recipes.packed()[number].hash)
    }

    /// How it is closed, if it is opened.
    ///
    /// # Errors
    ///
    /// When that is no recipe, or one for another file.
    pub(crate) fn recipe(&self, recipes: &Recipes) -> Result<Option<Recipe>, Error> {
        self.packed.map(|number| recipes.recipe(number, self.content.length)).transpose()
    }
}

impl Contents {
    /// Of `listing`, behind the first `start` bytes, in blocks of `unit`, where those that have
    /// `recipes` are opened. `None` where they would be more than any target can have, or where there
    /// are recipes of others.
    pub(crate) fn of(listing: &Listing, start: u64, unit: u64, recipes: &Recipes) -> Option<Self> {
        let (mut places, mut numbers) = (Vec::new(), HashMap::new());
        let mut packed = recipes.packed().iter().enumerate().peekable();
        let mut end = start;
        for (entry, listed) in listing.entries.iter().enumerate() {
            let Kind::File(_, content) = listed.kind else { continue };
            if content.length == 0 || numbers.contains_key(&content) {
                continue;
            }
            let opened = packed.next_if(|(_, packed)| packed.content == places.len());
            let (packed, length) = opened.map_or((None, content.length), |(at, packed)| (Some(at), packed.length));
            let unit = if length >= LARGE { unit.max(LARGE_UNIT) } else { unit };
            let offset = end.checked_next_multiple_of(unit)?;
            numbers.insert(content, places.len());
            places.push(Place { content, offset, length, packed, entry });
            end = offset.checked_add(length)?;
        }
        if packed.next().is_some() {
            return None;
        }
        Some(Self { places, numbers, length: end, unit })
    }

    /// Which one `content` is; an empty one is none.
    pub(crate) fn number(&self, content: &Content) -> Option<usize> {
        self.numbers.get(content).copied()
    }

    /// The blocks that `place` takes, whole.
    pub(crate) fn blocks(&self, place: &Place) -> ByteRange {
        let end = place.range().end.next_multiple_of(self.unit);
        ByteRange { start: place.offset, end: end.min(self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::entry::{Attributes, Entry, Time};

    #[test]
    fn distinct_contents_begin_at_blocks() {
        let file = |path: &[u8], length, hash| {
            let attributes = Attributes { mode: 0o644, modified: Time::default() };
            let content = Content { length, hash: FileHash([hash; 32]) };
            Entry { path: path.to_vec(), kind: Kind::File(attributes, content) }
        };
        let entries =
            vec![file(b"a", 100, 1), file(b"b", 0, 0), file(b"c", 512, 2), file(b"d", 100, 1), file(b"e", 3, 3)];
        let contents = Contents::of(&Listing { entries, ..Listing::default() }, 700, 512, &Recipes::default()).unwrap();
        let places: Vec<_> = contents.places.iter().map(|place| (place.offset, place.entry)).collect();
        assert_eq!((places, contents.length), (vec![(1024, 0), (1536, 2), (2048, 4)], 2051));
        let blocks: Vec<_> = contents.places.iter().map(|place| contents.blocks(place).end).collect();
        assert_eq!(blocks, [1536, 2048, 2051]);
        let large = vec![file(b"a", 1, 1), file(b"b", LARGE - 1, 2), file(b"c", LARGE, 3), file(b"d", 1, 4)];
        let contents =
            Contents::of(&Listing { entries: large, ..Listing::default() }, 700, 512, &Recipes::default()).unwrap();
        let offsets: Vec<_> = contents.places.iter().map(|place| place.offset).collect();
        assert_eq!(offsets, [1024, 1536, LARGE + LARGE_UNIT, 2 * LARGE + LARGE_UNIT]);
        let huge = vec![file(b"a", 1 << 62, 1), file(b"b", 1 << 62, 2), file(b"c", 1 << 62, 3), file(b"d", 1 << 62, 4)];
        assert!(
            Contents::of(&Listing { entries: huge, ..Listing::default() }, 700, 512, &Recipes::default()).is_none()
        );
    }
}
