//! The flat target of a tree, or what is here of it: the listing, and files of some trees.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use gosync_chunks::{ByteRange, ReadAt};
use gosync_files::LocalFile;

use crate::contents::{Contents, Place};
use crate::scan::Scan;

/// Bytes that are each where they belong. Between the pieces are zeros.
pub(crate) struct Flat {
    length: u64,
    /// What it begins with: the listing, and the recipes of packed files.
    listing: Arc<[u8]>,
    /// Files in the order of the target.
    pieces: Vec<Piece>,
    opened: Mutex<Vec<(usize, Arc<dyn ReadAt>)>>,
}

/// What has the contents of a tree's files.
pub(crate) trait Opens: Send + Sync {
    /// Opens the file that is the entry with this number.
    fn open(&self, entry: usize) -> io::Result<Arc<dyn ReadAt>>;
}

impl Opens for Scan {
    fn open(&self, entry: usize) -> io::Result<Arc<dyn ReadAt>> {
        let path = &self.listing.entries()[entry].path;
        let place = self.root.at(path);
        match self.root.open_file(path).and_then(|file| LocalFile::new(&place, file)) {
            Ok(file) => Ok(Arc::new(file)),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", place.display()))),
        }
    }
}

/// A file and where it belongs.
pub(crate) struct Piece {
    pub(crate) range: ByteRange,
    pub(crate) tree: Arc<dyn Opens>,
    /// The number of the file's entry in the listing of its tree.
    pub(crate) entry: usize,
}

/// Files that are held open.
const OPENED: usize = 16;

/// Files that may have holes worth looking for, in bytes.
const LARGE: u64 = 1 << 20;

impl Flat {
    /// `length` bytes that begin with `listing`, with `pieces`, which ascend.
    pub(crate) fn new(length: u64, listing: Arc<[u8]>, pieces: Vec<Piece>) -> Self {
        Self { length, listing, pieces, opened: Mutex::default() }
    }

    /// The flat target of `tree`, whose files are where `contents` says.
    pub(crate) fn of(tree: &Arc<dyn Opens>, listing: Arc<[u8]>, contents: &Contents) -> Self {
        Self::new(contents.length, listing, Self::pieces(tree, contents))
    }

    /// The files of `tree`, where `contents` says.
    pub(crate) fn pieces(tree: &Arc<dyn Opens>, contents: &Contents) -> Vec<Piece> {
        let piece = |place: &Place| Piece { range: place.range(), tree: tree.clone(), entry: place.entry };
        contents.places.iter().map(piece).collect()
    }

    fn open(&self, number: usize) -> io::Result<Arc<dyn ReadAt>> {
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = opened().iter().find(|(of, _)| *of == number) {
            return Ok(file.clone());
        }
        let Piece { tree, entry, .. } = &self.pieces[number];
        let file = tree.open(*entry)?;
        let mut opened = opened();
        if opened.len() == OPENED {
            opened.remove(0);
        }
        opened.push((number, file.clone()));
        Ok(file)
    }

    /// The first piece that ends after `offset`.
    fn piece_at(&self, offset: u64) -> usize {
        self.pieces.partition_point(|piece| piece.range.end <= offset)
    }
}

impl ReadAt for Flat {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset + buffer.len() as u64;
        if end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        if let Some(listing) = self.listing.get(offset.min(self.listing.len() as u64) as usize..) {
            let len = listing.len().min(buffer.len());
            buffer[..len].copy_from_slice(&listing[..len]);
        }
        for number in self.piece_at(offset)..self.pieces.len() {
            let range = self.pieces[number].range;
            if range.start >= end {
                break;
            }
            let (from, to) = (range.start.max(offset), range.end.min(end));
            let part = &mut buffer[(from - offset) as usize..(to - offset) as usize];
            self.open(number)?.read_exact_at(from - range.start, part)?;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<ByteRange>> {
        if offset >= self.length {
            return Ok(None);
        }
        // Only large files are asked for their holes: all that lies between them is data.
        let large = (self.piece_at(offset)..self.pieces.len()).find(|&number| self.pieces[number].range.len() >= LARGE);
        let Some(large) = large else { return Ok(Some(ByteRange { start: offset, end: self.length })) };
        let range = self.pieces[large].range;
        if offset < range.start {
            return Ok(Some(ByteRange { start: offset, end: range.start }));
        }
        match self.open(large)?.next_data(offset - range.start)? {
            Some(data) if data.start < range.len() => {
                let end = range.start + data.end.min(range.len());
                Ok(Some(ByteRange { start: range.start + data.start, end }))
            }
            _ => self.next_data(range.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::excludes::Excludes;
    use crate::root::Root;
    use crate::scan::ScanOptions;
    use std::fs;
    use std::path::Path;

    fn scan(path: &Path) -> Arc<Scan> {
        let excludes = Excludes::new("").unwrap();
        let options = ScanOptions::plain(&excludes, &());
        Arc::new(Scan::of(Root::open(path).unwrap(), &options).unwrap())
    }

    fn piece(tree: &Arc<Scan>, start: u64, len: u64, path: &[u8]) -> Piece {
        Piece { range: ByteRange::at(start, len), tree: tree.clone(), entry: tree.listing.find(path).unwrap() }
    }

    #[test]
    fn every_byte_is_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("a"), b"first").unwrap();
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/b"), b"second").unwrap();
        let tree = scan(directory.path());
        let flat = Flat::new(26, b"list"[..].into(), vec![piece(&tree, 8, 5, b"a"), piece(&tree, 16, 6, b"d/b")]);
        let expected = b"list\0\0\0\0first\0\0\0second\0\0\0\0";
        for start in 0..=26 {
            for end in start..=26 {
                let mut read = vec![9; end - start];
                flat.read_exact_at(start as u64, &mut read).unwrap();
                assert_eq!(read, expected[start..end], "{start}..{end}");
            }
        }
        assert!(flat.read_exact_at(20, &mut [0; 7]).is_err());
        assert_eq!(flat.next_data(3).unwrap(), Some(ByteRange { start: 3, end: 26 }));
        // On Windows it is there for as long as it is open.
        drop(flat);
        fs::remove_file(at("a")).unwrap();
        let flat = Flat::new(26, b"list"[..].into(), vec![piece(&tree, 8, 5, b"a")]);
        assert!(flat.read_exact_at(8, &mut [0]).unwrap_err().to_string().contains("a: "));
    }

    #[test]
    fn holes_of_large_files_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let file = fs::File::create(directory.path().join("sparse")).unwrap();
        file.set_len(8 << 20).unwrap();
        gosync_files::write_all_at(&file, b"x", 6 << 20).unwrap();
        let tree = scan(directory.path());
        let piece = piece(&tree, 512, 8 << 20, b"sparse");
        let range = piece.range;
        let flat = Flat::new(range.end + 100, b"list"[..].into(), vec![piece]);
        assert_eq!(flat.next_data(0).unwrap(), Some(ByteRange { start: 0, end: 512 }));
        if LocalFile::new(directory.path(), file).unwrap().next_data(0).unwrap().is_some_and(|data| data.start > 0) {
            let data = flat.next_data(512).unwrap().unwrap();
            assert!(data.start == 512 + (6 << 20) && data.end < range.end);
            assert_eq!(flat.next_data(data.end).unwrap(), Some(ByteRange { start: range.end, end: range.end + 100 }));
        }
    }
}
