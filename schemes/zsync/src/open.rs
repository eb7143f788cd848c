//! Opening control files by path or URL, and what the URLs in them mean.

use std::fs;
use std::io::Write;
use std::path::{Component, Path};
use std::time::SystemTime;

use gosync_blocksources::{Location, SourceOptions, open_document_since};
use gosync_chunks::Transfer;
use gosync_patcher::StagedFile;
use gosync_update::{Beginning, Document};
use url::Url;

use crate::control::{Control, ReadOptions};
use crate::error::Error;

/// Bytes behind the end of a control file that are read to see that there are some: other makers
/// leave a line end there, or a sum.
const SEEN_BEHIND: u64 = 64;

/// A control file, and what it cost to get.
#[derive(Clone, Debug)]
pub struct OpenedControl {
    /// The control file.
    pub control: Control,
    /// Where it was asked for: what its URLs are relative to.
    pub location: Location,
    /// Where it was found, redirects followed: what they are relative to if nothing is there.
    pub found_at: Location,
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
    OpenedControl::read(Beginning::read(location, options.max_bytes, sources)?)
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
    let document = open_document_since(location, options.max_bytes, since, sources).map_err(Error::source)?;
    document.map(|document| OpenedControl::of(document, location)).transpose()
}

/// As [`open_control`], with a copy at `kept`: the control file is fetched only where it was
/// changed after the copy, and then takes the copy's place. Also tells whether it was fetched.
///
/// # Errors
///
/// As [`open_control`]; and when the copy cannot be read or written.
pub fn open_control_kept(
    location: &Location,
    kept: &Path,
    options: &ReadOptions,
    sources: &SourceOptions,
) -> Result<(OpenedControl, bool), Error> {
    let since = fs::metadata(kept).and_then(|metadata| metadata.modified()).ok();
    let fetched = match since {
        Some(since) => open_control_since(location, since, options, sources)?,
        None => Some(open_control(location, options, sources)?),
    };
    let Some(opened) = fetched else {
        let opened = open_control(&Location::Path(kept.to_owned()), options, sources)?;
        return Ok((OpenedControl { location: location.clone(), found_at: location.clone(), ..opened }, false));
    };
    let failed = |source| Error::Prepare { path: kept.to_owned(), source };
    let staged = StagedFile::create(kept)?;
    staged.file().write_all(&opened.bytes).map_err(failed)?;
    // Without its date it is fetched again the next time.
    let _ = opened.modified.map(|modified| staged.file().set_modified(modified));
    staged.commit()?;
    Ok((opened, true))
}

impl OpenedControl {
    /// Reads a control file that was begun: as much of it as it says that it has.
    ///
    /// # Errors
    ///
    /// As [`open_control`].
    pub fn read(mut beginning: Beginning) -> Result<Self, Error> {
        let location = beginning.location().clone();
        let error = |source| Error::Control { location: location.to_string(), source };
        if beginning.length(|start| Control::extent(start).map_err(error))?.is_some() {
            beginning.read_behind(SEEN_BEHIND)?;
        }
        Self::of(beginning.into_document(), &location)
    }

    fn of(document: Document, location: &Location) -> Result<Self, Error> {
        let Document { bytes, transfer, location: found_at, modified } = document;
        let error = |source| Error::Control { location: location.to_string(), source };
        let control = Control::read(&bytes).map_err(error)?;
        Ok(Self { control, location: location.clone(), found_at, bytes, modified, transfer })
    }

    /// What URLs are relative to, the likeliest first.
    pub(crate) fn bases(&self, referer: Option<&Url>) -> Vec<Location> {
        match referer {
            Some(url) => vec![Location::Url(url.clone())],
            None if self.found_at == self.location => vec![self.location.clone()],
            None => vec![self.location.clone(), self.found_at.clone()],
        }
    }
}

/// Where a control file says that its target is, at one place at least. URLs are relative
/// to `referer`, or else to where the control file was asked for, and to where it was found.
///
/// # Errors
///
/// When there is no URL that can be used.
pub fn source_locations(opened: &OpenedControl, referer: Option<&Url>) -> Result<Vec<Location>, Error> {
    usable(&opened.control.urls, &opened.bases(referer))
        .map_err(|reason| Error::NoSource { location: opened.location.to_string(), reason })
}

/// Where a control file says that its target is in a gzip file, if anywhere.
pub fn packed_locations(opened: &OpenedControl, referer: Option<&Url>) -> Vec<Location> {
    usable(&opened.control.z_urls, &opened.bases(referer)).unwrap_or_default()
}

/// Those of `urls` that lead somewhere, or why none does.
fn usable(urls: &[String], bases: &[Location]) -> Result<Vec<Location>, String> {
    let mut reason = "there is none".to_owned();
    let mut usable = Vec::new();
    for (url, base) in urls.iter().flat_map(|url| bases.iter().map(move |base| (url, base))) {
        match resolve(url, base) {
            Ok(location) if usable.contains(&location) => {}
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

/// With what is secret for the origin of the control file alone, unless it is for another one.
pub(crate) fn with_secrets_of(base: &Location, options: &SourceOptions) -> SourceOptions {
    #[cfg(feature = "http")]
    if options.http.for_origin.is_some() {
        return options.clone();
    }
    options.clone().with_secrets_for([base])
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

    #[test]
    fn a_copy_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let [target, there, kept] = ["x", "x.zsync", "kept"].map(|name| directory.path().join(name));
        fs::write(&target, "some bytes").unwrap();
        let bytes = crate::make(&target, &crate::MakeOptions::default(), &()).unwrap().write().unwrap();
        let write = |seconds| {
            fs::write(&there, &bytes).unwrap();
            let date = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options().write(true).open(&there).unwrap().set_modified(date).unwrap();
        };
        let location = Location::Path(there.clone());
        let open = || open_control_kept(&location, &kept, &ReadOptions::default(), &SourceOptions::default()).unwrap();
        for (seconds, is_fetched) in [(1000, true), (1000, false), (2000, true), (1500, false)] {
            write(seconds);
            let (opened, fetched) = open();
            assert_eq!((fetched, &opened.location), (is_fetched, &location), "{seconds}");
            assert!(opened.bytes == bytes && fs::read(&kept).unwrap() == bytes);
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn secrets_stay_with_their_origin() {
        let location = |text: &str| text.parse::<Location>().unwrap();
        let origin = |options: SourceOptions| options.http.for_origin.map(|origin| origin.ascii_serialization());
        let (one, other) = (location("https://host/x.zsync"), location("http://other/x.zsync"));
        let options = with_secrets_of(&one, &SourceOptions::default());
        assert_eq!(origin(with_secrets_of(&other, &options)).as_deref(), Some("https://host"));
        assert_eq!(origin(options).as_deref(), Some("https://host"));
    }
}
