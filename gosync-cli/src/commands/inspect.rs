//! `gosync inspect`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gosync::signing::SIGNATURE_SUFFIX;
use gosync::sources::Location;
use gosync_files::identity::keep_apart;

use crate::console::Console;
use crate::options::network::Network;
use crate::options::trust::Trust;
use crate::options::values::location;
use crate::publication::index::write_file;
use crate::published::open::Published;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync inspect app.img.gosync\n\
    \x20 gosync inspect https://example.org/app.img.gosync --public-key key.pub")]
pub(crate) struct Inspect {
    /// The index, or a pointer to the newest (NAME.gosync-latest): a path or URL
    #[arg(value_parser = location())]
    index: Location,
    /// Write the bytes that are signed to this file, for `minisign -V -x INDEX.minisig -m FILE`; of a
    /// pointer also its signature, to FILE.minisig
    #[arg(long, value_name = "FILE")]
    signed_part: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    network: Network,
}

impl Inspect {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let options = self.network.source_options([&self.index], console)?;
        if let Some(path) = &self.signed_part {
            keep_apart(path, self.index.as_path().map(PathBuf::from).into_iter().chain(self.trust.files(&self.index)))?;
        }
        let published = Published::open(&self.index, &[], &self.trust, &options, console)?;
        if let Some(path) = self.signed_part {
            match published.pointer() {
                Some(latest) => {
                    write_file(&path, &latest.pointer.encode(), console)?;
                    let mut beside = path.into_os_string();
                    beside.push(SIGNATURE_SUFFIX);
                    write_file(Path::new(&beside), &latest.signature, console)?;
                }
                None => write_file(&path, published.signed_part()?, console)?,
            }
        }
        let (facts, event) = published.description()?;
        console.data(facts)?;
        console.event(&event)?;
        Ok(ExitCode::SUCCESS)
    }
}
