//! Memory with a page before and behind it that nobody may touch.
//!
//! What reads or writes a single byte too far ends the process there and then, where
//! without the pages it would read what happens to lie there and mostly be right.

#![allow(unsafe_code, reason = "no safe code can make memory that must not be touched")]

use std::ffi::c_void;
use std::fmt;
use std::ptr::null_mut;
use std::slice;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Room for some items between two pages: touching those ends the process.
pub struct Guarded<T: Copy> {
    /// Where the page before the room begins.
    base: *mut c_void,
    /// Bytes of room, whole pages.
    room: usize,
    items: std::marker::PhantomData<T>,
}

impl<T: Copy> Guarded<T> {
    /// Room for at least `items` items.
    ///
    /// # Panics
    ///
    /// When there is no memory, or a page does not hold a whole number of items.
    pub fn new(items: usize) -> Self {
        let page = rustix::param::page_size();
        assert!(size_of::<T>() > 0 && page.is_multiple_of(size_of::<T>()), "pages of whole items");
        let room = (items * size_of::<T>()).next_multiple_of(page).max(page);
        let mapped = room + 2 * page;
        // SAFETY: a new mapping at an address that the kernel chooses touches no other memory.
        let base = unsafe { mmap_anonymous(null_mut(), mapped, ProtFlags::empty(), MapFlags::PRIVATE) }
            .expect("there is memory");
        let guarded = Self { base, room, items: std::marker::PhantomData };
        // SAFETY: the range lies within the mapping, which nobody else knows of yet.
        unsafe { mprotect(guarded.start().cast(), room, MprotectFlags::READ | MprotectFlags::WRITE) }
            .expect("own memory may be used");
        guarded
    }

    /// Puts `items` where nothing lies behind the last.
    ///
    /// # Panics
    ///
    /// When there is no room for them.
    pub fn at_end(&mut self, items: &[T]) -> &mut [T] {
        self.put(self.room / size_of::<T>() - items.len(), items)
    }

    /// Puts `items` where nothing lies before the first.
    ///
    /// # Panics
    ///
    /// When there is no room for them.
    pub fn at_start(&mut self, items: &[T]) -> &mut [T] {
        self.put(0, items)
    }

    fn put(&mut self, at: usize, items: &[T]) -> &mut [T] {
        assert!((at + items.len()) * size_of::<T>() <= self.room, "there is room");
        // SAFETY: the room is mapped, readable and writable, and `at` items and these lie
        // within it. It begins at a page's start, so items are aligned. All of the slice is
        // initialised by the copy, from elsewhere, and borrowed from `self`, which owns it.
        unsafe {
            let place = self.start().add(at);
            place.copy_from_nonoverlapping(items.as_ptr(), items.len());
            slice::from_raw_parts_mut(place, items.len())
        }
    }

    fn start(&self) -> *mut T {
        self.base.wrapping_byte_add(rustix::param::page_size()).cast()
    }
}

impl<T: Copy> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping of `new`, whole, and no borrow of it is left.
        let _ = unsafe { munmap(self.base, self.room + 2 * rustix::param::page_size()) };
    }
}

impl<T: Copy> fmt::Debug for Guarded<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guarded").field("room", &self.room).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    /// Which byte the process that is started below is to read.
    const TOUCH: &str = "GOSYNC_TESTKIT_TOUCH";

    #[test]
    fn holds_what_is_put_there() {
        let mut bytes = Guarded::new(5000);
        assert_eq!(bytes.at_end(b"12345"), b"12345");
        assert_eq!(bytes.at_start(&[7; 5000]), [7; 5000]);
        assert_eq!(bytes.at_end(b""), b"");
        let mut words = Guarded::new(3);
        words.at_end(&[1u32, 2, 3])[1] = 9;
        assert_eq!(words.at_end(&[4, 5]), [4, 5]);
    }

    /// Does nothing but for the test below.
    #[test]
    fn touch() {
        let Some(offset) = std::env::var(TOUCH).ok().and_then(|offset| offset.parse::<isize>().ok()) else { return };
        let mut bytes = Guarded::new(100);
        let start = if offset < 0 { bytes.at_start(b"0123456789") } else { bytes.at_end(b"0123456789") }.as_ptr();
        // SAFETY: none, where it is beyond the ten bytes: the process is to end here.
        let byte = unsafe { start.wrapping_offset(offset).read_volatile() };
        assert_eq!(byte, b'0' + offset as u8);
    }

    #[test]
    fn what_is_outside_ends_the_process() {
        for (offset, ends) in [(0, false), (9, false), (10, true), (-1, true)] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "guard::tests::touch", "--test-threads=1"]).env(TOUCH, offset.to_string());
            let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert_eq!((status.success(), status.signal().is_some()), (!ends, ends), "{offset}: {status}");
        }
    }
}
