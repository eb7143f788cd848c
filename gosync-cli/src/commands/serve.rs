//! `gosync serve`.

use std::process::ExitCode;

use gosync_server::Server;
use serde_json::json;

use crate::args;
use crate::console::Console;

pub(crate) fn run(args: &args::Serve, console: &Console) -> anyhow::Result<ExitCode> {
    let server = Server::bind(&args.directory, args.bind)?;
    let url = server.url();
    console.message(format_args!("serving {} at {url} (stop with Ctrl-C)", args.directory.display()));
    console.event(&json!({ "event": "listening", "url": url }))?;
    let log = console.clone();
    server.with_access_log(move |record| log.message(record)).run()?;
    Ok(ExitCode::SUCCESS)
}
