use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// A global allocator for a machine with one thread: it hands out `BYTES` bytes once and takes none back.
///
/// Only the latest allocation can grow in place. Use it by [`heap!`](crate::heap!).
#[repr(C, align(16))]
pub struct Heap<const BYTES: usize> {
    memory: UnsafeCell<[u8; BYTES]>,
    used: Cell<usize>,
}

// SAFETY: the machine has one thread and no interrupts. `heap!` makes no static of this type on any other target.
unsafe impl<const BYTES: usize> Sync for Heap<BYTES> {}

impl<const BYTES: usize> Heap<BYTES> {
    /// Makes an empty heap.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it is the initial value of a static"
    )]
    pub const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; BYTES]),
            used: Cell::new(0),
        }
    }

    /// The number of bytes handed out, padding included.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used.get()
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Claims the bytes from `offset` on, if there are so many.
    fn claim(&self, offset: usize, len: usize) -> *mut u8 {
        match offset.checked_add(len) {
            Some(end) if end <= BYTES => {
                self.used.set(end);
                self.start().wrapping_add(offset)
            }
            _ => ptr::null_mut(),
        }
    }
}

impl<const BYTES: usize> core::fmt::Debug for Heap<BYTES> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Heap")
            .field("bytes", &BYTES)
            .field("used_bytes", &self.used_bytes())
            .finish()
    }
}

// SAFETY: no two allocations overlap, since `used` only grows, and each is aligned and within the memory.
unsafe impl<const BYTES: usize> GlobalAlloc for Heap<BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let next = self.start() as usize + self.used.get();
        let padding = next.wrapping_neg() & (layout.align() - 1);
        match self.used.get().checked_add(padding) {
            Some(offset) => self.claim(offset, layout.size()),
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise. The memory starts as zeros and is handed out once.
        unsafe { self.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let offset = old as usize - self.start() as usize;
        if offset + layout.size() == self.used.get() {
            return self.claim(offset, new_size.max(layout.size()));
        }
        if new_size <= layout.size() {
            return old;
        }
        // SAFETY: the caller promises that the size fits the alignment, and that `old` has `layout.size()` bytes.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(old, new, layout.size());
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("align is a power of two and size is small")
    }

    #[test]
    fn allocations_are_aligned_and_apart() {
        let heap = Heap::<64>::new();
        // SAFETY: no layout is empty.
        let (a, b) = unsafe { (heap.alloc(layout(3, 1)), heap.alloc(layout(8, 8))) };
        assert_eq!(b as usize % 8, 0);
        assert!(b as usize >= a as usize + 3);
        assert_eq!(heap.used_bytes(), 16);
    }

    #[test]
    fn a_full_heap_gives_null_and_stays_usable() {
        let heap = Heap::<64>::new();
        // SAFETY: no layout is empty.
        unsafe {
            assert!(heap.alloc(layout(65, 1)).is_null());
            assert!(!heap.alloc(layout(64, 1)).is_null());
            assert!(heap.alloc(layout(1, 1)).is_null());
        }
    }

    #[test]
    fn the_latest_allocation_grows_in_place_and_others_move() {
        let heap = Heap::<64>::new();
        // SAFETY: the layouts are those of the allocations, none of which is empty or null.
        unsafe {
            let a = heap.alloc(layout(4, 4));
            a.write_bytes(7, 4);
            assert_eq!(heap.realloc(a, layout(4, 4), 8), a);
            let b = heap.alloc(layout(4, 4));
            let moved = heap.realloc(a, layout(8, 4), 12);
            assert!(moved > b);
            assert_eq!(moved.cast::<[u8; 4]>().read(), [7; 4]);
        }
    }
}
