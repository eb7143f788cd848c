//! The options of every command.

use std::num::NonZeroUsize;

use clap::{ArgAction, ColorChoice};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Threads to use [default: one for each core]
    #[arg(short = 'p', long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Print one JSON object per line instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only, and what other options ask for
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more; given twice, all that was counted too
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Whether messages have colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Use these instructions and not the best: portable, neon, sse4.2, avx2 or avx512
    #[arg(long, global = true, value_name = "TIER", env = "GOSYNC_TIER", hide = true)]
    pub(crate) tier: Option<String>,
}
