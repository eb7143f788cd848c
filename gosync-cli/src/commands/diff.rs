//! `gosync diff`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::Location;
use gosync::update::FileOptions;

use crate::console::Console;
use crate::directory::opened::Directory;
use crate::failure::Usage;
use crate::options::network::Network;
use crate::options::trust::Trust;
use crate::options::values::location;
use crate::page;
use crate::published::open::Published;
use crate::published::update::Update;
use crate::remedy;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync diff app.img https://example.org/app-2.0.img.gosync\n\
    \x20 gosync diff app.img app-2.0.img.gosync --report page.html")]
pub(crate) struct Diff {
    /// The old version, a file or a directory; if it does not exist, everything has to be fetched
    seed: PathBuf,
    /// The index of the new version, or a pointer to the newest (NAME.gosync-latest): a path or URL
    #[arg(value_parser = location())]
    index: Location,
    /// Another file that may hold parts of the new version; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    more_seeds: Vec<PathBuf>,
    /// Where the new version is: a path or URL [default: beside the index, by the name that the index gives]
    #[arg(long, value_parser = location())]
    source: Option<Location>,
    /// Write a page to this file that shows where each part of the new version comes from
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Show all that was counted, even with --quiet
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    network: Network,
}

impl Diff {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let options = &self.network.source_options(std::iter::once(&self.index).chain(&self.source), console)?;
        let published = Published::open(&self.index, &[&self.seed], &self.trust, options, console);
        let published = &published.map_err(|error| remedy::of_order(error, "diff", &self.seed, &self.index))?;
        if let Some(directory) = Directory::of(published, &self.seed, options, console)? {
            if self.report.is_some() {
                return Err(Usage {
                    message: "--report shows where each part of a file comes from, and this is a directory".into(),
                    hint: "leave it out; `gosync patch --dry-run` lists what would become of each file",
                }
                .into());
            }
            return directory.diff(&self.seed, &self.more_seeds, self.source.as_slice(), start);
        }
        let update = Update {
            published,
            seeds: std::iter::once(&self.seed).chain(&self.more_seeds).map(PathBuf::as_path).collect(),
            sources: self.source.as_slice(),
            referer: None,
            file_options: FileOptions::default(),
            options,
            console,
        };
        if let Some(path) = &self.report {
            // It takes the place of none of them.
            update.keep_apart(path, Path::new(""), &self.trust.files(&self.index))?;
        }
        let (forecast, seeds, cost) = update.compare()?;
        let cost = match cost {
            Ok(cost) => Some(cost),
            Err(error) if self.source.is_some() => return Err(update.explain(error, false)),
            // The usual source need not be within reach.
            Err(error) => {
                console.detail(format_args!("the cost of fetching is not known: {error}"));
                None
            }
        };
        if let Some(path) = &self.report {
            page::write::write(path, &forecast, cost.as_ref(), &seeds, console)?;
        }
        forecast.tell(cost.as_ref(), start, self.stats, console)?;
        Ok(ExitCode::SUCCESS)
    }
}
