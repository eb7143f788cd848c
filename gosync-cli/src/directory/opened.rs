//! Bringing a directory about, comparing it and checking it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::{Location, SourceOptions, Transfer, open_sources};
use gosync::{LayeredIndex, OpenedIndex};
use gosync_tree::{TreeInfo, TreeOptions, TreeSource, TreeUpdate};

use super::outcome;
use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::published::open::Published;

/// The index of a directory, and what to do with it.
pub(crate) struct Directory<'a> {
    opened: &'a OpenedIndex,
    index: &'a LayeredIndex,
    info: TreeInfo,
    /// What opening the index took.
    transfer: Transfer,
    options: &'a SourceOptions,
    console: &'a Console,
}

/// How a patch of a directory is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Of a directory, remove what is not in the new version, but for what was left out of it
    #[arg(long)]
    delete: bool,
    /// Of a directory, read every file, and do not go by length and time
    #[arg(long)]
    checksum: bool,
    /// Of a directory, give files to the users and groups that `gosync build --owner` recorded, by name
    /// or else by number
    #[arg(long)]
    owner: bool,
    /// Of a directory, set the extended attributes, access control lists and capabilities that
    /// `gosync build --xattrs` recorded
    #[arg(long)]
    xattrs: bool,
    /// With -o, make files that did not change further names (hard links) of those in the old
    /// directory, as --link-dest of rsync does. They take no room then; but what is written into one
    /// of them is in both directories
    #[arg(long)]
    link: bool,
}

impl Options {
    /// Refuses them for a file.
    pub(crate) fn check_file(&self) -> Result<(), Usage> {
        let all = [
            (self.delete, "--delete"),
            (self.checksum, "--checksum"),
            (self.owner, "--owner"),
            (self.xattrs, "--xattrs"),
            (self.link, "--link"),
        ];
        match all.iter().find(|(is_given, _)| *is_given) {
            None => Ok(()),
            Some((_, option)) => Err(Usage {
                message: format!("{option} is for directories, and the index describes a file"),
                hint: "leave it out",
            }),
        }
    }
}

impl<'a> Directory<'a> {
    /// What was published, if that is a directory; refuses paths that are none then, and paths
    /// that are one otherwise.
    pub(crate) fn of(
        published: &'a Published,
        path: &Path,
        options: &'a SourceOptions,
        console: &'a Console,
    ) -> anyhow::Result<Option<Self>> {
        let index = match published {
            Published::Index(opened, ..) => opened.index.layered().map(|index| (opened, index)),
            Published::Control(_) => None,
        };
        let info = index.map(|(_, index)| TreeInfo::open(index, path)).transpose();
        let info = info.map_err(gosync::Error::from)?.flatten();
        let shown = path.display();
        match (index, info) {
            (Some((opened, index)), Some((info, mut transfer))) => match path.exists() && !path.is_dir() {
                false => {
                    transfer += opened.transfer;
                    Ok(Some(Self { opened, index, info, transfer, options, console }))
                }
                true => Err(Usage {
                    message: format!("{shown} is no directory, but {} describes one", published.location()),
                    hint: "give the old version of the directory, or a path where there is nothing",
                }
                .into()),
            },
            _ if path.is_dir() => Err(Usage {
                message: format!("{shown} is a directory, but {} describes a file", published.location()),
                hint: "give the old version of that file, or make an index of the directory with `gosync build`",
            }
            .into()),
            _ => Ok(None),
        }
    }

    /// Makes the directory at `output` the new version, or tells what that would do.
    pub(crate) fn patch(
        &self,
        output: &Path,
        seeds: &[PathBuf],
        sources: &[Location],
        options: &Options,
        is_dry_run: bool,
        start: Instant,
    ) -> anyhow::Result<ExitCode> {
        if options.link && seeds.is_empty() {
            return Err(Usage {
                message: format!(
                    "--link makes links to an old directory, and {} becomes the new one",
                    output.display()
                ),
                hint: "give another place for the new one with -o, or leave out --link",
            }
            .into());
        }
        let bars = Bars::new(self.console);
        let bars = if is_dry_run { bars } else { bars.kept() };
        self.with(sources, |source| {
            let update = TreeUpdate { seeds, options: options.into(), ..self.update(source, &bars) };
            if is_dry_run {
                let forecast = update.compare(output).map_err(gosync::Error::from)?;
                return outcome::tell_changes(&forecast, self.transfer, start, self.console);
            }
            let report = update.to_directory(output);
            self.console.interrupt.settle();
            let report = report.map_err(gosync::Error::from)?;
            for note in self.options.http.hosts.notes() {
                self.console.message(note);
            }
            outcome::tell(&report, output, self.transfer, start, self.console)
        })
    }

    /// Tells what the directory at `path` has of the new version.
    pub(crate) fn diff(
        &self,
        path: &Path,
        seeds: &[PathBuf],
        sources: &[Location],
        start: Instant,
    ) -> anyhow::Result<ExitCode> {
        let bars = Bars::new(self.console);
        self.with(sources, |source| {
            let update = TreeUpdate { seeds, ..self.update(source, &bars) };
            let forecast = update.compare(path).map_err(gosync::Error::from)?;
            outcome::tell_forecast(&forecast, &self.info, self.transfer, start, self.console)
        })
    }

    /// Checks whether the directory at `path` is what was published.
    pub(crate) fn verify(&self, path: &Path, start: Instant) -> anyhow::Result<ExitCode> {
        let bars = Bars::new(self.console);
        self.with(&[], |source| {
            let found = self.update(source, &bars).verify(path).map_err(gosync::Error::from)?;
            outcome::tell_verdict(&found, path, &self.info, start, self.console)
        })
    }

    fn update<'b>(&'b self, source: TreeSource<'b>, bars: &'b Bars<'b>) -> TreeUpdate<'b> {
        let options = TreeOptions::default();
        TreeUpdate { index: self.index, info: &self.info, source, seeds: &[], options, progress: bars }
    }

    /// Does something with the source: where the user says, or else beside the index.
    fn with<T>(
        &self,
        sources: &[Location],
        act: impl FnOnce(TreeSource<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let named = if sources.is_empty() { self.opened.default_sources() } else { Vec::new() };
        let locations: Vec<Location> = sources.iter().cloned().chain(named).collect();
        let Some(first) = locations.first() else {
            return Err(Usage {
                message: format!("{} does not name its directory", self.opened.location),
                hint: "give the SOURCE, a path or URL, after the index",
            }
            .into());
        };
        let options = self.options;
        if self.index.payload().is_some() {
            let source = open_sources(&locations, Some(self.index.source_length()), options);
            let source = source.map_err(gosync::Error::source)?;
            let files = self.index.target_name().map(|name| first.beside(name.as_str()));
            return act(TreeSource::Payload { source: &*source, location: first, files: files.as_ref(), options });
        }
        if sources.len() > 1 {
            return Err(Usage {
                message: "a directory that is published file by file has one SOURCE".into(),
                hint: "leave out --source, or publish it with a compressed payload",
            }
            .into());
        }
        let listing = TreeSource::listing_beside(&self.opened.location, self.index, first);
        act(TreeSource::Files { listing: &listing, tree: first, options })
    }
}

impl From<&Options> for TreeOptions {
    fn from(options: &Options) -> Self {
        let Options { delete, checksum, owner, xattrs, link } = *options;
        Self { delete, checksum, owner, xattrs, link }
    }
}
