//! `gosync build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;
use gosync::publish::{BuildOptions, PAYLOAD_SUFFIX, Publisher, Shard};
use gosync::sources::Location;
use gosync::{Format, Index};
use gosync_unpack::{Made, Unpack};
use serde_json::json;

use crate::console::Console;
use crate::directory;
use crate::directory::build::{Contents, How, Unpacks};
use crate::failure::Usage;
use crate::options::environment;
use crate::options::signing::Signing;
use crate::options::values::{block_size, destination};
use crate::progress::Bars;
use crate::publication;
use crate::publication::index::Described;
use crate::publication::packed::Opens;
use crate::table::seconds;
use crate::text::{grouped, size};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 gosync build app.img                        writes app.img.gosync; publish both\n\
    \x20 gosync build app.img --compress             also a payload, to be published instead of app.img\n\
    \x20 gosync build app.img -o s3://bucket/app.img.gosync")]
pub(crate) struct Build {
    /// The file or directory to publish
    file: PathBuf,
    /// Where to write the index: a path, or the URL of an object [default: FILE.gosync]
    #[arg(short, long, value_name = "INDEX", value_parser = destination())]
    output: Option<Location>,
    /// Blocks of one size only, such as 4096 or 64KiB [default: layers; 8192 for go-sync]
    #[arg(long, value_name = "N", value_parser = block_size)]
    block_size: Option<u32>,
    /// Block sizes of the layers, such as 64KiB,8KiB,1KiB [default: by the file's size]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = block_size, conflicts_with = "block_size")]
    layers: Vec<u32>,
    /// Also write a compressed payload, FILE.gosync-payload, to be published instead of the file.
    /// It holds all data twice, in coarse and in fine frames, so it can be about twice as large as
    /// the file compressed as a whole. A patch fetches whichever frames are cheaper. LEVEL is from
    /// 1 to 15, with a `=` before it [default: 3]
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "3", value_parser = clap::value_parser!(i32).range(1..=15))]
    compress: Option<i32>,
    /// Open the packed file (zip, jar, wheel, gz, tar.gz), or those in a directory where it pays: a
    /// compressed payload is made of what is in it, and a patch fetches what changed there, and packs
    /// it to the same bytes again. Publish both, and the file [default: where that pays; in a
    /// directory, if it has a payload anyway or mostly packed files]
    #[arg(long, conflicts_with_all = ["part", "no_unpack"])]
    unpack: bool,
    /// Publish packed files as they are
    #[arg(long)]
    no_unpack: bool,
    /// Make only part I of N of the index; `gosync index merge` puts them together
    #[arg(long, value_name = "I/N", conflicts_with = "sign")]
    part: Option<Shard>,
    /// The format of the index
    #[arg(long, value_enum, default_value_t = IndexFormat::Gosync)]
    format: IndexFormat,
    #[command(flatten)]
    contents: Contents,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IndexFormat {
    /// Our own: every byte verified by BLAKE3
    Gosync,
    /// go-sync 0.2's: no hash of the whole file
    GoSync,
    /// zsync's control file, for its users: SHA-1 and SHA-256 of the whole file
    Zsync,
}

impl Build {
    pub(crate) fn run(self, console: &Console) -> anyhow::Result<ExitCode> {
        self.check()?;
        // An index of go-sync names no target in any case.
        if !matches!(self.format, IndexFormat::GoSync) {
            publication::name::warn(&self.file, console);
        }
        if self.file.is_dir() {
            self.build_directory(console)?;
            return Ok(ExitCode::SUCCESS);
        }
        self.contents.check_file()?;
        let format = match self.format {
            IndexFormat::Gosync => Format::Layered,
            IndexFormat::GoSync => Format::GoSync,
            IndexFormat::Zsync => {
                publication::packed::warn(&self.file, Opens::Never, console);
                publication::control::build(&self.file, self.output, self.block_size, console)?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let block_sizes = self.block_size.map_or(self.layers.clone(), |size| vec![size]);
        let options = BuildOptions { block_sizes, compress: self.compress };
        match self.part {
            Some(shard) => {
                publication::packed::warn(&self.file, Opens::Never, console);
                self.build_part(shard, &options, console)?;
            }
            None => self.build_whole(format, &options, console)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Refuses what the format does not have: nothing is left out silently.
    fn check(&self) -> Result<(), Usage> {
        let format = match self.format {
            IndexFormat::Gosync => return Ok(()),
            IndexFormat::GoSync => "the go-sync format",
            IndexFormat::Zsync => "a control file of zsync",
        };
        let wanted = [
            (!self.layers.is_empty(), "--layers", "layers"),
            (self.compress.is_some(), "--compress", "compressed payload"),
            (self.part.is_some(), "--part", "parts"),
            (self.unpack, "--unpack", "recipe for packed files"),
            (self.signing.is_wanted(), "--sign", "header that could be signed"),
        ];
        match wanted.iter().find(|(is_given, ..)| *is_given) {
            Some((_, option, what)) => Err(Usage {
                message: format!("{option} is not for {format}, which has no {what}"),
                hint: "leave it out, or use --format gosync",
            }),
            None => Ok(()),
        }
    }

    /// Whether a packed file is opened: not where block sizes are given that its payload may not have.
    fn unpack(&self, format: Format, options: &BuildOptions) -> Option<Unpack> {
        let fits = options.compress.is_some() || options.block_sizes.is_empty();
        match format {
            Format::Layered if self.unpack => Some(Unpack::IfItCan),
            Format::Layered if !self.no_unpack && self.part.is_none() && fits => Some(Unpack::IfItPays),
            _ => None,
        }
    }

    fn build_whole(self, format: Format, options: &BuildOptions, console: &Console) -> anyhow::Result<()> {
        let start = Instant::now();
        let unpack = self.unpack(format, options);
        let location = self.output.unwrap_or_else(|| default_index(&self.file).into());
        let upload = environment::source_options()?;
        let bars = Bars::new(console);
        let publisher = Publisher { format, options, sources: &upload, progress: &bars };
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let unpacked = location.beside(&format!("{name}{PAYLOAD_SUFFIX}"));
        let payload = publisher.payload_location(&self.file, &location);
        self.signing.keep_apart(&location, unpack.map(|_| &unpacked).or(payload.as_ref()), &[&self.file])?;
        let key = self.signing.key(console)?;
        if let Some(unpack) = unpack {
            let made = gosync_unpack::build_file(&self.file, &unpacked, unpack, options, &upload, &bars);
            if let Some(Made { index, info, notes }) = made.map_err(gosync::Error::from)? {
                console.notes(&notes);
                publication::packed::tell(&self.file, &info, console);
                let described = Described::packed(&info);
                let index = Index::Layered(index);
                return publication::index::publish(
                    &index,
                    &location,
                    key.as_ref(),
                    &upload,
                    start,
                    &described,
                    console,
                );
            }
        }
        let opens = match format {
            Format::Layered if self.unpack => return Err(publication::packed::nothing_in(&self.file).into()),
            Format::Layered if unpack.is_none() => Opens::NotAsked,
            Format::Layered => Opens::DoesNotPay,
            Format::GoSync => Opens::Never,
        };
        publication::packed::warn(&self.file, opens, console);
        let index = publisher.build(&self.file, payload.as_ref())?;
        publication::index::publish(&index, &location, key.as_ref(), &upload, start, &Described::default(), console)
    }

    fn build_directory(self, console: &Console) -> anyhow::Result<()> {
        if self.unpack && self.contents.no_compress {
            return Err(Usage {
                message: "--unpack makes a compressed payload of what is in packed files".into(),
                hint: "leave out --no-compress",
            }
            .into());
        }
        if self.part.is_some() || !matches!(self.format, IndexFormat::Gosync) {
            return Err(Usage {
                message: format!(
                    "{} is a directory, whose index has gosync's own format and no parts",
                    self.file.display()
                ),
                hint: "leave out --format and --part, or make an archive of the directory and build its index",
            }
            .into());
        }
        let key = self.signing.key(console)?;
        let block_sizes = self.block_size.map_or(self.layers, |size| vec![size]);
        let options = BuildOptions { block_sizes, compress: self.compress };
        let unpacks = match (self.unpack, self.no_unpack) {
            (true, _) => Unpacks::Yes,
            (_, true) => Unpacks::No,
            _ => Unpacks::IfItPays,
        };
        let how = How { contents: &self.contents, unpacks, options };
        directory::build::build(&self.file, self.output, how, &self.signing, key.as_ref(), console)
    }

    fn build_part(self, shard: Shard, options: &BuildOptions, console: &Console) -> anyhow::Result<()> {
        let start = Instant::now();
        let suffix = format!(".{}", shard.to_string().replace('/', "-of-"));
        let default = || Location::from(default_index(&self.file)).with_suffix(&suffix);
        let location = self.output.unwrap_or_else(default);
        let upload = environment::source_options()?;
        let bars = Bars::new(console);
        let publisher = Publisher { format: Format::Layered, options, sources: &upload, progress: &bars };
        let part = publisher.part(&self.file, shard, &location)?;

        let (range, time) = (part.range(), start.elapsed());
        console.message(format_args!(
            "{location}: part {shard}, of {} of {} bytes, has {}, in {}",
            grouped(range.len()),
            grouped(part.target_length()),
            size(part.encoded_len()),
            seconds(time)
        ));
        console.event(&json!({
            "event": "done",
            "index": location.to_string(),
            "part": shard.to_string(),
            "target_bytes": part.target_length(),
            "part_start": range.start,
            "part_end": range.end,
            "index_bytes": part.encoded_len(),
            "payload_bytes": part.payload_length(),
            "block_sizes": part.block_sizes(),
            "seconds": time.as_secs_f64(),
        }))?;
        Ok(())
    }
}

fn default_index(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".gosync");
    file.with_file_name(name)
}
