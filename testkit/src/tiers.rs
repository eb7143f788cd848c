//! Which tiers of instructions tests work with.

use gosync_rollsum::Tier;

/// The tier that `GOSYNC_TIER` names, if it is set.
///
/// # Panics
///
/// When there is no such tier, or this machine does not run it.
pub fn forced() -> Option<Tier> {
    let name = std::env::var("GOSYNC_TIER").ok()?;
    let tier: Tier = name.parse().unwrap_or_else(|error| panic!("GOSYNC_TIER: {error}"));
    assert!(tier.is_available(), "GOSYNC_TIER: this machine does not run {tier}");
    Some(tier)
}

/// All tiers that this machine runs, or only the [forced] one.
pub fn tested() -> Vec<Tier> {
    forced().map_or_else(|| Tier::available().collect(), |tier| vec![tier])
}
