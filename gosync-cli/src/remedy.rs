//! What may help against a place that does not deliver, by its cause and by what it was wanted for.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gosync::pointer::{POINTER_SUFFIX, Pointer, date};
use gosync::sources::{Location, SourceError, SourceOptions, open_source};
use gosync::{Error, FormatError, publish, update};
use gosync_zsync::Error as ZsyncError;

/// An error with a hint that takes knowing what was asked for.
#[derive(Debug)]
pub(crate) struct Hinted {
    pub(crate) error: anyhow::Error,
    pub(crate) hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// `error` with `hint`, if there is one.
fn with(error: anyhow::Error, hint: Option<String>) -> anyhow::Error {
    let Some(hint) = hint else { return error };
    // The later one knows more.
    let error = error.downcast().map_or_else(|error| error, |Hinted { error, .. }| error);
    Hinted { error, hint }.into()
}

/// What the index, said to be at `location`, was not opened for.
pub(crate) fn of_opening(error: anyhow::Error, location: &Location, options: &SourceOptions) -> anyhow::Error {
    let is_missing = matches!(source_error(&error), Some(SourceError::NotFound { .. }));
    let hint = match of_update(&error) {
        Some(update::Error::Read { source, .. }) if source.kind() == io::ErrorKind::IsADirectory => {
            Some("give the index in it, a file that `gosync build` made, such as NAME.gosync".to_owned())
        }
        Some(update::Error::Read { path, source })
            if source.kind() == io::ErrorKind::NotFound && location.as_path() == Some(path) =>
        {
            let usual = "check the path; `gosync build FILE` makes FILE.gosync";
            Some(meant(location, options).unwrap_or_else(|| usual.into()))
        }
        Some(update::Error::Index { source: FormatError::NotAnIndex, .. }) => meant(location, options),
        _ if is_missing => meant(location, options),
        _ => None,
    };
    with(error, hint)
}

/// What the version that `pointer` leads to was not opened for.
pub(crate) fn of_version(error: anyhow::Error, pointer: &Pointer) -> anyhow::Error {
    let is_missing = match of_update(&error) {
        Some(update::Error::Read { source, .. }) => source.kind() == io::ErrorKind::NotFound,
        _ => matches!(source_error(&error), Some(SourceError::NotFound { .. })),
    };
    let hint = is_missing.then(|| {
        let date = date::shown(pointer.published_at);
        format!(
            "the pointer leads to version {} of {date}, which is not there: a newer one may have taken its place, and a \
             cache on the way still have the old pointer; try again later",
            pointer.serial
        )
    });
    with(error, hint)
}

/// Which index may have been meant instead of what is at `location`: that beside it, if it is there.
fn meant(location: &Location, options: &SourceOptions) -> Option<String> {
    let indexes = [".gosync", ".zsync", POINTER_SUFFIX];
    if location.file_name().is_none_or(|name| indexes.iter().any(|suffix| name.ends_with(suffix))) {
        return None;
    }
    let is_there = |index: &Location| match index {
        Location::Path(path) => path.is_file(),
        Location::Url(_) => open_source(index, options).is_ok_and(|source| source.size().is_ok()),
    };
    let found = indexes.into_iter().map(|suffix| location.with_suffix(suffix)).find(is_there)?;
    Some(format!("the index is another file: did you mean {found}?"))
}

/// The same where SEED and INDEX are given, which may have changed places.
pub(crate) fn of_order(error: anyhow::Error, command: &str, seed: &Path, index: &Location) -> anyhow::Error {
    let is_no_index = matches!(of_update(&error), Some(update::Error::Index { source: FormatError::NotAnIndex, .. }));
    let hint = (is_no_index && is_index(seed).unwrap_or(false))
        .then(|| format!("SEED comes first: did you mean `gosync {command} {index} {}`?", seed.display()));
    with(error, hint)
}

fn is_index(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    if path.is_file() {
        File::open(path)?.take(8).read_to_end(&mut start)?;
    }
    Ok(matches!(gosync::Index::format_of(&start), Ok(Some(_))))
}

/// What was wanted of a source.
pub(crate) struct Wanted<'a> {
    /// Where the source is, if the user says so.
    pub(crate) given: Option<&'a Location>,
    /// Whether that could be meant for the output.
    pub(crate) may_be_output: bool,
    /// What lies beside the index, by the name that this gives.
    pub(crate) name: Option<String>,
    /// Whether that is a compressed payload.
    pub(crate) is_payload: bool,
}

/// What the target was not fetched for.
pub(crate) fn of_target(error: anyhow::Error, wanted: &Wanted<'_>) -> anyhow::Error {
    let Some(source) = source_error(&error) else { return error };
    let name = wanted.name.as_deref().unwrap_or("the new version");
    let hint = match (source, wanted.given) {
        (SourceError::NotFound { .. } | SourceError::Length { .. }, Some(Location::Path(path)))
            if wanted.may_be_output =>
        {
            let path = path.display();
            Some(format!("{path} is taken for the SOURCE to fetch from; to put the new version there, say `-o {path}`"))
        }
        // What is gone for good has a hint of its own.
        (SourceError::NotFound { .. }, None) if source.status() != Some(410) => Some(match wanted.is_payload {
            true => {
                format!("the index is of a compressed payload: {name} has to be published beside it, or SOURCE given")
            }
            false => format!("{name} has to be published beside the index, or SOURCE given: its path or URL"),
        }),
        (SourceError::Length { .. }, None) => {
            Some(format!("the index is not of the {name} beside it: publish both anew, or give another SOURCE"))
        }
        (SourceError::Length { .. }, Some(_)) if wanted.is_payload => {
            Some(format!("the index is of a compressed payload: SOURCE has to be {name}, or what it is published as"))
        }
        (SourceError::Length { .. }, Some(_)) => {
            Some("the index is not of this file: give the SOURCE that it was made of, or the index of this one".into())
        }
        _ => None,
    };
    with(error, hint)
}

/// What may help against `error` alone.
pub(crate) fn of_source(error: &SourceError) -> Option<&'static str> {
    const UNKNOWN_HOST: [&str; 4] =
        ["host not found", "failed to lookup address", "no such host is known", "could not resolve hostname"];
    Some(match (error.status(), error) {
        (Some(401), _) => "log in with --user and the password in GOSYNC_PASSWORD, --bearer-token-file or --netrc",
        (Some(403), _) => {
            "check the URL and that the user, the token or the signature in it is good for it, and still is"
        }
        (Some(407), _) => "the proxy wants a name and a password: --proxy http://NAME:PASSWORD@HOST:PORT",
        (Some(410), _) => "it was withdrawn for good: ask its publisher for the URL of a newer version",
        (Some(451), _) => "the server may not give it to you by law: give another place of it, with SOURCE or --source",
        (_, SourceError::NotFound { .. }) => "check the path or URL, letter by letter",
        (_, SourceError::Denied { .. }) => "check who may read it, and as whom you ask",
        (_, SourceError::Unreachable { source, .. }) => {
            let reason = source.to_string().to_lowercase();
            match reason {
                _ if UNKNOWN_HOST.iter().any(|words| reason.contains(words)) => {
                    "check the name of the host in the URL, and that this machine is on a network with DNS"
                }
                _ if reason.contains("no secure connection") => {
                    "if you trust its certificate, or the authority that made it, give that with --ca-certificate"
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// What a source had to say in `error`, whatever the scheme.
pub(crate) fn source_error(error: &anyhow::Error) -> Option<&SourceError> {
    match error.downcast_ref() {
        Some(Error::Publish(publish::Error::Source(error))) => Some(error),
        _ => of_update(error)?.source_error(),
    }
}

fn of_update(error: &anyhow::Error) -> Option<&update::Error> {
    let error = error.downcast_ref().map_or(error, |Hinted { error, .. }| error);
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Error::Update(error)), _) | (_, Some(ZsyncError::Update(error))) => Some(error),
        _ => None,
    }
}
