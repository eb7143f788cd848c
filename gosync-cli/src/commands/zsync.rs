//! `gosync zsync`, and the other commands where their index is a control file of zsync.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;
use gosync::{Estimate, Location, Netrc, Plan, Seeds, SourceOptions, open_sources};
use gosync_zsync::{
    Control, Download, LocalFile, OpenedControl, PatchOptions, PatchReport, Published, ReadAt, ReadOptions, Recompress,
    UnpackedSeed,
};
use serde_json::json;

use super::diff::{Found, foretell};
use super::patch::{Done, tell_cost};
use super::{open_seeds, source_options, warn_unreadable};
use crate::args;
use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::table::{Facts, counted, grouped, size};

pub(crate) fn run(args: &args::Zsync, console: &Console) -> anyhow::Result<ExitCode> {
    let console = &if args.silent { console.silent() } else { console.clone() };
    let start = Instant::now();
    let mut options = source_options(&args.network, console)?;
    if !args.authentication.is_empty() {
        options.http.netrc = authentication(&args.authentication)?;
        options.http.credentials = None;
    }
    let opened = open(args, &options, console)?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => output_of(&opened.control, &args.control, console),
    };
    warn_unverifiable(&opened.control, console);

    let mut partial = output.clone().into_os_string();
    partial.push(".part");
    let recompressed = opened.control.recompress.as_ref().map(|recompress| {
        let named = opened.control.z_file_name.as_ref().map(|name| name.as_str());
        (recompress, compressed_of(&output, named.filter(|_| args.output.is_none()), &args.control, console))
    });
    // The old version, as it is or compressed, and what zsync leaves when it is interrupted.
    let compressed = recompressed.as_ref().map(|(_, path)| path.clone());
    let usual = [output.clone(), partial.into()].into_iter().chain(compressed).filter(|path| path.is_file());
    let paths: Vec<PathBuf> = args.input.iter().cloned().chain(usual).collect();
    let seeds = Unpacked::open(&paths, &opened.control, console)?;
    let source = gosync_zsync::open_source(&opened, args.referer.as_ref(), &options)?;
    let patch_options = PatchOptions { keep_old: args.keep_old };
    let code = carry_out(&opened, &seeds, &source, Some(&output), patch_options, start, console)?;
    if let Some((recompress, path)) = recompressed {
        compress_again(recompress, &output, &path).with_context(|| {
            format!("cannot compress {} again with gzip; it is complete as it is", output.display())
        })?;
        console.message(format_args!("{}: compressed again, as it was published", path.display()));
    }
    Ok(code)
}

/// Makes the gzip file again that was published, of which `output` is the content; what
/// `output` was called is then gone, as with zsync.
///
/// The program is always gzip, and its options are from a list in gosync.
fn compress_again(recompress: &Recompress, output: &Path, path: &Path) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    let mut gzip = Command::new("gzip");
    gzip.arg("-c").args(recompress.options()).stdin(fs::File::open(output)?).stdout(file.reopen()?);
    let status = gzip.status()?;
    anyhow::ensure!(status.success(), "gzip failed: {status}");
    // What it reads from a pipe has no name and no date; the header that was published may.
    let mut header = [0; 10];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    anyhow::ensure!(header[..4] == [0x1f, 0x8b, 8, 0], "gzip writes a header that is not known here");
    let mut whole = tempfile::NamedTempFile::new_in(directory)?;
    whole.write_all(recompress.header())?;
    io::copy(&mut file, &mut whole)?;
    let metadata = fs::metadata(output)?;
    whole.as_file().set_permissions(metadata.permissions())?;
    whole.as_file().set_modified(metadata.modified()?)?;
    whole.as_file().sync_all()?;
    whole.persist(path)?;
    Ok(fs::remove_file(output)?)
}

/// `gosync patch`.
pub(super) fn patch(
    args: &args::Patch,
    opened: &OpenedControl,
    output: Option<&PathBuf>,
    options: &SourceOptions,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    warn_unverifiable(&opened.control, console);
    let seeds = Unpacked::open(std::iter::once(&args.seed).chain(&args.more_seeds), &opened.control, console)?;
    let given: Vec<Location> = args.source.iter().chain(&args.more_sources).cloned().collect();
    if args.dry_run {
        let comparison = gosync_zsync::diff(&opened.control, &seeds.data(), &Bars::new(console))?;
        warn_unreadable(&seeds.seeds, &comparison.unreadable, console);
        let plan = &comparison.plan;
        let download = match given.into_iter().next() {
            Some(location) => plain_download(plan, location),
            None => gosync_zsync::download(opened, None, plan)?,
        };
        return tell_cost(plan, &estimate(&download, options)?, opened.transfer, &download.location, console);
    }
    let length = opened.control.signature.layout().length();
    let source = match given.is_empty() {
        true => gosync_zsync::open_source(opened, None, options)?,
        false => Published::plain(open_sources(&given, Some(length), options)?),
    };
    carry_out(opened, &seeds, &source, output, PatchOptions::default(), start, console)
}

/// `gosync diff`.
pub(super) fn diff(
    args: &args::Diff,
    opened: &OpenedControl,
    options: &SourceOptions,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    if args.report.is_some() {
        let message = "a report can be made with an index of gosync's own only".into();
        return Err(Usage { message, hint: "leave out --report" }.into());
    }
    let seeds = Unpacked::open(std::iter::once(&args.seed).chain(&args.more_seeds), &opened.control, console)?;
    let comparison = gosync_zsync::diff(&opened.control, &seeds.data(), &Bars::new(console))?;
    warn_unreadable(&seeds.seeds, &comparison.unreadable, console);
    let time = start.elapsed();
    let plan = &comparison.plan;
    let usual = gosync_zsync::download(opened, None, plan).ok();
    let location = usual.as_ref().map(|download| download.location.clone());
    let cost = |location: &Location| match usual.as_ref().filter(|_| args.source.is_none()) {
        Some(download) => estimate(download, options),
        None => estimate(&plain_download(plan, location.clone()), options),
    };
    let cost = foretell(args, location, cost, console)?;
    let (statistics, index) = (&comparison.statistics, opened.transfer);
    Found { plan, statistics, layers: &[], index, cost, time }.tell(console)
}

/// What is fetched from a place that has the target as it is.
fn plain_download(plan: &Plan, location: Location) -> Download {
    Download { location, ranges: plan.fetch_ranges(), length: plan.cut().length() }
}

fn estimate(download: &Download, options: &SourceOptions) -> Result<Estimate, gosync::Error> {
    gosync::estimate_ranges(download.ranges.clone(), download.length, &download.location, options)
}

/// `gosync inspect`.
pub(super) fn inspect(opened: &OpenedControl, console: &Console) -> anyhow::Result<ExitCode> {
    let control = &opened.control;
    let layout = control.signature.layout();
    let lengths = control.hash_lengths;
    let strong = control.strong_kind.name();
    let mut facts = Facts::default();
    facts.add("format", format!("zsync, version {}", control.version));
    facts.add("target", control.file_name.as_ref().map_or("(not named)", |name| name.as_str()));
    facts.add("length", format!("{} bytes ({})", grouped(layout.length()), size(layout.length())));
    let (blocks, bytes) = (layout.block_count().into(), grouped(layout.block_size().into()));
    facts.add("blocks", format!("{} of {bytes} bytes", counted(blocks, "block")));
    facts.add("weak sums", format!("rsync's sum, {} bytes each", lengths.weak));
    facts.add("strong sums", format!("{strong}, {} bytes each", lengths.strong));
    facts.add("looked for", if lengths.sequence == 2 { "two blocks in a row" } else { "each block" });
    for digest in &control.digests {
        facts.add("whole file", format!("{} {digest}", digest.algorithm()));
    }
    if !control.is_verifiable() {
        facts.add("whole file", "no hash: only the blocks can be verified");
    }
    control.urls.iter().for_each(|url| facts.add("URL", url));
    control.z_urls.iter().for_each(|url| facts.add("compressed URL", url));
    facts.add("index", format!("{} bytes ({})", grouped(opened.bytes.len() as u64), size(opened.bytes.len() as u64)));
    console.data(facts)?;
    let digests = control.digests.iter().map(|digest| json!({ digest.algorithm(): digest.to_string() }));
    console.event(&json!({
        "event": "done",
        "format": "zsync",
        "version": control.version,
        "target": control.file_name.as_ref().map(|name| name.as_str()),
        "target_bytes": layout.length(),
        "block_size": layout.block_size(),
        "blocks": layout.block_count(),
        "weak_sum": "rsync's sum",
        "weak_len": lengths.weak,
        "strong_sum": strong,
        "strong_len": lengths.strong,
        "sequence": lengths.sequence,
        "file_hashes": digests.collect::<Vec<_>>(),
        "urls": control.urls,
        "compressed_urls": control.z_urls,
        "index_bytes": opened.bytes.len(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Seeds, those unpacked that are gzip files of a target that is in one.
struct Unpacked {
    seeds: Seeds,
    /// For each of them, what is in it if that is what counts.
    unpacked: Vec<Option<UnpackedSeed>>,
}

impl Unpacked {
    fn open<'a>(
        paths: impl IntoIterator<Item = &'a PathBuf>,
        control: &Control,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let seeds = open_seeds(paths, console)?;
        let unpack = |file: &LocalFile| gosync_zsync::unpack_seed(file.path(), control);
        let unpacked = seeds.files().iter().map(unpack).collect::<Result<Vec<_>, _>>()?;
        for seed in unpacked.iter().flatten() {
            if let Some(trouble) = &seed.trouble {
                let path = seed.file.path().display();
                console.message(format_args!("warning: cannot unpack all of {path} ({trouble}); the rest is fetched"));
            }
        }
        Ok(Self { seeds, unpacked })
    }

    fn data(&self) -> Vec<&dyn ReadAt> {
        let as_it_is = self.seeds.files().iter();
        let data = as_it_is.zip(&self.unpacked).map(|(file, unpacked)| match unpacked {
            Some(unpacked) => &unpacked.file as &dyn ReadAt,
            None => file,
        });
        data.collect()
    }
}

fn carry_out(
    opened: &OpenedControl,
    seeds: &Unpacked,
    source: &Published<'_>,
    output: Option<&PathBuf>,
    options: PatchOptions,
    start: Instant,
    console: &Console,
) -> anyhow::Result<ExitCode> {
    let control = &opened.control;
    let report = carry_out_silently(control, seeds, source, output, options, console)?;
    warn_unreadable(&seeds.seeds, &report.comparison.unreadable, console);
    let done = Done {
        output,
        output_bytes: report.output_bytes(),
        matched_bytes: report.matched_bytes(),
        work: &report.report,
        index: opened.transfer,
    };
    done.tell(start, console)
}

fn carry_out_silently(
    control: &Control,
    seeds: &Unpacked,
    source: &Published<'_>,
    output: Option<&PathBuf>,
    options: PatchOptions,
    console: &Console,
) -> anyhow::Result<PatchReport> {
    let Some(output) = output else {
        let bars = Bars::new(console);
        let mut out = io::stdout().lock();
        let report = gosync_zsync::patch_to_stream(control, &seeds.data(), source, &mut out, &bars)?;
        out.flush()?;
        return Ok(report);
    };
    let bars = Bars::new(console).kept();
    let report = gosync_zsync::patch(control, &seeds.data(), source, output, &options, &bars);
    console.interrupt.settle();
    Ok(report?)
}

/// The control file, which is fetched only where the copy that is kept is older.
fn open(args: &args::Zsync, options: &SourceOptions, console: &Console) -> anyhow::Result<OpenedControl> {
    let read_options = ReadOptions::default();
    let Some(kept) = &args.keep else { return Ok(gosync_zsync::open_control(&args.control, &read_options, options)?) };
    let since = fs::metadata(kept).and_then(|metadata| metadata.modified()).ok();
    let opened = match since {
        Some(since) => gosync_zsync::open_control_since(&args.control, since, &read_options, options)?,
        None => Some(gosync_zsync::open_control(&args.control, &read_options, options)?),
    };
    let Some(opened) = opened else {
        console.detail(format_args!("{} has not changed since {} was kept", args.control, kept.display()));
        let opened = gosync_zsync::open_control(&Location::Path(kept.clone()), &read_options, options)?;
        return Ok(OpenedControl { location: args.control.clone(), ..opened });
    };
    let keep = || -> io::Result<()> {
        let directory = kept.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&opened.bytes)?;
        if let Some(modified) = opened.modified {
            file.as_file().set_modified(modified)?;
        }
        file.persist(kept)?;
        Ok(())
    };
    keep().with_context(|| format!("cannot keep the control file as {}", kept.display()))?;
    Ok(opened)
}

/// What names have to begin with that a control file gives to files here: what its own
/// name does. Or else it could replace any file here.
fn prefix_of(control_name: &str) -> &str {
    let end = control_name.find(|character: char| !character.is_alphanumeric()).unwrap_or(control_name.len());
    &control_name[..end]
}

/// Whether the control file at `location` may use `name` here; says so where it may not.
fn may_name(location: &Location, name: &str, what: &str, console: &Console) -> bool {
    let own = location.file_name().unwrap_or_default();
    let prefix = prefix_of(&own);
    let may = !prefix.is_empty() && name.starts_with(prefix);
    if !may {
        console.message(format_args!("warning: the control file {own} calls {what} {name}; that name is not used"));
    }
    may
}

/// Where the compressed target goes: beside `output`, under the name that is given if it may
/// have that.
fn compressed_of(output: &Path, named: Option<&str>, location: &Location, console: &Console) -> PathBuf {
    let own = output.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // Some file systems take both for one, and what is compressed is removed then.
    let another = named.filter(|name| name.to_lowercase() != own);
    match another.filter(|name| may_name(location, name, "the compressed target", console)) {
        Some(name) => output.with_file_name(name),
        None => {
            let mut name = output.as_os_str().to_owned();
            name.push(".gz");
            name.into()
        }
    }
}

/// Where the target goes when nobody says: here, under the name that the control file
/// gives, if it may have that.
fn output_of(control: &Control, location: &Location, console: &Console) -> PathBuf {
    let named = control.file_name.as_ref().map(|name| name.as_str());
    if let Some(name) = named.filter(|name| may_name(location, name, "its target", console)) {
        return name.into();
    }
    let own = location.file_name().unwrap_or_default();
    let prefix = prefix_of(&own);
    match own.strip_suffix(".zsync").filter(|name| !name.is_empty()) {
        Some(name) => name.into(),
        None if !prefix.is_empty() && prefix != own => prefix.into(),
        None => "zsync-download".into(),
    }
}

fn warn_unverifiable(control: &Control, console: &Console) {
    if !control.is_verifiable() {
        console.message("warning: the control file has no hash of the whole file; only blocks can be verified");
    }
}

/// From `HOST=USER:PASS`. What is given is not repeated in the error.
fn authentication(texts: &[String]) -> Result<Netrc, Usage> {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut entries = String::new();
    for text in texts {
        let parts = text.split_once('=').and_then(|(host, user)| Some((host, user.split_once(':')?)));
        let (host, (user, password)) = parts.ok_or_else(|| Usage {
            message: "-A wants a host, a user and a password".into(),
            hint: "write them as HOST=USER:PASS",
        })?;
        let (host, user, password) = (quote(host), quote(user), quote(password));
        entries.push_str(&format!("machine \"{host}\" login \"{user}\" password \"{password}\"\n"));
    }
    Netrc::parse(&entries)
        .map_err(|_| Usage { message: "-A has a line break in it".into(), hint: "write it as HOST=USER:PASS" })
}
