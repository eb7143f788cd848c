//! The command line.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Parser, Subcommand, ValueEnum};
use gosync::{Location, MAX_BLOCK_SIZE, Rate, RetryOptions, Shard};
use url::Url;

use crate::commands::parts::Index;
use crate::commands::rdiff::Rdiff;
use crate::commands::signing::{Signing, Trust};

/// Bring a file from an old version to a new one by moving only what changed.
///
/// The publisher of a file puts an index beside it, on any server that can serve
/// ranges. Whoever has an old version compares it with the index, fetches only what is
/// missing, and gets the new version, verified and put in place at once.
#[derive(Debug, Parser)]
#[command(name = "gosync", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failure, 2 usage, 3 data is corrupt or fails verification, \
                        4 the source cannot be reached or refuses, 130 and 143 interrupted by Ctrl-C or SIGTERM.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

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

/// How to reach what is behind a URL.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Receive no more than this in a second, such as 500KB or 2MiB
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) limit_rate: Option<Rate>,
    /// Try again so many times in a row when a server fails in a way that may pass
    #[arg(long, value_name = "N", default_value_t = RetryOptions::default().retries)]
    pub(crate) retries: u32,
    /// The ssh to run for ssh URLs, with arguments between spaces, such as "ssh -i KEY"
    #[arg(long, value_name = "COMMAND", default_value = "ssh")]
    pub(crate) ssh: String,
    /// Send this header too, as "Name: value", to the host of the URL only; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Ask as this user, whose password is in GOSYNC_PASSWORD [default: the user in GOSYNC_USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Ask with the token in this file [default: the token in GOSYNC_BEARER_TOKEN]
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// Look for names and passwords in ~/.netrc
    #[arg(long)]
    pub(crate) netrc: bool,
    /// Look for names and passwords in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) netrc_file: Option<PathBuf>,
    /// Ask through this proxy [default: what ALL_PROXY, HTTPS_PROXY, HTTP_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Trust the certificate authorities in this PEM file too; may be repeated
    #[arg(long = "ca-certificate", value_name = "FILE")]
    pub(crate) ca_certificates: Vec<PathBuf>,
    /// Connections to a server at once [default: 6]
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<NonZeroUsize>,
    /// What to call this program to servers [default: gosync/VERSION]
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,
    /// How long a connection may take to come about [default: 15s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) connect_timeout: Option<Duration>,
    /// How long a server may be silent [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) read_timeout: Option<Duration>,
    /// How long a download may take in all [default: as long as it takes]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) total_timeout: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the index of a file, to be published beside it
    #[command(visible_alias = "b")]
    Build(Build),
    /// Show what of an index's target is in an old version, and what a patch would fetch
    #[command(visible_alias = "d")]
    Diff(Diff),
    /// Bring an old version to the new one, fetching only what is missing
    #[command(visible_alias = "p")]
    Patch(Patch),
    /// Show what is in an index
    Inspect(Inspect),
    /// Check a file against an index
    Verify(Verify),
    /// Serve the files in a directory over HTTP, with ranges
    Serve(Serve),
    /// Put the parts of an index together
    Index(Index),
    /// Show the main job on a large file of this machine, over HTTP, with a table of the results
    Demo(Demo),
    /// Bring a file to the version that a control file of zsync describes, as zsync does
    #[command(version)]
    Zsync(Zsync),
    /// Make the control file of a file, as zsyncmake does
    #[command(version)]
    Zsyncmake(Zsyncmake),
    /// Make signatures and deltas of files, and apply them: rdiff, with its options and formats
    Rdiff(Rdiff),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The file to publish
    pub(crate) file: PathBuf,
    /// Where to write the index: a path, or the URL of an object [default: FILE.gosync]
    #[arg(short, long, value_name = "INDEX")]
    pub(crate) output: Option<Location>,
    /// Blocks of one size only, such as 4096 or 64KiB [default: layers; 8192 for go-sync]
    #[arg(long, value_name = "N", value_parser = block_size)]
    pub(crate) block_size: Option<u32>,
    /// Block sizes of the layers, such as 64KiB,8KiB,1KiB [default: by the file's size]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = block_size, conflicts_with = "block_size")]
    pub(crate) layers: Vec<u32>,
    /// Write a compressed payload too, FILE.gosync-payload, to be published in the place of the
    /// file. It holds everything twice, in coarse and in fine frames, and is up to about twice as
    /// large as the file compressed as a whole; a patch fetches only what is cheaper of both
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, default_missing_value = "3", value_parser = clap::value_parser!(i32).range(1..=15))]
    pub(crate) compress: Option<i32>,
    /// Make only part I of N of the index; `gosync index merge` puts them together
    #[arg(long, value_name = "I/N", conflicts_with = "sign")]
    pub(crate) part: Option<Shard>,
    /// The format of the index
    #[arg(long, value_enum, default_value_t = IndexFormat::Gosync)]
    pub(crate) format: IndexFormat,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

impl Build {
    /// The block sizes that were asked for, if any were.
    pub(crate) fn block_sizes(&self) -> Vec<u32> {
        self.block_size.map_or_else(|| self.layers.clone(), |size| vec![size])
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum IndexFormat {
    /// Our own: every byte verified by BLAKE3
    Gosync,
    /// That of go-sync 0.2: no hash of the whole file
    GoSync,
    /// zsync's control file, for its users: SHA-1 and SHA-256 of the whole file
    Zsync,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The old version; if there is none, everything is to be fetched
    pub(crate) seed: PathBuf,
    /// The index of the new version: a path or URL
    pub(crate) index: Location,
    /// Another file that may hold parts of the new version; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    pub(crate) more_seeds: Vec<PathBuf>,
    /// Where the new version will be fetched from: a path or URL [default: the file that the index names, beside the index]
    #[arg(long)]
    pub(crate) source: Option<Location>,
    /// Write a page to this file that shows what comes from where
    #[arg(long, value_name = "OUT.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Patch {
    /// The old version; if there is none, everything is fetched
    pub(crate) seed: PathBuf,
    /// The index of the new version: a path or URL
    pub(crate) index: Location,
    /// The new version: a path or URL [default: the file that the index names, beside the index]
    pub(crate) source: Option<Location>,
    /// Where to put the new version, or - for standard output [default: in place of SEED]
    #[arg(value_name = "OUTPUT")]
    pub(crate) output_argument: Option<PathBuf>,
    /// The same as OUTPUT, where SOURCE is left out
    #[arg(short, long, value_name = "OUTPUT", conflicts_with = "output_argument")]
    pub(crate) output: Option<PathBuf>,
    /// Another file that may hold parts of the new version; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    pub(crate) more_seeds: Vec<PathBuf>,
    /// Another place of the new version, for when those before it fail; may be repeated
    #[arg(long = "source", value_name = "SOURCE")]
    pub(crate) more_sources: Vec<Location>,
    /// Only tell what would be fetched, and what it would cost
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) trust: Trust,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The index: a path or URL
    pub(crate) index: Location,
    /// Write the bytes that a signature is made of to this file, for `minisign -V -x INDEX.minisig -m FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) signed_part: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The file to check
    pub(crate) file: PathBuf,
    /// The index that it should match: a path or URL
    pub(crate) index: Location,
    #[command(flatten)]
    pub(crate) trust: Trust,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The directory to serve
    pub(crate) directory: PathBuf,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8730")]
    pub(crate) bind: SocketAddr,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The file to use as the new version [default: the Rust toolchain's largest library]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Zsync {
    /// The control file: a path or URL
    #[arg(value_name = "URL|FILE")]
    pub(crate) control: Location,
    /// A file that may hold parts of the target; may be repeated
    #[arg(short, value_name = "SEED")]
    pub(crate) input: Vec<PathBuf>,
    /// Where to put the target [default: the name that the control file gives, here]
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Where the control file is from: what its URLs are relative to
    #[arg(short = 'u', value_name = "URL")]
    pub(crate) referer: Option<Url>,
    /// Keep the control file there, and fetch it only when it is newer than that
    #[arg(short, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// Who to be at a host, which every user of this machine can see; may be repeated
    #[arg(short = 'A', value_name = "HOST=USER:PASS", conflicts_with_all = ["user", "bearer_token_file", "netrc", "netrc_file"])]
    pub(crate) authentication: Vec<String>,
    /// The same as --quiet
    #[arg(short)]
    pub(crate) silent: bool,
    /// Keep the file that is replaced, as OUT.zs-old
    #[arg(long)]
    pub(crate) keep_old: bool,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Zsyncmake {
    /// The file to publish, or - for standard input
    pub(crate) file: PathBuf,
    /// Size of a block, a power of two [default: 2048, or 4096 from 100 MB on]
    #[arg(short, value_name = "N", value_parser = block_size)]
    pub(crate) block_size: Option<u32>,
    /// Where to write the control file, or - for standard output [default: FILE.zsync, here]
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// What the target is called [default: as FILE is]
    #[arg(short, value_name = "NAME")]
    pub(crate) file_name: Option<String>,
    /// Where the target will be, relative to the control file [default: beside it]; may be repeated
    #[arg(short, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// Where the compressed target will be, with -z; may be repeated
    #[arg(short = 'U', value_name = "URL", requires = "compress")]
    pub(crate) z_url: Vec<String>,
    /// Compress the target too, as FILE.gz here, for clients to fetch parts of
    #[arg(short = 'z')]
    pub(crate) compress: bool,
    /// Take a gzip file as it is, as this always does; without it zsyncmake looks into one
    #[arg(short = 'Z', conflicts_with = "compress")]
    pub(crate) as_it_is: bool,
    /// Clients get the exact file, as they always do from what this makes
    #[arg(short = 'e')]
    pub(crate) exact: bool,
    /// Tell no client to compress the target again, as this never does
    #[arg(short = 'C')]
    pub(crate) no_recompress: bool,
    /// Write what this version of zsyncmake writes, byte for byte
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) compat: Option<Compat>,
    /// Make the control file of an empty file too, which other clients refuse
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// A maker of control files.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Compat {
    /// zsyncmake 0.6.2
    #[value(name = "0.6.2")]
    V0_6_2,
}

fn rate(text: &str) -> Result<Rate, String> {
    let bytes = NonZeroU64::new(text.parse::<ByteSize>()?.as_u64());
    bytes.map(Rate::new).ok_or_else(|| "at that rate nothing would ever come".into())
}

/// A number of seconds, or one with `ms`, `s`, `m` or `h` behind it.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("{unit} is none of ms, s, m and h")),
    };
    let number: f64 = digits.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("it is no time to wait".into()),
    }
}

fn block_size(text: &str) -> Result<u32, String> {
    let size = text.parse::<ByteSize>()?.as_u64();
    if (1..=MAX_BLOCK_SIZE.into()).contains(&size) {
        Ok(size as u32)
    } else {
        Err(format!("a block has between 1 and {MAX_BLOCK_SIZE} bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn rates() {
        assert_eq!(rate("500KB").map(|rate| rate.bytes_per_second.get()), Ok(500_000));
        assert_eq!(rate("2MiB").map(|rate| rate.bytes_per_second.get()), Ok(2 << 20));
        assert!(rate("0").is_err() && rate("fast").is_err());
    }

    #[test]
    fn times() {
        for (text, millis) in [("2", 2000), ("0.5s", 500), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert!(["", "s", "0", "-1", "1e99", "5d", "soon"].iter().all(|text| time(text).is_err()));
    }

    #[test]
    fn block_sizes() {
        assert_eq!(block_size("8192"), Ok(8192));
        assert_eq!(block_size("64KiB"), Ok(65536));
        assert!(block_size("0").is_err() && block_size("2GiB").is_err() && block_size("many").is_err());
    }
}
