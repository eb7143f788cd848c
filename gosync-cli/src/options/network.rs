//! How to reach what is behind URLs.

use std::fs;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use gosync::sources::{
    Event, HttpOptions, Listener, Location, Pauses, Proxy, Rate, RetryOptions, Secret, SourceOptions, SshOptions,
};
use gosync::update::ByteRange;

use super::environment;
use super::identity::Identity;
use super::values::{rate, time};
use crate::console::Console;
use crate::failure::Usage;
use crate::table::{counted, in_requests};
use crate::text::size;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Receive at most this much in a second, such as 500KB or 2MiB
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit_rate: Option<Rate>,
    /// How often in a row to try again when a server fails in a way that may pass
    #[arg(long, value_name = "N", default_value_t = RetryOptions::default().retries)]
    retries: u32,
    /// The program to run for ssh URLs, and its arguments, such as "ssh -i KEY"
    #[arg(long, value_name = "COMMAND", default_value = "ssh")]
    ssh: String,
    /// Send this header, "Name: value", to the origin (scheme, host and port) of the first URL only; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    #[command(flatten)]
    identity: Identity,
    /// Use this proxy, but not for the hosts in NO_PROXY [default: as HTTPS_PROXY, HTTP_PROXY and ALL_PROXY say]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Also trust the certificates of authorities and servers in this PEM file; may be repeated [default: those in
    /// SSL_CERT_FILE and SSL_CERT_DIR, or else those of public authorities]
    #[arg(long = "ca-certificate", value_name = "FILE")]
    ca_certificates: Vec<PathBuf>,
    /// Connections to a server at once [default: 6]
    #[arg(long, value_name = "N")]
    connections: Option<NonZeroUsize>,
    /// The name that this program gives itself to servers [default: gosync/VERSION]
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// How long connecting may take [default: 15s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    connect_timeout: Option<Duration>,
    /// How long a server may be silent [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    read_timeout: Option<Duration>,
    /// How long all requests of the run may take, retries and mirrors included [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = time)]
    total_timeout: Option<Duration>,
}

impl Network {
    /// To be called once in a run: what is learned of a host with the index helps with the target.
    /// Headers and credentials are for the first URL of `locations`.
    pub(crate) fn source_options<'a>(
        &self,
        locations: impl IntoIterator<Item = &'a Location>,
        console: &Console,
    ) -> anyhow::Result<SourceOptions> {
        let usual = environment::source_options()?;
        let interrupt = console.interrupt.clone();
        let options = SourceOptions {
            http: self.http_options(usual.http)?,
            ssh: ssh(&self.ssh, console),
            retry: RetryOptions { retries: self.retries, ..RetryOptions::default() },
            rate: self.limit_rate,
            pauses: Pauses::until(move || interrupt.is_raised()),
            listener: console.is_verbose().then(|| listener(console)),
            ..usual
        };
        let options = options.with_secrets_for(locations);
        Ok(match self.total_timeout {
            Some(time) => options.with_time(time),
            None => options,
        })
    }

    fn http_options(&self, usual: HttpOptions) -> anyhow::Result<HttpOptions> {
        let certificates = self.ca_certificates.iter();
        let certificates = certificates
            .map(|path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())));
        let except = environment::no_proxy();
        let proxy = self.proxy.as_ref().map(|url| Proxy::new(url, &except)).transpose();
        let proxy = proxy.map_err(gosync::Error::source)?;
        Ok(HttpOptions {
            connections: self.connections.map_or(usual.connections, Into::into),
            connect_timeout: self.connect_timeout.unwrap_or(usual.connect_timeout),
            read_timeout: self.read_timeout.unwrap_or(usual.read_timeout),
            user_agent: self.user_agent.clone().unwrap_or(usual.user_agent),
            headers: self.headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?,
            credentials: self.identity.credentials()?,
            netrc: self.identity.netrc()?,
            proxy: proxy.or(usual.proxy),
            extra_certificates: certificates.collect::<Result<_, _>>()?,
            ..usual
        })
    }
}

/// Runs the program in `command`, with the arguments in it.
pub(crate) fn ssh(command: &str, console: &Console) -> SshOptions {
    // ssh must not ask a question that nobody sees.
    let interactive = console.may_ask() && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("ssh").into();
    SshOptions { program, arguments: words.map(Into::into).collect(), interactive, ..SshOptions::default() }
}

/// Tells of each attempt to fetch something, and what came of it.
fn listener(console: &Console) -> Listener {
    let console = console.clone();
    Listener::new(move |place, event| {
        let bytes = |ranges: &[ByteRange]| size(ranges.iter().map(|range| range.len()).sum());
        let ranges = |ranges: &[ByteRange]| counted(ranges.len() as u64, "range");
        match event {
            Event::Asked(asked) => {
                console.detail(format_args!("{place}: asked for {} in {}", bytes(asked), ranges(asked)));
            }
            Event::Done(Ok(done)) => {
                console.detail(format_args!("{place}: {} came{}", size(done.bytes), in_requests(done.requests)));
            }
            Event::Done(Err(error)) => console.detail(error),
            Event::Rejected(wrong, _) => {
                console.detail(format_args!("{place}: wrong: {} in {}", bytes(wrong), ranges(wrong)));
            }
            _ => {}
        }
    })
}

/// From `Name: value`. The value is not repeated in the error: it may be a secret.
fn header(text: &str) -> Result<(String, Secret), Usage> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| Usage { message: "a header has no colon".into(), hint: "write it as \"Name: value\"" })?;
    Ok((name.trim().to_owned(), value.trim().into()))
}
