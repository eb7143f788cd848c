//! Where the published file is, for streams that cannot be made here.

use gosync_blocksources::Location;
use gosync_layers::format::LayeredIndex;

use crate::section::PackedInfo;

/// Where the packed file of `index`, which says `info` of it, is looked for: by its name beside
/// `places`, where the index and its payload are. There is none where nothing is needed of it,
/// because all its encoders are known here.
pub fn packed_locations<'l>(
    index: &LayeredIndex,
    info: &PackedInfo,
    places: impl IntoIterator<Item = &'l Location>,
) -> Vec<Location> {
    let (Some(name), Some(_)) = (index.target_name(), info.recipe.unknown().next()) else { return Vec::new() };
    let mut locations: Vec<Location> = places.into_iter().map(|place| place.beside(name.as_str())).collect();
    locations.dedup();
    locations
}
