//! A directory on a machine that ssh can log in to, as a place to put files.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gosync_chunks::{ByteRange, Sink, SinkError, SourceError};

use super::address::Address;
use super::link::Link;
use super::options::SshOptions;
use super::place::Place;
use crate::sftp::{OpenFile, SftpError, status};

/// Bytes that are written in one round trip.
const PIECE: usize = 1 << 20;

/// A directory behind an `ssh://[user@]host[:port]/path` URL, to put files in: see
/// [`SshSource`](crate::SshSource) for the URL. All is done on one connection.
pub struct SshDirectory {
    address: Address,
    options: SshOptions,
    link: Mutex<Option<Link>>,
}

impl SshDirectory {
    /// The directory at `url`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When `url` is no ssh URL, or holds what is not safe to hand to ssh.
    pub fn new(url: &str, options: SshOptions) -> Result<Self, SourceError> {
        match Address::parse(url.trim_end_matches('/')) {
            Ok(address) => Ok(Self { address, options, link: Mutex::default() }),
            // The whole text may hold a password.
            Err(reason) => Err(SourceError::Refused { location: "the ssh URL".into(), reason: reason.into() }),
        }
    }

    /// Makes the directory, if it is not there.
    ///
    /// # Errors
    ///
    /// When it can be neither made nor looked into.
    pub fn make(&self) -> Result<(), SourceError> {
        let path = &self.address.path;
        // That it is there is a failure like any other in version 3: who writes to it finds out.
        self.with(|link| match link.session.make_directory(path) {
            Ok(()) | Err(SftpError::Status { .. }) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// All of the file called `name`.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be read, or has more than `limit` bytes.
    pub fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
        let path = self.path(name);
        let read = self.with(|link| {
            let file = link.session.open(&path)?;
            let size = file.attributes.size.unwrap_or(u64::MAX);
            if size > limit {
                link.session.close(&file)?;
                return Ok(None);
            }
            let bytes = Gathered(Mutex::new(vec![0; size as usize]));
            link.session.read(&file, &[ByteRange { start: 0, end: size }], self.options.requests, &bytes)?;
            link.session.close(&file)?;
            Ok(Some(bytes.0.into_inner().unwrap_or_else(PoisonError::into_inner)))
        });
        read?.ok_or_else(|| SourceError::TooLong { location: self.address.to_string(), limit })
    }

    /// How many bytes the file called `name` has, if the server tells.
    ///
    /// # Errors
    ///
    /// When it is not there, or cannot be read.
    pub fn length(&self, name: &str) -> Result<Option<u64>, SourceError> {
        let path = self.path(name);
        self.with(|link| {
            let file = link.session.open(&path)?;
            link.session.close(&file)?;
            Ok(file.attributes.size)
        })
    }

    /// Makes the file called `name`, unless it is there: tells whether it was not.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, SourceError> {
        let path = self.path(name);
        self.with(|link| {
            let file = match link.session.create(&path, true) {
                Ok(file) => file,
                // Version 3 does not say why; that it is there does.
                Err(error @ SftpError::Status { .. }) => {
                    return match link.session.open(&path) {
                        Ok(file) => link.session.close(&file).map(|()| false),
                        Err(_) => Err(error),
                    };
                }
                Err(error) => return Err(error),
            };
            link.session.write(&file, 0, bytes)?;
            link.session.finish(&file)?;
            Ok(true)
        })
    }

    /// Begins to write the file called `name`, in a hidden one beside it.
    ///
    /// # Errors
    ///
    /// When that cannot be made.
    pub fn writer(&self, name: &str) -> Result<SshWriter<'_>, SourceError> {
        let part = self.path(&part_of(name));
        let file = self.with(|link| link.session.create(&part, false))?;
        Ok(SshWriter { directory: self, file, part, path: self.path(name), piece: Vec::new(), written: 0 })
    }

    /// Removes the file called `name`, and what was written of it. It need not be there.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), SourceError> {
        for path in [self.path(&part_of(name)), self.path(name)] {
            self.with(|link| match link.session.remove(&path) {
                Err(SftpError::Status { code: status::NO_SUCH_FILE, .. }) => Ok(()),
                removed => removed,
            })?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> Vec<u8> {
        [&self.address.path, &b"/"[..], name.as_bytes()].concat()
    }

    /// Does something on the connection, which is made if there is none.
    fn with<T>(&self, act: impl FnOnce(&mut Link) -> Result<T, SftpError>) -> Result<T, SourceError> {
        let place = Place { address: &self.address, options: &self.options };
        let mut held = self.held();
        let mut link = match held.take() {
            Some(link) => link,
            None => place.connect()?,
        };
        match act(&mut link) {
            Ok(done) => {
                *held = Some(link);
                Ok(done)
            }
            // What the server says no to leaves the connection as it was.
            Err(error @ SftpError::Status { .. }) => {
                let error = place.said(error);
                *held = Some(link);
                Err(error)
            }
            Err(error) => Err(place.broken(link.broken(error), false)),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a file from its beginning to its end. It takes its name when [`finish`](Self::finish) is
/// called.
pub struct SshWriter<'a> {
    directory: &'a SshDirectory,
    file: OpenFile,
    part: Vec<u8>,
    path: Vec<u8>,
    /// What has not been sent.
    piece: Vec<u8>,
    written: u64,
}

impl SshWriter<'_> {
    /// Sends the rest, and gives the file its name, in the place of what has it.
    ///
    /// # Errors
    ///
    /// When the server does not take it.
    pub fn finish(mut self) -> Result<(), SourceError> {
        self.send()?;
        let Self { directory, file, part, path, .. } = self;
        directory.with(|link| {
            link.session.finish(&file)?;
            link.session.replace(&part, &path)
        })
    }

    fn send(&mut self) -> Result<(), SourceError> {
        let Self { directory, file, piece, written, .. } = self;
        if !piece.is_empty() {
            directory.with(|link| link.session.write(file, *written, piece))?;
            *written += piece.len() as u64;
            piece.clear();
        }
        Ok(())
    }
}

impl Write for SshWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() >= PIECE {
            self.send().map_err(io::Error::other)?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send().map_err(io::Error::other)
    }
}

fn part_of(name: &str) -> String {
    format!(".{name}.gosync-part")
}

/// Bytes at their places.
struct Gathered(Mutex<Vec<u8>>);

impl Sink for Gathered {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = offset as usize;
        bytes.get_mut(at..at + data.len()).ok_or("it sends more than was asked for")?.copy_from_slice(data);
        Ok(())
    }
}
