//! What a page shows.

use gosync::update::ByteRange;

/// What a report shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReportData {
    /// What the target is called.
    pub(crate) target_name: String,
    /// Length of the target in bytes.
    pub(crate) target_bytes: u64,
    /// The old data.
    pub(crate) seeds: Vec<ReportSeed>,
    /// The whole target in its order, without a gap.
    pub(crate) spans: Vec<ReportSpan>,
    /// The layers of the index, the coarsest first; one that is flat has one.
    pub(crate) layers: Vec<ReportLayer>,
    /// Bytes of the index and its signature that were received.
    pub(crate) index_bytes: u64,
    /// Payload bytes to receive, as far as they are known: compressed, gaps included.
    pub(crate) payload_bytes: Option<u64>,
    /// Requests for index and payload, as far as they are known.
    pub(crate) requests: Option<u64>,
}

/// One file of old data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportSeed {
    /// What it is called.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) bytes: u64,
}

/// A part of the target that comes from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReportSpan {
    /// Where it is in the target.
    pub(crate) range: ByteRange,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The layer that settled it, by its place in [`ReportData::layers`]: what is fetched
    /// was settled by the finest that was asked.
    pub(crate) layer: usize,
}

/// Where a part of a target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A seed.
    Copy {
        /// Its place in [`ReportData::seeds`].
        seed: usize,
        /// Where the bytes begin in it.
        offset: u64,
    },
    /// The source.
    Fetch,
    /// Another part of the target, which it equals.
    Repeat {
        /// Where that begins.
        of: u64,
    },
}

impl Origin {
    /// Where what is so many bytes further on comes from.
    pub(crate) fn after(self, bytes: u64) -> Self {
        match self {
            Self::Copy { seed, offset } => Self::Copy { seed, offset: offset + bytes },
            Self::Fetch => Self::Fetch,
            Self::Repeat { of } => Self::Repeat { of: of + bytes },
        }
    }
}

/// One layer of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReportLayer {
    /// Size of its blocks in bytes.
    pub(crate) block_size: u32,
    /// Blocks whose sums were looked at.
    pub(crate) asked: u64,
    /// How many of them were found.
    pub(crate) matched: u64,
    /// What their sums took.
    pub(crate) index_bytes: u64,
}
