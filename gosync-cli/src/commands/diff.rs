//! `gosync diff`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use gosync::Location;

use crate::console::Console;
use crate::options::network::Network;
use crate::options::trust::Trust;
use crate::page;
use crate::published::open::open_published;
use crate::published::seeds::open_seeds;
use crate::published::update::Update;

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The old version; if there is none, everything is to be fetched
    seed: PathBuf,
    /// The index of the new version: a path or URL
    index: Location,
    /// Another file that may hold parts of the new version; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    more_seeds: Vec<PathBuf>,
    /// Where the new version will be fetched from: a path or URL [default: the file that the index names, beside the index]
    #[arg(long)]
    source: Option<Location>,
    /// Write a page to this file that shows what comes from where
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    network: Network,
}

impl Diff {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let options = &self.network.source_options(console)?;
        let published = open_published(&self.index, &self.trust, options, console)?;
        let seeds = &open_seeds(std::iter::once(&self.seed).chain(&self.more_seeds), console)?;
        let sources = self.source.as_slice();
        let (forecast, cost) = published.compare(&Update { seeds, sources, options, console })?;
        let cost = match cost {
            Ok(cost) => Some(cost.estimate),
            Err(error) if self.source.is_some() => return Err(error),
            // The usual source need not be within reach.
            Err(error) => {
                console.detail(format_args!("the cost of fetching is not known: {error}"));
                None
            }
        };
        if let Some(path) = &self.report {
            page::write(path, &forecast, cost, seeds.files())?;
        }
        forecast.tell(cost, start, console)?;
        Ok(ExitCode::SUCCESS)
    }
}
