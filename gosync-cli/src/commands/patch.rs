//! `gosync patch`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::Location;
use gosync::update::FileOptions;
use gosync_files::entry::is_standard_output;

use crate::console::Console;
use crate::directory::opened::{Directory, Options};
use crate::failure::Usage;
use crate::options::network::Network;
use crate::options::trust::Trust;
use crate::options::values::location;
use crate::published::open::Published;
use crate::published::update::Update;
use crate::remedy;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync patch app.img https://example.org/app-2.0.img.gosync            app.img becomes 2.0\n\
    \x20 gosync patch app.img https://example.org/app-2.0.img.gosync -o new.img app.img stays\n\
    \x20 gosync patch app.img https://example.org/app.img.gosync-latest          the newest version\n\
    \x20 gosync patch -n app.img https://example.org/app-2.0.img.gosync         what would be fetched\n\
    \x20 gosync patch app.img app-2.0.img.gosync https://mirror.example.org/app-2.0.img")]
pub(crate) struct Patch {
    /// The old version, a file or a directory; if it does not exist, everything is fetched
    seed: PathBuf,
    /// The index of the new version, or a pointer to the newest (NAME.gosync-latest): a path or URL
    #[arg(value_parser = location())]
    index: Location,
    /// Where the new version is: a path or URL [default: beside the index, by the name that the index gives]
    #[arg(value_parser = location())]
    source: Option<Location>,
    /// Where to put the new version, or - for standard output [default: in place of SEED]. Without
    /// a SOURCE before it, say `-o OUTPUT`
    #[arg(value_name = "OUTPUT")]
    output_argument: Option<PathBuf>,
    /// The same as OUTPUT, for when SOURCE is left out
    #[arg(short, long, value_name = "OUTPUT", conflicts_with = "output_argument")]
    output: Option<PathBuf>,
    /// Another file, or of a directory another one, that may hold parts of the new version; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    more_seeds: Vec<PathBuf>,
    /// Another place of the new version, used when those before it fail; may be repeated
    #[arg(long = "source", value_name = "SOURCE", value_parser = location())]
    more_sources: Vec<Location>,
    /// Only tell what would be fetched, and how long that would take; of a directory also what would
    /// become of which file
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Show all that was counted, even with --quiet
    #[arg(long)]
    stats: bool,
    /// Keep what an interrupted run has fetched, and show progress. This program always does
    #[arg(short = 'P', long, alias = "progress", overrides_with = "partial")]
    partial: bool,
    #[command(flatten)]
    directory: Options,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    network: Network,
}

impl Patch {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let output = self.output.as_deref().or(self.output_argument.as_deref()).unwrap_or(&self.seed);
        let output = Some(output).filter(|&output| output != Path::new("-") && !is_standard_output(output));
        if output.is_none() && console.json {
            let message = "--json and the new version cannot both go to standard output".into();
            return Err(Usage { message, hint: "give an output file" }.into());
        }
        let sources: Vec<Location> = self.source.iter().chain(&self.more_sources).cloned().collect();
        let options = &self.network.source_options(std::iter::once(&self.index).chain(&sources), console)?;
        let paths: Vec<&Path> = [self.seed.as_path()].into_iter().chain(output).collect();
        let published = Published::open(&self.index, &paths, &self.trust, options, console);
        let published = &published.map_err(|error| remedy::of_order(error, "patch", &self.seed, &self.index))?;
        if let Some(directory) = Directory::of(published, &self.seed, options, console)? {
            let Some(output) = output else {
                let message = "a directory cannot go to standard output".into();
                return Err(Usage { message, hint: "give a directory with -o, or leave it out" }.into());
            };
            let old = Some(&self.seed).filter(|&seed| seed != output);
            let seeds: Vec<PathBuf> = old.into_iter().chain(&self.more_seeds).cloned().collect();
            let done = directory.patch(output, &seeds, &sources, &self.directory, self.dry_run, start)?;
            if !self.dry_run && done == ExitCode::SUCCESS {
                published.remember(output, console);
            }
            return Ok(done);
        }
        self.directory.check_file()?;
        let update = Update {
            published,
            seeds: std::iter::once(&self.seed).chain(&self.more_seeds).map(PathBuf::as_path).collect(),
            sources: &sources,
            referer: None,
            file_options: FileOptions::default(),
            options,
            console,
        };
        if let Some(output) = output {
            update.keep_apart(output, &self.seed, &self.trust.files(&self.index))?;
        }
        let may_be_output = self.output.is_none() && self.output_argument.is_none() && self.more_sources.is_empty();
        let explain = |error| update.explain(error, may_be_output);
        if self.dry_run {
            let (forecast, _, cost) = update.compare()?;
            forecast.tell_cost(&cost.map_err(explain)?, output, self.stats, console)?;
        } else {
            let outcome = update.patch(output).map_err(explain)?;
            if let Some(output) = output {
                published.remember(output, console);
            }
            outcome.tell(output, start, console)?;
            if self.stats || console.is_very_verbose() {
                console.aside(&outcome.statistics(start));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
