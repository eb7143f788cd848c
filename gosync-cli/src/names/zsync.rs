//! `gosync zsync`: zsync, with its options.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gosync::ErrorKind;
use gosync::sources::{Location, Netrc, SourceOptions};
use gosync::update::FileOptions;
use gosync_files::identity::keep_apart;
use gosync_zsync::{LocalName, OpenedControl, ReadOptions, open_control, open_control_kept};
use url::Url;

use crate::console::Console;
use crate::failure::Usage;
use crate::options::network::Network;
use crate::options::values::location;
use crate::published::control::warn_of_ignored;
use crate::published::open::Published;
use crate::published::update::Update;

#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
#[command(after_help = "Examples:\n\
    \x20 gosync zsync -i old.iso https://example.org/new.iso.zsync\n\
    \x20 gosync zsync -i old.iso -o new.iso new.iso.zsync -u https://example.org/new.iso.zsync")]
pub(crate) struct Zsync {
    /// The control file: a path or URL
    #[arg(value_name = "URL|FILE", value_parser = location())]
    control: Location,
    /// A file that may hold parts of the target; may be repeated
    #[arg(short, value_name = "SEED")]
    input: Vec<PathBuf>,
    /// Where to put the target [default: here, by the name that the control file gives]. A target
    /// that is to be compressed again goes to OUT if that ends in .gz, or else to OUT.gz
    #[arg(short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Where the control file is from; its URLs are relative to that
    #[arg(short = 'u', value_name = "URL")]
    referer: Option<Url>,
    /// Keep the control file as FILE, and fetch it only if it is newer than FILE
    #[arg(short, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// The user and password for a host; every user of this machine can see them; may be repeated
    #[arg(short = 'A', value_name = "HOST=USER:PASS", conflicts_with_all = ["user", "bearer_token_file", "netrc", "netrc_file"])]
    authentication: Vec<String>,
    /// The same as --quiet
    #[arg(short)]
    silent: bool,
    /// Keep the file that is replaced, as OUT.zs-old
    #[arg(long)]
    keep_old: bool,
    /// Refused; --ca-certificate does what is meant
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_check_certificate: Option<bool>,
    #[command(flatten)]
    network: Network,
}

impl Zsync {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let console = &if self.silent { console.silent() } else { console.clone() };
        let start = Instant::now();
        if self.no_check_certificate == Some(true) {
            let message = "--no-check-certificate is not there: certificates are always checked".into();
            return Err(Usage {
                message,
                hint: "have a certificate or its authority trusted with --ca-certificate FILE",
            }
            .into());
        }
        let referer = self.referer.clone().map(Location::Url);
        let mut options = self.network.source_options(std::iter::once(&self.control).chain(&referer), console)?;
        if !self.authentication.is_empty() {
            options.http.netrc = authentication(&self.authentication)?;
            options.http.credentials = None;
        }
        if let Some(kept) = &self.keep {
            keep_apart(kept, self.input.iter().map(PathBuf::as_path).chain(self.control.as_path()))?;
        }
        let opened = self.open(&options, console)?;
        warn_of_ignored(&opened, console);
        let control = &opened.control;
        let (is_verifiable, recompress) = (control.is_verifiable(), control.recompress.clone());
        let named = match &self.output {
            Some(output) => output.clone(),
            None => self.name("its target", LocalName::of_target(control, &self.control), console),
        };
        let (output, recompressed) = match (recompress, &self.output) {
            (None, _) => (named.clone(), None),
            // What is asked for is the compressed target. The other is there for a while only.
            (Some(recompress), Some(_)) if named.extension().is_some_and(|extension| extension == "gz") => {
                (with_name(&named, ".", ".gosync-unpacked"), Some((recompress, named.clone())))
            }
            (Some(recompress), given) => {
                let name = LocalName::of_compressed(control, &self.control, &named, given.is_none());
                (named.clone(), Some((recompress, self.name("the compressed target", name, console))))
            }
        };
        let published = Published::Control(opened);

        // The old version, as it is or compressed, and what zsync leaves when it is interrupted.
        let usual = [named.clone(), with_name(&named, "", ".part")].into_iter();
        let usual = usual.chain(recompressed.as_ref().map(|(_, path)| path.clone())).filter(|path| path.is_file());
        let paths: Vec<PathBuf> = self.input.iter().cloned().chain(usual).collect();
        let update = Update {
            published: &published,
            seeds: paths.iter().map(PathBuf::as_path).collect(),
            sources: &[],
            referer: self.referer.as_ref(),
            file_options: FileOptions { keep_old: self.keep_old.then_some(".zs-old") },
            options: &options,
            console,
        };
        let control: Vec<PathBuf> =
            self.control.as_path().map(PathBuf::from).into_iter().chain(self.keep.clone()).collect();
        update.keep_apart(&output, &output, &control)?;
        if let Some((_, path)) = &recompressed {
            update.keep_apart(path, path, &control)?;
        }
        let outcome = update.patch(Some(&output)).map_err(in_words_of_zsync)?;
        outcome.tell(Some(&output), start, console)?;
        if let Some((recompress, path)) = recompressed {
            recompress.compress(&output, &path)?;
            console.message(format_args!("{}: compressed again, as it was published", path.display()));
        }
        if console.shows_progress() {
            // The lines that zsync ends with, which scripts read.
            let checksum = if is_verifiable { "checksum matches OK" } else { "no recognised checksum found" };
            let (local, fetched) = (outcome.matched_bytes, outcome.work.transfer.bytes);
            console.data(format_args!("verifying download...{checksum}\nused {local} local, fetched {fetched}"))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self, options: &SourceOptions, console: &Console) -> Result<OpenedControl, gosync_zsync::Error> {
        let Some(kept) = &self.keep else { return open_control(&self.control, &ReadOptions::default(), options) };
        let (opened, is_fetched) = open_control_kept(&self.control, kept, &ReadOptions::default(), options)?;
        if !is_fetched {
            console.message(format_args!("{} is not modified: using local copy {}", self.control, kept.display()));
        }
        Ok(opened)
    }

    /// The path of a file here, and a warning where the control file wanted another.
    fn name(&self, what: &str, name: LocalName, console: &Console) -> PathBuf {
        if let Some(refused) = name.refused {
            let own = self.control.file_name().unwrap_or_default();
            console
                .message(format_args!("warning: the control file {own} calls {what} {refused}; that name is not used"));
        }
        name.path
    }
}

/// Scripts look for its words.
fn in_words_of_zsync(error: anyhow::Error) -> anyhow::Error {
    use ErrorKind::{Corrupt, Denied, NotFound, Source};
    match error.downcast_ref().map(gosync::Error::kind) {
        Some(Corrupt | NotFound | Denied | Source) => error.context("Not all of the required data could be downloaded"),
        _ => error,
    }
}

/// `path` with `before` and `behind` around its last part.
fn with_name(path: &Path, before: &str, behind: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(behind);
    path.with_file_name(name)
}

/// From `HOST=USER:PASS`. What is given is not repeated in the error.
fn authentication(texts: &[String]) -> Result<Netrc, Usage> {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut entries = String::new();
    for text in texts {
        let parts = text.split_once('=').and_then(|(host, user)| Some((host, user.split_once(':')?)));
        let (host, (user, password)) = parts.filter(|_| !text.contains('\n')).ok_or_else(|| Usage {
            message: "-A wants a host, a user and a password, on one line".into(),
            hint: "write them as HOST=USER:PASS",
        })?;
        let (host, user, password) = (quote(host), quote(user), quote(password));
        entries.push_str(&format!("machine \"{host}\" login \"{user}\" password \"{password}\"\n"));
    }
    Ok(Netrc::parse(entries))
}
