//! Errors on the way out: their text, their hint and their exit code.

use std::process::ExitCode;

use gosync::{Error, FormatError, KeyError, PartError, Trouble};
use gosync_server::ServerError;
use gosync_zsync::Error as ZsyncError;
use serde_json::json;

use crate::console::Console;

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
    let trouble = trouble(error);
    let is_cancelled = trouble == Some(Trouble::Cancelled) || error.is::<gosync_librsync::Error>();
    if is_cancelled && console.interrupt.is_raised() {
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
    if let Some(hint) = hint(error, console.interrupt.is_resumable()) {
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
    if error.is::<Usage>() || matches!(error.downcast_ref(), Some(Error::Layers { .. } | Error::PayloadLayers { .. })) {
        return USAGE;
    }
    if let Some(error) = error.downcast_ref::<gosync_librsync::Error>() {
        return error.code();
    }
    match trouble(error) {
        _ if error.downcast_ref().is_some_and(is_of_wrong_parts) => USAGE,
        Some(Trouble::Corrupt) => CORRUPT,
        Some(Trouble::Source) => SOURCE,
        _ => 1,
    }
}

/// Whether parts were given that do not make an index, each of which may be good.
fn is_of_wrong_parts(error: &Error) -> bool {
    use PartError::{Different, Missing, Overlap};
    matches!(error, Error::Part { source: Different { .. } | Missing { .. } | Overlap { .. }, .. })
}

/// The kind of trouble, where a scheme had it.
fn trouble(error: &anyhow::Error) -> Option<Trouble> {
    let of_index = error.downcast_ref().map(Error::trouble);
    of_index.or_else(|| error.downcast_ref().map(trouble_of_control))
}

fn trouble_of_control(error: &ZsyncError) -> Trouble {
    match error {
        error if error.is_cancelled() => Trouble::Cancelled,
        error if error.is_corrupt() => Trouble::Corrupt,
        error if error.is_source() => Trouble::Source,
        _ => Trouble::Other,
    }
}

/// What may help. `has_kept` where this run left something for the next one.
fn hint(error: &anyhow::Error, has_kept: bool) -> Option<&'static str> {
    if let Some(usage) = error.downcast_ref::<Usage>() {
        Some(usage.hint)
    } else if let Some(ServerError::Bind { .. }) = error.downcast_ref() {
        Some("give another --bind address, or port 0 for a free port")
    } else if let Some(error) = error.downcast_ref::<Error>() {
        of_index(error).or_else(|| of_trouble(error.trouble(), has_kept && error.is_resumable()))
    } else {
        let error = error.downcast_ref::<ZsyncError>()?;
        of_control(error).or_else(|| of_trouble(trouble_of_control(error), has_kept && error.is_resumable()))
    }
}

fn of_index(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Index { source: FormatError::NotAnIndex, .. } => {
            "SEED comes first, then INDEX, which `gosync build` makes"
        }
        Error::Index { .. } => "get the index again, or make it again with `gosync build`",
        Error::Part { .. } if is_of_wrong_parts(error) => {
            "give every part of one target once, all made with the same options"
        }
        Error::Part { .. } => "make that part again with `gosync build --part`",
        Error::Signature { .. } => "nothing was used or replaced; without --public-key the index of anyone is used",
        Error::Key { source: KeyError::NoPassword(_) | KeyError::WrongPassword, .. } => {
            "give --key-password-file, or set GOSYNC_KEY_PASSWORD"
        }
        Error::Key { .. } => "keys are made with `minisign -G`",
        Error::Sum { .. } => "give another --block-size",
        Error::Layers { .. } | Error::PayloadLayers { .. } => {
            "give others to --layers or --block-size, or neither: they are chosen by the file's size"
        }
        _ => return None,
    })
}

fn of_control(error: &ZsyncError) -> Option<&'static str> {
    Some(match error {
        ZsyncError::Control { .. } => "get the control file again, or make it again with `zsyncmake`",
        ZsyncError::Sum { .. } => "give another block size",
        ZsyncError::NoSource { .. } => "say with -u which URL the control file is from",
        _ => return None,
    })
}

fn of_trouble(trouble: Trouble, is_kept: bool) -> Option<&'static str> {
    Some(match (trouble, is_kept) {
        (Trouble::Corrupt, true) => {
            "the source may have another version than the index; nothing was replaced, and what was right is kept: \
             run the command again with another source"
        }
        (Trouble::Corrupt, false) => "the index may be of another version; nothing was replaced",
        (Trouble::Source, true) => {
            "nothing was replaced, and what was fetched is kept; run the same command again when the source is back"
        }
        (Trouble::Source, false) => "nothing was replaced; run the same command again when the source is back",
        _ => return None,
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
