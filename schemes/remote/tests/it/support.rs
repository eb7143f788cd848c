//! Both sides in one process, with a pipe each way between them.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use gosync_remote::{Access, Asked, Far, Line, Offer, Place, Pushed, ServeError, Traffic, Wish, ask, push, serve};
use gosync_tree::{TreeBuild, TreeBuildOptions, TreeOptions, TreeReport, TreeSource, TreeUpdate};
use gosync_update::{Error, FileOptions, LayeredTarget, Seeds, Update, UpdateReport};

/// A far side that serves what is beneath a directory.
pub(crate) struct FarSide {
    serving: Option<JoinHandle<Result<(), ServeError>>>,
}

/// For those who may do everything.
pub(crate) const ALL: Access = Access { read: true, write: true };

/// What a far side answers who says this, and nothing more, of what is beneath `root`.
pub(crate) fn answer(said: &[u8], root: &Path, access: Access) -> (Vec<u8>, Result<(), ServeError>) {
    let out = Arc::<Mutex<Vec<u8>>>::default();
    let to = Kept { stream: io::sink(), kept: out.clone() };
    let served = serve(io::Cursor::new(said.to_vec()), to, &Place::beneath(root).unwrap(), access, || ());
    let out = out.lock().unwrap().clone();
    (out, served)
}

/// Pushes what is at `local` to beneath `root`; `None` where it is there.
pub(crate) fn push_to(root: &Path, local: &Path, offer: &Offer) -> Result<(Option<Pushed>, Traffic), Error> {
    let (line, side) = FarSide::start(root);
    let pushed = push(line, offer, local, &());
    let ended = side.end();
    assert_eq!(pushed.is_ok(), ended.is_ok(), "{pushed:?}: {ended:?}");
    pushed
}

/// The streams of both sides.
pub(crate) fn pipes() -> (Line, PipeReader, PipeWriter) {
    let ((from_there, to_here), (from_here, to_there)) = (io::pipe().unwrap(), io::pipe().unwrap());
    let line = Line {
        reader: Box::new(from_there),
        writer: Box::new(to_there),
        location: "there".into(),
        carrier: Box::new(()),
    };
    (line, from_here, to_here)
}

impl FarSide {
    pub(crate) fn start(root: &Path) -> (Line, Self) {
        let place = Place::beneath(root).unwrap();
        let (line, reader, writer) = pipes();
        let serving = thread::spawn(move || serve(reader, writer, &place, ALL, || ()));
        (line, Self { serving: Some(serving) })
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<(), ServeError> {
        self.serving.take().unwrap().join().unwrap()
    }
}

pub(crate) fn wish(path: &str) -> Wish {
    Wish { path: path.as_bytes().to_vec(), ..Wish::default() }
}

/// Asks for what must be there, and differ.
pub(crate) fn far(root: &Path, wish: &Wish) -> (Far, FarSide) {
    let (line, side) = FarSide::start(root);
    match ask(line, wish).unwrap() {
        Asked::Far(far) => (*far, side),
        Asked::Same(_) => panic!("it is the same"),
    }
}

/// Why something is not had.
pub(crate) fn refusal(root: &Path, wish: &Wish) -> Error {
    let (line, side) = FarSide::start(root);
    let error = ask(line, wish).err().expect("it is not had");
    assert!(side.end().is_err());
    error
}

/// Pulls the file at `path` beneath `root` to `local`.
pub(crate) fn pull_file(root: &Path, path: &str, local: &Path, wish: &Wish) -> (UpdateReport, Traffic) {
    let (far, side) = far(root, &Wish { path: path.into(), ..wish.clone() });
    let target = LayeredTarget::new(&far.index);
    let seeds = Seeds::open([local], &target, &()).unwrap();
    let update = Update { target: &target, seeds: &seeds, source: &*far.source, progress: &() };
    let report = update.to_file(local, &FileOptions::default()).unwrap();
    let traffic = far.traffic();
    drop(far);
    side.end().unwrap();
    (report, traffic)
}

/// Pulls the directory `root` to `local`; `None` where it is the same.
pub(crate) fn pull_directory(
    root: &Path,
    local: &Path,
    options: TreeOptions,
    excludes: &str,
) -> (Option<TreeReport>, Traffic) {
    let (line, side) = FarSide::start(root);
    let here =
        TreeBuildOptions { excludes: excludes.into(), trust_times: !options.checksum, ..TreeBuildOptions::default() };
    let listing = local.is_dir().then(|| TreeBuild::scan(local, &here, &()).unwrap().info().listing_hash);
    let wish = Wish { excludes: excludes.into(), checksum: options.checksum, listing, ..Wish::default() };
    let far = match ask(line, &wish).unwrap() {
        Asked::Same(traffic) => {
            side.end().unwrap();
            return (None, traffic);
        }
        Asked::Far(far) => far,
    };
    let location = gosync_blocksources::Location::Path("there".into());
    let source = TreeSource::Flat { source: &*far.source, location: &location, listing: far.listing.as_deref() };
    let info = far.tree.as_ref().unwrap();
    let update = TreeUpdate { index: &far.index, info, source, seeds: &[], options, progress: &() };
    let report = update.to_directory(local).unwrap();
    let traffic = far.traffic();
    drop(far);
    side.end().unwrap();
    (Some(report), traffic)
}

/// A stream of which everything is kept.
pub(crate) struct Kept<S> {
    pub(crate) stream: S,
    pub(crate) kept: Arc<Mutex<Vec<u8>>>,
}

impl<S: Read> Read for Kept<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.kept.lock().unwrap().extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

impl<S: Write> Write for Kept<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes)?;
        self.kept.lock().unwrap().extend_from_slice(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Writes files, in directories that are made for them.
pub(crate) fn write_all(root: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
