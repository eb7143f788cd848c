//! `gosync zsyncmake`, and `gosync build --format zsync`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use gosync::{Location, SourceOptions};
use gosync_zsync::{Control, MakeOptions, TargetName};
use serde_json::json;

use super::upload_options;
use crate::args;
use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::table::{counted, grouped, percent, seconds, size};

pub(crate) fn run(args: &args::Zsyncmake, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let from_stdin = args.file == Path::new("-");
    let mut options = options(args.block_size, &args.url)?;
    options.as_0_6_2 = args.compat.is_some();
    options.allow_empty = args.allow_empty;
    if let Some(name) = &args.file_name {
        let bad =
            |error: gosync_zsync::NameError| Usage { message: error.to_string(), hint: "give a plain name to -f" };
        options.file_name = Some(TargetName::new(name.as_str()).map_err(bad)?);
    }
    if args.compress && from_stdin {
        let message = "-z needs a file, not standard input".into();
        return Err(Usage { message, hint: "it writes FILE.gz" }.into());
    }
    if !from_stdin && !args.as_it_is && !args.exact && is_gzip(&args.file) {
        let file = args.file.display();
        console.message(format_args!(
            "warning: {file} is taken as it is, as with -Z: a change in what it compresses changes all that follows; \
             make the control file of what is in it, with -z"
        ));
    }
    let mut control = if from_stdin { of_stdin(&options, console)? } else { make(&args.file, &options, console)? };
    if args.compress {
        let mut name = args.file.file_name().unwrap_or_default().to_owned();
        name.push(".gz");
        let bars = Bars::new(console);
        gosync_zsync::make_compressed(&mut control, &args.file, Path::new(&name), &args.z_url, &bars)?;
    }

    let bytes = written(&control, &args.file)?;
    let output = match &args.output {
        Some(output) => Some(output.clone()),
        None if from_stdin => None,
        None => Some(beside(Path::new(args.file.file_name().unwrap_or_default()))),
    };
    match output.filter(|output| output != Path::new("-")) {
        Some(output) => {
            publish(&Location::Path(output.clone()), &bytes)?;
            tell(&Location::Path(output), &control, &bytes, start, console)?;
        }
        None => {
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()?;
        }
    }
    if args.url.is_empty() && !from_stdin && args.output.is_some() {
        console.detail("the target has to be beside the control file; -u gives another URL");
    }
    Ok(ExitCode::SUCCESS)
}

/// `gosync build --format zsync`.
pub(super) fn build(args: &args::Build, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let location = args.output.clone().unwrap_or_else(|| beside(&args.file).into());
    let control = make(&args.file, &options(args.block_size, &[])?, console)?;
    let bytes = written(&control, &args.file)?;
    publish(&location, &bytes)?;
    tell(&location, &control, &bytes, start, console)?;
    Ok(ExitCode::SUCCESS)
}

fn options(block_size: Option<u32>, urls: &[String]) -> Result<MakeOptions, Usage> {
    if let Some(size) = block_size.filter(|size| !size.is_power_of_two()) {
        let message = format!("a block of {size} bytes is no power of two");
        return Err(Usage { message, hint: "zsync's blocks have to be: 1024, 2048, 4096 and so on" });
    }
    Ok(MakeOptions { block_size, urls: urls.to_vec(), ..MakeOptions::default() })
}

fn make(file: &Path, options: &MakeOptions, console: &Console) -> anyhow::Result<Control> {
    let control = gosync_zsync::make(file, options, &Bars::new(console))?;
    if control.signature.layout().block_size() > 32_768 {
        console
            .message("warning: zsync's weak sum gets weaker beyond blocks of 32768 bytes, so that clients take longer");
    }
    Ok(control)
}

/// What comes from a pipe is read more than once.
fn of_stdin(options: &MakeOptions, console: &Console) -> anyhow::Result<Control> {
    let mut file = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
    io::copy(&mut io::stdin().lock(), &mut file).context("cannot read standard input")?;
    // A name is known to whoever gives one, and neither is a date.
    let urls = if options.urls.is_empty() { vec![String::new()] } else { options.urls.clone() };
    let mut control = make(file.path(), &MakeOptions { urls, ..options.clone() }, console)?;
    control.urls.retain(|url| !url.is_empty());
    control.file_name.clone_from(&options.file_name);
    control.modified = None;
    Ok(control)
}

/// Whether a file begins like one of gzip, into which zsyncmake would look. What cannot be
/// read is told of by who reads all of it.
fn is_gzip(path: &Path) -> bool {
    let mut start = [0; 3];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == [0x1f, 0x8b, 8]
}

fn written(control: &Control, file: &Path) -> Result<Vec<u8>, gosync_zsync::Error> {
    control.write().map_err(|source| gosync_zsync::Error::Unwritable { path: file.to_owned(), source })
}

fn publish(location: &Location, bytes: &[u8]) -> anyhow::Result<()> {
    let options: SourceOptions = upload_options()?;
    Ok(gosync::publish_bytes(bytes, location, &options)?)
}

fn tell(location: &Location, control: &Control, bytes: &[u8], start: Instant, console: &Console) -> io::Result<()> {
    let layout = control.signature.layout();
    let time = start.elapsed();
    console.message(format_args!(
        "{location}: {} of {} bytes, {} ({} of the file), in {}",
        counted(layout.block_count().into(), "block"),
        grouped(layout.block_size().into()),
        size(bytes.len() as u64),
        percent(bytes.len() as u64, layout.length()),
        seconds(time)
    ));
    console.event(&json!({
        "event": "done",
        "index": location.to_string(),
        "format": "zsync",
        "target_bytes": layout.length(),
        "index_bytes": bytes.len(),
        "block_size": layout.block_size(),
        "blocks": layout.block_count(),
        "seconds": time.as_secs_f64(),
    }))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".zsync");
    file.with_file_name(name)
}
