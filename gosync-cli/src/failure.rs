//! Errors on the way out: their text, their hint and their exit code.

use std::io;
use std::process::ExitCode;

use gosync::pointer::PointerError;
use gosync::publication::PublicationError;
use gosync::publish::{self, MergeError, PartError};
use gosync::signing::KeyError;
use gosync::{Error, ErrorKind, FormatError, update};
use gosync_files::identity::SameFile;
use gosync_server::ServerError;
use gosync_zsync::Error as ZsyncError;
use serde_json::json;

use crate::console::Console;
use crate::remedy::{self, Hinted};

/// Data is corrupt or fails verification.
pub(crate) const CORRUPT: u8 = 3;
/// The source cannot be reached or refuses.
const SOURCE: u8 = 4;
/// The command line makes no sense; clap exits with the same.
pub(crate) const USAGE: u8 = 2;

/// A command line that can be parsed but makes no sense, or a missing piece that only
/// the user can supply.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Usage {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// Prints `error`, what caused it and what may help, and tells the exit code.
pub(crate) fn report(error: &anyhow::Error, console: &Console) -> ExitCode {
    let (error, own_hint) = match error.downcast_ref() {
        Some(Hinted { error, hint }) => (error, Some(hint.as_str())),
        None => (error, None),
    };
    // Whatever the work failed of: it was cut off.
    if console.interrupt.is_raised() {
        tell_interruption(console);
        return console.interrupt.exit_code().into();
    }
    let code = exit_code(error);
    if is_broken_pipe(error) {
        // The reader of the output has read enough.
        return ExitCode::FAILURE;
    }
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let event = json!({ "event": "error", "message": error.to_string(), "causes": causes, "exit_code": code });
    console.error(format_args!("error: {error}"));
    for cause in &causes {
        console.error(format_args!("  caused by: {cause}"));
    }
    if let Some(hint) = hint(error, own_hint, console.interrupt.is_resumable()) {
        console.error(format_args!("hint: {hint}"));
    }
    let _ = console.event(&event);
    ExitCode::from(code)
}

/// Says that the work was interrupted, and whether the next run can go on with it.
pub(crate) fn tell_interruption(console: &Console) {
    let (is_resumable, code) = (console.interrupt.is_resumable(), console.interrupt.exit_code());
    let message = match is_resumable {
        true => "interrupted; what was fetched is kept: run the same command again to go on",
        false => "interrupted",
    };
    console.error(message);
    // A reader that closed stdout does not want to know.
    let _ = console.event(&json!({
        "event": "interrupted", "message": message, "resumable": is_resumable, "exit_code": code,
    }));
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<gosync_librsync::Error>() {
        return error.code();
    }
    match kind(error) {
        _ if error.is::<Usage>() || error.is::<SameFile>() => USAGE,
        Some(ErrorKind::Usage) => USAGE,
        Some(ErrorKind::Corrupt) => CORRUPT,
        Some(ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Source) => SOURCE,
        _ => 1,
    }
}

/// The kind of trouble, where a scheme had it.
fn kind(error: &anyhow::Error) -> Option<ErrorKind> {
    let of_index = error.downcast_ref().map(Error::kind);
    of_index.or_else(|| error.downcast_ref().map(ZsyncError::kind))
}

/// What may help, which may be `own`. `has_kept` where this run left something for the next one.
fn hint(error: &anyhow::Error, own: Option<&str>, has_kept: bool) -> Option<String> {
    if let Some(usage) = error.downcast_ref::<Usage>() {
        return Some(usage.hint.into());
    }
    if let Some(ServerError::Bind { .. }) = error.downcast_ref() {
        return Some("give another --bind address, or port 0 for a free port".into());
    }
    let (index, control) = (error.downcast_ref::<Error>(), error.downcast_ref::<ZsyncError>());
    let is_kept = match (index, control) {
        (Some(Error::Update(error)), _) | (_, Some(ZsyncError::Update(error))) => has_kept && error.is_resumable(),
        _ => false,
    };
    let of_source = || remedy::source_error(error).and_then(remedy::of_source);
    if let Some(hint) = own.or_else(of_source) {
        return Some(match is_kept {
            true => format!("{hint}; nothing was replaced, and what was fetched is kept"),
            false => hint.into(),
        });
    }
    let own = index.and_then(of_index).or_else(|| control.and_then(of_control));
    own.or_else(|| of_kind(kind(error)?, is_kept)).or_else(|| of_reading(error)).map(Into::into)
}

/// What may help where a file here cannot be read.
fn of_reading(error: &anyhow::Error) -> Option<&'static str> {
    let read = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>())?;
    let is_of_reading =
        kind(error).is_none_or(|kind| kind == ErrorKind::Other) && error.to_string().starts_with("cannot read ");
    Some(match read.kind() {
        _ if !is_of_reading => return None,
        io::ErrorKind::NotFound => "check the path, and the directory that you are in",
        io::ErrorKind::PermissionDenied => "check who may read it and the directories above it",
        io::ErrorKind::IsADirectory => "give a file in it",
        _ => return None,
    })
}

fn of_index(error: &Error) -> Option<&'static str> {
    use PartError::{Different, Missing, Overlap};
    Some(match error {
        Error::Update(update::Error::Index { source: FormatError::NotAnIndex, .. }) => {
            "SEED comes first, then INDEX, which `gosync build` makes"
        }
        Error::Update(update::Error::Index { .. }) => "get the index again, or make it again with `gosync build`",
        Error::Publish(publish::Error::Merge(MergeError::Part {
            source: Different { .. } | Missing { .. } | Overlap { .. },
            ..
        })) => "give every part of one target once, all made with the same options",
        Error::Publish(publish::Error::Merge(MergeError::Part { .. })) => {
            "make that part again with `gosync build --part`"
        }
        Error::Pointer { source, .. } => return Some(of_pointer(source)),
        Error::Publication(PublicationError::Overtaken { .. }) => "clients find what the other publisher published",
        Error::Publish(publish::Error::Busy { .. }) => "nothing was published",
        Error::Publication(_) => return None,
        Error::Signing { .. } => "nothing was used or replaced; without --public-key no signature is asked for",
        Error::Key { source: KeyError::NoPassword(_) | KeyError::WrongPassword, .. } => {
            "give --key-password-file, or set GOSYNC_KEY_PASSWORD"
        }
        Error::Key { .. } => "keys are made with `minisign -G`",
        Error::Sum { .. } => "give another --block-size",
        Error::Publish(publish::Error::Layers { .. } | publish::Error::PayloadLayers { .. }) => {
            "give other sizes to --layers or --block-size, or leave them out: they are then chosen by the file's size"
        }
        _ => return None,
    })
}

fn of_pointer(error: &PointerError) -> &'static str {
    match error {
        PointerError::Rollback { .. } | PointerError::Replaced { .. } => {
            "nothing was replaced; ask the publisher, and remove that file if the versions were begun anew"
        }
        PointerError::Expired { .. } => {
            "nothing was replaced; ask the publisher for a new one, or follow this one with --allow-expired"
        }
        PointerError::OtherIndex { .. } => {
            "nothing was replaced; where the two are cached, wait a little and run the same command again"
        }
        _ => "nothing was replaced; get the pointer again",
    }
}

fn of_control(error: &ZsyncError) -> Option<&'static str> {
    Some(match error {
        ZsyncError::Control { .. } => "get the control file again, or make it again with `zsyncmake`",
        ZsyncError::Sum { .. } => "give another block size",
        ZsyncError::NoSource { .. } => "say with -u which URL the control file is from",
        _ => return None,
    })
}

fn of_kind(kind: ErrorKind, is_kept: bool) -> Option<&'static str> {
    Some(match (kind, is_kept) {
        (ErrorKind::Corrupt, true) => {
            "the source may have another version than the index; nothing was replaced, and what was right is kept: \
             run the command again with another source"
        }
        (ErrorKind::Corrupt, false) => "the index may be of another version; nothing was replaced",
        (ErrorKind::Output, true) => {
            "nothing was replaced, and what was fetched is kept: see to that file or its disk, and run the same \
             command again"
        }
        (ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Source, true) => {
            "nothing was replaced, and what was fetched is kept; run the same command again when the source is back"
        }
        (ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Source, false) => {
            "nothing was replaced; run the same command again when the source is back"
        }
        _ => return None,
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
