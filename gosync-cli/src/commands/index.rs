//! `gosync index`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Subcommand;
use gosync::Format;
use gosync::publish::{BuildOptions, Publisher};
use gosync::sources::Location;

use crate::console::Console;
use crate::options::environment;
use crate::options::signing::Signing;
use crate::options::values::destination;
use crate::progress::Bars;
use crate::publication::index::{Described, publish};

#[derive(Debug, clap::Args)]
pub(crate) struct Index {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one index of all its parts, made by `gosync build --part`
    Merge(Merge),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync build app.img --part 1/2     and 2/2, elsewhere\n\
    \x20 gosync index merge app.img.gosync.?-of-2 -o app.img.gosync")]
struct Merge {
    /// The parts, in any order; if they have compressed payloads, these are beside them
    #[arg(value_name = "PART", required = true)]
    parts: Vec<PathBuf>,
    /// Where to write the index: a path, or the URL of an object; a compressed payload goes beside it
    #[arg(short, long, value_name = "INDEX", value_parser = destination())]
    output: Location,
    #[command(flatten)]
    signing: Signing,
}

impl Index {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let Action::Merge(Merge { parts, output, signing }) = self.action;
        let start = Instant::now();
        signing.keep_apart(&output, None, &parts.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let key = signing.key(console)?;
        let upload = environment::source_options()?;
        let (options, bars) = (BuildOptions::default(), Bars::new(console));
        let publisher = Publisher { format: Format::Layered, options: &options, sources: &upload, progress: &bars };
        let index = publisher.merge(&parts, &output)?;
        publish(&index, &output, key.as_ref(), &upload, start, &Described::default(), console)?;
        Ok(ExitCode::SUCCESS)
    }
}
