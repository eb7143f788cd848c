//! Writing an object.

use std::io::{self, Write};

use gosync_chunks::SourceError;
use object_store::{
    Attribute, Attributes, Error, GetOptions, MultipartUpload, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, UpdateVersion,
};

use super::source::ObjectSource;

/// Bytes sent at once, at first. Some stores want all parts but the last to be equally long,
/// and most take no more than 10,000: so parts grow, but late.
const PART: usize = 16 << 20;

/// After so many parts they are longer by [`PART`]: 10,000 of them make 880 GiB.
const ALIKE: usize = 1000;

/// Writes an object from its beginning to its end. It takes its name when
/// [`finish`](Self::finish) is called; dropped before, it leaves nothing behind.
pub struct ObjectWriter<'a> {
    target: &'a ObjectSource,
    /// What has not been sent.
    part: Vec<u8>,
    /// How many parts were.
    sent: usize,
    /// Once there is more than one part.
    upload: Option<Box<dyn MultipartUpload>>,
    attributes: Attributes,
}

impl ObjectSource {
    /// Begins to write the object, which is replaced if it is there.
    pub fn writer(&self) -> ObjectWriter<'_> {
        ObjectWriter { target: self, part: Vec::new(), sent: 0, upload: None, attributes: Attributes::new() }
    }

    /// All of the object, and what the store calls this version of it.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be read, or has more than `limit` bytes.
    pub fn read_tagged(&self, limit: u64) -> Result<(Vec<u8>, Option<String>), SourceError> {
        let answer = self.wait(self.store.get_opts(&self.path, GetOptions::default()));
        let answer = answer.map_err(|error| self.failed(error))?;
        if answer.meta.size > limit {
            return Err(SourceError::TooLong { location: self.location().to_owned(), limit });
        }
        // Google's store has numbers for versions besides, and goes by those.
        let tag = answer.meta.version.clone().filter(|_| self.goes_by_versions()).or(answer.meta.e_tag.clone());
        let bytes = self.wait(answer.bytes()).map_err(|error| self.failed(error))?;
        Ok((bytes.to_vec(), tag))
    }

    /// Replaces the object where it is still the version that is called so; where `tag` is `None`,
    /// where it is not there. Tells whether that was so: if not, nothing is written. `cache_control` is
    /// what caches are told.
    ///
    /// # Errors
    ///
    /// When the store does not take it, or cannot do so.
    pub fn replace(
        &self,
        bytes: &[u8],
        tag: Option<Option<&str>>,
        cache_control: &'static str,
    ) -> Result<bool, SourceError> {
        let mode = match tag {
            None => PutMode::Create,
            Some(tag) => {
                let tag = tag.map(str::to_owned);
                let (e_tag, version) = if self.goes_by_versions() { (None, tag) } else { (tag, None) };
                PutMode::Update(UpdateVersion { e_tag, version })
            }
        };
        let options = PutOptions { mode, attributes: cached(cache_control), ..PutOptions::default() };
        let payload = PutPayload::from(bytes.to_vec());
        match self.wait(self.persistent.put_opts(&self.path, payload, options)) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Removes the object. Some stores say so where it is not there, others do not.
    ///
    /// # Errors
    ///
    /// When the store does not let it be removed.
    pub fn remove(&self) -> Result<(), SourceError> {
        self.wait(self.persistent.delete(&self.path)).map_err(|error| self.failed(error))
    }

    fn goes_by_versions(&self) -> bool {
        self.location().starts_with("gs:")
    }
}

fn cached(control: &'static str) -> Attributes {
    Attributes::from_iter([(Attribute::CacheControl, control)])
}

impl ObjectWriter<'_> {
    /// Has the store tell caches for how long they may keep the object: the value of `Cache-Control`.
    pub fn with_cache_control(mut self, control: &'static str) -> Self {
        self.attributes = cached(control);
        self
    }

    /// Sends the rest and gives the object its name.
    ///
    /// # Errors
    ///
    /// When the store does not take it.
    pub fn finish(mut self) -> io::Result<()> {
        if self.upload.is_none() {
            let payload = PutPayload::from(std::mem::take(&mut self.part));
            let options = PutOptions { attributes: self.attributes.clone(), ..PutOptions::default() };
            let put = self.target.persistent.put_opts(&self.target.path, payload, options);
            return self.target.wait(put).map(|_| ()).map_err(|error| self.failed(error));
        }
        self.send()?;
        if let Some(upload) = &mut self.upload {
            let completed = self.target.wait(upload.complete()).map(|_| ());
            if completed.is_ok() {
                self.upload = None;
            }
            return completed.map_err(|error| self.failed(error));
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        self.sent += 1;
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let options = PutMultipartOptions { attributes: self.attributes.clone(), ..Default::default() };
                let begun = self.target.wait(self.target.persistent.put_multipart_opts(&self.target.path, options));
                none.insert(begun.map_err(|error| io::Error::other(self.target.failed(error)))?)
            }
        };
        let sent = self.target.wait(upload.put_part(part.into()));
        sent.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: object_store::Error) -> io::Error {
        io::Error::other(self.target.failed(error))
    }
}

impl Write for ObjectWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part.len() == part_len(self.sent) {
            self.send()?;
        }
        let taken = bytes.len().min(part_len(self.sent) - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Does nothing: parts have to be whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ObjectWriter<'_> {
    fn drop(&mut self) {
        if let Some(upload) = &mut self.upload {
            // Where that fails, the store's own rules for what was never finished apply.
            let _ = self.target.wait(upload.abort());
        }
    }
}

/// How long a part is that comes after so many others.
fn part_len(sent: usize) -> usize {
    PART * (1 + sent / ALIKE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_are_enough() {
        assert!((0..ALIKE).all(|sent| part_len(sent) == PART));
        let most: u64 = (0..10_000).map(|sent| part_len(sent) as u64).sum();
        assert!(most > 800 << 30 && part_len(9_999) <= 160 << 20);
    }
}
