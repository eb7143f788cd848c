//! How a far side is reached, and what is run there.

use std::time::Duration;

use gosync::sources::{SourceError, SshOptions};
use gosync_remote::SshPlace;

use super::network::ssh;
use super::values::time;
use crate::console::Console;
use crate::remedy::{self, Hinted};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Far side")]
pub(crate) struct Far {
    /// The program to log in with, and its arguments, such as "ssh -i KEY"
    #[arg(short = 'e', long, value_name = "COMMAND", default_value = "ssh")]
    ssh: String,
    /// The gosync to run at the far side, where a login does not find it, such as /opt/gosync/bin/gosync
    #[arg(long, value_name = "COMMAND", default_value = "gosync")]
    remote_gosync: String,
    /// How long connecting may take [default: 15s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    connect_timeout: Option<Duration>,
    /// How long the far side may be silent [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    read_timeout: Option<Duration>,
}

impl Far {
    pub(crate) fn options(&self, console: &Console) -> SshOptions {
        let usual = ssh(&self.ssh, console);
        SshOptions {
            connect_timeout: self.connect_timeout.unwrap_or(usual.connect_timeout),
            silence: self.read_timeout.unwrap_or(usual.silence),
            ..usual
        }
    }

    /// What the user's shell there is given.
    pub(crate) fn command(&self) -> String {
        format!("{} server --stdio", self.remote_gosync)
    }

    /// With a hint where there is no gosync.
    pub(crate) fn explain(&self, error: gosync::Error, place: &SshPlace) -> anyhow::Error {
        let error = anyhow::Error::new(error);
        let hint = match remedy::source_error(&error) {
            Some(SourceError::Refused { reason, .. }) if reason.starts_with("there is no gosync") => format!(
                "install gosync there, or say where it is with --remote-gosync; a file is there for `gosync patch` too, if \
                 its index is, at {}",
                place.url()
            ),
            Some(SourceError::NotFound { .. }) => {
                "check the path: without a slash before it, it begins where a login does, and with `--root` in that"
                    .into()
            }
            _ => return error,
        };
        Hinted { error, hint }.into()
    }
}
