//! Trusting signed indexes only.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gosync::pointer::Latest;
use gosync::signing::{PublicKey, SIGNATURE_SUFFIX, Signed};
use gosync::sources::{Location, SourceOptions};
use gosync::update::Beginning;
use gosync::{Error, OpenedIndex};

use crate::console::Console;

#[derive(Debug, clap::Args)]
pub(crate) struct Trust {
    /// Use the index only if INDEX.minisig is its signature by this key of minisign: a file, or
    /// base64. A pointer has its signature in itself
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Follow a pointer (NAME.gosync-latest) that has expired
    #[arg(long)]
    allow_expired: bool,
}

impl Trust {
    /// Whether an index is used only if it is signed.
    pub(crate) fn wants_signature(&self) -> bool {
        self.public_key.is_some()
    }

    /// What is read to verify the signature of the index at `index`.
    pub(crate) fn files(&self, index: &Location) -> Vec<PathBuf> {
        match (&self.public_key, index.with_suffix(SIGNATURE_SUFFIX)) {
            (Some(key), Location::Path(signature)) => vec![key.into(), signature],
            (Some(key), Location::Url(_)) => vec![key.into()],
            (None, _) => Vec::new(),
        }
    }

    /// The key that has to have signed, if any.
    fn key(&self) -> Result<Option<PublicKey>, Error> {
        let Some(key) = &self.public_key else { return Ok(None) };
        // Text that is not a key is the path of one.
        Ok(Some(key.parse().or_else(|_| PublicKey::read(Path::new(key)))?))
    }

    /// Reads a pointer, verifies its signature if a key is given, and that it has not expired.
    pub(crate) fn follow(&self, beginning: Beginning, console: &Console) -> Result<Latest, Error> {
        let latest = Latest::read(beginning, self.key()?.as_ref())?;
        match latest.check_time(SystemTime::now()) {
            Err(error) if self.allow_expired => console.message(format_args!(
                "warning: {}{}",
                latest.location,
                error.source().map(|cause| format!(": {cause}")).unwrap_or_default()
            )),
            checked => checked?,
        }
        if let Some(signed) = &latest.signed {
            console.detail(format_args!("pointer signed with key {}: {}", signed.key, signed.comment));
        }
        Ok(latest)
    }

    /// Verifies the signature of `opened` if a key is given, and adds what that
    /// cost to what the index did.
    pub(crate) fn check(
        &self,
        opened: &mut OpenedIndex,
        options: &SourceOptions,
        console: &Console,
    ) -> Result<Option<Signed>, Error> {
        let Some(key) = self.key()? else { return Ok(None) };
        let signed = opened.check_signature(&key, options)?;
        opened.transfer += signed.transfer;
        console.detail(format_args!("index signed with key {}: {}", signed.key, signed.comment));
        Ok(Some(signed))
    }
}
