//! What follows the header of an index, or of a part of one.

use std::iter;

/// What follows a header.
pub(super) struct Body {
    /// The records of all layers but the finest.
    pub(super) coarser: Vec<Vec<u8>>,
    /// The records of the finest layer, which are nearly all of it.
    pub(super) finest: Vec<u8>,
    /// The tree and the sections.
    pub(super) rest: Vec<u8>,
}

impl Body {
    /// It all, behind `head`. The finest layer is moved where it is, so that it is not there twice.
    pub(super) fn behind(self, head: &[u8]) -> Vec<u8> {
        let Self { coarser, finest: mut bytes, rest } = self;
        let parts = || iter::once(head).chain(coarser.iter().map(Vec::as_slice));
        let (finest, before) = (bytes.len(), parts().map(<[u8]>::len).sum::<usize>());
        bytes.reserve_exact(before + rest.len());
        bytes.resize(before + finest, 0);
        bytes.copy_within(..finest, before);
        let mut to = &mut bytes[..before];
        for part in parts() {
            to.split_off_mut(..part.len()).expect("there is room for all parts").copy_from_slice(part);
        }
        bytes.extend(rest);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_comes_in_its_order() {
        let layer = |byte: u8, len: usize| vec![byte; len];
        for (coarser, finest, rest) in
            [(vec![], 5, 3), (vec![layer(1, 2), layer(2, 30)], 7, 0), (vec![layer(1, 1)], 0, 2)]
        {
            let body = Body { coarser: coarser.clone(), finest: layer(8, finest), rest: layer(9, rest) };
            let all = [b"head".to_vec(), coarser.concat(), layer(8, finest), layer(9, rest)].concat();
            assert_eq!(body.behind(b"head"), all);
        }
    }

    /// The finest layer's memory is what the whole ends up in: there are no two of it.
    #[test]
    fn takes_no_memory_for_a_second_one() {
        let finest = vec![1; 1 << 20];
        let bytes = Body { coarser: vec![vec![2; 1000]], finest, rest: vec![3; 10] }.behind(b"head");
        assert_eq!((bytes.len(), bytes.capacity()), ((1 << 20) + 1014, (1 << 20) + 1014));
    }
}
