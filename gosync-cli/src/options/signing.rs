//! Signing an index.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use gosync::Error;
use gosync::publish::keep_apart;
use gosync::signing::{SIGNATURE_SUFFIX, SecretKey};
use gosync::sources::Location;

use super::environment::secret;
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub(crate) struct Signing {
    /// Sign with this secret key of minisign: the index, whose signature goes to INDEX.minisig, and what is
    /// published also in its pointer
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    /// Read the password of the key from this file [default: GOSYNC_KEY_PASSWORD, or a prompt]
    #[arg(long, value_name = "FILE", requires = "sign")]
    key_password_file: Option<PathBuf>,
}

impl Signing {
    /// Whether the index is to be signed.
    pub(crate) fn is_wanted(&self) -> bool {
        self.sign.is_some()
    }

    /// Refuses to write an index to `index`, its signature beside it and `more` where any of them
    /// is one of `inputs`, the key, or another of them.
    pub(crate) fn keep_apart(&self, index: &Location, more: Option<&Location>, inputs: &[&Path]) -> Result<(), Error> {
        let signature = self.sign.as_ref().map(|_| index.with_suffix(SIGNATURE_SUFFIX));
        let outputs: Vec<&Location> = [index].into_iter().chain(more).chain(&signature).collect();
        let own = self.sign.iter().chain(&self.key_password_file).map(PathBuf::as_path);
        let inputs: Vec<&Path> = inputs.iter().copied().chain(own).collect();
        Ok(keep_apart(&outputs, &inputs)?)
    }

    /// The key, decrypted. To be called before the work begins, so that a wrong password costs no work.
    pub(crate) fn key(&self, console: &Console) -> anyhow::Result<Option<SecretKey>> {
        let Some(path) = &self.sign else { return Ok(None) };
        let password = match &self.key_password_file {
            Some(file) => {
                let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                Some(text.lines().next().unwrap_or_default().to_owned())
            }
            None => secret("GOSYNC_KEY_PASSWORD")?,
        };
        let ask = || match password {
            Some(password) => Ok(password),
            None if console.may_ask() => rpassword::prompt_password(format!("Password of {}: ", path.display())),
            None => Err(io::Error::other("--quiet asks for none")),
        };
        Ok(Some(SecretKey::read(path, ask)?))
    }
}
