//! `gosync verify`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use gosync::sources::Location;
use gosync::update::{Verified, verify};
use serde_json::json;

use crate::console::Console;
use crate::directory::opened::Directory;
use crate::failure;
use crate::options::network::Network;
use crate::options::trust::Trust;
use crate::options::values::location;
use crate::progress::Bars;
use crate::published::beside::Beside;
use crate::published::open::Published;
use crate::remedy;
use crate::table::{counted, seconds};
use crate::text::{grouped, size};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync verify app.img https://example.org/app.img.gosync")]
pub(crate) struct Verify {
    /// The file or directory to check
    file: PathBuf,
    /// The index that it should match, or a pointer to the newest (NAME.gosync-latest): a path or URL
    #[arg(value_parser = location())]
    index: Location,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    network: Network,
}

impl Verify {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let options = self.network.source_options([&self.index], console)?;
        let published = Published::open(&self.index, &[&self.file], &self.trust, &options, console);
        let published = published.map_err(|error| remedy::of_order(error, "verify", &self.file, &self.index))?;
        if let Some(directory) = Directory::of(&published, &self.file, &options, console)? {
            return directory.verify(&self.file, start);
        }
        let verified = verify(&*published.target(&Beside::default()), &self.file, &Bars::new(console))
            .map_err(gosync::Error::from)?;
        let is_good = verified.is_good();
        let Verified { verdict, .. } = verified;
        let time = start.elapsed();
        let file = self.file.display();

        // The wrong ranges are the data; what they mean is a message.
        for range in &verdict.wrong {
            console.data(range)?;
        }
        console.event(&json!({
            "event": "done",
            "ok": is_good,
            "file_bytes": verdict.length,
            "target_bytes": verdict.expected_length,
            "wrong_bytes": verdict.wrong_bytes(),
            "wrong_ranges": verdict.wrong.iter().map(|range| [range.start, range.end]).collect::<Vec<_>>(),
            "seconds": time.as_secs_f64(),
        }))?;
        if is_good {
            console.message(format_args!("{file}: {} verified in {}", size(verdict.length), seconds(time)));
            return Ok(ExitCode::SUCCESS);
        }
        let expected = verdict.expected_length;
        if verdict.length != expected {
            console.error(format_args!(
                "error: {file} has {} bytes, not the {} of the index",
                grouped(verdict.length),
                grouped(expected)
            ));
        }
        if verdict.wrong.is_empty() {
            console.error(format_args!("error: {file} does not have the hash that the index gives"));
        } else {
            console.error(format_args!("error: {file} has {}", counted(verdict.wrong_bytes(), "wrong byte")));
        }
        console.error("hint: `gosync patch` fetches only what is wrong");
        Ok(ExitCode::from(failure::CORRUPT))
    }
}
