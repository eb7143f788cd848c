//! `gosync push`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::SourceError;
use gosync_remote::{Line, Offer, SshPlace, State, push};

use crate::console::Console;
use crate::failure::Usage;
use crate::options::far::Far;
use crate::options::whole::{Whole, listing};
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
    #[command(flatten)]
    whole: Whole,
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
            self.whole.check_file(&self.local.display().to_string())?;
            if self.far.ends_with(['/', ':']) {
                place = place.with(&self.name()?);
            }
        }
        // It logs in while what is here is looked at.
        let options = self.reach.options(console);
        let line = Line::over_ssh(&place, &self.reach.command(), &options).map_err(gosync::Error::source)?;
        let bars = Bars::new(console);
        let mut wish = self.whole.wish(&place)?;
        if metadata.is_file() {
            wish.file = metadata.modified().ok().map(|modified| State { length: metadata.len(), modified });
        } else if metadata.is_dir() {
            wish.listing = Some(listing(&self.local, &wish, &bars)?);
        }
        let offer = Offer { wish, delete: self.whole.delete, dry_run: self.dry_run };
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
}
