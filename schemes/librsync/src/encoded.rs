//! What of a delta is ready to be written.

use std::io::{self, ErrorKind, IoSlice, Write};

/// Literals from this length on are left where they lie: copying fewer bytes takes less than
/// telling the kernel where they are.
const LENT: usize = 4096;

/// Bytes of a delta, in order, some of which may lie elsewhere.
pub(crate) struct Encoded<'a> {
    own: &'a mut Vec<u8>,
    /// What is not copied, and before which of its own bytes it stands; `None` where
    /// everything is.
    lent: Option<Vec<(usize, &'a [u8])>>,
}

impl<'a> Encoded<'a> {
    /// Behind what is in `own` already. Long literals stay where they are until they are
    /// [written](Self::write_to).
    pub(crate) fn lending(own: &'a mut Vec<u8>) -> Self {
        Self { own, lent: Some(Vec::new()) }
    }

    /// All of it appended to `own`.
    pub(crate) fn copying(own: &'a mut Vec<u8>) -> Self {
        Self { own, lent: None }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.lent.iter().flatten().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    pub(crate) fn push(&mut self, byte: u8) {
        self.own.push(byte);
    }

    /// Appends a few bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    /// Appends bytes that stay for as long as this does.
    pub(crate) fn lend(&mut self, bytes: &'a [u8]) {
        match &mut self.lent {
            Some(lent) if bytes.len() >= LENT => lent.push((self.own.len(), bytes)),
            _ => self.own.extend_from_slice(bytes),
        }
    }

    /// Writes all of it.
    pub(crate) fn write_to(self, mut output: impl Write) -> io::Result<()> {
        let lent = self.lent.unwrap_or_default();
        let mut slices = Vec::with_capacity(2 * lent.len() + 1);
        let mut done = 0;
        for (before, bytes) in lent {
            slices.push(IoSlice::new(&self.own[done..before]));
            slices.push(IoSlice::new(bytes));
            done = before;
        }
        slices.push(IoSlice::new(&self.own[done..]));
        write_all(&mut output, &mut slices)
    }
}

/// `Write::write_all_vectored` is not stable (rust-lang/rust#70436).
fn write_all(output: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Nothing is written of what is empty, which is no failure.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match output.write_vectored(slices) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes up to so many bytes at a time, some of several slices, and is interrupted in
    /// between.
    struct Reluctant(Vec<u8>, usize, bool);

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(ErrorKind::Interrupted.into());
            }
            let before = self.0.len();
            for slice in slices {
                let left = self.1 - (self.0.len() - before);
                self.0.extend_from_slice(&slice[..slice.len().min(left)]);
            }
            Ok(self.0.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Appends bytes of all lengths that matter to both kinds.
    fn fill<'a>(data: &'a [u8], encoded: &mut Encoded<'a>) {
        for len in [0, 1, LENT - 1, LENT, LENT, LENT + 1, 3, 2 * LENT, 0] {
            encoded.extend(&data[..len % 7]);
            encoded.lend(&data[len..][..len]);
            encoded.push(len as u8);
        }
    }

    #[test]
    fn all_is_written_in_order() {
        let data: Vec<u8> = (0..5 * LENT).map(|at| (at.wrapping_mul(at) >> 5) as u8).collect();
        let mut expected = b"before".to_vec();
        fill(&data, &mut Encoded::copying(&mut expected));
        for most in [1, 5, 1000, LENT, LENT + 1, 1 << 20] {
            let mut own = b"before".to_vec();
            let mut encoded = Encoded::lending(&mut own);
            fill(&data, &mut encoded);
            assert_eq!(encoded.len(), expected.len());
            let mut output = Reluctant(Vec::new(), most, false);
            encoded.write_to(&mut output).unwrap();
            assert!(output.0 == expected, "{most} bytes at a time");
            assert!(own.len() < 3 * LENT, "long literals are not copied");
        }
    }

    #[test]
    fn what_takes_nothing_more_is_an_error() {
        let mut own = vec![1; 10];
        let error = Encoded::lending(&mut own).write_to([0; 9].as_mut_slice()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        Encoded::lending(&mut Vec::new()).write_to([].as_mut_slice()).unwrap();
    }
}
