//! `gosync server`.

use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use gosync_remote::{Access, Place, serve};

/// How long the other side may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
#[command(after_help = "`gosync pull` and `gosync push` run this at the far side, over ssh. A key that may do \
                        nothing but pull, in ~/.ssh/authorized_keys:\n\
    \x20 restrict,command=\"gosync server --stdio --root /srv/files --read-only\" ssh-ed25519 AAAA...")]
pub(crate) struct Server {
    /// Speak with the other side over standard input and output
    #[arg(long, required = true)]
    stdio: bool,
    /// Serve only what is beneath this directory: no path and no link leads out of it. Paths of the
    /// other side then begin there [default: all that this user may read and write]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Let the other side pull, and not push
    #[arg(long, conflicts_with = "write_only")]
    read_only: bool,
    /// Let the other side push, and not pull
    #[arg(long)]
    write_only: bool,
}

impl Server {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = match &self.root {
            None => Place::everywhere(),
            Some(root) => Place::beneath(root).with_context(|| format!("cannot read {}", root.display()))?,
        };
        let has_begun = Arc::new(AtomicBool::new(false));
        let watched = has_begun.clone();
        thread::Builder::new().name("gosync-server-watch".into()).spawn(move || {
            thread::sleep(PATIENCE);
            if !watched.load(Ordering::Relaxed) {
                // Nothing was begun that would have to be put in order.
                exit(1);
            }
        })?;
        let access = Access { read: !self.write_only, write: !self.read_only };
        serve(io::stdin(), io::stdout(), &place, access, || has_begun.store(true, Ordering::Relaxed))?;
        Ok(ExitCode::SUCCESS)
    }
}
