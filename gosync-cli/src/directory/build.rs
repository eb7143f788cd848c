//! Publishing a directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use gosync::publish::{BuildOptions, Destination, PAYLOAD_SUFFIX, PayloadOut, TargetName};
use gosync::signing::{SIGNATURE_SUFFIX, SecretKey};
use gosync::sources::{Location, SourceOptions};
use gosync::{Index, Progress};
use gosync_files::identity::SameFile;
use gosync_tree::{LISTING_SUFFIX, MANY_FILES, PackedFiles, TreeBuild, TreeBuildOptions};
use serde_json::{Value, json};

use crate::console::Console;
use crate::failure::Usage;
use crate::options::environment;
use crate::options::signing::Signing;
use crate::progress::Bars;
use crate::publication::index::{Described, publish};
use crate::table::counted;
use crate::text::{grouped, size};

/// How hard a directory is compressed where nobody says.
pub(crate) const LEVEL: i32 = 3;

/// What of a directory is published, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Contents {
    /// Of a directory, leave out what this pattern matches, in the syntax of .gitignore; may be
    /// repeated. Files .gosyncignore in it and beneath have patterns too, as .gitignore has for git
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Of a directory, leave out what the patterns in this file match; may be repeated
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Publish the files of a directory as they are. Otherwise one with many files has a compressed
    /// payload, because each file would be a request
    #[arg(long, conflicts_with = "compress")]
    pub(crate) no_compress: bool,
    /// Of a directory, record users and groups, by name and number, for `gosync patch --owner`
    #[arg(long)]
    owner: bool,
    /// Of a directory, record extended attributes, access control lists and capabilities, for
    /// `gosync patch --xattrs`
    #[arg(long)]
    xattrs: bool,
}

impl Contents {
    /// Refuses what is only for directories.
    pub(crate) fn check_file(&self) -> Result<(), Usage> {
        let all = [
            (!self.exclude.is_empty(), "--exclude"),
            (!self.exclude_from.is_empty(), "--exclude-from"),
            (self.owner, "--owner"),
            (self.xattrs, "--xattrs"),
        ];
        match all.iter().find(|(is_given, _)| *is_given) {
            None => Ok(()),
            Some((_, option)) => Err(Usage {
                message: format!("{option} is for directories, and this is a file"),
                hint: "leave it out, or give the directory",
            }),
        }
    }

    /// Refuses what is not for a directory that has a payload in any case.
    pub(crate) fn check_packed(&self) -> Result<(), Usage> {
        match self.no_compress {
            false => Ok(()),
            true => Err(Usage {
                message: "a directory is published with a compressed payload, which is one file".into(),
                hint: "leave out --no-compress; `gosync build` makes the index of a directory that is published file \
                       by file",
            }),
        }
    }
}

/// All patterns that were given: those in `files` first.
pub(crate) fn patterns(given: &[String], files: &[PathBuf]) -> anyhow::Result<String> {
    let mut patterns = String::new();
    for file in files {
        patterns += &fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        patterns.push('\n');
    }
    for pattern in given {
        patterns += pattern;
        patterns.push('\n');
    }
    Ok(patterns)
}

/// Whether the packed files in a directory are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpacks {
    /// Those where it pays, even if the directory has to have a payload for that.
    Yes,
    /// Those where it pays, in a directory that has a payload anyway or mostly packed files.
    IfItPays,
    No,
}

/// How a directory is published.
pub(crate) struct How<'a> {
    pub(crate) contents: &'a Contents,
    pub(crate) unpacks: Unpacks,
    pub(crate) options: BuildOptions,
}

/// Publishes the directory at `path`: its index at `location`, and beside that the payload or the
/// listing.
pub(crate) fn build(
    path: &Path,
    location: Option<Location>,
    How { contents, unpacks, mut options }: How<'_>,
    signing: &Signing,
    key: Option<&SecretKey>,
    console: &Console,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let path = &plain(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let location = location.unwrap_or_else(|| path.with_file_name(format!("{name}.gosync")).into());
    let upload: SourceOptions = environment::source_options()?;
    let bars = Bars::new(console);
    let mut tree = scan(path, contents, &bars, console)?;
    let files = tree.info().files;
    if options.compress.is_none() && !contents.no_compress && files > MANY_FILES {
        options.compress = Some(LEVEL);
        let files = counted(files, "file");
        console.message(format_args!("{files} would be as many requests: a compressed payload is made of them"));
    }
    let is_tried = match unpacks {
        Unpacks::Yes => true,
        Unpacks::IfItPays if contents.no_compress => false,
        Unpacks::IfItPays => {
            options.compress.is_some()
                || options.block_sizes.is_empty() && tree.is_mostly_packed().map_err(gosync::Error::from)?
        }
        Unpacks::No => false,
    };
    if is_tried && unpack(&mut tree, path, unpacks, &bars, console)? {
        options.compress = options.compress.or(Some(LEVEL));
    }
    let target = TargetName::new(name.as_str());
    let target =
        target.map_err(|error| anyhow::anyhow!(error).context(format!("{} has no plain name", path.display())))?;
    let suffix = if options.compress.is_some() { PAYLOAD_SUFFIX } else { LISTING_SUFFIX };
    let beside = location.beside(&format!("{name}{suffix}"));
    let patterns: Vec<&Path> = contents.exclude_from.iter().map(PathBuf::as_path).collect();
    signing.keep_apart(&location, Some(&beside), &patterns)?;
    for output in
        [&location, &beside, &location.with_suffix(SIGNATURE_SUFFIX)].into_iter().filter_map(Location::as_path)
    {
        if let Some(input) = tree.file_at(output) {
            return Err(SameFile { output: output.to_owned(), input }.into());
        }
    }
    let index = match options.compress {
        Some(_) => {
            let payload_name = TargetName::new(format!("{name}{PAYLOAD_SUFFIX}"))?;
            Destination::new(&beside, &upload)
                .write(|out| tree.index(Some(target), &options, Some(PayloadOut { name: payload_name, out }), &bars))
                .map(|(index, notes)| {
                    console.notes(&notes);
                    index
                })
        }
        None => {
            let index = tree.index(Some(target), &options, None, &bars);
            index.and_then(|index| {
                console.notes(&Destination::new(&beside, &upload).put(|out| out.write_all(tree.listing()))?);
                Ok(index)
            })
        }
    };
    let index = Index::Layered(index.map_err(gosync::Error::from)?);
    let info = tree.info();
    let facts = json!({
        "directory": true,
        "entries": info.entries,
        "files": info.files,
        "files_bytes": info.bytes,
        "listing_bytes": info.listing_length,
        "packed": info.packed.as_ref().map(packed_event),
    });
    console.message(format_args!(
        "{}: {} and {} other entries",
        path.display(),
        counted(info.files, "file"),
        grouped(info.entries - info.files)
    ));
    publish(&index, &location, key, &upload, start, &Described { noun: "directory", facts, bytes: None }, console)
}

/// Opens the packed files of `tree`, which is at `path`, and says what of it. Tells whether there are
/// any.
pub(crate) fn unpack(
    tree: &mut TreeBuild,
    path: &Path,
    unpacks: Unpacks,
    progress: &dyn Progress,
    console: &Console,
) -> anyhow::Result<bool> {
    tree.unpack(progress).map_err(gosync::Error::from)?;
    let shown = path.display();
    match &tree.info().packed {
        Some(packed) => {
            let files = counted(packed.files, "packed file");
            let (bytes, opened) = (size(packed.bytes), size(packed.opened_bytes));
            console.message(format_args!("{shown}: {files} of {bytes}, opened to {opened}"));
            Ok(true)
        }
        None if unpacks == Unpacks::Yes => Err(Usage {
            message: format!("there is no packed file in {shown} that is worth being opened"),
            hint: "leave out --unpack; what can be opened are zip and gzip files of more than 64 KiB, and jars, wheels \
                   and others like them",
        }
        .into()),
        None => Ok(false),
    }
}

/// What is said of packed files to programs.
pub(crate) fn packed_event(packed: &PackedFiles) -> Value {
    json!({
        "files": packed.files,
        "bytes": packed.bytes,
        "opened_bytes": packed.opened_bytes,
        "recipe_bytes": packed.recipes_length,
    })
}

/// Looks at the directory at `path`, and says what of it is left out.
pub(crate) fn scan(
    path: &Path,
    contents: &Contents,
    progress: &dyn Progress,
    console: &Console,
) -> anyhow::Result<TreeBuild> {
    let wanted = TreeBuildOptions {
        excludes: patterns(&contents.exclude, &contents.exclude_from)?,
        latest: environment::latest_time()?,
        owner: contents.owner,
        xattrs: contents.xattrs,
        trust_times: false,
    };
    let tree = TreeBuild::scan(path, &wanted, progress).map_err(gosync::Error::from)?;
    for left_out in tree.left_out() {
        console.message(format_args!("warning: {} is left out: it is no file, directory or link", left_out.display()));
    }
    Ok(tree)
}

/// A path that ends with a name.
pub(crate) fn plain(path: &Path) -> anyhow::Result<PathBuf> {
    match path.file_name() {
        Some(_) => Ok(path.to_owned()),
        None => path.canonicalize().with_context(|| format!("cannot read {}", path.display())),
    }
}
