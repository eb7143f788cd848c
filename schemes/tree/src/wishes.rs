//! What is asked for of owners and extended attributes, and what this user may set of it.

use std::cell::Cell;

use hashbrown::HashMap;

use crate::extra::{Extra, Unset};
use crate::listing::Listing;
use crate::listing::extras::{Owner, Xattrs};
use crate::platform;
use crate::scan::Scan;

/// What is wanted of a directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlanOptions {
    /// Removes what is not listed.
    pub(crate) delete: bool,
    pub(crate) owner: bool,
    pub(crate) xattrs: bool,
}

/// What a new listing says of owners and attributes, as far as that was asked for.
pub(crate) struct Wishes<'a> {
    new: &'a Listing,
    own: &'a Scan,
    /// What the owners in it are here; none, where they are of no interest.
    ids: Option<HashMap<&'a Owner, (u32, u32)>>,
    has_xattrs: bool,
    may_own: bool,
    /// Attributes that this user may not set.
    refused: Cell<bool>,
}

impl<'a> Wishes<'a> {
    pub(crate) fn of(new: &'a Listing, own: &'a Scan, options: &PlanOptions) -> Self {
        let owners = new.extras.owners.as_ref().filter(|_| options.owner);
        let ids = owners.map(|owners| owners.distinct().map(|owner| (owner, ids_of(owner))).collect());
        let has_xattrs = options.xattrs && new.extras.xattrs.is_some();
        Self { new, own, ids, has_xattrs, may_own: platform::may_own(), refused: Cell::new(false) }
    }

    /// What an entry is to have.
    pub(crate) fn of_entry(&self, at: usize) -> Extra {
        Extra { owner: self.owner(at).filter(|_| self.may_own), xattrs: self.xattrs(at) }
    }

    /// Whether what is here as the entry `old` has something else.
    pub(crate) fn differ(&self, at: usize, old: usize) -> bool {
        let owner = self.owner(at).filter(|_| self.may_own);
        let owner_here = || self.own.listing.owner(old).map(|owner| (owner.user.id, owner.group.id));
        (owner.is_some() && owner != owner_here())
            || self.xattrs(at).is_some_and(|wanted| wanted != self.own.listing.xattrs(old).unwrap_or_default())
    }

    /// How many entries will not have what they are to have, since this user may not set that.
    pub(crate) fn unset(&self) -> Unset {
        let mut unset = Unset::default();
        if self.may_own && !self.refused.get() {
            return unset;
        }
        for (at, entry) in self.new.entries.iter().enumerate() {
            let here = self.own.listing.find(&entry.path);
            let owner_here = here.and_then(|here| self.own.listing.owner(here));
            let owner_here = owner_here.map_or_else(platform::own_ids, |owner| (owner.user.id, owner.group.id));
            unset.owners += u64::from(!self.may_own && self.owner(at).is_some_and(|owner| owner != owner_here));
            let wanted = self.new.xattrs(at).filter(|_| self.has_xattrs).unwrap_or_default();
            unset.xattrs += u64::from(wanted.iter().any(|(name, _)| !platform::may_set_xattr(name)));
        }
        unset
    }

    fn owner(&self, at: usize) -> Option<(u32, u32)> {
        self.ids.as_ref()?.get(self.new.owner(at)?).copied()
    }

    fn xattrs(&self, at: usize) -> Option<Xattrs> {
        if !self.has_xattrs {
            return None;
        }
        let all = self.new.xattrs(at)?;
        let may: Xattrs = all.iter().filter(|(name, _)| platform::may_set_xattr(name)).cloned().collect();
        self.refused.set(self.refused.get() || may.len() < all.len());
        Some(may)
    }
}

/// What an owner is on this system: by name, or else by number.
fn ids_of(owner: &Owner) -> (u32, u32) {
    let by_name = |name: &str, find: fn(&str) -> Option<u32>| (!name.is_empty()).then(|| find(name)).flatten();
    (
        by_name(&owner.user.name, platform::user_id).unwrap_or(owner.user.id),
        by_name(&owner.group.name, platform::group_id).unwrap_or(owner.group.id),
    )
}
