//! Forcing the instructions that the work is done with.

use gosync_rollsum::Tier;

/// Why a tier cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TierError {
    /// There is no tier of that name.
    #[error("there is no tier {name:?}")]
    Unknown {
        /// What was given.
        name: String,
    },
    /// This machine does not have the instructions.
    #[error("this machine does not run the tier {name}")]
    Unavailable {
        /// The tier.
        name: String,
    },
    /// Something was computed already, with the tier that was found to be best.
    #[error("the tier {in_use} is in use already")]
    InUse {
        /// The tier in use.
        in_use: String,
    },
}

/// Makes this process sum and scan with the instructions of the tier called `name`:
/// `portable`, `neon`, `sse4.2`, `avx2` or `avx512`. For tests and measurements: the
/// results are the same on all tiers, and the best is chosen where nobody asks.
///
/// # Errors
///
/// When there is no such tier, this machine does not run it, or another is in use.
pub fn use_tier(name: &str) -> Result<(), TierError> {
    let tier: Tier = name.parse().map_err(|_| TierError::Unknown { name: name.to_owned() })?;
    if !tier.is_available() {
        return Err(TierError::Unavailable { name: name.to_owned() });
    }
    tier.choose().map_err(|in_use| TierError::InUse { in_use: in_use.to_string() })
}

/// The name of the tier that this process uses.
pub fn tier() -> String {
    Tier::detect().to_string()
}

/// The names of all tiers that this machine runs.
pub fn available_tiers() -> Vec<String> {
    Tier::available().map(|tier| tier.to_string()).collect()
}
