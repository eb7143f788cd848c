//! What the environment says.

use std::env::{self, VarError};
use std::path::PathBuf;

use gosync::sources::{HttpOptions, Proxy, RootCertificates, SourceOptions};
use gosync_tree::Time;

use crate::failure::Usage;

/// Proxies, whom to trust, and the credentials of object stores: all that is needed to write to
/// these.
pub(crate) fn source_options() -> anyhow::Result<SourceOptions> {
    let is_setting = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let proxy = Proxy::from_variables(|name| env::var(name).ok()).map_err(gosync::Error::source)?;
    Ok(SourceOptions {
        http: HttpOptions { proxy, root_certificates: root_certificates(), ..HttpOptions::default() },
        object_store: variables.filter(|(name, _)| is_setting(name)).collect(),
        ..SourceOptions::default()
    })
}

/// What `SOURCE_DATE_EPOCH` says: nothing that is published is said to be newer.
pub(crate) fn latest_time() -> Result<Option<Time>, Usage> {
    let Some(text) = env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(seconds) => Ok(Some(Time { seconds, nanoseconds: 0 })),
        None => Err(Usage {
            message: format!("SOURCE_DATE_EPOCH is {}, which is no number of seconds", text.display()),
            hint: "set it to seconds since 1970, or unset it",
        }),
    }
}

/// Who runs this, for others to read.
pub(crate) fn who() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok());
    let host = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| env::var(name).ok());
    let host = host.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let host = host.map_or(String::new(), |host| format!(" on {}", host.trim()));
    format!("{}{host}, process {}", user.as_deref().unwrap_or("somebody"), std::process::id())
}

/// The hosts that no proxy is used for.
pub(crate) fn no_proxy() -> String {
    env::var("no_proxy").or_else(|_| env::var("NO_PROXY")).unwrap_or_default()
}

/// As OpenSSL, curl and others read it: a file, and directories.
fn root_certificates() -> RootCertificates {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let file = set("SSL_CERT_FILE").map(PathBuf::from);
    let directories = set("SSL_CERT_DIR").unwrap_or_default();
    let directories = env::split_paths(&directories).filter(|path| path.is_dir());
    match file.into_iter().chain(directories).collect::<Vec<_>>() {
        paths if paths.is_empty() => RootCertificates::Bundled,
        paths => RootCertificates::Files(paths),
    }
}

/// The secret under `name`. Secrets are no arguments, because every user of the machine can
/// list those of all processes.
pub(crate) fn secret(name: &str) -> Result<Option<String>, Usage> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Usage { message: format!("{name} is not text in UTF-8"), hint: "set it again, or unset it" })
        }
    }
}
