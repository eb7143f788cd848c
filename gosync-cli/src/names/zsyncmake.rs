//! `gosync zsyncmake`: zsyncmake, with its options.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use gosync::publish::{NameError, TargetName, keep_apart};
use gosync::sources::Location;
use gosync_zsync::{MakeOptions, StrongKind, is_gzip, make, make_compressed, make_of_stream};

use crate::console::Console;
use crate::failure::Usage;
use crate::options::values::block_size;
use crate::progress::Bars;
use crate::publication::control::{beside, encode, options, publish, warn_of_large_blocks};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync zsyncmake new.iso                              writes new.iso.zsync; publish both\n\
    \x20 gosync zsyncmake -u https://example.org/new.iso new.iso -o new.zsync")]
pub(crate) struct Zsyncmake {
    /// The file to publish [default: standard input, as with -]
    file: Option<PathBuf>,
    /// Size of a block, a power of two [default: 0, which is 2048, or 4096 from 100 MB on]
    #[arg(short, value_name = "N", value_parser = block_size_or_0, overrides_with = "block_size")]
    block_size: Option<u32>,
    /// The hash that confirms blocks; clients before 0.8 know MD4 only
    #[arg(short, value_name = "HASH", value_enum, default_value_t = Hash::Md4, overrides_with = "strong_hash")]
    strong_hash: Hash,
    /// Where to write the control file, or - for standard output [default: NAME.zsync, here]
    #[arg(short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// What the target is called [default: as FILE is]
    #[arg(short, value_name = "NAME")]
    file_name: Option<String>,
    /// Where the target will be, relative to the control file [default: beside it]; may be repeated
    #[arg(short, value_name = "URL")]
    url: Vec<String>,
    /// Where the compressed target will be, with -z; may be repeated
    #[arg(short = 'U', value_name = "URL", requires = "compress")]
    z_url: Vec<String>,
    /// Compress the target too, as FILE.gz here, for clients to fetch parts of
    #[arg(short = 'z', overrides_with = "compress")]
    compress: bool,
    /// Take a gzip file as it is. This program always does; zsyncmake needs to be told
    #[arg(short = 'Z', conflicts_with = "compress", overrides_with = "as_it_is")]
    as_it_is: bool,
    /// Have clients get the exact file. This program always does
    #[arg(short = 'e', overrides_with = "exact")]
    exact: bool,
    /// Do not have clients compress the target again. This program never does
    #[arg(short = 'C', overrides_with = "no_recompress")]
    no_recompress: bool,
    /// Write what this version of zsyncmake writes, byte for byte
    #[arg(long, value_enum, value_name = "VERSION")]
    compat: Option<Compat>,
    /// Make the control file of an empty file too, which other clients refuse
    #[arg(long)]
    allow_empty: bool,
}

/// The hashes that zsyncmake 0.8 takes, by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Hash {
    #[value(name = "MD4")]
    Md4,
    #[value(name = "MD5")]
    Md5,
    #[value(name = "SHA-224")]
    Sha224,
}

/// A maker of control files.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Compat {
    /// zsyncmake 0.6.2
    #[value(name = "0.6.2")]
    V0_6_2,
}

impl Zsyncmake {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let options = self.options()?;
        let file = self.file.as_deref().filter(|file| *file != Path::new("-"));
        if self.compress && file.is_none() {
            let message = "-z needs a file, not standard input".into();
            return Err(Usage { message, hint: "it writes FILE.gz" }.into());
        }
        let name = file.and_then(Path::file_name);
        let published = self.file_name.as_deref().map(OsStr::new).or(name);
        let output = self.output.clone().or(published.map(|name| beside(Path::new(name))));
        let output = output.filter(|output| output != Path::new("-")).map(Location::from);
        let compressed = name.filter(|_| self.compress);
        let compressed = compressed.map(|name| Location::from(PathBuf::from(name)).with_suffix(".gz"));
        let outputs: Vec<&Location> = output.iter().chain(&compressed).collect();
        keep_apart(&outputs, file.as_slice()).map_err(gosync::Error::from)?;
        // A file that cannot be read is told of when its control file is made.
        if let Some(file) = file
            && !self.as_it_is
            && !self.exact
            && is_gzip(file).unwrap_or(false)
        {
            console.message(format_args!(
                "warning: {} is taken as it is, as with -Z: a change in what it compresses changes all that follows; \
                 make the control file of what is in it, with -z",
                file.display()
            ));
        }
        let bars = &Bars::new(console);
        let mut control = match file {
            None => {
                if io::stdin().is_terminal() {
                    console.message("reading standard input");
                }
                make_of_stream(&mut io::stdin().lock(), &options, bars)?
            }
            Some(file) => make(file, &options, bars)?,
        };
        warn_of_large_blocks(&control, console);
        if let (Some(file), Some(Location::Path(compressed))) = (file, &compressed) {
            make_compressed(&mut control, file, compressed, &self.z_url, bars)?;
        }

        let bytes = encode(&control, file.unwrap_or(Path::new("standard input")))?;
        match output {
            Some(output) => publish(&control, &bytes, &output, start, console)?,
            None => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()?;
            }
        }
        if self.url.is_empty() && file.is_some() && self.output.is_some() {
            console.detail("the target has to be beside the control file; -u gives another URL");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> Result<MakeOptions, Usage> {
        let bad = |error: NameError| Usage { message: error.to_string(), hint: "give a plain name to -f" };
        if self.compat.is_some() && self.strong_hash != Hash::Md4 {
            let message = "zsyncmake 0.6.2 knows no hash but MD4".into();
            return Err(Usage { message, hint: "leave out -s or --compat" });
        }
        Ok(MakeOptions {
            strong_kind: match self.strong_hash {
                Hash::Md4 => StrongKind::Md4,
                Hash::Md5 => StrongKind::Md5,
                Hash::Sha224 => StrongKind::Sha224,
            },
            urls: self.url.clone(),
            as_0_6_2: self.compat.is_some(),
            allow_empty: self.allow_empty,
            file_name: self.file_name.as_deref().map(TargetName::new).transpose().map_err(bad)?,
            ..options(self.block_size.filter(|&size| size > 0))?
        })
    }
}

/// As zsyncmake, for which 0 is no size.
fn block_size_or_0(text: &str) -> Result<u32, String> {
    if text == "0" { Ok(0) } else { block_size(text) }
}
