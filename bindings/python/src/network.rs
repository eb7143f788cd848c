//! How servers are reached, from `gosync.Network`.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use gosync::sources::{Credentials, HttpOptions, Pauses, Proxy, Rate, RetryOptions, SourceOptions, SshOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error;

/// The dataclass of that name, which says what the fields mean.
#[derive(FromPyObject)]
pub(crate) struct Network {
    headers: HashMap<String, String>,
    user: Option<String>,
    password: Option<String>,
    bearer_token: Option<String>,
    proxy: Option<String>,
    ca_certificates: Vec<PathBuf>,
    connections: Option<usize>,
    connect_timeout: Option<f64>,
    read_timeout: Option<f64>,
    total_timeout: Option<f64>,
    retries: Option<u32>,
    limit_rate: Option<u64>,
    ssh: Vec<String>,
    environment: HashMap<String, String>,
}

impl Network {
    /// What the libraries want to know. Pauses end when `should_stop` says so.
    pub(crate) fn options(&self, should_stop: impl Fn() -> bool + Send + Sync + 'static) -> PyResult<SourceOptions> {
        let http = self.http()?;
        let total = time(self.total_timeout)?;
        let retry = RetryOptions::default();
        let rate = self.limit_rate.map(|rate| {
            let rate = NonZeroU64::new(rate).ok_or_else(|| PyValueError::new_err("limit_rate has to be above 0"))?;
            Ok::<_, PyErr>(Rate::new(rate))
        });
        let (program, arguments) = self.ssh.split_first().ok_or_else(|| PyValueError::new_err("ssh is empty"))?;
        let options = SourceOptions {
            http,
            ssh: SshOptions {
                program: program.into(),
                arguments: arguments.iter().map(Into::into).collect(),
                ..SshOptions::default()
            },
            object_store: self.environment.clone().into_iter().filter(|(name, _)| is_setting(name)).collect(),
            retry: RetryOptions { retries: self.retries.unwrap_or(retry.retries), ..retry },
            rate: rate.transpose()?,
            pauses: Pauses::until(should_stop),
            listener: None,
        };
        Ok(match total {
            Some(total) => options.with_time(total),
            None => options,
        })
    }

    fn http(&self) -> PyResult<HttpOptions> {
        let defaults = HttpOptions::default();
        let proxy = match &self.proxy {
            Some(url) => Proxy::new(url, "").map(Some),
            None => Proxy::from_variables(|name| self.environment.get(name).cloned()),
        };
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|source| error::file_error(path, &source));
        let user = self.user.clone().map(|user| {
            let password = self.password.clone().unwrap_or_default().into();
            Credentials::Basic { user, password }
        });
        let token = self.bearer_token.as_deref().map(|token| Credentials::Bearer(token.into()));
        Ok(HttpOptions {
            connections: self.connections.unwrap_or(defaults.connections),
            connect_timeout: time(self.connect_timeout)?.unwrap_or(defaults.connect_timeout),
            read_timeout: time(self.read_timeout)?.unwrap_or(defaults.read_timeout),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect(),
            credentials: token.or(user),
            proxy: proxy.map_err(|error| error::value_error(&error))?,
            extra_certificates: self.ca_certificates.iter().map(read).collect::<PyResult<_>>()?,
            ..defaults
        })
    }
}

/// Whether an object store may want to know this variable.
fn is_setting(name: &str) -> bool {
    ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix))
}

fn time(seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let time = |seconds| {
        let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
        time.ok_or_else(|| PyValueError::new_err(format!("{seconds} seconds is no time to wait")))
    };
    seconds.map(time).transpose()
}
