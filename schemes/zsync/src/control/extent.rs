//! How long a control file is, which its header tells.

use gosync_update::Extent;

use super::error::ControlError;
use super::fields::Control;
use super::read::UNFINISHED;

/// At least as many bytes are asked for where a line does not end.
const LEAST: u64 = 16 << 10;

impl Control {
    /// How long a control file is that begins with `start`, or how much more of it may tell that.
    ///
    /// # Errors
    ///
    /// When it is the beginning of no sound control file.
    pub fn extent(start: &[u8]) -> Result<Extent, ControlError> {
        let len = start.len() as u64;
        match Self::read(start) {
            Ok(_) | Err(ControlError::Trailing { .. }) => Ok(Extent::Whole(len)),
            Err(ControlError::Truncated { needed, .. }) => Ok(Extent::Head(needed)),
            Err(ControlError::Line { what: UNFINISHED, .. }) => Ok(Extent::Head(LEAST.max(2 * len))),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BlockMap;
    use crate::make::{MakeOptions, make};

    #[test]
    fn any_beginning_leads_to_the_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("target");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let mut control = make(&path, &MakeOptions::default(), &()).unwrap();
        control.urls = (0..300).map(|at| format!("http://host/{at:0>100}")).collect();
        let bytes = control.write().unwrap();
        for first in [200, 1000, 20_000, bytes.len() - 1, bytes.len()] {
            let mut len = first;
            let mut steps = 0;
            while let Extent::Head(next) = Control::extent(&bytes[..len]).unwrap() {
                assert!(next > len as u64, "{len}");
                len = bytes.len().min(next as usize);
                steps += 1;
            }
            assert_eq!(len, bytes.len(), "{first}");
            assert!(steps < 5, "{first}: {steps}");
        }
        assert!(matches!(Control::extent(b"<!doctype html>\n"), Err(ControlError::NotAControlFile)));
        let mut endless = bytes[..100].to_vec();
        endless.resize(20_000, b'x');
        assert!(matches!(Control::extent(&endless), Err(ControlError::Line { .. })));
    }

    #[test]
    fn behind_a_long_map_the_header_goes_on() {
        let mut start = b"zsync: 0.6.2\nZ-Map2: 5000\n".to_vec();
        let end = start.len() + 5000 * BlockMap::ENTRY_LEN;
        start.resize(end - 7000, 0);
        assert!(matches!(Control::extent(&start), Ok(Extent::Head(len)) if len == end as u64));
        for more in [0, 10] {
            start.resize(end + more, b'x');
            assert!(matches!(Control::extent(&start), Ok(Extent::Head(len)) if len > start.len() as u64));
        }
    }
}
