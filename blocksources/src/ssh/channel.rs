//! A program at the far side of ssh, and its streams.

use std::io;

use gosync_chunks::SourceError;

use super::address::Address;
use super::link::Broken;
use super::options::SshOptions;
use super::place::Place;
use super::process::{Ended, Process, Reader, Runs, Writer};
use crate::sftp::SftpError;

/// What comes from the far side.
pub type SshOutput = Reader;

/// What goes to it.
pub type SshInput = Writer;

/// A path on a machine that ssh can log in to: `[user@]host:path`, where an IPv6 address is in
/// brackets, or `ssh://[user@]host[:port]/path`. A path without a slash before it is relative to
/// where a login begins, as is one behind `/~/` in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPlace {
    address: Address,
    shown: String,
}

impl SshPlace {
    /// Reads `text`; `None` where it is a path on this machine, with a drive's letter perhaps.
    ///
    /// # Errors
    ///
    /// When it names a place of ssh, and holds what is not safe to hand to ssh.
    pub fn parse(text: &str) -> Result<Option<Self>, SourceError> {
        let refused = |reason: &str| {
            // The whole text may hold a password.
            let location = "the place at the far side".into();
            SourceError::Refused { location, reason: reason.into() }
        };
        let address = if text.starts_with("ssh://") {
            Address::parse(text.trim_end_matches('/'))
        } else {
            match host_and_path(text) {
                None => return Ok(None),
                Some((host, path)) => Address::of(host, path),
            }
        };
        let address = address.map_err(refused)?;
        Ok(Some(Self { address, shown: text.to_owned() }))
    }

    /// The path there.
    pub fn path(&self) -> &[u8] {
        &self.address.path
    }

    /// The name of the file or directory there, if it has one.
    pub fn name(&self) -> Option<&str> {
        let name = std::str::from_utf8(&self.address.path).ok()?.rsplit('/').next()?;
        (!matches!(name, "" | "." | "..")).then_some(name)
    }

    /// What is called `name` in the directory there.
    pub fn with(&self, name: &str) -> Self {
        let directory = self.shown.trim_end_matches('/');
        let between = if directory.ends_with(':') && !self.shown.ends_with('/') { "" } else { "/" };
        Self { address: self.address.with(name), shown: format!("{directory}{between}{name}") }
    }

    /// As a URL.
    pub fn url(&self) -> String {
        self.address.to_string()
    }

    /// As it was written.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

/// What is before and behind the colon that makes `text` a place of ssh.
fn host_and_path(text: &str) -> Option<(&str, &str)> {
    let (host, path) = match text.find(['[', '/', '\\', ':'])? {
        // The colons of an address in brackets are its own.
        at if text[at..].starts_with('[') && (at == 0 || text[..at].ends_with('@')) => {
            let end = at + text[at..].find(']')? + 1;
            (&text[..end], text[end..].strip_prefix(':')?)
        }
        at => (&text[..at], text[at..].strip_prefix(':')?),
    };
    let is_drive =
        host.len() == 1 && host.starts_with(|c: char| c.is_ascii_alphabetic()) && path.starts_with(['/', '\\']);
    (!host.is_empty() && !is_drive).then_some((host, path))
}

/// A program that runs at the far side, as long as this is there.
pub struct SshChannel {
    process: Process,
    address: Address,
    options: SshOptions,
}

/// Runs `command` at `place`: what the user's shell there makes of it. Nothing of that may be
/// anybody else's words.
///
/// # Errors
///
/// When ssh cannot be run at all. That it cannot log in shows when the streams are used.
pub fn run(
    place: &SshPlace,
    command: &str,
    options: &SshOptions,
) -> Result<(SshOutput, SshInput, SshChannel), SourceError> {
    let SshPlace { address, .. } = place;
    let started = Process::start(address, options, Runs::Command(command));
    let (reader, writer, process) = started.map_err(|error| Place { address, options }.no_ssh(&error))?;
    Ok((reader, writer, SshChannel { process, address: address.clone(), options: options.clone() }))
}

impl SshChannel {
    /// That the far side has answered: from now on silence is a sign of death.
    pub fn has_begun(&self) {
        self.process.has_begun(&self.options);
    }

    /// What it means that a stream broke with `error`, which ends this: before the far side said
    /// anything that was understood, where `is_start`.
    pub fn broken(self, error: io::Error, is_start: bool) -> SourceError {
        let Self { process, address, options } = self;
        let place = Place { address: &address, options: &options };
        let ended = process.ended(true);
        match ended {
            Ended { code: Some(code @ (126 | 127)), told, .. } if is_start => {
                let told = if told.is_empty() { told } else { format!(" ({told})") };
                place.refused(format!("there is no gosync at the far side, which ended with exit code {code}{told}"))
            }
            ended => place.broken(Broken { error: SftpError::Io(error), ended }, is_start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_directory() {
        for (text, path, shown) in [("ho:", &b"x"[..], "ho:x"), ("ho:/", b"/x", "ho:/x"), ("ho:a/", b"a/x", "ho:a/x")] {
            let within = SshPlace::parse(text).unwrap().unwrap().with("x");
            assert_eq!((within.path(), within.shown()), (path, shown));
        }
    }

    #[test]
    fn places_and_paths() {
        for (text, host, path) in [
            ("host:dir/x", "host", "dir/x"),
            ("me@host:/x y", "host", "/x y"),
            ("host:", "host", "."),
            ("host:/", "host", "/"),
            ("host:dir/", "host", "dir"),
            ("me@[::1]:x:y", "::1", "x:y"),
            ("[fe80::1%eth0]:x", "fe80::1%eth0", "x"),
            ("c:x", "c", "x"),
            ("ssh://me@host:2222/x/", "host", "/x"),
            ("ssh://host/~/x", "host", "x"),
        ] {
            let place = SshPlace::parse(text).unwrap().unwrap_or_else(|| panic!("{text} is taken for a path"));
            assert_eq!((&*place.address.host, place.path(), place.shown()), (host, path.as_bytes(), text));
        }
        for text in [
            "file",
            "./a:b",
            "/a:b",
            "dir/a:b",
            "C:\\dir\\x",
            "c:/dir/x",
            "D:\\",
            ":x",
            "a\\b:c",
            "[a",
            "",
            "http://h/x",
        ] {
            let parsed = SshPlace::parse(text);
            assert!(matches!(parsed, Ok(None)) || text.starts_with("http"), "{text}: {parsed:?}");
        }
        for text in [
            "-oProxyCommand=id:x",
            "-l@host:x",
            "a;id@host:x",
            "$(id):x",
            "host`id`:x",
            "ho st:x",
            "[::1;id]:x",
            "me:x@h:y\0",
        ] {
            assert!(SshPlace::parse(text).is_err(), "{text}");
        }
    }
}
