//! `gosync publish`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use gosync::Error;
use gosync::pointer::date;
use gosync::publication::{Made, Publication, PublicationError, Source};
use gosync::publish::{Build, BuildOptions, TargetName, open_folder, read_unchanged, within};
use gosync::sources::{Location, SourceOptions};
use gosync_unpack::PackedBuild;
use serde_json::json;

use crate::console::Console;
use crate::directory::build::{Contents, Unpacks, plain, scan, unpack};
use crate::failure::Usage;
use crate::options::environment;
use crate::options::network::ssh;
use crate::options::signing::Signing;
use crate::options::values::{Expiry, block_size, expiry, folder};
use crate::progress::Bars;
use crate::publication;
use crate::publication::packed::Opens;
use crate::table::{counted, seconds};
use crate::text::{percent, size};

/// How hard a directory is compressed where nobody says.
const LEVEL: i32 = 3;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync publish app.img --to /srv/www/app            then: gosync patch app.img https://.../app/app.img.gosync-latest\n\
    \x20 gosync publish site --to s3://bucket/site --keep 5  the last five versions stay\n\
    \x20 gosync publish app-2.1.img --name app.img --to /srv/www/app --sign key --expires 30d")]
pub(crate) struct Publish {
    /// The file or directory to publish
    file: PathBuf,
    /// The folder to publish it in, with all versions beside each other: a directory, or an s3, gs, az or ssh URL
    #[arg(long, value_name = "FOLDER", value_parser = folder())]
    to: Location,
    /// What it is called in all versions: the pointer is NAME.gosync-latest [default: the name of FILE]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Remove all versions but the last N, this one included [default: all stay]
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroUsize>,
    /// When clients are to refuse this as too old: after a time, such as 12h or 30d, or on a day,
    /// such as 2027-01-31, as it begins in UTC. Publish again before that
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<Expiry>,
    /// Blocks of one size only, such as 4096 or 64KiB [default: layers]
    #[arg(long, value_name = "N", value_parser = block_size)]
    block_size: Option<u32>,
    /// Publish a compressed payload in place of a file, as for `gosync build`. LEVEL is from 1 to 15,
    /// with a `=` before it [default: 3]. A directory always has one
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "3", value_parser = clap::value_parser!(i32).range(1..=15))]
    compress: Option<i32>,
    /// Open the packed file (zip, jar, wheel, gz, tar.gz), as for `gosync build`; it is published beside
    /// the payload of what is in it [default: where that pays, and so in a directory]
    #[arg(long, conflicts_with = "no_unpack")]
    unpack: bool,
    /// Publish packed files as they are
    #[arg(long)]
    no_unpack: bool,
    /// The program to run for ssh URLs, and its arguments, such as "ssh -i KEY"
    #[arg(long, value_name = "COMMAND", default_value = "ssh")]
    ssh: String,
    #[command(flatten)]
    contents: Contents,
    #[command(flatten)]
    signing: Signing,
}

impl Publish {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        let start = Instant::now();
        let file = &plain(&self.file)?;
        if file.is_dir() {
            self.contents.check_packed()?;
        } else {
            self.contents.check_file()?;
        }
        keep_out(file, &self.to)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let name = &TargetName::new(name).map_err(|error| Error::from(PublicationError::from(error)))?;
        let key = self.signing.key(console)?;
        let options = SourceOptions { ssh: ssh(&self.ssh, console), ..environment::source_options()? };
        let folder = open_folder(&self.to, name.as_str(), &environment::who(), &options).map_err(Error::from)?;
        let bars = Bars::new(console);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let publication = Publication {
            folder: &*folder,
            location: &self.to,
            name,
            key: key.as_ref(),
            now,
            expires_at: self.expires.map(|expires| expires.at(now)),
            keep: self.keep,
            progress: &bars,
        };
        let made = self.publish(file, &publication, console)?;
        tell(&made, &self.to, start, console)?;
        Ok(ExitCode::SUCCESS)
    }

    fn publish(&self, file: &Path, publication: &Publication<'_>, console: &Console) -> anyhow::Result<Made> {
        let block_sizes = self.block_size.into_iter().collect();
        let (name, progress) = (Some(publication.name.clone()), publication.progress);
        if file.is_dir() {
            let mut tree = scan(file, &self.contents, progress, console)?;
            if !self.no_unpack {
                let unpacks = if self.unpack { Unpacks::Yes } else { Unpacks::IfItPays };
                unpack(&mut tree, file, unpacks, progress, console)?;
            }
            let options = BuildOptions { block_sizes, compress: Some(self.compress.unwrap_or(LEVEL)) };
            return Ok(publication.publish(Source::Payload, |payload, call| {
                let Some(payload) = payload else { unreachable!("a directory is published with a payload") };
                Ok(tree.index_by_content(name, &options, payload, call, progress)?)
            })?);
        }
        let options = &BuildOptions { block_sizes, compress: self.compress };
        let called = &file.display().to_string();
        let opens = match self.no_unpack || !self.unpack && self.compress.is_none() && self.block_size.is_some() {
            true => Opens::NotAsked,
            false => Opens::DoesNotPay,
        };
        let made = read_unchanged(file, |target| {
            let packed = match opens {
                Opens::NotAsked => None,
                _ => PackedBuild::open(target, called, progress)?.filter(|packed| self.unpack || packed.pays()),
            };
            if let Some(packed) = packed {
                publication::packed::tell(file, packed.info(), console);
                let source = Source::Opened(target, packed.info().file_hash);
                let made = publication.publish(source, |payload, call| {
                    let Some(payload) = payload else { unreachable!("what is opened is published with a payload") };
                    Ok(packed.index_by_content(called, name.clone(), options, (payload, call), progress)?)
                });
                return made.map(Some);
            }
            if self.unpack {
                return Ok(None);
            }
            publication::packed::warn(file, opens, console);
            let source = if options.compress.is_some() { Source::Payload } else { Source::Plain(target) };
            let made = publication.publish(source, |payload, call| {
                let build = Build { target, called, name: name.clone(), sections: Vec::new(), options, progress };
                Ok(build.index_by_content(payload, call)?)
            });
            made.map(Some)
        });
        made?.ok_or_else(|| publication::packed::nothing_in(file).into())
    }
}

/// Refuses to publish a directory into itself, where each version would have those before it.
fn keep_out(file: &Path, to: &Location) -> Result<(), Usage> {
    let Some(to) = to.as_path() else { return Ok(()) };
    let above = to.ancestors().find_map(|above| match above.as_os_str().is_empty() {
        true => Path::new(".").canonicalize().ok(),
        false => above.canonicalize().ok(),
    });
    match file.canonicalize() {
        Ok(file) if file.is_dir() && above.is_some_and(|above| above.starts_with(&file)) => Err(Usage {
            message: format!("{} is in the directory that is published", to.display()),
            hint: "give another folder with --to",
        }),
        _ => Ok(()),
    }
}

fn tell(made: &Made, folder: &Location, start: Instant, console: &Console) -> anyhow::Result<()> {
    let Made { is_new, pointer, location, index, names, removed, left } = made;
    let time = start.elapsed();
    for (name, reason) in left {
        console.message(format_args!("warning: {} stays: {reason}", within(folder, name)));
    }
    let (length, source_length) = (index.length(), index.source_length());
    let expires = pointer.expires_at.map_or(String::new(), |at| format!(", until {}", date::shown(at)));
    let is_known = if *is_new { "" } else { " is the same: nothing to publish" };
    console.message(format_args!(
        "{location}: version {}{is_known}{expires}; {} and {} of index ({} of {}), in {}",
        pointer.serial,
        size(source_length),
        size(index.encoded_len()),
        percent(source_length + index.encoded_len(), length),
        size(length),
        seconds(time)
    ));
    if !removed.is_empty() {
        console.message(format_args!("{} of versions before were removed", counted(removed.len() as u64, "file")));
    }
    console.event(&json!({
        "event": "done",
        "changed": is_new,
        "pointer": location.to_string(),
        "name": pointer.name.as_str(),
        "serial": pointer.serial,
        "published_at": pointer.published_at,
        "expires_at": pointer.expires_at,
        "index": within(folder, pointer.index.as_str()).to_string(),
        "files": names,
        "removed": removed,
        "not_removed": left.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "target_bytes": length,
        "payload_bytes": source_length,
        "index_bytes": index.encoded_len(),
        "seconds": time.as_secs_f64(),
    }))?;
    Ok(())
}
