//! `gosync zsyncmake`: zsyncmake, with its options.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use gosync::publish::{NameError, TargetName, keep_apart};
use gosync::sources::Location;
use gosync_zsync::{MakeOptions, is_gzip, make, make_compressed, make_of_stream};

use crate::console::Console;
use crate::failure::Usage;
use crate::options::values::block_size;
use crate::progress::Bars;
use crate::publication::control::{beside, encode, options, publish, warn_of_large_blocks};

#[derive(Debug, clap::Args)]
pub(crate) struct Zsyncmake {
    /// The file to publish, or - for standard input
    file: PathBuf,
    /// Size of a block, a power of two [default: 2048, or 4096 from 100 MB on]
    #[arg(short, value_name = "N", value_parser = block_size)]
    block_size: Option<u32>,
    /// Where to write the control file, or - for standard output [default: FILE.zsync, here]
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
    #[arg(short = 'z')]
    compress: bool,
    /// Take a gzip file as it is. This program always does; zsyncmake needs to be told
    #[arg(short = 'Z', conflicts_with = "compress")]
    as_it_is: bool,
    /// Have clients get the exact file. This program always does
    #[arg(short = 'e')]
    exact: bool,
    /// Do not have clients compress the target again. This program never does
    #[arg(short = 'C')]
    no_recompress: bool,
    /// Write what this version of zsyncmake writes, byte for byte
    #[arg(long, value_enum, value_name = "VERSION")]
    compat: Option<Compat>,
    /// Make the control file of an empty file too, which other clients refuse
    #[arg(long)]
    allow_empty: bool,
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
        let from_stdin = self.file == Path::new("-");
        if self.compress && from_stdin {
            let message = "-z needs a file, not standard input".into();
            return Err(Usage { message, hint: "it writes FILE.gz" }.into());
        }
        let name = Path::new(self.file.file_name().unwrap_or_default());
        let output = self.output.clone().or((!from_stdin).then(|| beside(name)));
        let output = output.filter(|output| output != Path::new("-")).map(Location::from);
        let compressed = self.compress.then(|| Location::from(name.to_owned()).with_suffix(".gz"));
        let outputs: Vec<&Location> = output.iter().chain(&compressed).collect();
        let input = Some(self.file.as_path()).filter(|_| !from_stdin);
        keep_apart(&outputs, input.as_slice()).map_err(gosync::Error::from)?;
        // A file that cannot be read is told of when its control file is made.
        if !from_stdin && !self.as_it_is && !self.exact && is_gzip(&self.file).unwrap_or(false) {
            console.message(format_args!(
                "warning: {} is taken as it is, as with -Z: a change in what it compresses changes all that follows; \
                 make the control file of what is in it, with -z",
                self.file.display()
            ));
        }
        let bars = &Bars::new(console);
        let mut control = match from_stdin {
            true => make_of_stream(&mut io::stdin().lock(), &options, bars)?,
            false => make(&self.file, &options, bars)?,
        };
        warn_of_large_blocks(&control, console);
        if let Some(Location::Path(compressed)) = &compressed {
            make_compressed(&mut control, &self.file, compressed, &self.z_url, bars)?;
        }

        let bytes = encode(&control, &self.file)?;
        match output {
            Some(output) => publish(&control, &bytes, &output, start, console)?,
            None => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()?;
            }
        }
        if self.url.is_empty() && !from_stdin && self.output.is_some() {
            console.detail("the target has to be beside the control file; -u gives another URL");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> Result<MakeOptions, Usage> {
        let bad = |error: NameError| Usage { message: error.to_string(), hint: "give a plain name to -f" };
        Ok(MakeOptions {
            urls: self.url.clone(),
            as_0_6_2: self.compat.is_some(),
            allow_empty: self.allow_empty,
            file_name: self.file_name.as_deref().map(TargetName::new).transpose().map_err(bad)?,
            ..options(self.block_size)?
        })
    }
}
