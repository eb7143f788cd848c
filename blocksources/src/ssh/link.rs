//! A running ssh, with an SFTP session in it.

use std::io;

use super::address::Address;
use super::options::SshOptions;
use super::process::{Ended, Process, Reader, Runs, Writer};
use crate::sftp::{Session, SftpError};

/// A conversation with the server through a process, which ends with this.
pub(super) struct Link {
    pub(super) session: Session<Reader, Writer>,
    process: Process,
}

/// What may be known when there is no link, or no more.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: SftpError,
    pub(super) ended: Ended,
}

impl Link {
    /// Runs ssh and begins a session.
    ///
    /// # Errors
    ///
    /// The outer one when ssh cannot be run at all.
    pub(super) fn start(address: &Address, options: &SshOptions) -> io::Result<Result<Self, Broken>> {
        let (reader, writer, process) = Process::start(address, options, Runs::Subsystem("sftp"))?;
        match Session::start(reader, writer) {
            Ok(session) => {
                process.has_begun(options);
                Ok(Ok(Self { session, process }))
            }
            Err(error) => Ok(Err(broken(process, error))),
        }
    }

    /// Ends ssh after `error`, and finds out what it has to say.
    pub(super) fn broken(self, error: SftpError) -> Broken {
        let Self { session, process } = self;
        // An ssh that is not listened to any more has a reason to end.
        drop(session);
        broken(process, error)
    }
}

fn broken(process: Process, error: SftpError) -> Broken {
    let ended = process.ended(matches!(error, SftpError::Io(_)));
    Broken { error, ended }
}
