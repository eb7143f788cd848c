//! Opening what is at a path or URL, with the policies that belong to it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use gosync_chunks::{Source, SourceError};
use url::Url;

use crate::expected::Expected;
use crate::file::FileSource;
#[cfg(feature = "http")]
use crate::http::{options::HttpOptions, source::HttpSource};
use crate::location::Location;
use crate::mirrors::Mirrors;
#[cfg(feature = "object-store")]
use crate::objects::{settings::ObjectSettings, source::ObjectSource};
use crate::pause::Pauses;
use crate::record::{Event, Recorded};
use crate::retry::{RetryOptions, Retrying};
#[cfg(feature = "ssh")]
use crate::ssh::{options::SshOptions, source::SshSource};
use crate::throttle::{Rate, Throttled};

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
        let deadline = Instant::now().checked_add(time);
        #[cfg(feature = "http")]
        (self.http.deadline = deadline);
        #[cfg(feature = "ssh")]
        (self.ssh.deadline = deadline);
        let _ = deadline;
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

    pub(crate) fn tell(&self, location: &Location, event: &Event<'_>) {
        (self.0)(location, event);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listener")
    }
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
        let source = open_source(location, options)?;
        let Some(expected) = expected else { return Ok(source) };
        return Ok(Box::new(Expected::new(source, location.to_string(), expected)));
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
        Location::Url(url) => Ok(persistent(open_url(url, location, options)?, location, options, is_last)),
    }
}

/// The server of HTTP at `location`, where there is one.
#[cfg(feature = "http")]
pub(crate) fn open_server(location: &Location, options: &SourceOptions) -> Result<Option<HttpSource>, SourceError> {
    match location {
        Location::Url(url) if matches!(url.scheme(), "http" | "https") => {
            Ok(Some(HttpSource::new(url.as_str(), options.http.clone())?))
        }
        _ => Ok(None),
    }
}

/// `source`, which is behind a URL, with all policies.
#[cfg(feature = "http")]
pub(crate) fn with_policies(source: Box<dyn Source>, location: &Location, options: &SourceOptions) -> Box<dyn Source> {
    limited(persistent(source, location, options, None), options)
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

/// Told of, and asked again.
fn persistent(
    source: Box<dyn Source>,
    location: &Location,
    options: &SourceOptions,
    is_last: Option<&Arc<AtomicBool>>,
) -> Box<dyn Source> {
    let source = match (options.listener.clone(), location.clone()) {
        (Some(listener), place) => {
            Box::new(Recorded::new(source).told_to(move |event| listener.tell(&place, event))) as Box<dyn Source>
        }
        (None, _) => source,
    };
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
