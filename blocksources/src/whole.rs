//! Whole documents, which are small: an index, a signature.

use std::sync::{Mutex, PoisonError};

use gosync_chunks::{ByteRange, Sink, SinkError, Source, SourceError, Transfer};

/// Fetches all that `source`, which is at `location`, has.
///
/// # Errors
///
/// When it has more than `limit` bytes, does not tell how many, or does not deliver.
pub fn read_all(source: &dyn Source, location: &str, limit: u64) -> Result<(Vec<u8>, Transfer), SourceError> {
    let refused = |reason| SourceError::Refused { location: location.into(), reason };
    let size = source.size()?.ok_or_else(|| refused("it does not tell its length".into()))?;
    if size > limit {
        return Err(refused(format!("it has more than {limit} bytes")));
    }
    let document = Document(Mutex::default());
    let transfer = source.fetch(&[ByteRange::at(0, size)], &document)?;
    let data = document.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    if data.len() as u64 != size {
        return Err(refused(format!("{} of {size} bytes came", data.len())));
    }
    Ok((data, transfer))
}

/// Grows with what arrives: a declared length alone reserves nothing.
struct Document(Mutex<Vec<u8>>);

impl Sink for Document {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        let mut document = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = usize::try_from(offset)?;
        let end = start.checked_add(data.len()).ok_or("it is too long for this machine")?;
        if document.len() < end {
            document.resize(end, 0);
        }
        document[start..end].copy_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::corpus;
    use gosync_testkit::source::MemorySource;

    #[test]
    fn reads_all_within_the_limit() {
        for length in [0, 1, 100_000] {
            let data = corpus::random(1, length);
            let source = MemorySource::new(data.clone());
            let (read, transfer) = read_all(&source, "there", length as u64).unwrap();
            assert!(read == data && transfer.bytes == length as u64);
            if length > 0 {
                let error = read_all(&source, "there", length as u64 - 1).unwrap_err();
                assert_eq!(error.to_string(), format!("there does not deliver: it has more than {} bytes", length - 1));
            }
        }
        let error = read_all(&MemorySource::awkward(vec![1], 1), "there", 9).unwrap_err();
        assert_eq!(error.to_string(), "there does not deliver: it does not tell its length");
    }
}
