//! What the far side has, ready to be brought here by the ordinary flow.

use std::sync::Arc;

use gosync_chunks::{ByteRange, Source, SourceError, Transfer};
use gosync_layers::format::{LayeredIndex, ReadOptions};
use gosync_tree::{SECTION, TreeInfo};
use gosync_update::Error;

use crate::request::{Object, Opened, Request, Wish};
use crate::session::{Line, Said, Session, Traffic};
use crate::source::FarSource;

/// What comes of asking a far side.
pub enum Asked {
    /// What is here is what is there.
    Same(Traffic),
    /// What is there.
    Far(Box<Far>),
}

/// Something at a far side, and its index, which is read from there part by part.
pub struct Far {
    session: Arc<Session>,
    /// Its index.
    pub index: LayeredIndex,
    /// What the index says of a directory, if it is one.
    pub tree: Option<TreeInfo>,
    /// The listing of a directory, where it came unasked.
    pub listing: Option<Vec<u8>>,
    /// What gives its bytes.
    pub source: Arc<dyn Source>,
    /// What has come so far.
    pub transfer: Transfer,
}

/// Says over `line` what is wanted, and hears what there is.
///
/// # Errors
///
/// When the far side cannot be reached or refuses, is not gosync, or sends what is no index.
pub fn ask(line: Line, wish: &Wish) -> Result<Asked, Error> {
    let (session, said) = Session::begin(line, &Request::Pull(wish.clone()))?;
    match said {
        Said::Same => Ok(Asked::Same(session.traffic())),
        Said::Opened(opened, came) => Ok(Asked::Far(Box::new(far(Arc::new(session), &opened, came)?))),
        Said::Want => {
            let (location, reason) = (session.location().to_owned(), "it answers what was not asked".into());
            Err(SourceError::Refused { location, reason }.into())
        }
    }
}

/// What the other side of `session` has.
pub(crate) fn far(session: Arc<Session>, opened: &Opened, came: [Vec<Vec<u8>>; 2]) -> Result<Far, Error> {
    let location = session.location().to_owned();
    let [of_index, of_target] = came;
    let start = match (opened.pushed[0].first(), of_index.first()) {
        (Some(ByteRange { start: 0, .. }), Some(bytes)) => bytes.clone(),
        _ => Vec::new(),
    };
    let source = |object: Object, bytes: Vec<Vec<u8>>| -> Arc<dyn Source> {
        let Opened { lengths, modified, pushed, .. } = opened;
        Arc::new(FarSource {
            session: session.clone(),
            object,
            length: lengths[object as usize],
            modified: *modified,
            came: pushed[object as usize].iter().copied().zip(bytes).collect(),
        })
    };
    let limits = ReadOptions { sections: &[SECTION], ..ReadOptions::default() };
    let unusable = |source| Error::Index { location: location.clone(), source };
    let index = LayeredIndex::open(source(Object::Index, of_index), &location, start, &limits).map_err(unusable)?;
    let refused = |reason: &str| SourceError::Refused { location: location.clone(), reason: reason.into() };
    if [index.encoded_len(), index.length()] != opened.lengths || index.payload().is_some() {
        return Err(refused("its index is of something else").into());
    }
    let tree = TreeInfo::of(&index)?;
    if tree.is_some() != opened.is_directory {
        return Err(refused("its index is of something else").into());
    }
    // Nobody is asked for it: it is there, or it is not all there.
    let came = tree.as_ref().zip(of_target.first()).filter(|(info, bytes)| info.listing_length == bytes.len() as u64);
    let listing = came.map(|(_, bytes)| bytes.clone());
    let Traffic { received, round_trips, .. } = session.traffic();
    let transfer = Transfer { bytes: received, requests: round_trips };
    let source = source(Object::Target, of_target);
    Ok(Far { session, index, tree, listing, source, transfer })
}

impl Far {
    /// What both sides have said to each other so far.
    pub fn traffic(&self) -> Traffic {
        self.session.traffic()
    }
}
