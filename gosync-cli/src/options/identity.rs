//! Names and passwords for servers.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use gosync::sources::{Credentials, Netrc};

use super::environment::secret;

#[derive(Debug, clap::Args)]
pub(crate) struct Identity {
    /// Log in as this user at the origin of the first URL only, with the password in GOSYNC_PASSWORD or in the netrc
    /// file [default: the user in GOSYNC_USER]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Log in with the token in this file [default: the token in GOSYNC_BEARER_TOKEN]
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    bearer_token_file: Option<PathBuf>,
    /// Look for names and passwords in ~/.netrc
    #[arg(long)]
    netrc: bool,
    /// Look for names and passwords in this file
    #[arg(long, value_name = "FILE")]
    netrc_file: Option<PathBuf>,
}

impl Identity {
    /// What the command line says comes before what the environment says.
    pub(super) fn credentials(&self) -> anyhow::Result<Option<Credentials>> {
        if let Some(path) = &self.bearer_token_file {
            let token = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            return Ok(Some(Credentials::Bearer(token.trim().into())));
        }
        if self.user.is_none() && (self.netrc || self.netrc_file.is_some()) {
            return Ok(None);
        }
        let user = match self.user.clone() {
            Some(user) => user,
            None => {
                if let Some(token) = secret("GOSYNC_BEARER_TOKEN")?.filter(|token| !token.is_empty()) {
                    return Ok(Some(Credentials::Bearer(token.trim().into())));
                }
                let Some(user) = secret("GOSYNC_USER")?.filter(|user| !user.is_empty()) else { return Ok(None) };
                user
            }
        };
        let password = secret("GOSYNC_PASSWORD")?.unwrap_or_default();
        Ok(Some(Credentials::Basic { user, password: password.into() }))
    }

    /// A file that is named must exist; the usual one need not.
    pub(super) fn netrc(&self) -> anyhow::Result<Netrc> {
        let usual = || {
            let home = env::home_dir().filter(|home| self.netrc && !home.as_os_str().is_empty());
            home.map(|home| home.join(".netrc")).filter(|path| path.exists())
        };
        let Some(path) = self.netrc_file.clone().or_else(usual) else { return Ok(Netrc::default()) };
        let file = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Netrc::parse(file))
    }
}
