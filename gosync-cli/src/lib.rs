//! The `gosync` command: flags, wiring, progress, messages and exit codes.
//!
//! The program is nothing but [`main`], which other programs may run too: the Python
//! package does, as `python -m gosync`. It prints, reads the environment and handles
//! signals. The `gosync` library does the same work without that.

mod args;
mod commands;
mod console;
mod directory;
mod failure;
mod forecast;
mod interrupt;
mod names;
mod options;
mod outcome;
mod page;
mod platform;
mod progress;
mod publication;
mod published;
mod pulled;
mod pushed;
mod refusal;
mod remedy;
mod table;
mod text;
mod version;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use args::Args;
use console::Console;
use failure::Usage;
use names::personality;

/// Runs the command with `args`, of which the first is the name it is called by.
///
/// To be called once in a process, which has no signal handlers of its own.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    platform::let_writes_fail();
    let arguments: Vec<OsString> = args.into_iter().collect();
    let args = match personality::parse(&arguments) {
        Ok(args) => args,
        Err(error) => return refusal::print(&error, &arguments),
    };
    let console = Console::new(&args.global);
    let result = run(args, &console);
    console.interrupt.settle();
    result.unwrap_or_else(|error| failure::report(&error, &console))
}

/// The most threads for each core: more would only wait for each other, longer than the work takes.
const MOST_FOR_A_CORE: usize = 8;

/// How many threads to start where so many are asked for: no more than the cores have use for.
pub fn threads(asked: Option<NonZeroUsize>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or(cores, |asked| asked.get().min(MOST_FOR_A_CORE * cores))
}

fn run(args: Args, console: &Console) -> anyhow::Result<ExitCode> {
    let Args { global, command } = args;
    if let Some(tier) = &global.tier {
        gosync::use_tier(tier)
            .map_err(|error| Usage { message: error.to_string(), hint: "without --tier the best one is used" })?;
    }
    if !command.may_end_at_once() {
        let interrupted = console.clone();
        console.interrupt.watch(move || failure::tell_interruption(&interrupted))?;
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads(global.threads)).build()?;
    pool.install(|| command.run(console))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_bounded() {
        let cores = threads(None);
        assert_eq!([1, 2, MOST_FOR_A_CORE * cores].map(|asked| threads(NonZeroUsize::new(asked))), [1, 2, 8 * cores]);
        assert!([20_000, usize::MAX].iter().all(|&asked| threads(NonZeroUsize::new(asked)) == 8 * cores));
    }
}
