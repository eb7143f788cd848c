//! An object as a source.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::OnceLock;
use std::time::SystemTime;

use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use object_store::path::Path;
use object_store::{BackoffConfig, Error, GetOptions, ObjectMeta, ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use super::settings::ObjectSettings;
use super::store;
use super::transport::{Overloaded, Plain};
use crate::http::options::HttpOptions;
use crate::http::{broken, status};
use crate::ranges::{coalesce, split};
use crate::workers::{Worker, fan_out};

/// Bytes asked for at once, where the options do not say.
const REQUEST_SIZE: u64 = 2 << 20;

/// Gaps that are fetched too, where the options do not say: stores bill each request, and
/// take tens of milliseconds to answer one.
const BRIDGED_GAP: u64 = 64 << 10;

/// An object behind an `s3://bucket/key`, `gs://bucket/key` or `az://container/key` URL
/// as a source, and as a place to write to.
///
/// Requests are made by threads that wait for them, so it must not be used from within
/// an async runtime.
pub struct ObjectSource {
    location: String,
    pub(super) store: Box<dyn ObjectStore>,
    /// The same with object_store's own retries, since a part of an upload can only be
    /// sent again by who has it.
    pub(super) persistent: Box<dyn ObjectStore>,
    pub(super) path: Path,
    options: HttpOptions,
    runtime: Runtime,
    /// Set by the first answer; later ones have to agree.
    object: OnceLock<ObjectMeta>,
}

impl ObjectSource {
    /// Serves what is at `url`. Nothing is sent yet. `options` are those of HTTP, which
    /// is what all stores speak.
    ///
    /// # Errors
    ///
    /// When `url` is not that of an object, or the settings make no sense.
    pub fn new(url: &str, settings: &ObjectSettings, options: HttpOptions) -> Result<Self, SourceError> {
        let refused = |reason| SourceError::Refused { location: url.into(), reason };
        // Retries of what is fetched are the business of a decorator.
        let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let thrice = RetryConfig { max_retries: 3, backoff: BackoffConfig::default(), ..RetryConfig::default() };
        let (store, path) = store::open(url, &settings.pairs, options.clone(), once).map_err(refused)?;
        let (persistent, _) = store::open(url, &settings.pairs, options.clone(), thrice).map_err(refused)?;
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| refused(format!("there is no way to wait for it: {error}")))?;
        Ok(Self { location: url.into(), store, persistent, path, options, runtime, object: OnceLock::new() })
    }

    /// The URL.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Takes note of the object as it is, and makes sure that it is still the same.
    fn agree(&self, found: ObjectMeta) -> Result<&ObjectMeta, SourceError> {
        let changed = |reason: &str| SourceError::Changed { location: self.location.clone(), reason: reason.into() };
        let (size, tag) = (found.size, found.e_tag.clone());
        let known = self.object.get_or_init(|| found);
        match () {
            () if known.size != size => Err(changed("its length is another")),
            () if known.e_tag.is_some() && tag.is_some() && known.e_tag != tag => Err(changed("its ETag is another")),
            () => Ok(known),
        }
    }

    fn object(&self, transfer: &mut Transfer) -> Result<&ObjectMeta, SourceError> {
        if let Some(object) = self.object.get() {
            return Ok(object);
        }
        transfer.requests += 1;
        let head = GetOptions { head: true, ..GetOptions::default() };
        let found = self.wait(self.store.get_opts(&self.path, head)).map_err(|error| self.failed(error))?;
        self.agree(found.meta)
    }

    fn get(
        &self,
        worker: &mut Worker<'_, ()>,
        asked: ByteRange,
        ranges: &[ByteRange],
        sink: &dyn Sink,
    ) -> Result<(), SourceError> {
        let if_match = self.object.get().and_then(|object| object.e_tag.clone());
        let options = GetOptions { range: Some((asked.start..asked.end).into()), if_match, ..GetOptions::default() };
        worker.transfer.requests += 1;
        let answer = self.wait(self.store.get_opts(&self.path, options)).map_err(|error| self.failed(error))?;
        if answer.range != (asked.start..asked.end) {
            return Err(self.refused(format!("bytes {asked} were asked for, and {:?} sent", answer.range)));
        }
        self.agree(answer.meta.clone())?;
        let mut reached = asked.start;
        let mut body = answer.into_stream();
        while let Some(piece) = self.wait(poll_fn(|context| body.as_mut().poll_next(context))) {
            let piece = piece.map_err(|error| self.failed(error))?;
            let arrived = ByteRange::at(reached, piece.len() as u64);
            if arrived.end > asked.end {
                return Err(self.refused(format!("it sends more than the bytes {asked}")));
            }
            worker.transfer.bytes += arrived.len();
            deliver_wanted(ranges, arrived.start, &piece, sink).map_err(SourceError::Sink)?;
            if worker.is_stopped() {
                return Ok(());
            }
            reached = arrived.end;
        }
        if reached < asked.end {
            let source = format!("it sends only {reached} of the bytes up to {}", asked.end).into();
            return Err(SourceError::Unreachable { location: self.location.clone(), is_transient: true, source });
        }
        Ok(())
    }

    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn refused(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Refused { location: self.location.clone(), reason: reason.into() }
    }

    /// What an error of object_store means.
    pub(super) fn failed(&self, error: Error) -> SourceError {
        let location = self.location.clone();
        match &error {
            Error::NotFound { .. } => {
                return SourceError::NotFound { location, reason: "there is no such object".into() };
            }
            Error::Precondition { .. } => {
                return SourceError::Changed { location, reason: "its ETag is another".into() };
            }
            Error::PermissionDenied { .. } => {
                let reason = format!("stores also say so of what is not there; {}", brief(&error));
                return SourceError::Denied { location, reason };
            }
            Error::Unauthenticated { .. } => return SourceError::Denied { location, reason: brief(&error) },
            _ => {}
        }
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(error) = cause {
            if let Some(overloaded) = error.downcast_ref::<Overloaded>() {
                return status::error(&location, overloaded.status, overloaded.retry_after);
            }
            if let Some(plain) = error.downcast_ref::<Plain>() {
                return self.refused(plain.to_string());
            }
            if let Some(error) = error.downcast_ref::<ureq::Error>() {
                return broken::error(&location, error);
            }
            cause = error.source();
        }
        self.refused(brief(&error))
    }
}

/// The text of an error that may quote a whole answer of the server.
fn brief(error: &dyn StdError) -> String {
    let text: String = error.to_string().chars().filter(|c| !c.is_control()).collect();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

impl Source for ObjectSource {
    /// Asks the store, the first time.
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.object(&mut Transfer::default())?.size))
    }

    /// Asks for the length and the ETag first, when they are not known.
    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let mut asking = Transfer::default();
        let joined = coalesce(ranges, self.limits().bridged_gap);
        let Some(end) = joined.last().map(|range| range.end) else { return Ok(asking) };
        let actual = self.object(&mut asking)?.size;
        if actual < end {
            return Err(SourceError::Length { location: self.location.clone(), expected: end, actual });
        }
        let limits = self.limits();
        let jobs = || joined.iter().flat_map(|&range| split(range, limits.request_size));
        let threads = jobs().take(limits.parallelism).count();
        let mut transfer = fan_out(threads, jobs(), |worker, asked| self.get(worker, asked, ranges, sink))?;
        transfer += asking;
        Ok(transfer)
    }

    fn limits(&self) -> Limits {
        Limits {
            request_size: self.options.request_size.unwrap_or(REQUEST_SIZE).max(1),
            bridged_gap: self.options.bridged_gap.unwrap_or(BRIDGED_GAP),
            parallelism: self.options.connections.max(1),
        }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }

    fn modified(&self) -> Option<SystemTime> {
        Some(self.object.get()?.last_modified.into())
    }
}

impl fmt::Debug for ObjectSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the store: it has the keys.
        formatter
            .debug_struct("ObjectSource")
            .field("location", &self.location)
            .field("options", &self.options)
            .field("object", &self.object.get())
            .finish_non_exhaustive()
    }
}
