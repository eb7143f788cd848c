//! rdiff's own command line.

use std::path::PathBuf;

use clap::{ArgAction, Subcommand, ValueEnum};
use gosync_librsync::{LiteralLen, SignatureKind, StrongLen};

#[derive(Debug, clap::Args)]
#[command(version, infer_subcommands = true)]
#[command(after_help = "A file that is left out, or -, is a standard stream. Called by the name rdiff, this program \
                        is rdiff.\n\nExit codes are rdiff's: 0 done, 100 a file cannot be read or written, 101 usage, \
                        103 unexpected end, 104 wrong magic number, 105 unimplemented, 106 corrupt, 108 bad parameter.")]
pub(crate) struct Rdiff {
    #[command(subcommand)]
    pub(crate) action: Action,
    /// Show performance statistics
    #[arg(short, long, global = true)]
    pub(crate) statistics: bool,
    /// Force overwriting existing files
    #[arg(short, long, global = true)]
    pub(crate) force: bool,
    /// Hash algorithm of a signature
    #[arg(short = 'H', long, value_name = "ALG", value_enum, default_value_t = Hash::Blake2, global = true)]
    pub(crate) hash: Hash,
    /// Rollsum algorithm of a signature
    #[arg(short = 'R', long, value_name = "ALG", value_enum, default_value_t = Rollsum::Rabinkarp, global = true)]
    pub(crate) rollsum: Rollsum,
    /// Block size of a signature, 0 for what is recommended
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, global = true)]
    pub(crate) block_size: u32,
    /// Bytes of a signature's hashes, 0 for all, -1 for as few as will do
    #[arg(
        short = 'S',
        long,
        value_name = "BYTES",
        value_parser = strong_len,
        default_value = "0",
        allow_negative_numbers = true,
        global = true
    )]
    pub(crate) sum_size: StrongLen,
    /// Write a delta's literals as librsync does since 2.3.3, in up to 65533 bytes and not 32768
    #[arg(long, global = true)]
    pub(crate) long_literals: bool,
    /// For rdiff's sake: buffers need no tuning here
    #[arg(short = 'I', long, value_name = "BYTES", hide = true, global = true)]
    pub(crate) input_size: Option<u64>,
    /// For rdiff's sake: buffers need no tuning here
    #[arg(short = 'O', long, value_name = "BYTES", hide = true, global = true)]
    pub(crate) output_size: Option<u64>,
    /// Print help, as rdiff is asked for it
    #[arg(short = '?', action = ArgAction::HelpShort, hide = true, global = true)]
    pub(crate) question: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make the signature of an old file
    Signature {
        /// The old file
        basis: Option<PathBuf>,
        /// Where to write its signature
        signature: Option<PathBuf>,
    },
    /// Make the delta from an old file, of which there is the signature, to a new one
    Delta {
        /// The signature of the old file
        signature: PathBuf,
        /// The new file
        #[arg(value_name = "NEWFILE")]
        new_file: Option<PathBuf>,
        /// Where to write the delta
        delta: Option<PathBuf>,
    },
    /// Make the new file of the old one and a delta
    Patch {
        /// The old file
        basis: PathBuf,
        /// The delta
        delta: Option<PathBuf>,
        /// Where to write the new file
        #[arg(value_name = "NEWFILE")]
        new_file: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Hash {
    Blake2,
    Md4,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rollsum {
    Rabinkarp,
    Rollsum,
}

impl Rdiff {
    pub(crate) fn kind(&self) -> SignatureKind {
        match (self.hash, self.rollsum) {
            (Hash::Md4, Rollsum::Rollsum) => SignatureKind::Md4Rollsum,
            (Hash::Md4, Rollsum::Rabinkarp) => SignatureKind::Md4RabinKarp,
            (Hash::Blake2, Rollsum::Rollsum) => SignatureKind::Blake2Rollsum,
            (Hash::Blake2, Rollsum::Rabinkarp) => SignatureKind::Blake2RabinKarp,
        }
    }

    pub(crate) fn literals(&self) -> LiteralLen {
        if self.long_literals { LiteralLen::UpTo65533 } else { LiteralLen::UpTo32768 }
    }
}

fn strong_len(text: &str) -> Result<StrongLen, String> {
    match text.parse::<i64>().map_err(|error| error.to_string())? {
        0 => Ok(StrongLen::Maximum),
        -1 => Ok(StrongLen::Minimum),
        len => u32::try_from(len).map(StrongLen::Bytes).map_err(|_| "no hash has so many bytes".into()),
    }
}
