//! `gosync pull`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync_files::entry::is_standard_output;
use gosync_remote::{Asked, Line, SshPlace, State, Wish, ask};
use gosync_tree::has_unfinished;

use crate::console::Console;
use crate::failure::Usage;
use crate::options::far::Far;
use crate::options::whole::{Whole, listing};
use crate::progress::Bars;
use crate::pulled::{Pulled, tell_same};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync pull host:app.img app.img                 app.img becomes what it is there\n\
    \x20 gosync pull me@host:/srv/site site --delete      the directory, without what is not there any more\n\
    \x20 gosync pull -n host:site site                    what would be fetched\n\
    \x20 gosync pull ssh://host:2222/~/app.img app.img -e \"ssh -i KEY\"")]
pub(crate) struct Pull {
    /// What is at the far side: [USER@]HOST:PATH or ssh://[USER@]HOST[:PORT]/PATH, a file or a directory.
    /// An IPv6 address is in brackets. A PATH without a slash before it is relative to where a login begins
    #[arg(value_name = "[USER@]HOST:PATH")]
    far: String,
    /// What is to become the same here. A file goes into a directory that is here already, under its name
    local: PathBuf,
    /// Another file, or of a directory another one, that may hold parts of it; may be repeated
    #[arg(long = "seed", value_name = "PATH")]
    seeds: Vec<PathBuf>,
    /// Only tell what would be fetched; of a directory also what would become of which file
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    whole: Whole,
    #[command(flatten)]
    reach: Far,
}

impl Pull {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        if self.local == Path::new("-") || is_standard_output(&self.local) {
            let message = "what is pulled cannot go to standard output".into();
            return Err(Usage { message, hint: "give a file or a directory" }.into());
        }
        let Some(place) = SshPlace::parse(&self.far).map_err(gosync::Error::source)? else {
            return Err(Usage {
                message: format!("{} is on this machine", self.far),
                hint: "write what is at a far side as HOST:PATH, and then what is to become the same here; `gosync patch` \
                       is for an index, at a path or URL",
            }
            .into());
        };
        // It logs in while what is here is looked at.
        let options = self.reach.options(console);
        let line = Line::over_ssh(&place, &self.reach.command(), &options).map_err(gosync::Error::source)?;
        let wish = self.wish(&place, console)?;
        let asked = ask(line, &wish).map_err(gosync::Error::from).map_err(|error| self.reach.explain(error, &place))?;
        let pulled = match asked {
            Asked::Same(traffic) => return tell_same(&self.local, &traffic, self.dry_run, start, console),
            Asked::Far(far) => Pulled { far: *far, place: &place, is_dry_run: self.dry_run, start, console },
        };
        if pulled.is_directory() {
            return pulled.directory(&self.local, &self.seeds, self.tree_options());
        }
        self.whole.check_file(&self.far)?;
        pulled.file(&self.file_here(&place), &self.seeds)
    }

    /// What is wanted, and what is here of it.
    fn wish(&self, place: &SshPlace, console: &Console) -> anyhow::Result<Wish> {
        let mut wish = self.whole.wish(place)?;
        if self.local.is_dir() && !has_unfinished(&self.local) {
            wish.listing = Some(listing(&self.local, &wish, &Bars::new(console))?);
        }
        let file = std::fs::metadata(self.file_here(place)).ok().filter(std::fs::Metadata::is_file);
        wish.file = file.and_then(|file| Some(State { length: file.len(), modified: file.modified().ok()? }));
        Ok(wish)
    }

    /// Where a file goes.
    fn file_here(&self, place: &SshPlace) -> PathBuf {
        match place.name().filter(|_| self.local.is_dir()) {
            Some(name) => self.local.join(name),
            None => self.local.clone(),
        }
    }

    fn tree_options(&self) -> gosync_tree::TreeOptions {
        let Whole { delete, checksum, owner, xattrs, .. } = self.whole;
        gosync_tree::TreeOptions { delete, checksum, owner, xattrs, link: false }
    }
}
