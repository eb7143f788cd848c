//! The options of every command.

use std::num::NonZeroUsize;

#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Threads to use [default: one for each core]
    #[arg(short = 'p', long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Print one JSON object per line instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Use these instructions and not the best: portable, neon, sse4.2, avx2 or avx512
    #[arg(long, global = true, value_name = "TIER", env = "GOSYNC_TIER", hide = true)]
    pub(crate) tier: Option<String>,
}
