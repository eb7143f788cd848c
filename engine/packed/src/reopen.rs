//! Opens a packed file as a recipe says.

use std::io;
use std::sync::Arc;

use gosync_chunks::{ByteRange, Progress, ReadAt};

use crate::error::OpenError;
use crate::inflate::Inflater;
use crate::recipe::{Recipe, Stream};
use crate::spool::{Plain, Spool, SpoolWriter};

/// Opens the file `packed`, whose `recipe` is known, into `spool`: the same streams as where the recipe
/// was made, and so the same bytes.
///
/// # Errors
///
/// When `packed` is not the file of the recipe, something cannot be read or written, or `progress`
/// cancels.
pub fn reopen(
    recipe: &Recipe,
    packed: &dyn ReadAt,
    spool: &Arc<Spool>,
    progress: &dyn Progress,
) -> Result<Plain, OpenError> {
    if packed.size() != recipe.packed_len() {
        return Err(OpenError::Io(other_file()));
    }
    let mut reopener = Reopener { spool, out: SpoolWriter::new(spool), inflater: Inflater::default(), progress };
    reopener.put(packed, recipe.streams())?;
    Ok(reopener.out.finish()?)
}

struct Reopener<'a> {
    spool: &'a Arc<Spool>,
    out: SpoolWriter,
    inflater: Inflater,
    progress: &'a dyn Progress,
}

impl Reopener<'_> {
    /// Puts `data` with `streams` opened.
    fn put(&mut self, data: &dyn ReadAt, streams: &[Stream]) -> Result<(), OpenError> {
        let mut at = 0;
        for stream in streams {
            self.progress.check()?;
            self.out.copy(data, ByteRange { start: at, end: stream.packed.start }, &mut |_| ())?;
            at = stream.packed.end;
            if stream.inner.is_empty() {
                let (out, mut plain) = (&mut self.out, 0);
                let put = &mut |bytes: &[u8]| {
                    plain += bytes.len() as u64;
                    out.push(bytes)
                };
                let len = self.inflater.inflate_to(data, stream.packed, put, |_| stream.plain)?;
                if len != Some(stream.packed.len()) || plain != stream.plain {
                    return Err(OpenError::Io(other_file()));
                }
            } else {
                let found = self.inflater.inflate(data, stream.packed, self.spool, |_| stream.plain)?;
                let found = found.filter(|found| found.range == stream.packed && found.plain.size() == stream.plain);
                let found = found.ok_or_else(|| OpenError::Io(other_file()))?;
                self.put(&found.plain, &stream.inner)?;
            }
        }
        self.out.copy(data, ByteRange { start: at, end: data.size() }, &mut |_| ())?;
        Ok(())
    }
}

fn other_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is another file than the one that the recipe was made of")
}
