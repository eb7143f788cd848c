//! zip files (PKWARE's APPNOTE.TXT), by their central directory.
//!
//! Of a local header only its length is taken: what it says of sizes is often left to a
//! descriptor behind the member. Where the two tell different things, what is there is tried and
//! proves itself, or is left as it is.

use std::io;

use gosync_chunks::ByteRange;

use super::view::{Member, View, number};

/// The end of the central directory without its comment, and the longest comment.
const END: usize = 22;
const COMMENT: usize = 0xffff;
/// The end of the central directory of zip64, and what tells where that is.
const LOCATOR: u64 = 20;
const END64: usize = 56;
const ENTRY: usize = 46;
const LOCAL: usize = 30;
/// A bit of an entry's flags.
const IS_ENCRYPTED: u64 = 1;
/// How much of the directory is read at a time.
const BUFFER: usize = 1 << 16;

/// The members of a zip file; `None` where there is none here.
pub(super) fn members(view: &View<'_>, most: usize) -> io::Result<Option<Vec<Member>>> {
    let Some(directory) = directory(view)? else { return Ok(None) };
    let mut members = Vec::new();
    let mut entries = Entries { view, at: directory.start, end: directory.end, buffer: Vec::new() };
    while members.len() < most
        && let Some(entry) = entries.next()?
    {
        if let Some(member) = entry.member(view, directory.shift)? {
            members.push(member);
        }
    }
    // In the order in which they lie. Of those that overlap only the first is taken: bytes that
    // many share would be inflated as often.
    members.sort_unstable_by_key(|member| (member.range.start, member.range.end));
    let mut end = 0;
    members.retain(|member| {
        let is_apart = member.range.start >= end;
        end = if is_apart { member.range.end } else { end };
        is_apart
    });
    Ok(Some(members))
}

/// The central directory, from where to where, and what is to be added to its offsets: files
/// that unpack themselves have a program before the zip file.
struct Directory {
    start: u64,
    end: u64,
    shift: u64,
}

fn directory(view: &View<'_>) -> io::Result<Option<Directory>> {
    let mut tail = vec![0; view.len().min((END + COMMENT) as u64) as usize];
    view.read(view.len() - tail.len() as u64, &mut tail)?;
    let is_end = |at: &usize| {
        let end = &tail[*at..];
        end[..4] == *b"PK\x05\x06" && number::<2>(end, 20) as usize <= end.len() - END
    };
    let Some(at) = tail.len().checked_sub(END).and_then(|last| (0..=last).rev().find(is_end)) else { return Ok(None) };
    let (mut size, mut start) = (number::<4>(&tail, at + 12), number::<4>(&tail, at + 16));
    let mut end = view.len() - (tail.len() - at) as u64;
    if let Some((end64, size64, start64)) = end_of_zip64(view, end)? {
        (end, size, start) = (end64, size64, start64);
    }
    // It lies just before its end, whatever is before the zip file.
    let Some(really) = end.checked_sub(size) else { return Ok(None) };
    let Some(shift) = really.checked_sub(start) else { return Ok(None) };
    Ok(Some(Directory { start: really, end, shift }))
}

/// Where the end of zip64 is, which comes before the other, and the size and offset it tells.
fn end_of_zip64(view: &View<'_>, end: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(locator_at) = end.checked_sub(LOCATOR) else { return Ok(None) };
    let Some(locator) = view.bytes::<{ LOCATOR as usize }>(locator_at)? else { return Ok(None) };
    if locator[..4] != *b"PK\x06\x07" {
        return Ok(None);
    }
    // Where something is before the zip file, what the locator tells is too little.
    for at in [Some(number::<8>(&locator, 8)), locator_at.checked_sub(END64 as u64)].into_iter().flatten() {
        if let Some(end) = view.bytes::<END64>(at)?
            && end[..4] == *b"PK\x06\x06"
        {
            return Ok(Some((at, number::<8>(&end, 40), number::<8>(&end, 48))));
        }
    }
    Ok(None)
}

/// The entries of a directory.
struct Entries<'a> {
    view: &'a View<'a>,
    /// Where the next is.
    at: u64,
    end: u64,
    /// What was read from there on.
    buffer: Vec<u8>,
}

impl Entries<'_> {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        if !self.has(ENTRY)? || self.buffer[..4] != *b"PK\x01\x02" {
            return Ok(None);
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| number::<2>(&self.buffer, at) as usize);
        let len = ENTRY + name + extra + comment;
        if !self.has(len)? {
            return Ok(None);
        }
        let field = |at| number::<4>(&self.buffer, at);
        let mut entry = Entry {
            flags: number::<2>(&self.buffer, 8),
            method: number::<2>(&self.buffer, 10),
            packed: field(20),
            offset: field(42),
        };
        entry.take_zip64(&self.buffer[ENTRY + name..][..extra], field(24) == u64::from(u32::MAX));
        self.buffer.drain(..len);
        self.at += len as u64;
        Ok(Some(entry))
    }

    /// Whether there are `len` bytes, which are in the buffer then.
    fn has(&mut self, len: usize) -> io::Result<bool> {
        if self.buffer.len() < len {
            let count = (self.end - self.at).min((len + BUFFER) as u64) as usize;
            self.buffer.resize(count, 0);
            self.view.read(self.at, &mut self.buffer)?;
        }
        Ok(self.buffer.len() >= len)
    }
}

/// What the directory tells of a member.
struct Entry {
    flags: u64,
    method: u64,
    packed: u64,
    offset: u64,
}

impl Entry {
    /// Takes from the extra field of zip64 what has no room in four bytes. The plain length
    /// comes first there, if it `is_plain_too`.
    fn take_zip64(&mut self, mut extra: &[u8], is_plain_too: bool) {
        while extra.len() >= 4 {
            let (id, len) = (number::<2>(extra, 0), number::<2>(extra, 2) as usize);
            let Some(field) = extra.get(4..4 + len) else { return };
            if id == 1 {
                let mut numbers =
                    field.chunks_exact(8).map(|bytes| number::<8>(bytes, 0)).skip(usize::from(is_plain_too));
                for wide in [&mut self.packed, &mut self.offset] {
                    if *wide == u64::from(u32::MAX) {
                        *wide = numbers.next().unwrap_or(*wide);
                    }
                }
                return;
            }
            extra = &extra[4 + len..];
        }
    }

    /// Where the member is, if it is one that may be looked into.
    fn member(&self, view: &View<'_>, shift: u64) -> io::Result<Option<Member>> {
        let is_deflated = self.method == 8;
        if self.flags & IS_ENCRYPTED != 0 || self.packed == 0 || !is_deflated && self.method != 0 {
            return Ok(None);
        }
        let Some(at) = self.offset.checked_add(shift) else { return Ok(None) };
        let Some(local) = view.bytes::<LOCAL>(at)? else { return Ok(None) };
        if local[..4] != *b"PK\x03\x04" {
            return Ok(None);
        }
        let range = view.range(at + LOCAL as u64 + number::<2>(&local, 26) + number::<2>(&local, 28), self.packed);
        Ok(range.map(|range: ByteRange| Member { range, is_deflated }))
    }
}
