//! Pulling and pushing files and directories over any pair of byte streams, such as those of ssh.
//!
//! The far side runs [`serve`]: it makes an index of what is wanted on the spot, and gives any part of
//! that and of the bytes. The side that updates is the ordinary one: what [`ask`] gives is an index
//! and a source, as if they had been published. [`push`] is the same with the roles exchanged: the far
//! side is the one that updates.
//!
//! ```
//! use gosync_remote::{Access, Asked, Line, Place, Wish, ask, serve};
//! use gosync_update::{FileOptions, LayeredTarget, Seeds, Update};
//!
//! # let directory = tempfile::tempdir()?;
//! # let at = |name: &str| directory.path().join(name);
//! # std::fs::create_dir(at("there"))?;
//! # let new: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
//! # std::fs::write(at("there/news.txt"), &new)?;
//! # std::fs::write(at("news.txt"), new.replace("line 777\n", "something else\n"))?;
//! // The far side, which a program would have over ssh or TLS:
//! let ((from_there, to_here), (from_here, to_there)) = (std::io::pipe()?, std::io::pipe()?);
//! let place = Place::beneath(&at("there"))?;
//! let access = Access { read: true, write: false };
//! let serving = std::thread::spawn(move || serve(from_here, to_here, &place, access, || ()));
//!
//! let line = Line {
//!     reader: Box::new(from_there),
//!     writer: Box::new(to_there),
//!     location: "there:news.txt".into(),
//!     carrier: Box::new(()),
//! };
//! let Asked::Far(far) = ask(line, &Wish { path: b"news.txt".into(), ..Wish::default() })? else { panic!("it differs") };
//! let target = LayeredTarget::new(&far.index);
//! let seeds = Seeds::open([at("news.txt")], &target, &())?;
//! let update = Update { target: &target, seeds: &seeds, source: &far.source, progress: &() };
//! update.to_file(&at("news.txt"), &FileOptions::default())?;
//! assert_eq!(std::fs::read_to_string(at("news.txt"))?, new);
//! assert!(far.traffic().received < 10_000);
//! # drop(target);
//! # drop(far);
//! # serving.join().expect("it does not panic")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! PROTOCOL.md, in the repository's root, specifies what both sides say.
//!
//! # Features
//!
//! - `ssh`: far sides that the system's ssh logs in to.
//!
//! # Limitations
//!
//! A far side reads all of a file that is not known to be the same, and holds its index in memory: from
//! 1 to 3 % of the file's length.

mod codec;
mod error;
mod far;
mod give;
mod hello;
mod message;
mod offered;
mod place;
mod platform;
mod push;
mod request;
mod serve;
mod session;
mod sizes;
mod source;
#[cfg(feature = "ssh")]
mod ssh;
mod stream;
mod update;
mod working;

pub use error::ServeError;
pub use far::{Asked, Far, ask};
#[cfg(feature = "ssh")]
pub use gosync_blocksources::{SshOptions, SshPlace};
pub use place::Place;
pub use push::push;
pub use request::{Offer, Pushed, State, Wish};
pub use serve::{Access, serve};
pub use session::{Carrier, Line, Traffic};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
