//! The journal as bytes: the steps, and a checksum.

use crate::codec::{Input, put_bytes, put_number, put_signed};
use crate::extra::Extra;
use crate::listing::entry::{Attributes, Time};
use crate::listing::error::ListingError;
use crate::listing::path::{LONGEST_PATH, fault_of, shown};
use crate::root::{Stat, StatKind};
use crate::step::Step;

/// What a journal begins with, and its version.
const MAGIC: &[u8; 8] = b"GSTREEJ2";

const REMOVE: u8 = 0;
const CREATE: u8 = 1;
const PLACE: u8 = 2;
const SET: u8 = 3;
const TAKE: u8 = 4;

/// `steps` as they are written down.
pub(super) fn encode(steps: &[Step]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put_number(&mut bytes, steps.len() as u64);
    steps.iter().for_each(|step| put_step(&mut bytes, step));
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

fn put_step(bytes: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Remove { path, was } => {
            bytes.push(REMOVE);
            put_bytes(bytes, path);
            put_stat(bytes, Some(was));
        }
        Step::Create { path } => {
            bytes.push(CREATE);
            put_bytes(bytes, path);
        }
        Step::Place { number, path, was } => {
            bytes.push(PLACE);
            put_bytes(bytes, path);
            put_number(bytes, *number);
            put_stat(bytes, was.as_ref());
        }
        Step::Set { path, attributes, extra, was } => {
            bytes.push(SET);
            put_bytes(bytes, path);
            put_attributes(bytes, attributes);
            put_extra(bytes, extra);
            put_stat(bytes, was.as_ref());
        }
        Step::Take { number, path, attributes, was } => {
            bytes.push(TAKE);
            put_bytes(bytes, path);
            put_number(bytes, *number);
            put_attributes(bytes, attributes);
            put_stat(bytes, Some(was));
        }
    }
}

fn put_attributes(bytes: &mut Vec<u8>, attributes: &Attributes) {
    put_number(bytes, attributes.mode.into());
    put_time(bytes, attributes.modified);
}

fn put_extra(bytes: &mut Vec<u8>, extra: &Extra) {
    bytes.push(u8::from(extra.owner.is_some()) | u8::from(extra.xattrs.is_some()) << 1);
    for number in extra.owner.iter().flat_map(|&(user, group)| [user, group]) {
        put_number(bytes, number.into());
    }
    if let Some(xattrs) = &extra.xattrs {
        put_number(bytes, xattrs.len() as u64);
        for (name, value) in xattrs {
            put_bytes(bytes, name);
            put_bytes(bytes, value);
        }
    }
}

fn put_time(bytes: &mut Vec<u8>, time: Time) {
    put_signed(bytes, time.seconds);
    put_number(bytes, time.nanoseconds.into());
}

fn put_stat(bytes: &mut Vec<u8>, stat: Option<&Stat>) {
    let Some(stat) = stat else { return bytes.push(0) };
    bytes.push(match stat.kind {
        StatKind::File => 1,
        StatKind::Directory => 2,
        StatKind::Link | StatKind::Other => 3,
    });
    put_number(bytes, stat.length);
    put_time(bytes, stat.modified);
    put_number(bytes, stat.mode.into());
    for number in [stat.device, stat.inode, stat.names] {
        put_number(bytes, number);
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Step>, ListingError> {
    let bad = || ListingError::new("it is no journal");
    let (bytes, checksum) = bytes.split_last_chunk::<32>().ok_or_else(bad)?;
    if blake3::hash(bytes).as_bytes() != checksum {
        return Err(bad());
    }
    let mut input = Input(bytes.strip_prefix(MAGIC).ok_or_else(bad)?);
    let count = input.number()?;
    let mut steps = Vec::new();
    for _ in 0..count {
        let kind = input.byte()?;
        let path = input.bytes(LONGEST_PATH)?.to_vec();
        if !path.is_empty() && fault_of(&path).is_some() {
            return Err(ListingError::new(shown(&path)));
        }
        steps.push(match kind {
            REMOVE => Step::Remove { path, was: stat(&mut input)?.ok_or_else(bad)? },
            CREATE => Step::Create { path },
            PLACE => Step::Place { path, number: input.number()?, was: stat(&mut input)? },
            SET => Step::Set {
                path,
                attributes: attributes(&mut input)?,
                extra: extra(&mut input)?,
                was: stat(&mut input)?,
            },
            TAKE => Step::Take {
                path,
                number: input.number()?,
                attributes: attributes(&mut input)?,
                was: stat(&mut input)?.ok_or_else(bad)?,
            },
            _ => return Err(bad()),
        });
    }
    input.end()?;
    Ok(steps)
}

fn attributes(input: &mut Input<'_>) -> Result<Attributes, ListingError> {
    Ok(Attributes { mode: narrow(input)?, modified: time(input)? })
}

fn extra(input: &mut Input<'_>) -> Result<Extra, ListingError> {
    let flags = input.byte()?;
    let mut extra = Extra::default();
    if flags & 1 != 0 {
        extra.owner = Some((narrow(input)?, narrow(input)?));
    }
    if flags & 2 != 0 {
        let mut xattrs = Vec::new();
        for _ in 0..input.number()? {
            xattrs.push((input.bytes(usize::MAX)?.to_vec(), input.bytes(usize::MAX)?.to_vec()));
        }
        extra.xattrs = Some(xattrs);
    }
    Ok(extra)
}

fn narrow(input: &mut Input<'_>) -> Result<u32, ListingError> {
    u32::try_from(input.number()?).map_err(|_| ListingError::new("it is no journal"))
}

fn time(input: &mut Input<'_>) -> Result<Time, ListingError> {
    let seconds = input.signed()?;
    let nanoseconds = u32::try_from(input.number()?).map_err(|_| ListingError::new("it has no such time"))?;
    Ok(Time { seconds, nanoseconds })
}

fn stat(input: &mut Input<'_>) -> Result<Option<Stat>, ListingError> {
    let kind = match input.byte()? {
        0 => return Ok(None),
        1 => StatKind::File,
        2 => StatKind::Directory,
        _ => StatKind::Link,
    };
    let (length, modified) = (input.number()?, time(input)?);
    let mode = input.number()? as u32;
    let (device, inode, names) = (input.number()?, input.number()?, input.number()?);
    Ok(Some(Stat { kind, length, modified, mode, device, inode, names }))
}
