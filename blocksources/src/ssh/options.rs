//! How ssh is run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How an [`SshSource`](crate::SshSource) connects.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// The ssh to run: OpenSSH's, or one that takes the same arguments.
    pub program: PathBuf,
    /// What else to hand to it, such as `-i` and a key.
    pub arguments: Vec<OsString>,
    /// Whether ssh may ask for a passphrase or about an unknown host, on its terminal.
    pub interactive: bool,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long the server may be silent when an answer is due.
    pub silence: Duration,
    /// When all has to be over, whatever is asked for and however often.
    pub deadline: Option<Instant>,
    /// Requests under way at once, of up to 32 KiB each; 0 is taken for 1.
    pub requests: usize,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            program: "ssh".into(),
            arguments: Vec::new(),
            interactive: false,
            connect_timeout: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            deadline: None,
            requests: 64,
        }
    }
}
