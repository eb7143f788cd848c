//! Files on a machine that ssh can log in to, read and written over SFTP: nothing of gosync has to
//! be installed there.

mod address;
pub(crate) mod directory;
mod link;
pub(crate) mod options;
mod place;
pub(crate) mod source;

pub use directory::{SshDirectory, SshWriter};
pub use options::SshOptions;
pub use source::SshSource;
