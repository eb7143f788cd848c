//! Opening what is at a path or URL, with the policies that belong to it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
#[cfg(feature = "http")]
use std::time::Instant;
use std::time::{Duration, SystemTime};

use gosync_chunks::{Source, SourceError, Transfer};
use url::Url;

use crate::file::FileSource;
#[cfg(feature = "http")]
use crate::http::{options::HttpOptions, source::HttpSource};
use crate::location::Location;
use crate::mirrors::Mirrors;
#[cfg(feature = "object-store")]
use crate::objects::{settings::ObjectSettings, source::ObjectSource};
use crate::pause::Pauses;
use crate::record::{Event, Recorded};
#[cfg(feature = "http")]
use crate::retry::Retry;
use crate::retry::{RetryOptions, Retrying};
#[cfg(feature = "ssh")]
use crate::ssh::{options::SshOptions, source::SshSource};
#[cfg(feature = "http")]
use crate::throttle::Bucket;
use crate::throttle::{Rate, Throttled};
use crate::whole::read_all;

/// How to reach what is not on this machine.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// For `http` and `https` URLs.
    #[cfg(feature = "http")]
    pub http: HttpOptions,
    /// For `ssh` URLs.
    #[cfg(feature = "ssh")]
    pub ssh: SshOptions,
    /// For `s3`, `gs` and `az` URLs.
    #[cfg(feature = "object-store")]
    pub object_store: ObjectSettings,
    /// When to try again.
    pub retry: RetryOptions,
    /// How fast bytes may come, if not as fast as they can.
    pub rate: Option<Rate>,
    /// The clock that decorators pause by, and the wish to stop that ends their pauses.
    pub pauses: Pauses,
    /// Told of what is asked of each place that is no file, attempt by attempt.
    pub listener: Option<Listener>,
}

impl SourceOptions {
    /// With headers and credentials for the origin of the first URL of `locations` only, wherever
    /// that leads and whoever else is asked.
    pub fn with_secrets_for<'a>(mut self, locations: impl IntoIterator<Item = &'a Location>) -> Self {
        let origin = locations.into_iter().find_map(|location| match location {
            Location::Url(url) => Some(url.origin()),
            Location::Path(_) => None,
        });
        #[cfg(feature = "http")]
        self.http.for_origin.clone_from(&origin);
        let _ = (&mut self, origin);
        self
    }

    /// With `time` from now on for all that is asked with these options and their clones, retries
    /// and pauses included.
    pub fn with_time(mut self, time: Duration) -> Self {
        #[cfg(feature = "http")]
        {
            self.http.deadline = Instant::now().checked_add(time);
        }
        self.pauses = self.pauses.for_at_most(time);
        self
    }
}

/// Whom to tell, with the place that it is about, from any thread.
#[derive(Clone)]
pub struct Listener(Arc<Tell>);

type Tell = dyn Fn(&Location, &Event<'_>) + Send + Sync;

impl Listener {
    /// Calls `tell`.
    pub fn new(tell: impl Fn(&Location, &Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listener")
    }
}

/// A small file, read whole: an index, a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Opens the target at `location` as a source, which tries again when what fails may
/// pass, and keeps to the rate. A server is not asked anything yet.
///
/// # Errors
///
/// When a file cannot be opened, or a URL makes no valid request.
pub fn open_source(location: &Location, options: &SourceOptions) -> Result<Box<dyn Source>, SourceError> {
    let source = open_unlimited(location, options, None)?;
    Ok(if matches!(location, Location::Url(_)) { limited(source, options) } else { source })
}

/// Opens the places at `locations`, which all have the target of `expected` bytes, as
/// one source: the first that is good serves, and the others wait until it is not. A server that
/// does not answer keeps nobody waiting for long.
///
/// # Errors
///
/// As [`open_source`], for any of them.
pub fn open_sources(
    locations: &[Location],
    expected: Option<u64>,
    options: &SourceOptions,
) -> Result<Box<dyn Source>, SourceError> {
    if let [location] = locations {
        return open_source(location, options);
    }
    let is_last = Arc::new(AtomicBool::new(false));
    let places = locations.iter().map(|location| {
        let source: Arc<dyn Source> = open_unlimited(location, options, Some(&is_last))?.into();
        // Others may ask the user something.
        let may_race = matches!(location, Location::Url(url) if matches!(url.scheme(), "http" | "https"));
        Ok((location.to_string(), source, may_race))
    });
    let places = places.collect::<Result<Vec<_>, SourceError>>()?;
    let mirrors = Mirrors::racing(places, expected, is_last);
    Ok(limited(Box::new(mirrors), options))
}

/// Where there are other places, `is_last` tells whether this one is the last.
fn open_unlimited(
    location: &Location,
    options: &SourceOptions,
    is_last: Option<&Arc<AtomicBool>>,
) -> Result<Box<dyn Source>, SourceError> {
    match location {
        Location::Path(path) => Ok(Box::new(FileSource::open(path)?)),
        Location::Url(url) => {
            let source = open_url(url, location, options)?;
            let Some(Listener(tell)) = options.listener.clone() else {
                return Ok(persistent(source, options, is_last));
            };
            let place = location.clone();
            let told = Recorded::new(source).told_to(move |event| tell(&place, event));
            Ok(persistent(Box::new(told), options, is_last))
        }
    }
}

fn open_url(url: &Url, location: &Location, options: &SourceOptions) -> Result<Box<dyn Source>, SourceError> {
    let _ = options;
    match url.scheme() {
        #[cfg(feature = "http")]
        "http" | "https" => Ok(Box::new(HttpSource::new(url.as_str(), options.http.clone())?)),
        #[cfg(feature = "ssh")]
        "ssh" => Ok(Box::new(SshSource::new(url.as_str(), options.ssh.clone())?)),
        #[cfg(feature = "object-store")]
        "s3" | "gs" | "az" => {
            Ok(Box::new(ObjectSource::new(url.as_str(), &options.object_store, options.http.clone())?))
        }
        scheme => Err(SourceError::Refused {
            location: location.to_string(),
            reason: format!("this program was built without support for {scheme} URLs"),
        }),
    }
}

fn persistent(source: Box<dyn Source>, options: &SourceOptions, is_last: Option<&Arc<AtomicBool>>) -> Box<dyn Source> {
    let retrying = Retrying::new(source, options.retry, options.pauses.clone());
    Box::new(match is_last {
        Some(is_last) => retrying.among_others(is_last.clone()),
        None => retrying,
    })
}

fn limited(source: Box<dyn Source>, options: &SourceOptions) -> Box<dyn Source> {
    match options.rate {
        Some(rate) => Box::new(Throttled::new(source, rate, options.pauses.clone())),
        None => source,
    }
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
    if let Location::Url(url) = location
        && matches!(url.scheme(), "http" | "https")
    {
        let server = HttpSource::new(url.as_str(), options.http.clone())?;
        let bucket = options.rate.map(|rate| Bucket::new(rate, options.pauses.clone()));
        let pace = |bytes| bucket.as_ref().map_or(Ok(()), |bucket| Ok(bucket.take(bytes)?));
        let read = Retry::new(options.retry, options.pauses.clone()).run(|| {
            let before = server.requests();
            let (read, done) = match server.read_document_at(&pace, limit, since) {
                Ok(read) => {
                    let bytes = read.as_ref().map_or(0, |read| read.bytes.len() as u64);
                    (read, Ok(Transfer { bytes, requests: server.requests() - before }))
                }
                Err(error) => (None, Err(error)),
            };
            if let Some(Listener(tell)) = &options.listener {
                tell(location, &Event::Done(&done));
            }
            done.map(|_| read)
        })?;
        return Ok(read.map(|read| Document {
            transfer: Transfer { bytes: read.bytes.len() as u64, requests: server.requests() },
            bytes: read.bytes,
            location: read.url.map_or_else(|| location.clone(), Location::Url),
            modified: read.modified,
        }));
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

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;
    use crate::pause::Clock;
    use crate::pause::tests::FakeClock;
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
