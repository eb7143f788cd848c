//! What the environment says.

use std::env::{self, VarError};

use gosync::sources::{HttpOptions, Proxy, SourceOptions};
use gosync_tree::Time;

use crate::failure::Usage;

/// Proxies, and the credentials of object stores: all that is needed to write to these.
pub(crate) fn source_options() -> anyhow::Result<SourceOptions> {
    let is_setting = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let proxy = Proxy::from_variables(|name| env::var(name).ok()).map_err(gosync::Error::source)?;
    Ok(SourceOptions {
        http: HttpOptions { proxy, ..HttpOptions::default() },
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
