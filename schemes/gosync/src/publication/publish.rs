//! Laying out a version, and replacing the pointer.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;

use gosync_blocksources::Location;
use gosync_chunks::{ByteRange, FileHash, Phase, Progress, ReadAt, TargetName};
use gosync_files::LocalFile;
use gosync_layers::format::LayeredIndex;
use gosync_publish::{Caching, Folder, Held, beside_payload, within};

use super::error::PublicationError;
use super::names::Names;
use super::versions::{Version, Versions, without_serial};
use crate::error::Error;
use crate::pointer::{MAX_POINTER_LEN, Pointer};
use crate::signing::SIGNATURE_SUFFIX;
#[cfg(feature = "sign")]
use crate::signing::SecretKey;

/// The most bytes of a list of versions.
const MAX_VERSIONS_LEN: u64 = 4 << 20;

/// Bytes that are uploaded between two looks at whether to stop.
const PIECE: u64 = 1 << 20;

/// Where to publish something, and how.
pub struct Publication<'a> {
    /// Where.
    pub folder: &'a dyn Folder,
    /// What that is called.
    pub location: &'a Location,
    /// What is published.
    pub name: &'a TargetName,
    /// What signs the index and the pointer, if anything.
    #[cfg(feature = "sign")]
    pub key: Option<&'a SecretKey>,
    /// What time it is, in seconds since the beginning of 1970.
    pub now: u64,
    /// When clients are not to believe the pointer any longer, in the same.
    pub expires_at: Option<u64>,
    /// How many versions stay, if not all.
    pub keep: Option<NonZeroUsize>,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// What clients fetch.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The target as it is.
    Plain(&'a dyn ReadAt),
    /// A compressed payload, which is made with the index.
    Payload,
    /// A compressed payload of what is in this packed file, which has this hash. It is published too:
    /// clients fetch of it what they cannot pack themselves.
    Opened(&'a dyn ReadAt, FileHash),
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Made {
    /// Whether it is a new version. If not, it was there already.
    pub is_new: bool,
    /// What the pointer says now.
    pub pointer: Pointer,
    /// Where the pointer is.
    pub location: Location,
    /// The index.
    pub index: LayeredIndex,
    /// The names of the files of the version, from the content to the signature.
    pub names: Vec<String>,
    /// The names of those that were removed.
    pub removed: Vec<String>,
    /// What could not be removed, and why.
    pub left: Vec<(String, String)>,
}

impl Publication<'_> {
    /// Publishes a version. `build` makes its index: it is given what a payload is to be written to,
    /// if there is to be one, and what gives content its name by its hash.
    ///
    /// Until the pointer is replaced, which comes last, clients find what was there before. Old versions
    /// are removed after that. What is the same in the version before, and in its place, is not written
    /// again; where all of it is, and neither pointer expires, there is no new version.
    ///
    /// # Errors
    ///
    /// Those of `build`, when something cannot be written, and when somebody else published meanwhile:
    /// then nothing has changed for clients.
    pub fn publish(
        &self,
        source: Source<'_>,
        build: impl FnOnce(Option<&mut (dyn Write + Send)>, &dyn Fn(FileHash) -> TargetName) -> Result<LayeredIndex, Error>,
    ) -> Result<Made, Error> {
        if self.expires_at.is_some_and(|at| at <= self.now) {
            return Err(PublicationError::Expired.into());
        }
        let before = self.newest()?;
        let serial = match &before {
            Some((pointer, _)) => pointer.serial.checked_add(1).ok_or(PublicationError::NoMoreNumbers)?,
            None => 1,
        };
        let names = Names::new(self.name, serial)?;
        let listed = self.versions(&names)?;
        let is_compressed = !matches!(source, Source::Plain(_));
        let names_before = before.as_ref().and_then(|(pointer, _)| listed.of(pointer.serial)).unwrap_or_default();
        let call = |hash| {
            let called = names.content(hash, is_compressed);
            let is_same = |file: &&String| self.is_same_content(file, called.as_str());
            let same = names_before.iter().find(is_same).and_then(|same| TargetName::new(same.as_str()).ok());
            same.unwrap_or(called)
        };
        let payload;
        let (index, data): (_, &dyn ReadAt) = match source {
            Source::Plain(target) => (build(None, &call)?, target),
            Source::Payload | Source::Opened(..) => {
                let failed = |error| self.failed(&names.pointer(), error);
                let mut scratch = BufWriter::new(self.folder.scratch().map_err(failed)?);
                let index = build(Some(&mut scratch), &call)?;
                let file: File = scratch.into_inner().map_err(|error| failed(error.into_error()))?;
                payload = LocalFile::new("the payload".as_ref(), file).map_err(failed)?;
                (index, &payload)
            }
        };
        let content = index.source_name().map_or_else(String::new, |name| name.as_str().to_owned());
        let packed = match source {
            Source::Opened(packed, hash) => {
                let called = index.source_name().and_then(|payload| beside_payload(payload, hash));
                called.map(|called| (called.as_str().to_owned(), packed))
            }
            _ => None,
        };
        // Somebody else may have published while the index was made.
        let mut versions = self.versions(&names)?;
        let is_there = |name: &String, data: &dyn ReadAt| -> Result<bool, Error> {
            Ok(names_before.contains(name) && self.folder.length(name)? == Some(data.size()))
        };
        let contents: Vec<(&String, &dyn ReadAt)> =
            std::iter::once((&content, data)).chain(packed.as_ref().map(|(name, packed)| (name, *packed))).collect();
        let mut missing = Vec::new();
        for (name, data) in &contents {
            if !is_there(name, *data)? {
                missing.push((*name, *data));
            }
        }
        let location = within(self.location, &names.pointer());
        if let Some((pointer, held)) = &before
            && missing.is_empty()
            && self.is_as_before(pointer, held, &index)?
        {
            let (pointer, written) = (pointer.clone(), names_before.to_vec());
            let unwanted = self.keep.map_or_else(Vec::new, |keep| versions.keep(keep.get()));
            let (removed, left) = self.remove(unwanted, &names, &versions);
            return Ok(Made { is_new: false, pointer, location, index, names: written, removed, left });
        }
        let pointer = Pointer {
            name: self.name.clone(),
            serial,
            published_at: self.now,
            expires_at: self.expires_at,
            index: names.index(FileHash(*blake3::hash(index.head()).as_bytes())),
            head: *blake3::hash(index.head()).as_bytes(),
        };
        let signature = self.sign_index(&pointer, &index)?;
        let mut written: Vec<String> = contents.iter().map(|(name, _)| (*name).clone()).collect();
        written.push(pointer.index.as_str().to_owned());
        written.extend(signature.as_ref().map(|_| format!("{}{SIGNATURE_SUFFIX}", pointer.index)));

        let mut unwanted = versions.begin(Version { serial, names: written.clone() });
        self.put(&names.versions(), Caching::Fresh, versions.text().as_bytes())?;
        for (name, data) in missing {
            self.put_content(name, data)?;
        }
        let index_name = pointer.index.as_str();
        self.folder.put(index_name, Caching::Immutable, &mut |out| {
            index.write(out).map_err(|source| self.unwritten(index_name, source))
        })?;
        if let Some(signature) = &signature {
            self.put(&format!("{index_name}{SIGNATURE_SUFFIX}"), Caching::Immutable, signature.as_bytes())?;
        }
        self.progress.check().map_err(gosync_publish::Error::from)?;
        self.replace_pointer(&names.pointer(), &pointer, before.as_ref().map(|(_, held)| held))?;

        versions.settle(&written);
        unwanted.extend(self.keep.map_or_else(Vec::new, |keep| versions.keep(keep.get())));
        let (removed, left) = self.remove(unwanted, &names, &versions);
        Ok(Made { is_new: true, pointer, location, index, names: written, removed, left })
    }

    /// The pointer that is there, and its bytes.
    fn newest(&self) -> Result<Option<(Pointer, Held)>, Error> {
        let name = Names::new(self.name, 0)?.pointer();
        let Some(held) = self.folder.read(&name, MAX_POINTER_LEN)? else { return Ok(None) };
        let location = || within(self.location, &name).to_string();
        let (pointer, _) = Pointer::read(&held.bytes)
            .map_err(|source| PublicationError::NoPointer { location: location(), source })?;
        Ok(Some((pointer, held)))
    }

    /// Whether `file` is what would be `called` so, but for the number of its version.
    fn is_same_content(&self, file: &str, called: &str) -> bool {
        let name = self.name.as_str();
        without_serial(name, file).is_some_and(|rest| without_serial(name, called) == Some(rest))
    }

    /// Whether all that clients would find is there, where `pointer` leads to.
    fn is_as_before(&self, pointer: &Pointer, held: &Held, index: &LayeredIndex) -> Result<bool, Error> {
        let is_same = pointer.head == *blake3::hash(index.head()).as_bytes()
            && (pointer.expires_at, self.expires_at) == (None, None)
            && self.is_signed(held);
        Ok(is_same && self.folder.length(pointer.index.as_str())? == Some(index.encoded_len()))
    }

    fn versions(&self, names: &Names<'_>) -> Result<Versions, Error> {
        let name = names.versions();
        let Some(held) = self.folder.read(&name, MAX_VERSIONS_LEN)? else { return Ok(Versions::default()) };
        let text = String::from_utf8(held.bytes).ok();
        let versions = text.and_then(|text| Versions::read(self.name.as_str(), &text));
        let location = || within(self.location, &name).to_string();
        Ok(versions.ok_or_else(|| PublicationError::NoVersions { location: location() })?)
    }

    fn put_content(&self, name: &str, data: &dyn ReadAt) -> Result<(), Error> {
        let length = data.size();
        self.progress.begin(Phase::Copy, length);
        let mut buffer = Vec::new();
        self.folder.put(name, Caching::Immutable, &mut |out| {
            for start in (0..length).step_by(PIECE as usize) {
                self.progress.check()?;
                let range = ByteRange { start, end: length.min(start + PIECE) };
                buffer.resize(range.len() as usize, 0);
                let read = data.read_exact_at(range.start, &mut buffer);
                read.map_err(|source| gosync_publish::Error::Read { target: self.name.to_string(), source })?;
                out.write_all(&buffer).map_err(|source| self.unwritten(name, source))?;
                self.progress.advance(Phase::Copy, range.len());
            }
            Ok(())
        })?;
        Ok(())
    }

    fn put(&self, name: &str, caching: Caching, bytes: &[u8]) -> Result<(), Error> {
        let mut write =
            |out: &mut (dyn Write + Send)| out.write_all(bytes).map_err(|error| self.unwritten(name, error));
        Ok(self.folder.put(name, caching, &mut write)?)
    }

    fn replace_pointer(&self, name: &str, pointer: &Pointer, held: Option<&Held>) -> Result<(), Error> {
        let bytes = self.signed_pointer(name, pointer)?;
        if self.folder.replace(name, &bytes, held)? {
            return Ok(());
        }
        // Where an answer was lost, it may be ours.
        match self.folder.read(name, MAX_POINTER_LEN)? {
            Some(now) if now.bytes == bytes => Ok(()),
            _ => {
                let name = self.name.to_string();
                Err(PublicationError::Overtaken { name, serial: pointer.serial }.into())
            }
        }
    }

    /// Removes what is of no version any more. What stays in the way of that is told: the version is
    /// published.
    fn remove(
        &self,
        unwanted: Vec<String>,
        names: &Names<'_>,
        versions: &Versions,
    ) -> (Vec<String>, Vec<(String, String)>) {
        let (mut removed, mut left) = (Vec::new(), Vec::new());
        if unwanted.is_empty() {
            return (removed, left);
        }
        for name in unwanted {
            match self.folder.remove(&name) {
                Ok(()) => removed.push(name),
                Err(error) => left.push((name, reason(&error))),
            }
        }
        // What is still listed is tried again the next time.
        if left.is_empty()
            && let Err(Error::Publish(error)) = self.put(&names.versions(), Caching::Fresh, versions.text().as_bytes())
        {
            left.push((names.versions(), reason(&error)));
        }
        (removed, left)
    }

    fn failed(&self, name: &str, source: io::Error) -> Error {
        self.unwritten(name, source).into()
    }

    fn unwritten(&self, name: &str, source: io::Error) -> gosync_publish::Error {
        let location = within(self.location, name);
        let is_remote = matches!(location, Location::Url(_));
        gosync_publish::Error::Write { location: location.to_string(), is_remote, source }
    }
}

#[cfg(feature = "sign")]
impl Publication<'_> {
    fn sign_index(&self, pointer: &Pointer, index: &LayeredIndex) -> Result<Option<String>, Error> {
        self.sign("a gosync index's header", pointer.index.as_str(), index.head())
    }

    /// The bytes of the pointer, with its signature.
    fn signed_pointer(&self, name: &str, pointer: &Pointer) -> Result<Vec<u8>, Error> {
        let mut bytes = pointer.encode();
        let signature = self.sign("a gosync pointer", name, &bytes)?;
        bytes.extend(signature.into_iter().flat_map(String::into_bytes));
        Ok(bytes)
    }

    /// Whether the pointer that is `held` has the signature that it would be given.
    fn is_signed(&self, held: &Held) -> bool {
        let length = Pointer::read(&held.bytes).map_or(0, |(_, length)| length);
        let (signed, signature) = held.bytes.split_at(length);
        let Some(key) = self.key else { return signature.is_empty() };
        let signature = std::str::from_utf8(signature).ok();
        signature.zip(key.public_key().ok()).is_some_and(|(text, key)| key.verify(signed, text, "").is_ok())
    }

    fn sign(&self, what: &str, name: &str, bytes: &[u8]) -> Result<Option<String>, Error> {
        let Some(key) = self.key else { return Ok(None) };
        let comment = format!("timestamp:{}\tfile:{name}\theader:{}", self.now, bytes.len());
        let signature = key.sign_as(what, bytes, &comment);
        signature.map(Some).map_err(|source| Error::Key { key: key.id().to_string(), source })
    }
}

#[cfg(not(feature = "sign"))]
impl Publication<'_> {
    fn is_signed(&self, held: &Held) -> bool {
        Pointer::read(&held.bytes).is_ok_and(|(_, length)| length == held.bytes.len())
    }

    fn sign_index(&self, _: &Pointer, _: &LayeredIndex) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn signed_pointer(&self, _: &str, pointer: &Pointer) -> Result<Vec<u8>, Error> {
        Ok(pointer.encode())
    }
}

/// An error with its causes.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
