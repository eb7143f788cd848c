//! Keys on the command line: signing indexes, and trusting only signed ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gosync::{Error, Index, Location, OpenedIndex, PublicKey, SIGNATURE_SUFFIX, SecretKey, Signed, SourceOptions};

use super::network::secret_variable;
use crate::console::Console;

/// With what to sign.
#[derive(Debug, clap::Args)]
pub(crate) struct Signing {
    /// Sign the index with this secret key of minisign; the signature is INDEX.minisig
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    /// The password of the key is in this file [default: GOSYNC_KEY_PASSWORD, or what is asked for]
    #[arg(long, value_name = "FILE", requires = "sign")]
    key_password_file: Option<PathBuf>,
}

/// Whom to trust.
#[derive(Debug, clap::Args)]
pub(crate) struct Trust {
    /// Use the index only if INDEX.minisig is a signature by this key of minisign: a file, or base64
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

impl Trust {
    /// Whether an index is used only if it is signed.
    pub(super) fn wants_signature(&self) -> bool {
        self.public_key.is_some()
    }
}

impl Signing {
    /// Whether the index is to be signed.
    pub(super) fn is_wanted(&self) -> bool {
        self.sign.is_some()
    }

    /// The key, decrypted: before the work begins, so that a wrong password costs none.
    pub(super) fn key(&self, console: &Console) -> anyhow::Result<Option<SecretKey>> {
        let Some(path) = &self.sign else { return Ok(None) };
        let password = match &self.key_password_file {
            Some(file) => Some(read_password(file)?),
            None => secret_variable("GOSYNC_KEY_PASSWORD")?,
        };
        let ask = || match password {
            Some(password) => Ok(password),
            None if console.may_ask() => rpassword::prompt_password(format!("Password of {}: ", path.display())),
            None => Err(io::Error::other("with --quiet nobody is asked for one")),
        };
        Ok(Some(SecretKey::read(path, ask)?))
    }
}

/// Signs what is to be published at `location`.
pub(super) fn sign(index: &Index, location: &Location, key: &SecretKey) -> Result<String, Error> {
    let header = index.header_bytes().expect("there is a key only where there is a header");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = location.file_name().unwrap_or_default();
    let comment = format!("timestamp:{now}\tfile:{name}\theader:{}", header.len());
    key.sign(header, &comment).map_err(|source| Error::Key { key: key.id().to_string(), source })
}

/// Tells of a signature that stayed behind from an earlier index: whoever has a public
/// key would now refuse the index.
pub(super) fn warn_of_old_signature(index: &Location, console: &Console) {
    if let Location::Path(path) = index.with_suffix(SIGNATURE_SUFFIX)
        && path.exists()
    {
        let path = path.display();
        console.message(format_args!("warning: {path} is of an earlier index; sign this one too, or remove it"));
    }
}

impl Trust {
    /// Verifies the signature of `opened` if there is a key to do so, and adds what that
    /// cost to what the index did.
    pub(super) fn check(
        &self,
        opened: &mut OpenedIndex,
        options: &SourceOptions,
        console: &Console,
    ) -> Result<Option<Signed>, Error> {
        let Some(key) = &self.public_key else { return Ok(None) };
        let signed = opened.check_signature(&public_key(key)?, options)?;
        opened.transfer += signed.transfer;
        console.detail(format_args!("index signed with key {}: {}", signed.key, signed.comment));
        Ok(Some(signed))
    }
}

/// What is no key itself is the path of one.
fn public_key(text: &str) -> Result<PublicKey, Error> {
    text.parse().or_else(|_| PublicKey::read(Path::new(text)))
}

/// The first line of a file.
fn read_password(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
