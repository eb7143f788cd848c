//! Local files: read and written at any place, put in place at once, and all that differs
//! between systems.
//!
//! [`LocalFile`] is the [`ReadAt`](gosync_chunks::ReadAt) of a file or block device, and
//! [`ReadBuffer`] the memory to read its pieces into. The modules have what the parts of
//! gosync do with files beyond that: [`entry`] with names in directories, [`space`] with
//! room on disk, [`access`] with locks, owners and modes, [`identity`] with names of one file.
//!
//! ```
//! use gosync_chunks::ReadAt;
//! use gosync_files::{LocalFile, entry, write_all_at};
//!
//! # let directory = tempfile::tempdir()?;
//! let path = directory.path().join("new");
//! let file = entry::create(&path)?;
//! write_all_at(&file, b"brown fox", 4)?;
//! assert!(entry::create(&path).is_err(), "it is there already");
//! assert!(entry::is_at(&file, &path));
//!
//! let mut read = [0; 3];
//! LocalFile::open(&path)?.read_exact_at(10, &mut read)?;
//! assert_eq!(&read, b"fox");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Systems
//!
//! `platform` has a file for each family of systems, all with the same functions; nothing
//! else in the crate asks which system it is compiled for.
//!
//! | | Linux, Android | FreeBSD | other Unix | Windows | anything else |
//! |---|---|---|---|---|---|
//! | positioned reads and writes | yes | yes | yes | yes | one at a time |
//! | holes are found | yes | yes | no | no | no |
//! | holes are made by writing nothing | yes | yes | yes | no | no |
//! | holes are punched, room is reserved | yes | no | no | no | no |
//! | access control list, attributes, capabilities | yes | no | no | no | no |
//! | owner and mode, 0600 meanwhile | yes | yes | yes | read-only attribute | no |
//! | an open file can be replaced | yes | yes | yes | by moving it aside | no |
//!
//! # Limitations
//!
//! - On Windows, files are not made sparse: that takes a system call that no safe crate has.
//! - On Windows before 10, and on file systems other than NTFS, a file that is open or
//!   read-only is moved aside before another takes its name. For that moment the name is
//!   free; should the process be killed just then, the old file is `.gosync-aside-N-M`.

pub mod access;
pub mod entry;
pub mod identity;
mod local_file;
mod note;
mod platform;
mod read_buffer;
pub mod space;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use local_file::{LocalFile, write_all_at};
pub use note::Note;
pub use read_buffer::ReadBuffer;
