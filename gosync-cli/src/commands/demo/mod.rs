//! `gosync demo`: the main job on a large file of this machine.

mod older;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gosync::publish::{BuildOptions, Publisher};
use gosync::sources::{Location, SourceOptions, open_source};
use gosync::update::{FileOptions, Seeds, Update, verify};
use gosync::{Format, ReadOptions};
use gosync_server::Server;
use serde_json::json;

use crate::console::Console;
use crate::failure::Usage;
use crate::progress::Bars;
use crate::table::seconds;
use crate::text::{grouped, percent, size};

const FORMATS: [Format; 2] = [Format::Layered, Format::GoSync];

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync demo                a file of this machine's\n\
    \x20 gosync demo app.img")]
pub(crate) struct Demo {
    /// The file to use as the new version [default: the Rust toolchain's largest library]
    file: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let file = match self.file {
            Some(file) => file,
            None => largest_toolchain_library().ok_or_else(|| Usage {
                message: "found no large library of a Rust toolchain to show the main job on".into(),
                hint: "give any large file: `gosync demo FILE`",
            })?,
        };
        let name = file.file_name().context("the file has no name")?.to_owned();
        let published = tempfile::tempdir().context("cannot make a temporary directory")?;
        let local = tempfile::tempdir().context("cannot make a temporary directory")?;
        let new = published.path().join(&name);
        // A link costs nothing, but does not cross file systems.
        std::fs::hard_link(&file, &new)
            .or_else(|_| std::fs::copy(&file, &new).map(drop))
            .with_context(|| format!("cannot copy {} to {}", file.display(), new.display()))?;

        console.message(format_args!("new version: {}", file.display()));
        let old = local.path().join(&name);
        let edits = older::write(&new, &old)?;
        let (new_len, old_len) = (std::fs::metadata(&new)?.len(), std::fs::metadata(&old)?.len());
        console.message(format_args!(
            "old version: made from it with {edits} edits: bytes replaced, added, removed and moved"
        ));

        let server = Server::bind(published.path(), (Ipv4Addr::LOCALHOST, 0).into())?.spawn()?;
        console.message(format_args!("served at {} by the built-in server", server.url()));
        console.message("");
        let runs = FORMATS
            .iter()
            .map(|&format| {
                let job = Job { new: &new, old: &old, output: &local.path().join("output"), url: server.url() };
                job.run(format, console).with_context(|| format!("with an index in the {format} format"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;

        console.data(table(new_len, old_len, &runs))?;
        let runs: Vec<_> = runs.iter().map(Run::json).collect();
        console.event(&json!({ "event": "done", "new_bytes": new_len, "old_bytes": old_len, "runs": runs }))?;
        Ok(ExitCode::SUCCESS)
    }
}

struct Job<'a> {
    new: &'a Path,
    old: &'a Path,
    output: &'a Path,
    url: String,
}

struct Run {
    format: Format,
    block_sizes: Vec<u32>,
    index_bytes: u64,
    matched: u64,
    fetched: u64,
    requests: u64,
    build: Duration,
    patch: Duration,
    verify: Duration,
}

impl Job<'_> {
    /// Builds the index, patches over HTTP into another file, and verifies that.
    fn run(&self, format: Format, console: &Console) -> anyhow::Result<Run> {
        let start = Instant::now();
        let (options, sources, bars) = (BuildOptions::default(), SourceOptions::default(), Bars::new(console));
        let publisher = Publisher { format, options: &options, sources: &sources, progress: &bars };
        let index = publisher.build(self.new, None)?;
        publisher.write(&index, &self.new.with_file_name(format!("index.{format}")).into())?;
        let build = start.elapsed();

        let start = Instant::now();
        let index_url: Location = format!("{}/index.{format}", self.url).parse()?;
        // Not by the proxy of the environment: both ends are on this machine.
        let opened = gosync::open(&index_url, &ReadOptions::default(), &sources)?;
        let name = self.new.file_name().unwrap_or_default().to_string_lossy();
        let source = open_source(&index_url.beside(&name), &sources)?;
        let target = opened.index.target();
        let seeds = Seeds::open([self.old], &*target, &())?;
        let bars = Bars::new(console);
        let update = Update { target: &*target, seeds: &seeds, source: &*source, progress: &bars };
        let report = update.to_file(self.output, &FileOptions::default())?;
        let patch = start.elapsed();

        let start = Instant::now();
        let verified = verify(&*target, self.output, &Bars::new(console))?;
        ensure!(verified.is_good(), "the output is not what the index says");
        let verify = start.elapsed();
        ensure!(same_content(self.new, self.output)?, "the output differs from the new version");
        std::fs::remove_file(self.output)?;
        Ok(Run {
            format,
            block_sizes: index.info().layers.iter().map(|layer| layer.block_size).collect(),
            index_bytes: opened.transfer.bytes + report.comparison.index_transfer.bytes,
            matched: report.matched_bytes(),
            fetched: report.report.transfer.bytes,
            requests: report.report.transfer.requests
                + opened.transfer.requests
                + report.comparison.index_transfer.requests,
            build,
            patch,
            verify,
        })
    }
}

impl Run {
    fn json(&self) -> serde_json::Value {
        json!({
            "format": self.format.to_string(),
            "block_sizes": self.block_sizes,
            "index_bytes": self.index_bytes,
            "matched_bytes": self.matched,
            "fetched_bytes": self.fetched,
            "requests": self.requests,
            "build_seconds": self.build.as_secs_f64(),
            "patch_seconds": self.patch.as_secs_f64(),
            "verify_seconds": self.verify.as_secs_f64(),
        })
    }
}

fn table(new: u64, old: u64, runs: &[Run]) -> String {
    let mut text = String::new();
    let mut row = |name: &str, cell: &dyn Fn(&Run) -> String| {
        text.push_str(&format!("{name:<16}"));
        runs.iter().for_each(|run| text.push_str(&format!("{:>22}", cell(run))));
        text.push('\n');
    };
    let part = |bytes, whole| format!("{} ({})", size(bytes), percent(bytes, whole));
    row("index format", &|run| run.format.to_string());
    row("new version", &|_| size(new));
    row("old version", &|_| size(old));
    row("block size", &|run| run.block_sizes.iter().map(|&size| grouped(size.into())).collect::<Vec<_>>().join(", "));
    row("index fetched", &|run| part(run.index_bytes, new));
    row("matched", &|run| part(run.matched, new));
    row("payload fetched", &|run| part(run.fetched, new));
    row("requests", &|run| grouped(run.requests));
    row("build", &|run| seconds(run.build));
    row("patch over HTTP", &|run| seconds(run.patch));
    row("verify", &|run| seconds(run.verify));
    row("identical", &|_| "yes".into());
    text.truncate(text.trim_end().len());
    text
}

/// Byte for byte, so that the demonstration does not rest on what it demonstrates.
fn same_content(one: &Path, other: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let (mut one, mut other) = (std::fs::File::open(one)?, std::fs::File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut left = vec![0; 1 << 20];
    let mut right = vec![0; 1 << 20];
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

/// The compiler's own library is on every machine that can build this program.
fn largest_toolchain_library() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let files = ["lib", "bin"].iter().filter_map(|folder| std::fs::read_dir(sysroot.join(folder)).ok()).flatten();
    let sizes = files.flatten().filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        metadata.is_file().then(|| (metadata.len(), entry.path()))
    });
    sizes.max().map(|(_, path)| path)
}
