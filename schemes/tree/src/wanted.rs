//! What has to be fetched, and where all else is.

use std::sync::{Arc, Mutex};

use gosync_chunks::ByteRange;
use gosync_layers::format::LayeredIndex;
use gosync_packed::Recipe;
use hashbrown::HashMap;

use crate::changes::{Changes, Made};
use crate::error::Error;
use crate::flat::{Flat, Opens, Piece};
use crate::listing::entry::{Content, Kind};
use crate::listing::path::shown;
use crate::packed::reopened::{Reopened, Spools};
use crate::published::Opened;
use crate::scan::Scan;
use crate::target::{Known, Pieces};

/// What is wanted of the flat target, and where the rest is.
pub(crate) struct Wanted {
    /// The numbers of contents.
    pub(crate) needed: Vec<usize>,
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
            hash: place.hash(&opened.recipes),
            path: Some(shown(&listing.entries()[place.entry].path)),
        });
        let known = known.collect();
        let spools = Arc::new(Spools::default());
        let pieces = contents.places.iter().filter_map(|place| {
            let (tree, entry) = holders.find(&place.content)?;
            let tree: Arc<dyn Opens> = trees[tree].clone();
            let tree = match place.packed {
                None => tree,
                Some(_) => {
                    let (recipes, spools) = (opened.recipes.clone(), spools.clone());
                    Arc::new(Reopened { tree, recipes, place: *place, spools, opened: Mutex::default() })
                }
            };
            Some(Piece { range: place.range(), tree, entry })
        });
        Self { needed, ranges, known, elsewhere: Flat::new(contents.length, bytes.clone(), pieces.collect()) }
    }

    /// The recipes of the packed files that are to be made of what is fetched.
    pub(crate) fn recipes(&self, opened: &Opened) -> Result<Vec<Recipe>, Error> {
        let recipes = self.needed.iter().map(|&number| opened.contents.places[number].recipe(&opened.recipes));
        recipes.filter_map(Result::transpose).collect()
    }

    pub(crate) fn target<'a>(&'a self, index: &'a LayeredIndex) -> Pieces<'a> {
        Pieces::new(index, &self.ranges, &self.known, &self.elsewhere)
    }
}
