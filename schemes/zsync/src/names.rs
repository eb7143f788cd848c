//! What a control file may call files here.
//!
//! Its names are from outside: if any of them counted, a control file could replace any file
//! of the directory. So a name counts only where it begins as the control file's own name
//! does, which the user has seen.

use std::path::{Path, PathBuf};

use gosync_blocksources::Location;

use crate::control::Control;

/// A file here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalName {
    /// Where it goes.
    pub path: PathBuf,
    /// What the control file calls it, if that name does not count.
    pub refused: Option<String>,
}

impl LocalName {
    /// Where the target of `control` goes by default: the working directory. `location` is
    /// where the user says that the control file is.
    pub fn of_target(control: &Control, location: &Location) -> Self {
        let own = location.file_name().unwrap_or_default();
        let named = control.file_name.as_ref().map(|name| name.as_str());
        named_or(named, &own, || {
            let beginning = beginning_of(&own);
            match own.strip_suffix(".zsync").filter(|name| !name.is_empty()) {
                Some(name) => name.into(),
                None if !beginning.is_empty() && beginning != own => beginning.into(),
                None => "zsync-download".into(),
            }
        })
    }

    /// Where the compressed target of `control` goes: beside its target, which goes to `target`
    /// by default or not.
    pub fn of_compressed(control: &Control, location: &Location, target: &Path, is_default: bool) -> Self {
        let taken = target.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let named = control.z_file_name.as_ref().map(|name| name.as_str()).filter(|_| is_default);
        // Some file systems take names for one that differ in case only, and the target is
        // removed once it is compressed.
        let named = named.filter(|name| name.to_lowercase() != taken);
        let name = named_or(named, &location.file_name().unwrap_or_default(), || {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(".gz");
            name.into()
        });
        Self { path: target.with_file_name(name.path), ..name }
    }
}

fn named_or(named: Option<&str>, own: &str, otherwise: impl FnOnce() -> PathBuf) -> LocalName {
    let beginning = beginning_of(own);
    match named {
        Some(name) if !beginning.is_empty() && name.starts_with(beginning) => {
            LocalName { path: name.into(), refused: None }
        }
        refused => LocalName { path: otherwise(), refused: refused.map(str::to_owned) },
    }
}

/// What names have to begin with: all of the control file's own up to a character that is
/// neither a letter nor a digit.
fn beginning_of(own: &str) -> &str {
    let end = own.find(|character: char| !character.is_alphanumeric()).unwrap_or(own.len());
    &own[..end]
}

#[cfg(test)]
mod tests {
    use gosync_chunks::TargetName;

    use super::*;
    use crate::{MakeOptions, make};

    fn control(name: Option<&str>, z_name: Option<&str>) -> Control {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x").unwrap();
        let mut control = make(file.path(), &MakeOptions::default(), &()).unwrap();
        control.file_name = name.map(|name| TargetName::new(name).unwrap());
        control.z_file_name = z_name.map(|name| TargetName::new(name).unwrap());
        control
    }

    #[test]
    fn targets() {
        for (location, named, expected, is_refused) in [
            ("site/new.zsync", Some("new-2.img"), "new-2.img", false),
            ("site/new.zsync", Some(".bashrc"), "new", true),
            ("http://host/new.img.zsync?token=1", Some("other.img"), "new.img", true),
            ("new.img.zsync", None, "new.img", false),
            ("new.txt", None, "new", false),
            ("new", None, "zsync-download", false),
            (".zsync", Some("zsync"), "zsync-download", true),
            ("-.zsync", Some("-x"), "-", true),
        ] {
            let name = LocalName::of_target(&control(named, None), &location.parse().unwrap());
            assert_eq!(name.path, Path::new(expected), "{location}");
            assert_eq!(name.refused.as_deref(), named.filter(|_| is_refused), "{location}");
        }
    }

    #[test]
    fn compressed_targets() {
        let location = "site/app.zsync".parse().unwrap();
        for (target, named, is_default, expected, is_refused) in [
            ("out/app", Some("app-2.gz"), true, "out/app-2.gz", false),
            ("out/app", Some("app-2.gz"), false, "out/app.gz", false),
            ("app", Some("other.gz"), true, "app.gz", true),
            ("app", Some("APP"), true, "app.gz", false),
            ("app", None, true, "app.gz", false),
        ] {
            let name = LocalName::of_compressed(&control(None, named), &location, Path::new(target), is_default);
            assert_eq!(name.path, Path::new(expected), "{named:?}");
            assert_eq!(name.refused.as_deref(), named.filter(|_| is_refused), "{named:?}");
        }
    }
}
