//! `gosync serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use gosync_server::Server;
use serde_json::json;

use crate::console::Console;
use crate::options::values::bind;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync serve published                          for this machine, on port 8730\n\
    \x20 gosync serve published --bind 0.0.0.0:8730      for the network")]
pub(crate) struct Serve {
    /// The directory to serve
    directory: PathBuf,
    /// The address to listen on: ADDRESS:PORT, such as 0.0.0.0:8730 for all of a network, or a
    /// PORT of this machine only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8730", value_parser = bind)]
    bind: SocketAddr,
}

impl Serve {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let server = Server::bind(&self.directory, self.bind)?;
        let url = server.url();
        console.message(format_args!("serving {} at {url} (stop with Ctrl-C)", self.directory.display()));
        console.event(&json!({ "event": "listening", "url": url }))?;
        let log = console.clone();
        server.with_access_log(move |record| log.message(record)).run()?;
        Ok(ExitCode::SUCCESS)
    }
}
