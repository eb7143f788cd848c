//! Writing an object.

use std::io::{self, Write};

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};

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
}

impl ObjectSource {
    /// Begins to write the object, which is replaced if it is there.
    pub fn writer(&self) -> ObjectWriter<'_> {
        ObjectWriter { target: self, part: Vec::new(), sent: 0, upload: None }
    }
}

impl ObjectWriter<'_> {
    /// Sends the rest and gives the object its name.
    ///
    /// # Errors
    ///
    /// When the store does not take it.
    pub fn finish(mut self) -> io::Result<()> {
        if self.upload.is_none() {
            let payload = PutPayload::from(std::mem::take(&mut self.part));
            let put = self.target.persistent.put(&self.target.path, payload);
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
                let begun = self.target.wait(self.target.persistent.put_multipart(&self.target.path));
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
        let most: usize = (0..10_000).map(part_len).sum();
        assert!(most > 800 << 30 && part_len(9_999) <= 160 << 20);
    }
}
