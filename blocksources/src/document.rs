//! What is read from its first byte on: small files as a whole, of others the beginning.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use gosync_chunks::{Brief, ByteRange, Source, SourceError, Transfer};

#[cfg(feature = "http")]
use crate::http::document::Reading;
use crate::location::Location;
#[cfg(feature = "http")]
use crate::open::{Listener, open_server, with_policies};
use crate::open::{SourceOptions, open_source};
#[cfg(feature = "http")]
use crate::record::Event;
#[cfg(feature = "http")]
use crate::retry::Retry;
#[cfg(feature = "http")]
use crate::throttle::Bucket;
use crate::whole::{read_all, read_ranges};

/// A small file, read whole: an index, a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What it cost; of a file, no requests.
    pub transfer: Transfer,
    /// Where it was found, redirects followed: what relative URLs in it are relative to.
    pub location: Location,
    /// When it was last changed, as far as that is known.
    pub modified: Option<SystemTime>,
}

impl fmt::Debug for Document {
    /// Without the bytes, which may be megabytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("bytes", &Brief(&self.bytes))
            .field("transfer", &self.transfer)
            .field("location", &self.location)
            .field("modified", &self.modified)
            .finish()
    }
}

/// Something of which the first bytes are here, and more when they are asked for.
///
/// The first request is for the beginning, and its answer tells all there is to know: where
/// redirects led, the date, the length. The rest comes by range. A server without ranges sends all
/// in its first answer, which is read as far as it is asked for. Nothing comes twice.
pub struct Begun {
    location: Location,
    found_at: Location,
    bytes: Vec<u8>,
    source: Arc<dyn Source>,
    size: Option<u64>,
    limit: u64,
    transfer: Transfer,
    modified: Option<SystemTime>,
    /// As long as what comes is the first answer.
    #[cfg(feature = "http")]
    server: Option<Server>,
}

#[cfg(feature = "http")]
struct Server {
    reading: Reading,
    retry: Retry,
    listener: Option<Listener>,
}

/// Reads the first `len` bytes of what is behind the URL `location`, or all, where that is less.
/// More than `limit` bytes are refused.
///
/// # Errors
///
/// When it cannot be reached, does not tell its length where that has to be known, or has more.
pub fn open_beginning(
    location: &Location,
    len: u64,
    limit: u64,
    options: &SourceOptions,
) -> Result<Begun, SourceError> {
    #[cfg(feature = "http")]
    if let Some(mut begun) = Begun::of_server(location, Some(len), limit, None, options)? {
        begun.read_to(len)?;
        return Ok(begun);
    }
    let source: Arc<dyn Source> = Arc::from(open_source(location, options)?);
    let size = source.size()?.ok_or_else(|| SourceError::Refused {
        location: location.to_string(),
        reason: "it does not tell its length".into(),
    })?;
    let mut begun = Begun {
        location: location.clone(),
        found_at: location.clone(),
        bytes: Vec::new(),
        source,
        size: Some(size),
        limit,
        transfer: Transfer { bytes: 0, requests: 1 },
        modified: None,
        #[cfg(feature = "http")]
        server: None,
    };
    begun.read_to(len)?;
    Ok(begun)
}

/// Reads all that is at `location`, up to `limit` bytes.
///
/// # Errors
///
/// When it cannot be read, or has more.
pub fn open_document(location: &Location, limit: u64, options: &SourceOptions) -> Result<Document, SourceError> {
    document(location, limit, None, options)?.ok_or_else(|| SourceError::Refused {
        location: location.to_string(),
        reason: "it says that nothing has changed, though nobody asked".into(),
    })
}

/// As [`open_document`], but only where it was changed after `since`, as far as that can
/// be told without reading it; otherwise `None`.
///
/// # Errors
///
/// As [`open_document`].
pub fn open_document_since(
    location: &Location,
    limit: u64,
    since: SystemTime,
    options: &SourceOptions,
) -> Result<Option<Document>, SourceError> {
    document(location, limit, Some(since), options)
}

fn document(
    location: &Location,
    limit: u64,
    since: Option<SystemTime>,
    options: &SourceOptions,
) -> Result<Option<Document>, SourceError> {
    // A server need not tell the length of a document.
    #[cfg(feature = "http")]
    if let Some(mut begun) = Begun::of_server(location, None, limit, since, options)? {
        begun.read_to(u64::MAX)?;
        return Ok(begun.into_document());
    }
    let source = open_source(location, options)?;
    let modified = match location {
        Location::Path(path) => path.metadata().and_then(|metadata| metadata.modified()).ok(),
        Location::Url(_) => None,
    };
    if modified.zip(since).is_some_and(|(modified, since)| modified <= since) {
        return Ok(None);
    }
    let (bytes, transfer) = read_all(&source, &location.to_string(), limit)?;
    let transfer = if matches!(location, Location::Path(_)) { Transfer { requests: 0, ..transfer } } else { transfer };
    Ok(Some(Document { bytes, transfer, location: location.clone(), modified }))
}

impl Begun {
    /// What is at `location`, where that is on a server of HTTP, before it is asked.
    #[cfg(feature = "http")]
    fn of_server(
        location: &Location,
        beginning: Option<u64>,
        limit: u64,
        since: Option<SystemTime>,
        options: &SourceOptions,
    ) -> Result<Option<Self>, SourceError> {
        let Some(server) = open_server(location, options)? else { return Ok(None) };
        let bucket = options.rate.map(|rate| Bucket::new(rate, options.pauses.clone()));
        let pace = move |bytes| bucket.as_ref().map_or(Ok(()), |bucket| Ok(bucket.take(bytes)?));
        let reading = server.reading(Box::new(pace), limit, beginning, since);
        let retry = Retry::new(options.retry, options.pauses.clone());
        let listener = options.listener.clone();
        Ok(Some(Self {
            location: location.clone(),
            found_at: location.clone(),
            bytes: Vec::new(),
            source: Arc::from(with_policies(Box::new(server), location, options)),
            size: None,
            limit,
            transfer: Transfer::default(),
            modified: None,
            server: Some(Server { reading, retry, listener }),
        }))
    }

    /// Makes sure that the first `len` bytes are here, or all, where that is less.
    ///
    /// # Errors
    ///
    /// When they do not come, or there are more than was set as the limit.
    pub fn read_to(&mut self, len: u64) -> Result<(), SourceError> {
        #[cfg(feature = "http")]
        if self.read_answer_to(len)? {
            return Ok(());
        }
        let end = self.size.map_or(len, |size| size.min(len));
        if end > self.limit {
            return Err(SourceError::TooLong { location: self.location.to_string(), limit: self.limit });
        }
        let wanted = ByteRange { start: self.bytes.len() as u64, end };
        if wanted.start < wanted.end {
            let (bytes, transfer) = read_ranges(&*self.source, &self.location.to_string(), &[wanted])?;
            self.bytes.extend(bytes);
            self.transfer += transfer;
        }
        Ok(())
    }

    /// Reads on in the first answer. Tells whether the rest is to come from there too.
    #[cfg(feature = "http")]
    fn read_answer_to(&mut self, len: u64) -> Result<bool, SourceError> {
        let Some(Server { reading, retry, listener }) = &mut self.server else { return Ok(false) };
        let mut transfer = Transfer::default();
        retry.run(|| {
            let (had, requests) = (reading.received(), reading.requests());
            let read = reading.read_to(len);
            let cost = Transfer { bytes: reading.received() - had, requests: reading.requests() - requests };
            transfer += cost;
            let done = read.map(|()| cost);
            if let Some(listener) = listener.as_ref().filter(|_| done.is_err() || cost != Transfer::default()) {
                listener.tell(&self.location, &Event::Done(&done));
            }
            done
        })?;
        self.transfer += transfer;
        self.size = reading.size();
        self.modified = reading.modified();
        if let Some(url) = reading.redirected() {
            self.found_at = Location::Url(url);
        }
        if reading.is_begun() {
            self.bytes = reading.take_bytes();
            self.server = None;
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether more follows than is here. That of which nobody knows, and which does not come, is
    /// not there.
    pub fn is_followed(&mut self) -> bool {
        #[cfg(feature = "http")]
        if let Some(server) = &mut self.server {
            return server.reading.is_followed();
        }
        self.size.is_some_and(|size| size > self.bytes.len() as u64)
    }

    /// What is here, from the first byte on.
    pub fn bytes(&self) -> &[u8] {
        #[cfg(feature = "http")]
        if let Some(server) = &self.server {
            return server.reading.bytes();
        }
        &self.bytes
    }

    /// Length of the whole in bytes, where that is known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Where it was found, redirects followed.
    pub fn found_at(&self) -> &Location {
        &self.found_at
    }

    /// What this cost so far.
    pub fn transfer(&self) -> Transfer {
        self.transfer
    }

    /// What gives any part of it, unless all of it comes, or has come, in one answer.
    pub fn source(&self) -> Option<Arc<dyn Source>> {
        #[cfg(feature = "http")]
        if self.server.is_some() {
            return None;
        }
        Some(self.source.clone())
    }

    /// What is here; `None` where a server says that it was not changed.
    pub fn into_document(self) -> Option<Document> {
        let Self { found_at: location, bytes, transfer, modified, .. } = self;
        #[cfg(feature = "http")]
        if let Some(server) = self.server {
            let bytes = server.reading.finish()?.bytes;
            return Some(Document { bytes, transfer, location, modified });
        }
        Some(Document { bytes, transfer, location, modified })
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;
    use crate::pause::Clock;
    use crate::pause::tests::FakeClock;
    use crate::throttle::Rate;
    use gosync_testkit::corpus;
    use gosync_testkit::hostile::{Say, Scripted};
    use std::time::Duration;

    #[test]
    fn a_rate_costs_a_document_no_request() {
        let data = corpus::random(1, 100_000);
        let server = Scripted::start({
            let data = data.clone();
            move |asked| Say::proper(asked, &data)
        });
        let location: Location = server.url().parse().unwrap();
        let clock = FakeClock::default();
        for (rate, seconds) in [(None, 0), (Some(Rate::new(1000.try_into().unwrap())), 100)] {
            let options = SourceOptions { rate, pauses: clock.pauses(), ..SourceOptions::default() };
            let document = open_document(&location, 100_000, &options).unwrap();
            assert!(document.bytes == data);
            assert_eq!(document.transfer, Transfer { bytes: 100_000, requests: 1 });
            assert!(clock.now().abs_diff(Duration::from_secs(seconds)) < Duration::from_secs(1), "{:?}", clock.now());
        }
        assert!(server.asked().iter().all(|asked| asked.method == "GET"));
    }
}
