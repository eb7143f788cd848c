//! Values of options: rates, times, sizes, and places to write to.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::time::Duration;

use bytesize::ByteSize;
use clap::builder::{OsStringValueParser, TypedValueParser};
use gosync::pointer::date;
use gosync::publish::MAX_BLOCK_SIZE;
use gosync::sources::{Location, LocationError, Rate};

/// Bytes in a second, such as `500KB`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let bytes = NonZeroU64::new(text.parse::<ByteSize>()?.as_u64());
    bytes.map(Rate::new).ok_or_else(|| "at that rate nothing would ever arrive".into())
}

/// A number of seconds, or one with `ms`, `s`, `m` or `h` behind it.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("the unit {unit} is not ms, s, m or h")),
    };
    let number: f64 = digits.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("not a time that can be waited".into()),
    }
}

/// Bytes of a block, such as `64KiB`.
pub(crate) fn block_size(text: &str) -> Result<u32, String> {
    let size = text.parse::<ByteSize>()?.as_u64();
    if (1..=MAX_BLOCK_SIZE.into()).contains(&size) {
        Ok(size as u32)
    } else {
        Err(format!("a block has between 1 and {MAX_BLOCK_SIZE} bytes"))
    }
}

/// The port to listen on where none is given.
pub(crate) const PORT: u16 = 8730;

/// An address to listen on, such as `0.0.0.0:8731`. Without a port it is [`PORT`]; a port alone,
/// as `8731` or `:8731`, is of this machine only, so that nothing is served to others unasked.
pub(crate) fn bind(text: &str) -> Result<SocketAddr, String> {
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        return Ok((HERE, port).into());
    }
    let text = text.replacen("localhost", &HERE.to_string(), 1);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
    let with_port = || bare.parse().map(|address: IpAddr| (address, PORT).into());
    text.parse().or_else(|_| with_port()).map_err(|_| "not ADDRESS:PORT, ADDRESS or PORT, such as 0.0.0.0:8730".into())
}

/// A path or URL. A path need not be text.
pub(crate) fn location() -> impl TypedValueParser<Value = Location> {
    OsStringValueParser::new().try_map(place)
}

/// A place that can be written to, so that others are refused before any work is done.
pub(crate) fn destination() -> impl TypedValueParser<Value = Location> {
    OsStringValueParser::new().try_map(writable)
}

/// A folder that can be published to.
pub(crate) fn folder() -> impl TypedValueParser<Value = Location> {
    OsStringValueParser::new().try_map(publishable)
}

/// When something expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// After so many seconds.
    After(u64),
    /// In so many seconds since 1970.
    At(u64),
}

impl Expiry {
    /// In seconds since 1970, where it is `now` in the same.
    pub(crate) fn at(self, now: u64) -> u64 {
        match self {
            Self::After(seconds) => now.saturating_add(seconds),
            Self::At(seconds) => seconds,
        }
    }
}

/// A time as [`time`] has it, or a number of days with `d` behind it, or a day as `2027-01-31`.
pub(crate) fn expiry(text: &str) -> Result<Expiry, String> {
    if let Some(at) = date::day(text) {
        return Ok(Expiry::At(at));
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    if let Some(days @ 1..=36_500_u64) = days {
        return Ok(Expiry::After(days * 24 * 60 * 60));
    }
    match time(text) {
        Ok(after) if after >= Duration::from_secs(1) => Ok(Expiry::After(after.as_secs())),
        _ => Err("not a time such as 12h or 30d, nor a day such as 2027-01-31".into()),
    }
}

fn place(text: OsString) -> Result<Location, LocationError> {
    text.into_string().map_or_else(|path| Ok(Location::Path(path.into())), |text| text.parse())
}

fn writable(text: OsString) -> Result<Location, String> {
    match place(text).map_err(|error| error.to_string())? {
        Location::Url(url) if !matches!(url.scheme(), "s3" | "gs" | "az") => {
            Err("it cannot be written to; give a path, or an s3, gs or az URL".into())
        }
        location => Ok(location),
    }
}

fn publishable(text: OsString) -> Result<Location, String> {
    match place(text).map_err(|error| error.to_string())? {
        Location::Url(url) if matches!(url.scheme(), "http" | "https") => {
            Err("it cannot be written to; give a directory, or an s3, gs, az or ssh URL".into())
        }
        location => Ok(location),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(rate("500KB").map(|rate| rate.bytes_per_second.get()), Ok(500_000));
        assert_eq!(rate("2MiB").map(|rate| rate.bytes_per_second.get()), Ok(2 << 20));
        assert!(rate("0").is_err() && rate("fast").is_err());
    }

    #[test]
    fn times() {
        for (text, millis) in [("2", 2000), ("0.5s", 500), ("250ms", 250), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert!(["", "s", "0", "-1", "1e99", "5d", "soon"].iter().all(|text| time(text).is_err()));
    }

    #[test]
    fn expiries() {
        assert_eq!(expiry("2027-01-31"), Ok(Expiry::At(1_801_353_600)));
        assert_eq!(expiry("30d"), Ok(Expiry::After(2_592_000)));
        assert_eq!(expiry("12h").map(|expiry| expiry.at(100)), Ok(43_300));
        for text in ["", "d", "0d", "-1d", "2027-02-30", "soon", "100ms", "99999999d"] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }

    #[test]
    fn block_sizes() {
        assert_eq!(block_size("8192"), Ok(8192));
        assert_eq!(block_size("64KiB"), Ok(65536));
        assert!(block_size("0").is_err() && block_size("2GiB").is_err() && block_size("many").is_err());
    }

    #[test]
    fn addresses() {
        for (text, address) in [
            ("8731", "127.0.0.1:8731"),
            (":0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("0.0.0.0", "0.0.0.0:8730"),
            ("localhost:81", "127.0.0.1:81"),
            ("localhost", "127.0.0.1:8730"),
            ("[::1]:82", "[::1]:82"),
            ("[::]", "[::]:8730"),
            ("::1", "[::1]:8730"),
        ] {
            assert_eq!(bind(text), Ok(address.parse().unwrap()), "{text}");
        }
        assert!(["", ":", "70000", "host:80", "1.2.3.4:", "x"].iter().all(|text| bind(text).is_err()));
    }

    #[test]
    fn destinations() {
        assert!(
            ["x", "/a/b", "s3://bucket/x", "gs://bucket/x", "az://container/x"]
                .map(|text| writable(text.into()))
                .iter()
                .all(Result::is_ok)
        );
        assert!(
            ["http://host/x", "https://host/x", "ssh://host/x", "ftp://host/x"]
                .map(|text| writable(text.into()))
                .iter()
                .all(Result::is_err)
        );
    }
}
