//! Builds an index and patches a file with it, with progress, and a wish to stop in between.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin progress_and_cancel
//! ```

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::fs;
use std::sync::Mutex;

use gosync::publish::{BuildOptions, Publisher};
use gosync::sources::{SourceOptions, open_source};
use gosync::update::{FileOptions, Seeds, Update};
use gosync::{ErrorKind, Format, Phase, Progress, ReadOptions};

/// Prints what is begun, counts what is fetched, and stops after so many bytes of it.
///
/// It is called from several threads at once.
#[derive(Default)]
struct Watch {
    fetched: Mutex<u64>,
    patience: Option<u64>,
}

impl Progress for Watch {
    fn begin(&self, phase: Phase, total: u64) {
        println!("{}: {total} bytes to go through", phase.name());
    }

    fn advance(&self, phase: Phase, bytes: u64) {
        if phase == Phase::Fetch {
            *self.fetched.lock().expect("no panic while held") += bytes;
        }
    }

    fn is_cancelled(&self) -> bool {
        self.patience.is_some_and(|most| *self.fetched.lock().expect("no panic while held") >= most)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let old: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
    let new: Vec<u8> = (500_000..2_500_000u32).flat_map(u32::to_le_bytes).collect();
    fs::write(at("file"), &old)?;
    fs::write(at("new"), &new)?;

    let sources = SourceOptions::default();
    let options = BuildOptions::default();
    let publisher = Publisher { format: Format::Layered, options: &options, sources: &sources, progress: &() };
    publisher.write(&publisher.build(&at("new"), None)?, &at("new.gosync").into())?;

    // Index and source may as well be URLs.
    let opened = gosync::open(&at("new.gosync").into(), &ReadOptions::default(), &sources)?;
    let source = open_source(&opened.default_source().ok_or("the index names no target")?, &sources)?;
    let target = opened.index.target();
    let seeds = Seeds::open([at("file")], &*target, &())?;

    let hasty = Watch { patience: Some(1), ..Watch::default() };
    let update = Update { target: &*target, seeds: &seeds, source: &*source, progress: &hasty };
    match update.to_file(&at("file"), &FileOptions::default()) {
        Err(error) if error.kind() == ErrorKind::Cancelled => println!("stopped: the old file is as it was"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("it was not stopped".into()),
    }
    assert_eq!(fs::read(at("file"))?, old);

    // The same call goes on where the last one stopped.
    let patient = Watch::default();
    let report = Update { progress: &patient, ..update }.to_file(&at("file"), &FileOptions::default())?.report;
    assert_eq!(fs::read(at("file"))?, new);
    println!("done: {} bytes copied, {} kept, {} fetched", report.copied, report.kept, report.fetched);
    assert!(report.kept > 0);
    Ok(())
}
