//! `gosync push`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::SourceError;
use gosync_remote::{Line, Offer, SshPlace, State, Wish, push};
use gosync_tree::{TreeBuild, TreeBuildOptions};

use crate::console::Console;
use crate::directory::build::patterns;
use crate::failure::Usage;
use crate::options::far::Far;
use crate::progress::Bars;
use crate::pushed;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync push app.img host:app.img                 it becomes there what it is here\n\
    \x20 gosync push site me@host:/srv/site --delete      so does the directory, without what is not here\n\
    \x20 gosync push -n site host:site                    how much would be sent")]
pub(crate) struct Push {
    /// The file or directory here
    local: PathBuf,
    /// What is to become the same at the far side: [USER@]HOST:PATH or ssh://[USER@]HOST[:PORT]/PATH. A file goes
    /// into a directory, under its name, where PATH ends with a slash
    #[arg(value_name = "[USER@]HOST:PATH")]
    far: String,
    /// Only tell how much would be sent, and what would become of how many files
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Of a directory, remove there what is not here, but for what is left out
    #[arg(long)]
    delete: bool,
    /// Read every file on both sides, and do not go by length and time
    #[arg(short = 'c', long)]
    checksum: bool,
    /// Of a directory, leave out what this pattern matches, in the syntax of .gitignore; may be repeated.
    /// Files .gosyncignore in it and beneath have patterns too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Of a directory, leave out what the patterns in this file match; may be repeated
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Of a directory, give files there to the users and groups that they belong to here, by name or else by number
    #[arg(long)]
    owner: bool,
    /// Of a directory, set the extended attributes, access control lists and capabilities too
    #[arg(long)]
    xattrs: bool,
    #[command(flatten)]
    reach: Far,
}

impl Push {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let Some(mut place) = SshPlace::parse(&self.far).map_err(gosync::Error::source)? else {
            return Err(Usage {
                message: format!("{} is on this machine", self.far),
                hint: "what is here comes first, and then what is to become the same at a far side, as HOST:PATH",
            }
            .into());
        };
        let metadata = std::fs::metadata(&self.local)
            .map_err(|source| gosync::update::Error::Read { path: self.local.clone(), source })
            .map_err(gosync::Error::from)?;
        if metadata.is_file() {
            self.check_file()?;
            if self.far.ends_with(['/', ':']) {
                place = place.with(&self.name()?);
            }
        }
        // It logs in while what is here is looked at.
        let options = self.reach.options(console);
        let line = Line::over_ssh(&place, &self.reach.command(), &options).map_err(gosync::Error::source)?;
        let bars = Bars::new(console);
        let excludes = patterns(&self.exclude, &self.exclude_from)?;
        let (owner, xattrs, checksum) = (self.owner, self.xattrs, self.checksum);
        let file = match metadata.is_file() {
            true => metadata.modified().ok().map(|modified| State { length: metadata.len(), modified }),
            false => None,
        };
        let listing = match metadata.is_dir() {
            true => {
                let excludes = excludes.clone();
                let wanted = TreeBuildOptions { excludes, latest: None, owner, xattrs, trust_times: !checksum };
                let tree = TreeBuild::scan(&self.local, &wanted, &bars).map_err(gosync::Error::from)?;
                Some(tree.info().listing_hash)
            }
            false => None,
        };
        let wish = Wish { path: place.path().to_vec(), excludes, owner, xattrs, checksum, file, listing };
        let offer = Offer { wish, delete: self.delete, dry_run: self.dry_run };
        let pushed = push(line, &offer, &self.local, &bars).map_err(gosync::Error::from);
        drop(bars);
        let (pushed, traffic) = pushed.map_err(|error| self.reach.explain(error, &place))?;
        pushed::tell(pushed.as_ref(), &traffic, place.shown(), self.dry_run, start, console)
    }

    /// The name of what is here.
    fn name(&self) -> Result<String, gosync::Error> {
        let name = self.local.file_name().and_then(|name| name.to_str());
        name.map(str::to_owned).ok_or_else(|| {
            let (location, reason) =
                (self.far.clone(), "the name of what is here is no text; say how to call it there".into());
            gosync::Error::source(SourceError::Refused { location, reason })
        })
    }

    /// Refuses what is only for directories.
    fn check_file(&self) -> Result<(), Usage> {
        let all = [
            (self.delete, "--delete"),
            (self.owner, "--owner"),
            (self.xattrs, "--xattrs"),
            (!self.exclude.is_empty(), "--exclude"),
            (!self.exclude_from.is_empty(), "--exclude-from"),
        ];
        match all.iter().find(|(is_given, _)| *is_given) {
            None => Ok(()),
            Some((_, option)) => Err(Usage {
                message: format!("{option} is for directories, and {} is a file", Path::new(&self.local).display()),
                hint: "leave it out",
            }),
        }
    }
}
