//! Where the published file is, for streams that cannot be made here.

use gosync_blocksources::Location;
use gosync_layers::format::LayeredIndex;
use gosync_publish::beside_payload;

use crate::section::PackedInfo;

/// Where the packed file of `index`, which says `info` of it, is looked for: by its name, or by its
/// hash where the payload is called by its own, beside `places`, where the index and its payload are. There is none where nothing is needed of it,
/// because all its encoders are known here.
pub fn packed_locations<'l>(
    index: &LayeredIndex,
    info: &PackedInfo,
    places: impl IntoIterator<Item = &'l Location>,
) -> Vec<Location> {
    if info.recipe.unknown().next().is_none() {
        return Vec::new();
    }
    let by_hash = index.source_name().and_then(|payload| beside_payload(payload, info.file_hash));
    let Some(name) = by_hash.as_ref().or(index.target_name()) else { return Vec::new() };
    let mut locations: Vec<Location> = places.into_iter().map(|place| place.beside(name.as_str())).collect();
    locations.dedup();
    locations
}
