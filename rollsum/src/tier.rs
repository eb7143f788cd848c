//! Which instructions the work is done with.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use fearless_simd::Level;

/// A set of instructions that the scan and all sums are compiled for, the strong ones of
/// `gosync-sums` too.
///
/// All tiers give the same results. [`Tier::detect`] is what everything uses unless
/// told otherwise; the others are for tests and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// What every processor of the target has: scalar code, and for strong sums the vectors
    /// that all have, which on x86-64 is SSE2.
    Portable,
    /// 128-bit vectors of 64-bit ARM.
    Neon,
    /// 128-bit vectors of x86, with POPCNT (x86-64-v2).
    Sse42,
    /// 256-bit vectors of x86 (x86-64-v3).
    Avx2,
    /// 512-bit vectors of x86, as far as Ice Lake and Zen 4 have them.
    Avx512,
}

/// What the processor can do is the same for the whole process, and so is this.
static IN_USE: OnceLock<Tier> = OnceLock::new();

impl Tier {
    const ALL: [Self; 5] = [Self::Portable, Self::Neon, Self::Sse42, Self::Avx2, Self::Avx512];

    /// The tier that is used where none is asked for: the best that this machine runs,
    /// or the one that was [chosen](Self::choose). The processor is asked once.
    pub fn detect() -> Self {
        *IN_USE.get_or_init(|| Self::ALL.into_iter().rev().find(|tier| tier.is_available()).unwrap_or(Self::Portable))
    }

    /// Makes this the tier that is used in this process where none is asked for, as
    /// programs do that let their users choose.
    ///
    /// # Errors
    ///
    /// When another is in use already; that one is returned.
    ///
    /// # Panics
    ///
    /// When this machine does not run the tier.
    pub fn choose(self) -> Result<(), Self> {
        assert!(self.is_available(), "this machine does not run {self}");
        let in_use = *IN_USE.get_or_init(|| self);
        if in_use == self { Ok(()) } else { Err(in_use) }
    }

    /// All tiers that this machine runs, from the plainest to the best.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|tier| tier.is_available())
    }

    /// Whether this machine runs the tier.
    pub fn is_available(self) -> bool {
        self == Self::Portable || self.level().is_some()
    }

    /// The proof that this machine has the tier's vectors, for code in them elsewhere;
    /// `None` where it does not, and for scalar code.
    #[inline]
    pub fn level(self) -> Option<Level> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let best = Level::new();
            match self {
                Self::Sse42 => best.as_sse4_2().map(Level::Sse4_2),
                Self::Avx2 => best.as_avx2().map(Level::Avx2),
                Self::Avx512 => best.as_avx512().map(Level::Avx512),
                Self::Portable | Self::Neon => None,
            }
        }
        // Lanes are taken from bytes and put together in little-endian order.
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        {
            (self == Self::Neon).then(|| Level::new().as_neon().map(Level::Neon)).flatten()
        }
        #[cfg(not(any(
            target_arch = "x86",
            target_arch = "x86_64",
            all(target_arch = "aarch64", target_endian = "little")
        )))]
        {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Sse42 => "sse4.2",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A text that names no [`Tier`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTier(String);

impl fmt::Display for UnknownTier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} is none of", self.0)?;
        Tier::ALL.into_iter().try_for_each(|tier| write!(formatter, " {tier}"))
    }
}

impl std::error::Error for UnknownTier {}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, UnknownTier> {
        Self::ALL.into_iter().find(|tier| tier.name() == name).ok_or_else(|| UnknownTier(name.to_owned()))
    }
}

/// The tiers to test: all that this machine runs, or the one that `GOSYNC_TIER` names.
#[cfg(test)]
pub(crate) fn tested() -> Vec<Tier> {
    match std::env::var("GOSYNC_TIER") {
        Ok(name) => {
            let tier: Tier = name.parse().unwrap_or_else(|error| panic!("GOSYNC_TIER: {error}"));
            assert!(tier.is_available(), "GOSYNC_TIER: this machine does not run {tier}");
            vec![tier]
        }
        Err(_) => Tier::available().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for tier in Tier::ALL {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        let error = "AVX2".parse::<Tier>().unwrap_err();
        assert_eq!(error.to_string(), "\"AVX2\" is none of portable neon sse4.2 avx2 avx512");
    }

    #[test]
    fn the_detected_tier_is_the_last_available() {
        assert_eq!(Tier::available().next(), Some(Tier::Portable));
        assert_eq!(Tier::available().last(), Some(Tier::detect()));
    }
}
