//! Ranges of bytes from memory, files, HTTP(S) and SSH servers and object stores.
//!
//! A program that updates a file knows which of its bytes are missing, and something else
//! holds them. The sources here implement [`Source`](gosync_chunks::Source): they are
//! asked for all ranges at once, join those that are near, cut up those that are long,
//! spread them over connections or threads, check what comes back, and hand it to a
//! [`Sink`](gosync_chunks::Sink) in pieces. No source holds more than a piece per thread.
//!
//! ```
//! use gosync_blocksources::MemorySource;
//! use gosync_chunks::{ByteRange, Sink, SinkError, Source};
//! use std::sync::Mutex;
//!
//! struct Output(Mutex<Vec<u8>>);
//! impl Sink for Output {
//!     fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
//!         let start = offset as usize;
//!         self.0.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
//!         Ok(())
//!     }
//! }
//!
//! let source = MemorySource::new(b"the quick brown fox".to_vec());
//! let output = Output(Mutex::new(b"the slow. brown cat".to_vec()));
//! let transfer = source.fetch(&[ByteRange::at(4, 5), ByteRange::at(16, 3)], &output)?;
//!
//! assert_eq!(output.0.into_inner()?, b"the quick brown fox");
//! assert_eq!((transfer.bytes, transfer.requests), (8, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How servers are asked
//!
//! [`HttpSource`] asks for up to two hundred ranges in one request, over a few connections.
//! Many servers cannot do that, and few say so: some send the whole file, some an error, a
//! reset or nothing, some the first range only. The first sign of it lowers what is asked of
//! the host, for as long as the program runs: fewer ranges, then single ranges side by side,
//! then one stream of the whole file, of which only what is wanted is handed on;
//! `Hosts::notes` says so. Each
//! `Content-Range` is checked, and every byte is taken out of the set of what is wanted
//! before it is delivered, so that none comes twice, whatever the server does. What
//! ranges, gaps and requests are worth follows from a small model, [`cost`], which is fed
//! with round trips and rates as they are measured.
//!
//! Machines behind one name have their own tags and dates of one file, so these say nothing:
//! that a file was replaced is told by its length, as
//! [`Changed`](gosync_chunks::SourceError::Changed), or by the sums that the sink knows. Nor
//! does a `Content-Encoding`, where the length is that of the file. Redirects are followed, remembered, and found out anew when a signed URL expires;
//! headers and credentials go to the URL's own origin only, and https never leads to http.
//!
//! # Decorators
//!
//! Policies are sources around sources: [`Retrying`] asks again for what has not come
//! yet, [`Mirrors`] goes on to the next place when one is no good, [`Throttled`] keeps to
//! a rate, and [`Recorded`] tells and counts. They pause by a clock that can be injected,
//! and stop pausing when they are told to.
//!
//! # Features
//!
//! - `http`, on by default: `HttpSource`, on ureq with rustls and a bundled list of
//!   certificate authorities.
//! - `platform-verifier`: lets `HttpSource` trust what the operating system trusts.
//! - `ssh`: `SshSource`, on the system's `ssh` program, and SFTP for it.
//! - `object-store`: `ObjectSource`, for S3 and its kin, Google's and Azure's stores, on the
//!   `object_store` crate with the HTTP client of `http`.
//!
//! # Limitations
//!
//! `HttpSource` speaks HTTP/1.1. It tries a broken connection again at once, twice; a policy with pauses is a decorator around a
//! source. `SshSource` and `ObjectSource` do not try again at all. The keys of AWS are those
//! that are handed over, or those of the machine: its profiles in files are not read.
//! Nothing here knows whether the bytes are the right ones: the sink has to verify.

mod document;
mod expected;
mod file;
#[cfg(feature = "http")]
mod http;
mod location;
mod memory;
mod mirrors;
#[cfg(feature = "object-store")]
mod objects;
mod open;
mod pause;
pub mod ranges;
mod record;
mod remaining;
mod retry;
#[cfg(feature = "ssh")]
pub mod sftp;
#[cfg(feature = "ssh")]
mod ssh;
mod throttle;
mod whole;
mod workers;

pub use document::{Begun, Document, open_beginning, open_document, open_document_since};
pub use file::FileSource;
#[cfg(feature = "http")]
pub use http::{
    Credentials, Hosts, HttpDocument, HttpOptions, HttpSource, Netrc, Proxy, RootCertificates, Secret, cost, multipart,
};
pub use location::{Location, LocationError, redact};
pub use memory::MemorySource;
pub use mirrors::Mirrors;
#[cfg(feature = "object-store")]
pub use objects::{ObjectSettings, ObjectSource, ObjectWriter};
pub use open::{Listener, SourceOptions, open_source, open_sources};
pub use pause::{Clock, Pauses, SystemClock};
pub use record::{Counts, Event, Recorded};
pub use retry::{Retry, RetryOptions, Retrying};
#[cfg(feature = "ssh")]
pub use ssh::{
    SshChannel, SshDirectory, SshInput, SshOptions, SshOutput, SshPlace, SshSource, SshWriter, run_over_ssh,
};
pub use throttle::{Rate, Throttled};
pub use whole::{read_all, read_ranges};

#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
