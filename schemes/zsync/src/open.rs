//! Opening control files, and the sources that they name, by path or URL.

use std::path::{Component, Path};
use std::time::SystemTime;

use gosync_blocksources::{Document, Location, Mirrors, SourceOptions, open_document, open_document_since};
use gosync_chunks::{Source, Transfer};
use url::Url;

use crate::gzip::Published;
use crate::{Control, Error, ReadOptions};

/// A control file, and what it cost to get.
#[derive(Clone, Debug)]
pub struct OpenedControl {
    /// The control file.
    pub control: Control,
    /// Where it is, redirects followed: what its URLs are relative to.
    pub location: Location,
    /// Its bytes, as they came.
    pub bytes: Vec<u8>,
    /// When it was last changed, if that is known.
    pub modified: Option<SystemTime>,
    /// Bytes and requests; of a file, no requests.
    pub transfer: Transfer,
}

/// Reads the control file at `location`.
///
/// # Errors
///
/// When it cannot be read or fetched, or is no sound control file.
pub fn open_control(
    location: &Location,
    options: &ReadOptions,
    sources: &SourceOptions,
) -> Result<OpenedControl, Error> {
    opened(location, open_document(location, options.max_bytes, sources)?)
}

/// As [`open_control`], but only where it was changed after `since`; otherwise `None`.
///
/// # Errors
///
/// As [`open_control`].
pub fn open_control_since(
    location: &Location,
    since: SystemTime,
    options: &ReadOptions,
    sources: &SourceOptions,
) -> Result<Option<OpenedControl>, Error> {
    let document = open_document_since(location, options.max_bytes, since, sources)?;
    document.map(|document| opened(location, document)).transpose()
}

fn opened(location: &Location, document: Document) -> Result<OpenedControl, Error> {
    let Document { bytes, transfer, location: found_at, modified, .. } = document;
    let error = |source| Error::Control { location: location.to_string(), source };
    let control = Control::read(&bytes).map_err(error)?;
    Ok(OpenedControl { control, location: found_at, bytes, modified, transfer })
}

/// Opens the places that a control file names for its target as one source. URLs are
/// relative to `referer`, or else to where the control file is.
///
/// Headers and credentials go to no other origin than that of the control file: who wrote
/// it could have them sent anywhere.
///
/// # Errors
///
/// When there is no URL that can be used, or one makes no valid request.
pub fn open_source(
    opened: &OpenedControl,
    referer: Option<&Url>,
    options: &SourceOptions,
) -> Result<Box<dyn Source>, Error> {
    let base = base_of(opened, referer);
    let length = opened.control.signature.layout().length();
    let open = |location: &Location| gosync_blocksources::open_source(location, &options_for(location, &base, options));
    let open_all = |locations: &[Location], length| -> Result<Box<dyn Source>, Error> {
        if let [location] = locations {
            return Ok(open(location)?);
        }
        let places = locations.iter().map(|location| Ok((location.to_string(), open(location)?)));
        Ok(Box::new(Mirrors::new(places.collect::<Result<Vec<_>, Error>>()?, length)))
    };
    let Ok(packed) = usable(&opened.control.z_urls, &base) else {
        return open_all(&source_locations(opened, referer)?, Some(length));
    };
    let plain = source_locations(opened, referer).ok().map(|plain| open_all(&plain, Some(length))).transpose()?;
    let compressed = (packed[0].to_string(), open_all(&packed, None)?);
    Ok(Box::new(Published::new(plain, Some(compressed), length)))
}

/// Where a control file says that its target is, at one place at least. URLs are relative
/// as with [`open_source`].
///
/// # Errors
///
/// When there is no URL that can be used.
pub fn source_locations(opened: &OpenedControl, referer: Option<&Url>) -> Result<Vec<Location>, Error> {
    usable(&opened.control.urls, &base_of(opened, referer))
        .map_err(|reason| Error::NoSource { location: opened.location.to_string(), reason })
}

fn base_of(opened: &OpenedControl, referer: Option<&Url>) -> Location {
    referer.map_or_else(|| opened.location.clone(), |url| Location::Url(url.clone()))
}

/// Those of `urls` that lead somewhere, or why none does.
fn usable(urls: &[String], base: &Location) -> Result<Vec<Location>, String> {
    let mut reason = "there is none".to_owned();
    let mut usable = Vec::new();
    for url in urls {
        match resolve(url, base) {
            Ok(location) => usable.push(location),
            Err(why) => reason = format!("{url:?} {why}"),
        }
    }
    if usable.is_empty() { Err(reason) } else { Ok(usable) }
}

/// Where `url`, in a control file at `base`, leads.
fn resolve(url: &str, base: &Location) -> Result<Location, &'static str> {
    const NO_URL: &str = "is not a valid URL";
    if url.contains("://") {
        let url = Url::parse(url).map_err(|_| NO_URL)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        // What is nearer than the web is for those to name who are there themselves.
        let is_here = matches!(base, Location::Url(base) if base.scheme() == url.scheme());
        return if is_web || is_here { Ok(Location::Url(url)) } else { Err("is neither http nor https") };
    }
    match base {
        Location::Url(base) => base.join(url).map(Location::Url).map_err(|_| NO_URL),
        Location::Path(base) => {
            let relative = Path::new(url);
            let is_beneath = relative.components().all(|component| matches!(component, Component::Normal(_)));
            let decoded = percent_encoding::percent_decode_str(url).decode_utf8_lossy();
            let here = |path: &Path| base.parent().unwrap_or(Path::new("")).join(path);
            let found = [here(relative), here(Path::new(&*decoded))].into_iter().find(|path| path.is_file());
            match found {
                Some(path) if is_beneath && !decoded.contains("..") => Ok(Location::Path(path)),
                _ => Err("is relative, and there is no such file beside the control file"),
            }
        }
    }
}

/// Without what only the origin of the control file may see, where this is another.
fn options_for(location: &Location, base: &Location, options: &SourceOptions) -> SourceOptions {
    #[cfg_attr(not(feature = "http"), expect(unused_mut, reason = "there is nothing to take out"))]
    let mut options = options.clone();
    let is_same = match (location, base) {
        (Location::Url(one), Location::Url(other)) => one.origin() == other.origin(),
        _ => true,
    };
    #[cfg(feature = "http")]
    if !is_same {
        options.http.headers.clear();
        options.http.credentials = None;
    }
    let _ = is_same;
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_relative_to_the_control_file() {
        let base: Location = "http://host/dir/x.zsync?token=1".parse().unwrap();
        for (url, expected) in [
            ("x", Ok("http://host/dir/x")),
            ("../y%20z", Ok("http://host/y%20z")),
            ("/y", Ok("http://host/y")),
            ("//other/y", Ok("http://other/y")),
            ("https://other/y?z", Ok("https://other/y?z")),
            ("file:///etc/passwd", Err("is neither http nor https")),
            ("ssh://host/x", Err("is neither http nor https")),
            ("http://", Err("is not a valid URL")),
        ] {
            let found = resolve(url, &base).map(|location| match location {
                Location::Url(url) => url.to_string(),
                Location::Path(path) => path.display().to_string(),
            });
            assert_eq!(found, expected.map(str::to_owned), "{url}");
        }
    }

    #[test]
    fn only_files_beneath_a_local_control_file() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        for name in ["a b", "../outside"] {
            std::fs::write(inner.join(name), "").unwrap();
        }
        let base = Location::Path(inner.join("x.zsync"));
        assert_eq!(resolve("a%20b", &base), Ok(Location::Path(inner.join("a b"))));
        assert_eq!(resolve("a b", &base), Ok(Location::Path(inner.join("a b"))));
        for url in ["../outside", "%2e%2e/outside", "/etc/passwd", "absent", "."] {
            assert!(resolve(url, &base).is_err(), "{url}");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn secrets_stay_with_their_origin() {
        let location = |text: &str| text.parse::<Location>().unwrap();
        let mut options = SourceOptions::default();
        options.http.headers.push(("X-Token".into(), "secret".into()));
        let base = location("https://host/x.zsync");
        for (url, count) in [("https://host/x", 1), ("https://host:8443/x", 0), ("http://host/x", 0)] {
            assert_eq!(options_for(&location(url), &base, &options).http.headers.len(), count, "{url}");
        }
    }
}
