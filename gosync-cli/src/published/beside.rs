//! What an update may fetch from beside its source.

use gosync::OpenedIndex;
use gosync::sources::{Location, Source, SourceOptions, open_sources};
use gosync_unpack::{PackedInfo, packed_locations};
use gosync_zsync::Places;

/// Where more of a target may be than in the source that its index names.
#[derive(Default)]
pub(crate) struct Beside {
    /// The places that a control file names, where nobody says otherwise.
    pub(crate) places: Option<Places>,
    /// A packed file itself, where streams of it cannot be made here.
    pub(crate) packed: Option<Box<dyn Source>>,
}

impl Beside {
    /// Looks for the packed file of the index `opened`, which says `info` of it: beside the index, and
    /// beside `sources`.
    pub(super) fn packed(
        opened: &OpenedIndex,
        info: &PackedInfo,
        sources: &[Location],
        options: &SourceOptions,
    ) -> Self {
        let all = [&opened.location, &opened.found_at].into_iter().chain(sources);
        let places = opened.index.layered().map(|index| packed_locations(index, info, all)).unwrap_or_default();
        let length = Some(info.recipe.packed_len());
        // What is not there is told of when it is needed.
        let packed = (!places.is_empty()).then(|| open_sources(&places, length, options).ok()).flatten();
        Self { places: None, packed }
    }
}
