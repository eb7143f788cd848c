//! A target on a machine that ssh can log in to, read over SFTP: nothing of gosync has to
//! be installed there.

mod address;
mod link;
pub(crate) mod options;
pub(crate) mod source;

pub use options::SshOptions;
pub use source::SshSource;
