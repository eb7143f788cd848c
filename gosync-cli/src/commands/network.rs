//! What the command line, the environment and files say about reaching servers.

use std::env::{self, VarError};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use gosync::{
    ByteRange, Credentials, Event, HttpOptions, Listener, Netrc, Pauses, Proxy, RetryOptions, Secret, SourceOptions,
    SshOptions,
};

use crate::args::Network;
use crate::console::Console;
use crate::failure::Usage;
use crate::table::{counted, in_requests, size};

/// Made once in a run: what is learned of a host with the index helps with the target.
pub(super) fn source_options(network: &Network, console: &Console) -> anyhow::Result<SourceOptions> {
    // A question that nobody sees is not asked.
    let interactive = console.may_ask() && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut ssh = network.ssh.split_whitespace();
    let program = ssh.next().unwrap_or("ssh").into();
    let arguments = ssh.map(Into::into).collect();
    let interrupt = console.interrupt.clone();
    Ok(SourceOptions {
        http: http_options(network)?,
        ssh: SshOptions { program, arguments, interactive, ..SshOptions::default() },
        retry: RetryOptions { retries: network.retries, ..RetryOptions::default() },
        rate: network.limit_rate,
        pauses: Pauses::until(move || interrupt.is_raised()),
        listener: console.is_verbose().then(|| listener(console)),
        ..upload_options()?
    })
}

/// Tells of each attempt to get something, and of what came of it.
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

/// What the environment says: proxies, and who one is for object stores.
pub(super) fn upload_options() -> anyhow::Result<SourceOptions> {
    let is_setting = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(SourceOptions {
        http: HttpOptions { proxy: proxy_of_environment()?, ..HttpOptions::default() },
        object_store: variables.filter(|(name, _)| is_setting(name)).collect(),
        ..SourceOptions::default()
    })
}

fn http_options(network: &Network) -> anyhow::Result<HttpOptions> {
    let proxy = match &network.proxy {
        Some(url) => Some(Proxy::new(url, "").map_err(gosync::Error::from)?),
        None => proxy_of_environment()?,
    };
    let extra_certificates = network.ca_certificates.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let headers = network.headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?;
    let defaults = HttpOptions::default();
    Ok(HttpOptions {
        connections: network.connections.map_or(defaults.connections, Into::into),
        connect_timeout: network.connect_timeout.unwrap_or(defaults.connect_timeout),
        read_timeout: network.read_timeout.unwrap_or(defaults.read_timeout),
        total_timeout: network.total_timeout,
        user_agent: network.user_agent.clone().unwrap_or(defaults.user_agent),
        headers,
        credentials: credentials(network)?,
        netrc: netrc(network)?,
        proxy,
        extra_certificates,
        ..HttpOptions::default()
    })
}

fn proxy_of_environment() -> anyhow::Result<Option<Proxy>> {
    Ok(Proxy::from_variables(|name| env::var(name).ok()).map_err(gosync::Error::from)?)
}

/// From `Name: value`. The value is not repeated in the error: it may be a secret.
fn header(text: &str) -> Result<(String, Secret), Usage> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| Usage { message: "a header has no colon".into(), hint: "write it as \"Name: value\"" })?;
    Ok((name.trim().to_owned(), value.trim().into()))
}

/// What is given on the command line comes before what the environment says.
fn credentials(network: &Network) -> anyhow::Result<Option<Credentials>> {
    let basic = |user: String| -> anyhow::Result<Option<Credentials>> {
        let password = secret_variable("GOSYNC_PASSWORD")?.unwrap_or_default();
        Ok(Some(Credentials::Basic { user, password: password.into() }))
    };
    if let Some(path) = &network.bearer_token_file {
        return Ok(Some(Credentials::Bearer(read(path)?.trim().into())));
    }
    if let Some(user) = &network.user {
        return basic(user.clone());
    }
    if network.netrc || network.netrc_file.is_some() {
        return Ok(None);
    }
    let given = |name| Ok::<_, Usage>(secret_variable(name)?.filter(|text| !text.is_empty()));
    if let Some(token) = given("GOSYNC_BEARER_TOKEN")? {
        return Ok(Some(Credentials::Bearer(token.trim().into())));
    }
    given("GOSYNC_USER")?.map_or(Ok(None), basic)
}

/// What the environment has under `name`. Secrets are no arguments, because every user of
/// the machine can list those of all processes.
pub(super) fn secret_variable(name: &str) -> Result<Option<String>, Usage> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Usage { message: format!("{name} is not text in UTF-8"), hint: "set it again, or unset it" })
        }
    }
}

/// The file that is given has to be there; the usual one need not.
fn netrc(network: &Network) -> anyhow::Result<Netrc> {
    let path = match &network.netrc_file {
        Some(path) => path.clone(),
        None if network.netrc => {
            let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
            let usual = home.map(|home| home.join(".netrc")).filter(|path| path.exists());
            let Some(path) = usual else { return Ok(Netrc::default()) };
            path
        }
        None => return Ok(Netrc::default()),
    };
    Netrc::parse(&read(&path)?).with_context(|| format!("{} is no netrc file", path.display()))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).map_err(|source| gosync::Error::Read { path: PathBuf::from(path), source }.into())
}
