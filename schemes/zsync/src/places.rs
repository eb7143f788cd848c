//! Where the target of a control file can be fetched from.

use std::sync::Arc;

use gosync_blocksources::{Location, SourceOptions, open_sources};
use gosync_chunks::{ByteRange, Limits, Sink, Source, SourceError, Transfer};
use url::Url;

use crate::error::Error;
use crate::open::{OpenedControl, packed_locations, source_locations, with_secrets_of};

/// The places that a control file names for its target: those that have it as it is, and those
/// that have it in a gzip file.
pub struct Places {
    /// What has the target as it is; or nothing, and says so.
    plain: Box<dyn Source>,
    /// Gzip files, which are all the same. Those that a control file names share one source, which
    /// finds one that answers, and goes on to the next when it is rejected.
    pub(crate) compressed: Vec<(Location, Arc<dyn Source>)>,
    plain_location: Option<Location>,
    usual: Location,
}

impl Places {
    /// Opens the places that a control file names. URLs are relative to `referer`, or else to
    /// where the control file was asked for, and to where it was found.
    ///
    /// Headers and credentials go to no other origin than that of the control file: who wrote
    /// it could have them sent anywhere.
    ///
    /// # Errors
    ///
    /// When there is no URL that can be used, or one makes no valid request.
    pub fn open(opened: &OpenedControl, referer: Option<&Url>, options: &SourceOptions) -> Result<Self, Error> {
        let bases = opened.bases(referer);
        let length = opened.control.signature.layout().length();
        let options = &with_secrets_of(&bases[0], options);
        let packed = packed_locations(opened, referer);
        let shared = (!packed.is_empty()).then(|| open_sources(&packed, None, options)).transpose();
        let shared: Option<Arc<dyn Source>> = shared.map_err(Error::source)?.map(Arc::from);
        let compressed = packed.into_iter().zip(shared.into_iter().cycle());
        let compressed: Vec<(Location, Arc<dyn Source>)> = compressed.collect();
        match (source_locations(opened, referer), compressed.first()) {
            (Ok(plain), _) => {
                let plain_at = plain[0].clone();
                let usual = compressed.first().map_or(&plain[0], |(location, _)| location).clone();
                let plain = open_sources(&plain, Some(length), options).map_err(Error::source)?;
                Ok(Self { plain, plain_location: Some(plain_at), compressed, usual })
            }
            // It need not be there as it is.
            (Err(Error::NoSource { location, reason }), Some((usual, _))) => {
                let (usual, plain) = (usual.clone(), Box::new(Nowhere { location, reason }));
                Ok(Self { plain, plain_location: None, compressed, usual })
            }
            (Err(error), _) => Err(error),
        }
    }

    /// A target that is in gzip files, each with its location, which are all the same, and at
    /// another place as it is, if it is that anywhere.
    ///
    /// # Panics
    ///
    /// When there are no gzip files.
    pub fn of(compressed: Vec<(Location, Box<dyn Source>)>, plain: Option<(Location, Box<dyn Source>)>) -> Self {
        let usual = compressed.first().expect("there is a gzip file").0.clone();
        let nowhere =
            || -> Box<dyn Source> { Box::new(Nowhere { location: usual.to_string(), reason: "there is none".into() }) };
        let (plain_location, plain) =
            plain.map_or_else(|| (None, nowhere()), |(location, plain)| (Some(location), plain));
        let compressed = compressed.into_iter().map(|(location, source)| (location, Arc::from(source))).collect();
        Self { plain, plain_location, compressed, usual }
    }

    /// What has the target as it is. Where that is nowhere, it has nothing, and says so.
    pub fn plain(&self) -> &dyn Source {
        &*self.plain
    }

    /// Where the target is as it is, if it is that anywhere.
    pub fn plain_location(&self) -> Option<&Location> {
        self.plain_location.as_ref()
    }

    /// Which place is asked first, if what has to be fetched does not tell otherwise.
    pub fn usual(&self) -> &Location {
        &self.usual
    }
}

/// A place that there is not.
struct Nowhere {
    location: String,
    reason: String,
}

impl Nowhere {
    fn refused(&self) -> SourceError {
        let reason = format!("it gives no URL of the target as it is: {}", self.reason);
        SourceError::Refused { location: self.location.clone(), reason }
    }
}

impl Source for Nowhere {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Err(self.refused())
    }

    fn fetch(&self, _: &[ByteRange], _: &dyn Sink) -> Result<Transfer, SourceError> {
        Err(self.refused())
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 1 << 20, bridged_gap: 0, parallelism: 1 }
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }
}
