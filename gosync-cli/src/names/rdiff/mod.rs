//! `gosync rdiff`: librsync's three steps, with rdiff's options and exit codes.

mod streams;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{ArgAction, Subcommand, ValueEnum};
use gosync_librsync::{
    DeltaOptions, Error, LiteralLen, PatchOptions, Signature, SignatureKind, SignatureOptions, Stream, StrongLen,
};
use serde_json::{Value, json};

use crate::console::Console;
use streams::{Input, Output};

/// The exit code for a command line that makes no sense.
pub(crate) const USAGE: u8 = 101;

/// What scripts look for in it is rdiff's.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nDoes what rdiff (librsync 2.3.2) does, and writes the same bytes.\nCopyright (C) The gosync authors\n",
    "Capabilities: 64 bit files"
);

#[derive(Debug, clap::Args)]
#[command(version = VERSION, infer_subcommands = true, args_override_self = true)]
#[command(after_help = "A file that is left out, or -, is a standard stream. Called by the name rdiff, this program \
                        acts as rdiff.\n\nExit codes are rdiff's: 0 done, 100 a file cannot be read or written, 101 usage, \
                        103 unexpected end, 104 wrong magic number, 105 unimplemented, 106 corrupt, 108 bad parameter.\n\n\
                        Examples:\n\
                        \x20 gosync rdiff signature old old.sig\n\
                        \x20 gosync rdiff delta old.sig new new.delta\n\
                        \x20 gosync rdiff patch old new.delta made")]
pub(crate) struct Rdiff {
    #[command(subcommand)]
    action: Action,
    /// Show performance statistics
    #[arg(short, long, alias = "stats", global = true)]
    statistics: bool,
    /// Force overwriting existing files
    #[arg(short, long, global = true)]
    force: bool,
    /// Hash algorithm of a signature
    #[arg(short = 'H', long, value_name = "ALG", value_enum, default_value_t = Hash::Blake2, global = true)]
    hash: Hash,
    /// Rollsum algorithm of a signature
    #[arg(short = 'R', long, value_name = "ALG", value_enum, default_value_t = Rollsum::Rabinkarp, global = true)]
    rollsum: Rollsum,
    /// Block size of a signature, 0 for the recommended one
    #[arg(
        short,
        long,
        value_name = "BYTES",
        value_parser = integer,
        default_value = "0",
        allow_negative_numbers = true,
        global = true
    )]
    block_size: i32,
    /// Bytes of each hash in a signature, 0 for all, -1 for the fewest that librsync recommends
    #[arg(
        short = 'S',
        long,
        value_name = "BYTES",
        value_parser = strong_len,
        default_value = "0",
        allow_negative_numbers = true,
        global = true
    )]
    sum_size: StrongLen,
    /// Cut a delta's literals at 65533 bytes, as librsync does since 2.3.3, and not at 32768
    #[arg(long, global = true)]
    long_literals: bool,
    /// Taken because rdiff takes it: buffers need no tuning here
    #[arg(short = 'I', long, value_name = "BYTES", value_parser = integer, hide = true, global = true)]
    input_size: Option<i32>,
    /// Taken because rdiff takes it: buffers need no tuning here
    #[arg(short = 'O', long, value_name = "BYTES", value_parser = integer, hide = true, global = true)]
    output_size: Option<i32>,
    /// Print help, as rdiff is asked for it
    #[arg(short = '?', action = ArgAction::HelpShort, hide = true, global = true)]
    question: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the signature of an old file
    Signature {
        /// The old file
        basis: Option<PathBuf>,
        /// Where to write its signature
        signature: Option<PathBuf>,
    },
    /// Make the delta from an old file, known by its signature, to a new one
    Delta {
        /// The signature of the old file
        signature: PathBuf,
        /// The new file
        #[arg(value_name = "NEWFILE")]
        new_file: Option<PathBuf>,
        /// Where to write the delta
        delta: Option<PathBuf>,
    },
    /// Make the new file from the old one and a delta
    Patch {
        /// The old file
        basis: PathBuf,
        /// The delta
        delta: Option<PathBuf>,
        /// Where to write the new file
        #[arg(value_name = "NEWFILE")]
        new_file: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Hash {
    Blake2,
    Md4,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Rollsum {
    Rabinkarp,
    Rollsum,
}

impl Rdiff {
    pub(crate) fn run(self, console: &Console) -> Result<ExitCode> {
        let task = Task { args: &self, console, start: Instant::now() };
        match &self.action {
            Action::Signature { basis, signature } => task.signature(file(basis), file(signature)),
            Action::Delta { signature, new_file, delta } => task.delta(named(signature), file(new_file), file(delta)),
            Action::Patch { basis, delta, new_file } => task.patch(named(basis), file(delta), file(new_file)),
        }?;
        Ok(ExitCode::SUCCESS)
    }

    fn kind(&self) -> SignatureKind {
        match (self.hash, self.rollsum) {
            (Hash::Md4, Rollsum::Rollsum) => SignatureKind::Md4Rollsum,
            (Hash::Md4, Rollsum::Rabinkarp) => SignatureKind::Md4RabinKarp,
            (Hash::Blake2, Rollsum::Rollsum) => SignatureKind::Blake2Rollsum,
            (Hash::Blake2, Rollsum::Rabinkarp) => SignatureKind::Blake2RabinKarp,
        }
    }

    fn literals(&self) -> LiteralLen {
        if self.long_literals { LiteralLen::UpTo65533 } else { LiteralLen::UpTo32768 }
    }
}

/// The file that is meant, unless it is a standard stream.
fn file(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().and_then(named)
}

fn named(path: &Path) -> Option<&Path> {
    (path != Path::new("-")).then_some(path)
}

struct Task<'a> {
    args: &'a Rdiff,
    console: &'a Console,
    start: Instant,
}

impl Task<'_> {
    fn signature(&self, basis_path: Option<&Path>, signature: Option<&Path>) -> Result<()> {
        let mut basis = self.input(basis_path, Stream::Basis)?;
        let options = SignatureOptions {
            kind: self.args.kind(),
            block_len: Some(self.args.block_size as u32).filter(|&len| len > 0),
            strong_len: self.args.sum_size,
            basis_len: basis.len(),
        };
        let header = options.header()?;
        if let StrongLen::Bytes(len) = options.strong_len
            && len < options.min_strong_len()
        {
            self.console.message(format_args!(
                "warning: hashes of {len} bytes are less than the {} recommended for {basis} in blocks of {}",
                options.min_strong_len(),
                header.block_len
            ));
        }
        let mut output = Output::create(signature, Stream::Signature, self.args.force, &[basis_path])?;
        let report = match basis.at_any_place() {
            Some(basis) => gosync_librsync::signature_at(&basis, &mut output, &options),
            None => gosync_librsync::signature(basis, &mut output, &options),
        }?;
        self.statistics(
            "signature",
            format_args!("signature[{} blocks, {} bytes per block]", report.blocks, header.block_len),
            (report.basis_bytes, report.signature_bytes),
        );
        self.done(
            output,
            json!({
                "blocks": report.blocks,
                "block_size": header.block_len,
                "basis_bytes": report.basis_bytes,
                "signature_bytes": report.signature_bytes,
            }),
        )
    }

    fn delta(&self, signature: Option<&Path>, new: Option<&Path>, delta: Option<&Path>) -> Result<()> {
        let inputs = [signature, new];
        let signature = self.input(signature, Stream::Signature)?;
        let name = signature.to_string();
        let mut new = self.input(new, Stream::New)?;
        let output = Output::create(delta, Stream::Delta, self.args.force, &inputs)?;
        let signature = Signature::read(signature).map_err(|error| self.about(&name, error))?;
        self.console.detail(format_args!(
            "{name}: {} blocks of {} bytes, {:?}",
            signature.block_count(),
            signature.header().block_len,
            signature.header().kind
        ));
        let mut output = output;
        let options = DeltaOptions { literals: self.args.literals() };
        let report = match new.at_any_place() {
            Some(new) => gosync_librsync::delta_at(&signature.index(), &new, &mut output, &options),
            None => gosync_librsync::delta(&signature, new, &mut output, &options),
        }?;
        self.statistics(
            "delta",
            format_args!(
                "literal[{} cmds, {} bytes, {} cmdbytes] copy[{} cmds, {} bytes, {} cmdbytes, {} false]",
                report.literals,
                report.literal_bytes,
                report.literal_command_bytes,
                report.copies,
                report.copied_bytes,
                report.copy_command_bytes,
                report.false_weak_hits
            ),
            (report.new_bytes(), report.delta_bytes),
        );
        let (new, delta) = (report.new_bytes(), report.delta_bytes);
        self.done(output, moved(report.literal_bytes, report.copied_bytes, new, delta))
    }

    fn patch(&self, basis: Option<&Path>, delta: Option<&Path>, new: Option<&Path>) -> Result<()> {
        // The basis may be brought to the new version in place.
        let inputs = [delta];
        let basis = self.input(basis, Stream::Basis)?;
        let delta = self.input(delta, Stream::Delta)?;
        let name = delta.to_string();
        let mut output = Output::create(new, Stream::New, self.args.force, &inputs)?;
        let report = gosync_librsync::patch(basis, delta, &mut output, &PatchOptions::default())
            .map_err(|error| self.about(&name, error))?;
        self.statistics(
            "patch",
            format_args!(
                "literal[{} cmds, {} bytes] copy[{} cmds, {} bytes]",
                report.literals, report.literal_bytes, report.copies, report.copied_bytes
            ),
            (report.delta_bytes, report.new_bytes()),
        );
        let (new, delta) = (report.new_bytes(), report.delta_bytes);
        self.done(output, moved(report.literal_bytes, report.copied_bytes, new, delta))
    }

    fn input(&self, path: Option<&Path>, stream: Stream) -> Result<Input, Error> {
        Input::open(path, stream, &self.console.interrupt)
    }

    /// With the name of the file whose bytes are wrong; what cannot be read has it already.
    fn about(&self, name: &str, error: Error) -> anyhow::Error {
        match error {
            Error::Read { .. } | Error::Write { .. } => error.into(),
            _ => anyhow::Error::new(error).context(format!("{name} cannot be used")),
        }
    }

    fn statistics(&self, what: &str, counts: impl Display, (read, written): (u64, u64)) {
        if self.args.statistics {
            let seconds = self.start.elapsed().max(Duration::from_millis(1)).as_secs_f64();
            let (read, written) = (read as f64 / 1e6, written as f64 / 1e6);
            self.console.error(format_args!(
                "rdiff: {what} statistics: {counts} speed[{read:.1} MB ({:.1} MB/s) in, {written:.1} MB ({:.1} MB/s) \
                 out, {seconds:.1} sec]",
                read / seconds,
                written / seconds
            ));
        }
    }

    fn done(&self, output: Output, mut event: Value) -> Result<()> {
        let is_standard = output.is_standard();
        self.console.notes(&output.commit()?);
        if !is_standard {
            event["event"] = "done".into();
            event["seconds"] = self.start.elapsed().as_secs_f64().into();
            self.console.event(&event)?;
        }
        Ok(())
    }
}

/// What the event of a delta says, made or applied.
fn moved(literal_bytes: u64, copied_bytes: u64, new_bytes: u64, delta_bytes: u64) -> Value {
    json!({
        "literal_bytes": literal_bytes,
        "copied_bytes": copied_bytes,
        "new_bytes": new_bytes,
        "delta_bytes": delta_bytes,
    })
}

fn strong_len(text: &str) -> Result<StrongLen, String> {
    Ok(match integer(text)? {
        0 => StrongLen::Maximum,
        -1 => StrongLen::Minimum,
        // What is no length at all is refused with those that are too long.
        len => StrongLen::Bytes(len as u32),
    })
}

/// A number as rdiff reads it: decimal, or octal behind a 0, or hexadecimal behind 0x.
fn integer(text: &str) -> Result<i32, String> {
    let number = text.trim_start();
    let (is_negative, digits) = match number.as_bytes() {
        [] if text.is_empty() => return Ok(0),
        [b'-', ..] => (true, &number[1..]),
        [b'+', ..] => (false, &number[1..]),
        _ => (false, number),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(format!("invalid numeric value: {text}"));
    }
    let number = i64::from_str_radix(digits, radix).ok().map(|number| if is_negative { -number } else { number });
    number.and_then(|number| i32::try_from(number).ok()).ok_or(format!("number too large or too small: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_rdiff_reads_them() {
        for (text, number) in [
            ("", 0),
            ("0", 0),
            ("200", 200),
            (" +16", 16),
            ("-1", -1),
            ("0x200", 512),
            ("0XfF", 255),
            ("010", 8),
            ("-010", -8),
            ("2147483647", i32::MAX),
            ("-2147483648", i32::MIN),
        ] {
            assert_eq!(integer(text), Ok(number), "{text}");
        }
        for text in [" ", "-", "+-1", "0x", "08", "16x", "1 ", "many", "0b1", "٣"] {
            assert_eq!(integer(text), Err(format!("invalid numeric value: {text}")));
        }
        for text in ["2147483648", "-2147483649", "0x80000000", "99999999999999999999"] {
            assert_eq!(integer(text), Err(format!("number too large or too small: {text}")));
        }
    }
}
