//! What an update will cost, told before it is made.

use gosync_blocksources::ranges::coalesced;
use gosync_blocksources::{Location, SourceOptions, open_source};

use crate::comparison::Comparison;
use crate::error::Error;
use crate::target::Target;

/// What fetching is expected to cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Where it will be fetched from.
    pub location: Location,
    /// Payload bytes that will be received, gaps that are not worth a request included.
    pub bytes: u64,
    /// Requests, redirects and repetitions apart; of a file, none.
    pub requests: u64,
    /// How long it will take, where the way to the source could be measured.
    pub seconds: Option<f64>,
}

/// Estimates what fetching what `found` lacks from `location` will cost, or from where `target`
/// says instead. A server of HTTP is asked for the length of what it has, which tells how long
/// its answers take; with the same `options` that the index was opened with, all that was learned
/// then counts too.
///
/// # Errors
///
/// When the source cannot be reached or has no such target.
pub fn estimate(
    target: &dyn Target,
    found: &Comparison,
    location: &Location,
    options: &SourceOptions,
) -> Result<Estimate, Error> {
    if found.plan.fetched_bytes() == 0 {
        return Ok(total(location, std::iter::empty()));
    }
    #[cfg(feature = "http")]
    if let Location::Url(url) = location
        && matches!(url.scheme(), "http" | "https")
    {
        use gosync_blocksources::HttpSource;
        use gosync_chunks::{Source, SourceError};
        let server = HttpSource::new(url.as_str(), options.http.clone())?;
        let download = target.download(found, &server)?;
        if let Some(elsewhere) = download.location.filter(|elsewhere| elsewhere != location) {
            return estimate(target, found, &elsewhere, options);
        }
        let expected = download.length;
        if let Some(actual) = server.size()?.filter(|&actual| actual != expected) {
            return Err(SourceError::Length { location: location.to_string(), expected, actual }.into());
        }
        let costs = download.calls.iter().map(|ranges| server.estimate(ranges));
        return Ok(total(location, costs.map(|cost| (cost.bytes, cost.requests, Some(cost.time.as_secs_f64())))));
    }
    let source = open_source(location, options)?;
    let download = target.download(found, &*source)?;
    if let Some(elsewhere) = download.location.filter(|elsewhere| elsewhere != location) {
        return estimate(target, found, &elsewhere, options);
    }
    let limits = source.limits();
    let requests = |bytes: u64| match location {
        Location::Path(_) => 0,
        Location::Url(_) => bytes.div_ceil(limits.request_size.max(1)),
    };
    Ok(total(
        location,
        download.calls.iter().map(|ranges| {
            coalesced(ranges, limits.bridged_gap).fold((0, 0, None), |(bytes, asked, seconds), range| {
                (bytes + range.len(), asked + requests(range.len()), seconds)
            })
        }),
    ))
}

/// Of bytes, requests and seconds of call after call.
fn total(location: &Location, costs: impl Iterator<Item = (u64, u64, Option<f64>)>) -> Estimate {
    let nothing = Estimate { location: location.clone(), bytes: 0, requests: 0, seconds: None };
    costs.fold(nothing, |sum, (bytes, requests, seconds)| Estimate {
        bytes: sum.bytes + bytes,
        requests: sum.requests + requests,
        seconds: seconds.map(|seconds| sum.seconds.unwrap_or(0.0) + seconds),
        ..sum
    })
}
