//! What a patch will cost, told before it is made.

use gosync_blocksources::ranges::coalesce;
use gosync_blocksources::{Location, SourceOptions};
use gosync_chunks::{ByteRange, Source};

use crate::layers::{Frames, Zeros};
use crate::payload::FramedSource;
use crate::{Comparison, Error, open_source};

/// What fetching is expected to cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Payload bytes that will be received, gaps that are not worth a request included.
    pub bytes: u64,
    /// Requests, redirects and repetitions apart; of a file, none.
    pub requests: u64,
    /// How long it will take, where the way to the source could be measured.
    pub seconds: Option<f64>,
}

/// Estimates what fetching what is missing from `location` will cost. A
/// server of HTTP is asked for the length of the target, which tells how long its answers
/// take; with the same `options` that the index was opened with, all that was learned
/// then counts too.
///
/// # Errors
///
/// When the source cannot be reached or has no such target.
pub fn estimate(comparison: &Comparison, location: &Location, options: &SourceOptions) -> Result<Estimate, Error> {
    let plan = &comparison.plan;
    estimate_with(plan.fetch_ranges(), plan.cut().length(), comparison.frames.as_ref(), location, options)
}

/// The same for `ranges` of a file of `length` bytes that is at `location`, be it the target
/// or not.
///
/// # Errors
///
/// As [`estimate`].
pub fn estimate_ranges(
    ranges: Vec<ByteRange>,
    length: u64,
    location: &Location,
    options: &SourceOptions,
) -> Result<Estimate, Error> {
    estimate_with(ranges, length, None, location, options)
}

fn estimate_with(
    wanted: Vec<ByteRange>,
    length: u64,
    frames: Option<&Frames>,
    location: &Location,
    options: &SourceOptions,
) -> Result<Estimate, Error> {
    if wanted.is_empty() {
        return Ok(Estimate::default());
    }
    #[cfg(feature = "http")]
    if let Location::Url(url) = location
        && matches!(url.scheme(), "http" | "https")
    {
        use gosync_chunks::SourceError;
        let server = gosync_blocksources::HttpSource::new(url.as_str(), options.http.clone())?;
        let (calls, expected) = calls(length, frames, wanted, &server)?;
        if let Some(actual) = server.size()?.filter(|&actual| actual != expected) {
            return Err(SourceError::Length { location: location.to_string(), expected, actual }.into());
        }
        let costs = calls.iter().map(|ranges| server.estimate(ranges));
        return Ok(total(costs.map(|cost| (cost.bytes, cost.requests, Some(cost.time.as_secs_f64())))));
    }
    let source = open_source(location, options)?;
    let (calls, _) = calls(length, frames, wanted, &*source)?;
    let limits = source.limits();
    let pieces = |range: &ByteRange| match location {
        Location::Path(_) => 0,
        Location::Url(_) => range.len().div_ceil(limits.request_size.max(1)),
    };
    Ok(total(calls.iter().map(|ranges| {
        let joined = coalesce(ranges, limits.bridged_gap);
        (joined.iter().map(|range| range.len()).sum(), joined.iter().map(pieces).sum(), None)
    })))
}

/// Of bytes, requests and seconds of call after call.
fn total(costs: impl Iterator<Item = (u64, u64, Option<f64>)>) -> Estimate {
    costs.fold(Estimate::default(), |sum, (bytes, requests, seconds)| Estimate {
        bytes: sum.bytes + bytes,
        requests: sum.requests + requests,
        seconds: seconds.map(|seconds| sum.seconds.unwrap_or(0.0) + seconds),
    })
}

/// What has to be asked of `source`, call by call, for the bytes `wanted` of what has `length`
/// bytes, and how long the source is.
fn calls(
    length: u64,
    frames: Option<&Frames>,
    wanted: Vec<ByteRange>,
    source: &dyn Source,
) -> Result<(Vec<Vec<ByteRange>>, u64), Error> {
    match frames {
        None => Ok((vec![wanted], length)),
        Some(frames) => {
            let nothing = Zeros(length);
            let framed = FramedSource::new(source, frames.extents.clone(), frames.payload.preamble.clone(), &nothing);
            Ok((framed.calls(&wanted)?, frames.payload.len))
        }
    }
}
