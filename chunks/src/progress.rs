//! How long-running work reports on itself.

/// What a piece of work is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Reading a target and summing its blocks.
    Sum,
    /// Compressing a target into its payload.
    Compress,
    /// Searching the seeds for blocks.
    Compare,
    /// Copying from seeds.
    Copy,
    /// Fetching from the source.
    Fetch,
    /// Checking a finished file against its index.
    Verify,
    /// Opening a packed file.
    Open,
    /// Closing a packed file again.
    Close,
}

impl Phase {
    /// A word for it, to be shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Compress => "compress",
            Self::Compare => "compare",
            Self::Copy => "copy",
            Self::Fetch => "fetch",
            Self::Verify => "verify",
            Self::Open => "open",
            Self::Close => "close",
        }
    }
}

/// Told of progress, and asked whether to stop. May be called from any thread.
///
/// `()` hears nothing and never stops.
pub trait Progress: Sync {
    /// `phase` begins and has `total` bytes to work through.
    fn begin(&self, phase: Phase, total: u64) {
        let _ = (phase, total);
    }

    /// Another `bytes` of `phase` are done.
    fn advance(&self, phase: Phase, bytes: u64) {
        let _ = (phase, bytes);
    }

    /// Whether to give up as soon as that can be done without harm.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Goes on unless [`is_cancelled`](Self::is_cancelled) says so.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] when it does.
    fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// Work was given up because its [`Progress`] said so. No harm is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Progress for () {}
