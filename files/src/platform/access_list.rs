//! Access control lists as Linux keeps them (`linux/posix_acl_xattr.h`): four bytes of version,
//! then for each entry a tag, permissions, and a user or group, of two, two and four bytes.

const HEADER: usize = 4;
const ENTRY: usize = 8;

const NAMED_USER: u8 = 0x02;
const GROUP: u8 = 0x04;
const NAMED_GROUP: u8 = 0x08;
const MASK: u8 = 0x10;
const OTHER: u8 = 0x20;

/// An access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessList(Vec<u8>);

impl AccessList {
    /// A list in the version that is known here.
    pub(crate) fn new(bytes: Vec<u8>) -> Option<Self> {
        let is_one =
            bytes.len() > HEADER && (bytes.len() - HEADER).is_multiple_of(ENTRY) && bytes[..HEADER] == [2, 0, 0, 0];
        is_one.then_some(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The list for a file of another group: those of either group may do what both that group
    /// and everybody else could.
    pub(crate) fn for_other_group(&self) -> Self {
        let shared = self.group() & self.of(OTHER);
        self.limited(|tag| if matches!(tag, GROUP | OTHER) { shared } else { 7 })
    }

    /// The list of a new file in a directory with this list for new files, to which nobody has
    /// added that it can be run.
    pub(crate) fn of_new_file(&self) -> Self {
        let has_mask = self.entries().any(|(tag, _)| tag == MASK);
        self.limited(|tag| match tag {
            NAMED_USER | NAMED_GROUP => 7,
            GROUP if has_mask => 7,
            _ => 6,
        })
    }

    /// What a mode shows of it: the mask in the group's place, where there is one.
    pub(crate) fn as_mode(&self) -> u32 {
        let has_mask = self.entries().any(|(tag, _)| tag == MASK);
        u32::from(self.of(if has_mask { MASK } else { GROUP })) << 3 | u32::from(self.of(OTHER))
    }

    /// What the group and everybody else may do without the list, as in a mode: no more than
    /// whoever the list names could.
    pub(crate) fn without(&self) -> u32 {
        let named = self.entries().filter(|&(tag, _)| matches!(tag, NAMED_USER | NAMED_GROUP));
        let named = named.fold(7, |all, (_, may)| all & may & self.of(MASK));
        u32::from(self.group() & named) << 3 | u32::from(self.of(OTHER) & named)
    }

    fn group(&self) -> u8 {
        self.of(GROUP) & self.of(MASK)
    }

    /// What the entry with `tag` allows: all where there is none, as without a mask.
    fn of(&self, tag: u8) -> u8 {
        self.entries().find(|&(found, _)| found == tag).map_or(7, |(_, may)| may)
    }

    fn entries(&self) -> impl Iterator<Item = (u8, u8)> {
        self.0[HEADER..].chunks_exact(ENTRY).map(|entry| (entry[0], entry[2]))
    }

    fn limited(&self, most: impl Fn(u8) -> u8) -> Self {
        let mut bytes = self.0.clone();
        bytes[HEADER..].chunks_exact_mut(ENTRY).for_each(|entry| entry[2] &= most(entry[0]));
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u8 = 0x01;

    fn list(entries: &[(u8, u8)]) -> AccessList {
        let entries = entries.iter().flat_map(|&(tag, may)| [tag, 0, may, 0, 1, 0, 0, 0]);
        AccessList::new([2, 0, 0, 0].into_iter().chain(entries).collect()).unwrap()
    }

    #[test]
    fn nobody_gains_without_the_list() {
        for (entries, left) in [
            // The mask is in the mode where the group's own rights would be.
            (&[(OWNER, 6), (NAMED_USER, 6), (GROUP, 0), (MASK, 6), (OTHER, 0)][..], 0o00),
            (&[(OWNER, 6), (NAMED_USER, 6), (GROUP, 6), (MASK, 4), (OTHER, 4)], 0o44),
            // Somebody who is shut out stays outside.
            (&[(OWNER, 6), (NAMED_USER, 0), (GROUP, 6), (MASK, 6), (OTHER, 4)], 0o00),
            (&[(OWNER, 6), (NAMED_GROUP, 4), (GROUP, 6), (MASK, 7), (OTHER, 4)], 0o44),
            (&[(OWNER, 6), (GROUP, 5), (OTHER, 4)], 0o54),
        ] {
            assert_eq!(list(entries).without(), left, "{entries:?}");
        }
    }

    #[test]
    fn another_group_gains_nothing() {
        let of = |group, other| list(&[(OWNER, 7), (NAMED_USER, 7), (GROUP, group), (MASK, 6), (OTHER, other)]);
        assert_eq!(of(6, 4).for_other_group(), of(4, 4));
        assert_eq!(of(0, 4).for_other_group(), of(0, 0), "those who were shut out as a group");
    }

    #[test]
    fn new_files_cannot_be_run() {
        let full = list(&[(OWNER, 7), (NAMED_USER, 7), (GROUP, 7), (MASK, 7), (OTHER, 5)]);
        assert_eq!(full.of_new_file(), list(&[(OWNER, 6), (NAMED_USER, 7), (GROUP, 7), (MASK, 6), (OTHER, 4)]));
        assert_eq!(
            list(&[(OWNER, 7), (GROUP, 7), (OTHER, 7)]).of_new_file(),
            list(&[(OWNER, 6), (GROUP, 6), (OTHER, 6)])
        );
    }

    #[test]
    fn only_what_is_known() {
        for bytes in [&b""[..], &[2, 0, 0, 0], &[3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 1, 0, 6]] {
            assert_eq!(AccessList::new(bytes.to_vec()), None);
        }
    }
}
