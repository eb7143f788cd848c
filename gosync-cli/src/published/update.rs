//! What commands ask of something published, and with what.

use std::io::{self, Write};
use std::path::Path;

use gosync::{Location, Seeds, SourceOptions, Verdict};
use serde_json::Value;

use crate::console::Console;
use crate::failure::Usage;
use crate::forecast::{Cost, Forecast};
use crate::outcome::Outcome;
use crate::progress::Bars;
use crate::table::Facts;

/// An index or a control file, opened.
pub(crate) trait Published {
    /// Compares the target with the seeds, and estimates what fetching the rest will cost,
    /// if that can be told.
    fn compare(&self, update: &Update<'_>) -> anyhow::Result<(Forecast, anyhow::Result<Cost>)>;

    /// Brings the target about as the file `output`, or else on standard output.
    fn patch(&self, update: &Update<'_>, output: Option<&Path>) -> anyhow::Result<Outcome>;

    /// Checks a file against it. Also tells whether the file is good, which takes more than its
    /// blocks.
    fn verify(&self, file: &Path, console: &Console) -> anyhow::Result<(Verdict, bool)>;

    /// What is in it, for people and for programs.
    fn description(&self) -> (Facts, Value);

    /// The bytes that a signature of it is made of.
    fn signed_part(&self) -> Result<&[u8], Usage>;
}

/// What a target is to be made of, and how.
pub(crate) struct Update<'a> {
    pub(crate) seeds: &'a Seeds,
    /// Where the target is, if the user says so.
    pub(crate) sources: &'a [Location],
    pub(crate) options: &'a SourceOptions,
    pub(crate) console: &'a Console,
}

impl Update<'_> {
    /// Makes the file `output` one way, or what goes to standard output the other.
    pub(crate) fn write<R, E: Into<anyhow::Error>>(
        &self,
        output: Option<&Path>,
        to_file: impl FnOnce(&Path, &Bars<'_>) -> Result<R, E>,
        to_stream: impl FnOnce(&mut dyn Write, &Bars<'_>) -> Result<R, E>,
    ) -> anyhow::Result<R> {
        let bars = Bars::new(self.console);
        let Some(output) = output else {
            let mut out = io::stdout().lock();
            let report = to_stream(&mut out, &bars).map_err(Into::into)?;
            out.flush()?;
            return Ok(report);
        };
        let report = to_file(output, &bars.kept());
        self.console.interrupt.settle();
        report.map_err(Into::into)
    }
}
