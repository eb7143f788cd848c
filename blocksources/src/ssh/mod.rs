//! Files on a machine that ssh can log in to, read and written over SFTP: nothing of gosync has to
//! be installed there. And programs that run there, where something is.

mod address;
pub(crate) mod channel;
pub(crate) mod directory;
mod link;
pub(crate) mod options;
mod place;
mod process;
pub(crate) mod source;

pub use channel::{SshChannel, SshInput, SshOutput, SshPlace, run as run_over_ssh};
pub use directory::{SshDirectory, SshWriter};
pub use options::SshOptions;
pub use source::SshSource;
