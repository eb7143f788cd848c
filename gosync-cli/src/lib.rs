//! The `gosync` command: flags, wiring, progress, messages and exit codes.
//!
//! The program is nothing but [`main`], which other programs may run too: the Python
//! package does, as `python -m gosync`. It prints, reads the environment and handles
//! signals. Whoever wants the work without that uses the `gosync` library.

mod args;
mod commands;
mod console;
mod failure;
mod interrupt;
mod personality;
mod progress;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Args, Command};
use console::Console;
use failure::Usage;

/// Runs the command with `args`, of which the first is the name it is called by.
///
/// To be run once in a process, by whoever has left signals alone until then.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = args.into_iter().collect();
    let args = match personality::parse(&arguments) {
        Ok(args) => args,
        Err(error) => {
            // Who closed the stream it goes to does not want to know.
            let _ = error.print();
            return if error.use_stderr() { personality::usage_code(&arguments).into() } else { ExitCode::SUCCESS };
        }
    };
    let console = Console::new(&args.global);
    let result = run(&args, &console);
    console.interrupt.settle();
    result.unwrap_or_else(|error| failure::report(&error, &console))
}

fn run(args: &Args, console: &Console) -> anyhow::Result<ExitCode> {
    if let Some(tier) = &args.global.tier {
        gosync::use_tier(tier)
            .map_err(|error| Usage { message: error.to_string(), hint: "without --tier the best one is used" })?;
    }
    // Who serves until told to stop has nothing to put in order.
    if !matches!(args.command, Command::Serve(_) | Command::Demo(_)) {
        console.interrupt.watch(console)?;
    }
    let threads = args.global.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| match &args.command {
        Command::Build(args) => commands::build::run(args, console),
        Command::Diff(args) => commands::diff::run(args, console),
        Command::Patch(args) => commands::patch::run(args, console),
        Command::Inspect(args) => commands::inspect::run(args, console),
        Command::Verify(args) => commands::verify::run(args, console),
        Command::Serve(args) => commands::serve::run(args, console),
        Command::Index(args) => commands::parts::index(args, console),
        Command::Demo(args) => commands::demo::run(args, console),
        Command::Rdiff(args) => commands::rdiff::run(args, console),
        Command::Zsync(args) => commands::zsync::run(args, console),
        Command::Zsyncmake(args) => commands::zsyncmake::run(args, console),
    })
}
