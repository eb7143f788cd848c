//! The subcommands: each turns its arguments into one call of the library, and what
//! comes back into text or JSON.

pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod inspect;
pub(crate) mod patch;
pub(crate) mod serve;
pub(crate) mod verify;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use gosync::{
    Comparison, Error, HttpOptions, Location, OpenedIndex, Pauses, Proxy, ReadOptions, RetryOptions, Seeds,
    SourceOptions, SshOptions, open_index,
};

use crate::args::Network;
use crate::console::Console;

fn open(index: &Location, options: &SourceOptions) -> Result<OpenedIndex, Error> {
    open_index(index, &ReadOptions::default(), options)
}

/// Made once in a run: what is learned of a host with the index helps with the target.
fn source_options(network: &Network, console: &Console) -> Result<SourceOptions, Error> {
    // A question that nobody sees is not asked.
    let interactive = console.may_ask() && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut ssh = network.ssh.split_whitespace();
    let program = ssh.next().unwrap_or("ssh").into();
    let arguments = ssh.map(Into::into).collect();
    let interrupt = console.interrupt.clone();
    Ok(SourceOptions {
        ssh: SshOptions { program, arguments, interactive, ..SshOptions::default() },
        retry: RetryOptions { retries: network.retries, ..RetryOptions::default() },
        rate: network.limit_rate,
        pauses: Pauses::until(move || interrupt.is_raised()),
        ..upload_options()?
    })
}

/// What the environment says: proxies, and who one is for object stores.
fn upload_options() -> Result<SourceOptions, Error> {
    let is_setting = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let proxy = Proxy::from_variables(|name| std::env::var(name).ok())?;
    Ok(SourceOptions {
        http: HttpOptions { proxy, ..HttpOptions::default() },
        object_store: variables.filter(|(name, _)| is_setting(name)).collect(),
        ..SourceOptions::default()
    })
}

fn open_seeds<'a>(seed: &'a PathBuf, more: &'a [PathBuf], console: &Console) -> Result<Seeds, Error> {
    let seeds = Seeds::open(std::iter::once(seed).chain(more))?;
    for missing in seeds.missing() {
        console.message(format_args!("{} does not exist: nothing can be taken from it", missing.display()));
    }
    Ok(seeds)
}

/// Says which seeds could not be read, and that this cost only bytes.
fn warn_unreadable(seeds: &Seeds, comparison: &Comparison, console: &Console) {
    for unreadable in &comparison.unreadable {
        // What is no file of the user's is what an earlier run left behind.
        if let Some(file) = seeds.files().get(usize::from(unreadable.seed.0)) {
            console.message(format_args!(
                "warning: cannot read {} at byte {} ({}); what it holds there is fetched instead",
                file.path().display(),
                unreadable.offset,
                unreadable.error
            ));
        }
    }
}
