//! What a listing says of owners and extended attributes, where that was asked for.

use std::collections::BTreeMap;

use super::error::ListingError;
use super::path::shown;
use crate::codec::{Input, put_bytes, put_number};

/// Extended attributes by name: names and values.
pub type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// A user or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The number where the tree was published.
    pub id: u32,
    /// The name there; empty where there was none.
    pub name: String,
}

/// Whose something is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The user.
    pub user: Principal,
    /// The group.
    pub group: Principal,
}

/// What is said of all entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) owners: Option<Owners>,
    /// By the number of the entry; what has none is not there.
    pub(crate) xattrs: Option<BTreeMap<usize, Xattrs>>,
}

/// The owner of each entry, in runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    /// From which entry on, and whose.
    runs: Vec<(usize, Owner)>,
    count: usize,
}

impl Owners {
    /// Adds the owner of the next entry; one more name of a file has that of the entry before it.
    pub(crate) fn push(&mut self, owner: Option<Owner>) {
        if let Some(owner) = owner.filter(|owner| self.runs.last().is_none_or(|(_, last)| last != owner)) {
            self.runs.push((self.count, owner));
        }
        self.count += 1;
    }

    /// All of them; some may come again.
    pub(crate) fn distinct(&self) -> impl Iterator<Item = &Owner> {
        self.runs.iter().map(|(_, owner)| owner)
    }

    /// Of an entry.
    pub(crate) fn of(&self, entry: usize) -> Option<&Owner> {
        let next = self.runs.partition_point(|(start, _)| *start <= entry);
        self.runs.get(next.checked_sub(1)?).map(|(_, owner)| owner)
    }
}

const OWNERS: u8 = 1;
const XATTRS: u8 = 2;

/// Bytes of the name of a user, a group or an attribute, at most.
const LONGEST_NAME: usize = 255;

/// Bytes of the value of an attribute, at most: what Linux allows.
const LONGEST_VALUE: usize = 1 << 16;

impl Extras {
    /// Appends them, where there are any.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let has = |is_there: bool, flag| if is_there { flag } else { 0 };
        match has(self.owners.is_some(), OWNERS) | has(self.xattrs.is_some(), XATTRS) {
            0 => return,
            flags => out.push(flags),
        }
        if let Some(Owners { runs, count }) = &self.owners {
            let ends = runs.iter().skip(1).map(|(start, _)| *start).chain([*count]);
            for ((start, owner), end) in runs.iter().zip(ends) {
                put_number(out, (end - start) as u64);
                for Principal { id, name } in [&owner.user, &owner.group] {
                    put_number(out, (*id).into());
                    put_bytes(out, name.as_bytes());
                }
            }
        }
        if let Some(xattrs) = &self.xattrs {
            put_number(out, xattrs.len() as u64);
            let mut before = 0;
            for (&entry, xattrs) in xattrs {
                put_number(out, (entry - before) as u64);
                before = entry;
                put_number(out, xattrs.len() as u64);
                for (name, value) in xattrs {
                    put_bytes(out, name);
                    put_bytes(out, value);
                }
            }
        }
    }

    /// Reads what is left of a listing that has `count` entries.
    pub(super) fn read(input: &mut Input<'_>, count: usize) -> Result<Self, ListingError> {
        let mut extras = Self::default();
        if input.0.is_empty() {
            return Ok(extras);
        }
        let flags = input.byte()?;
        if !(1..=OWNERS | XATTRS).contains(&flags) {
            return Err(ListingError::new("something follows its end"));
        }
        if flags & OWNERS != 0 {
            extras.owners = Some(owners(input, count)?);
        }
        if flags & XATTRS != 0 {
            extras.xattrs = Some(xattrs(input, count)?);
        }
        Ok(extras)
    }
}

fn owners(input: &mut Input<'_>, count: usize) -> Result<Owners, ListingError> {
    let mut owners = Owners::default();
    while owners.count < count {
        let run = usize::try_from(input.number()?).unwrap_or(usize::MAX);
        if run == 0 || run > count - owners.count {
            return Err(ListingError::new("it has owners of other entries than it lists"));
        }
        let owner = Owner { user: principal(input)?, group: principal(input)? };
        if owners.runs.last().is_some_and(|(_, last)| *last == owner) {
            return Err(ListingError::new("it tells an owner twice"));
        }
        owners.runs.push((owners.count, owner));
        owners.count += run;
    }
    Ok(owners)
}

fn principal(input: &mut Input<'_>) -> Result<Principal, ListingError> {
    let id = u32::try_from(input.number()?).map_err(|_| ListingError::new("it has no such user or group"))?;
    let name = std::str::from_utf8(input.bytes(LONGEST_NAME)?).unwrap_or("\0");
    if name.contains(|c: char| c.is_control() || c == ':') {
        return Err(ListingError::new("a user or group has a name that is none"));
    }
    Ok(Principal { id, name: name.to_owned() })
}

fn xattrs(input: &mut Input<'_>, count: usize) -> Result<BTreeMap<usize, Xattrs>, ListingError> {
    let mut all = BTreeMap::new();
    let mut before = 0usize;
    for number in 0..input.number()? {
        let more = usize::try_from(input.number()?).unwrap_or(usize::MAX);
        let entry = before.checked_add(more).filter(|&entry| entry < count && (more > 0 || number == 0));
        let entry = entry.ok_or(ListingError::new("it has attributes of entries that it does not list"))?;
        before = entry;
        let mut attributes: Xattrs = Vec::new();
        for _ in 0..input.number()? {
            let (name, value) = (input.bytes(LONGEST_NAME)?, input.bytes(LONGEST_VALUE)?);
            let follows = attributes.last().is_none_or(|(before, _)| before.as_slice() < name);
            if name.is_empty() || name.contains(&0) || !follows {
                return Err(ListingError::new(format!("{}: no such attribute can be", shown(name))));
            }
            attributes.push((name.to_vec(), value.to_vec()));
        }
        if attributes.is_empty() {
            return Err(ListingError::new("it has attributes that are none"));
        }
        all.insert(entry, attributes);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(id: u32, name: &str) -> Owner {
        let principal = |id| Principal { id, name: name.to_owned() };
        Owner { user: principal(id), group: principal(id + 1) }
    }

    fn read(bytes: &[u8], count: usize) -> Result<Extras, ListingError> {
        let mut input = Input(bytes);
        let extras = Extras::read(&mut input, count)?;
        input.end().map(|()| extras)
    }

    #[test]
    fn come_back_and_have_one_form() {
        let mut owners = Owners::default();
        for next in [Some(owner(0, "root")), None, Some(owner(0, "root")), Some(owner(7, "")), Some(owner(0, "root"))] {
            owners.push(next);
        }
        assert_eq!((owners.runs.len(), owners.of(1), owners.of(3)), (3, Some(&owner(0, "root")), Some(&owner(7, ""))));
        let attribute = |name: &str| (name.as_bytes().to_vec(), vec![0, 1]);
        let xattrs = BTreeMap::from([(0, vec![attribute("user.a"), attribute("user.b")]), (4, vec![attribute("x")])]);
        let extras = Extras { owners: Some(owners), xattrs: Some(xattrs) };
        let mut bytes = Vec::new();
        extras.encode(&mut bytes);
        assert_eq!(read(&bytes, 5).as_ref(), Ok(&extras));
        for len in 1..bytes.len() {
            assert!(read(&bytes[..len], 5).is_err(), "{len}");
        }
        assert!(read(&bytes, 4).is_err() && read(&bytes, 6).is_err());
        assert_eq!(read(&[], 5), Ok(Extras::default()));
        let mut nothing = Vec::new();
        Extras::default().encode(&mut nothing);
        assert!(nothing.is_empty());
    }

    #[test]
    fn hostile_ones_are_refused() {
        // No flags, others; an owner twice, of nothing, with a name that is none.
        let cases: [&[u8]; 10] = [
            &[0],
            &[4],
            &[1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0],
            &[1, 2, 0, 1, b':', 0, 0],
            &[1, 2, 0, 1, 0xff, 0, 0],
            &[1, 2, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0],
            // Attributes of no entry, without a name, none at all.
            &[2, 1, 2, 1, 1, b'a', 0],
            &[2, 1, 0, 1, 0, 0],
            &[2, 1, 0, 0],
        ];
        for bytes in cases {
            assert!(read(bytes, 2).is_err(), "{bytes:?}");
        }
        assert!(read(&[2, 2, 0, 1, 1, b'a', 0, 0, 1, 1, b'a', 0], 2).is_err(), "an entry twice");
        assert!(read(&[2, 1, 0, 2, 1, b'b', 0, 1, b'a', 0], 2).is_err(), "not in order");
    }
}
