//! The command line.

use std::process::ExitCode;

use clap::{Args as _, CommandFactory, Parser, Subcommand};

use crate::commands::build::Build;
use crate::commands::completions::Completions;
use crate::commands::demo::Demo;
use crate::commands::diff::Diff;
use crate::commands::index::Index;
use crate::commands::inspect::Inspect;
use crate::commands::man::Man;
use crate::commands::patch::Patch;
use crate::commands::publish::Publish;
use crate::commands::pull::Pull;
use crate::commands::push::Push;
use crate::commands::serve::Serve;
use crate::commands::server::Server;
use crate::commands::verify::Verify;
use crate::console::Console;
use crate::names::rdiff::Rdiff;
use crate::names::zsync::Zsync;
use crate::names::zsyncmake::Zsyncmake;
use crate::options::global::Global;

/// Bring a file from an old version to a new one by moving only what changed.
///
/// The publisher of a file puts an index beside it, on any server that can serve
/// ranges. A user with an old version compares it with the index, fetches only what is
/// missing, and gets the new version, verified and put in place at once.
#[derive(Debug, Parser)]
#[command(name = "gosync", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failure, 2 usage, 3 data is corrupt or fails verification, \
                        4 the source cannot be reached or refuses, 130 and 143 interrupted by Ctrl-C or SIGTERM.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// The arguments of a link to this program, which does by its name what the command of that name does.
    pub(crate) fn of_link(name: &str) -> clap::Command {
        let own = Self::command().find_subcommand(name).expect("it is one of ours").clone();
        // Its version says which program of that name this is.
        let own = own.display_name(format!("gosync-{name}")).max_term_width(100).next_help_heading(None);
        Global::augment_args(own)
    }
}

/// The names of links to this program, and the commands that do the same.
pub(crate) const LINKS: [&str; 3] = ["rdiff", "zsync", "zsyncmake"];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the index of a file, to be published beside it
    #[command(visible_alias = "b")]
    Build(Build),
    /// Show how much of the new version an old one has, and what a patch would fetch
    #[command(visible_alias = "d")]
    Diff(Diff),
    /// Bring an old version to the new one, fetching only what is missing
    #[command(visible_alias = "p")]
    Patch(Patch),
    /// Put a new version where a pointer leads clients to the newest one
    Publish(Publish),
    /// Bring a file or a directory here from another machine, over ssh
    Pull(Pull),
    /// Make a file or a directory on another machine what it is here, over ssh
    Push(Push),
    /// Show what is in an index
    Inspect(Inspect),
    /// Check a file against an index
    Verify(Verify),
    /// Serve the files in a directory over HTTP, with ranges
    Serve(Serve),
    /// Serve the other side of a pipe: what `gosync pull` and `gosync push` run at the far side
    Server(Server),
    /// Put an index together that was made in parts
    Index(Index),
    /// Show the main job on a large file of this machine, over HTTP, with a table of the results
    Demo(Demo),
    /// Bring a file to the version that a control file of zsync describes, as zsync does
    #[command(version)]
    Zsync(Zsync),
    /// Make the control file of a file, as zsyncmake does
    #[command(version)]
    Zsyncmake(Zsyncmake),
    /// Make signatures and deltas of files, and apply them: rdiff, with its options and formats
    Rdiff(Rdiff),
    /// Print what a shell needs to complete command lines
    Completions(Completions),
    /// Print the first page of the manual, or write all of them
    Man(Man),
}

impl Command {
    /// Whether a signal may end it at once, because it has nothing to put in order.
    pub(crate) fn may_end_at_once(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Server(_) | Self::Demo(_))
    }

    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        match self {
            Self::Build(build) => build.run(console),
            Self::Diff(diff) => diff.run(console),
            Self::Patch(patch) => patch.run(console),
            Self::Publish(publish) => publish.run(console),
            Self::Pull(pull) => pull.run(console),
            Self::Push(push) => push.run(console),
            Self::Inspect(inspect) => inspect.run(console),
            Self::Verify(verify) => verify.run(console),
            Self::Serve(serve) => serve.run(console),
            Self::Server(server) => server.run(),
            Self::Index(index) => index.run(console),
            Self::Demo(demo) => demo.run(console),
            Self::Zsync(zsync) => zsync.run(console),
            Self::Zsyncmake(zsyncmake) => zsyncmake.run(console),
            Self::Rdiff(rdiff) => rdiff.run(console),
            Self::Completions(completions) => completions.run(Args::command()),
            Self::Man(man) => {
                man.run(std::iter::once(Args::command()).chain(LINKS.map(Args::of_link)).collect(), console)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
