//! What has to be fetched, and where all else is.

use std::sync::Arc;

use gosync_chunks::ByteRange;
use gosync_layers::format::LayeredIndex;
use hashbrown::HashMap;

use crate::changes::{Changes, Made};
use crate::flat::{Flat, Piece};
use crate::listing::entry::{Content, Kind};
use crate::listing::path::shown;
use crate::published::Opened;
use crate::scan::Scan;
use crate::target::{Known, Pieces};

/// What is wanted of the flat target, and where the rest is.
pub(crate) struct Wanted {
    pub(crate) ranges: Vec<ByteRange>,
    pub(crate) known: Vec<Known>,
    elsewhere: Flat,
}

/// Which files have which contents.
pub(crate) struct Holders(HashMap<Content, (usize, usize)>);

impl Holders {
    pub(crate) fn of(trees: &[Arc<Scan>]) -> Self {
        let mut holders = HashMap::new();
        for (number, tree) in trees.iter().enumerate() {
            for (at, entry) in tree.listing.entries().iter().enumerate() {
                if let Kind::File(_, content) = entry.kind {
                    holders.entry(content).or_insert((number, at));
                }
            }
        }
        Self(holders)
    }

    pub(crate) fn find(&self, content: &Content) -> Option<(usize, usize)> {
        self.0.get(content).copied()
    }
}

impl Wanted {
    /// What `changes` need and none of `trees` has.
    pub(crate) fn of(changes: &Changes, opened: &Opened, trees: &[Arc<Scan>]) -> Self {
        let holders = Holders::of(trees);
        let Opened { listing, bytes, contents, .. } = opened;
        let needed = changes.made.iter().filter_map(|made| match made {
            Made::File(_, content) if holders.find(content).is_none() => contents.number(content),
            _ => None,
        });
        let mut needed: Vec<usize> = needed.collect();
        needed.sort_unstable();
        needed.dedup();
        let places = needed.iter().map(|&number| &contents.places[number]);
        // Each by itself: a block that reaches over two files is in no seed, and nobody looks for it.
        let ranges = places.clone().map(|place| contents.blocks(place)).collect();
        let known = places.map(|place| Known {
            range: place.range(),
            hash: place.content.hash,
            path: Some(shown(&listing.entries()[place.entry].path)),
        });
        let known = known.collect();
        let pieces = contents.places.iter().filter_map(|place| {
            let (tree, entry) = holders.find(&place.content)?;
            Some(Piece { range: place.range(), tree: trees[tree].clone(), entry })
        });
        Self { ranges, known, elsewhere: Flat::new(contents.length, bytes.clone(), pieces.collect()) }
    }

    pub(crate) fn target<'a>(&'a self, index: &'a LayeredIndex) -> Pieces<'a> {
        Pieces::new(index, &self.ranges, &self.known, &self.elsewhere)
    }
}
