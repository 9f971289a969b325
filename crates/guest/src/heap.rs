use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

/// A global allocator for a machine with one thread: it hands out the memory from the end of the
/// image to the end of the address space once, and takes none back.
///
/// Only the latest allocation can grow in place. Use it by [`heap!`](crate::heap!).
pub struct Heap {
    start: *mut u8,
    /// The address at which it ends.
    end: usize,
    /// Bytes handed out.
    used: Cell<usize>,
}

// SAFETY: the machine has one thread and no interrupts. `heap!` makes no static of this type on any
// other target.
unsafe impl Sync for Heap {}

impl Heap {
    /// Makes an empty heap from `start` to the address `end`, which has no room if that is not
    /// behind `start`. All its bytes must be zero, and used by nothing else.
    #[must_use]
    pub const fn new(start: *mut u8, end: usize) -> Self {
        Self {
            start,
            end,
            used: Cell::new(0),
        }
    }

    /// The number of bytes handed out, padding included.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used.get()
    }

    /// The number of bytes that it has.
    fn bytes(&self) -> usize {
        self.end.saturating_sub(self.start as usize)
    }

    /// Claims the bytes from `offset` on, if there are so many.
    fn claim(&self, offset: usize, len: usize) -> *mut u8 {
        match offset.checked_add(len) {
            Some(end) if end <= self.bytes() => {
                self.used.set(end);
                self.start.wrapping_add(offset)
            }
            _ => ptr::null_mut(),
        }
    }
}

impl core::fmt::Debug for Heap {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Heap")
            .field("bytes", &self.bytes())
            .field("used_bytes", &self.used_bytes())
            .finish()
    }
}

// SAFETY: no two allocations overlap, since `used` only grows, and each is aligned and within the
// memory.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let next = self.start as usize + self.used.get();
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
        let offset = old as usize - self.start as usize;
        if offset + layout.size() == self.used.get() {
            return self.claim(offset, new_size.max(layout.size()));
        }
        if new_size <= layout.size() {
            return old;
        }
        // SAFETY: the caller promises that the size fits the alignment, and that `old` has
        // `layout.size()` bytes.
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

    /// Memory for a heap of 64 bytes, with as many behind it.
    #[repr(align(16))]
    struct Memory([u8; 128]);

    impl Memory {
        const fn new() -> Self {
            Self([0; 128])
        }

        fn heap(&mut self) -> Heap {
            let start = self.0.as_mut_ptr();
            Heap::new(start, start as usize + 64)
        }
    }

    #[test]
    fn allocations_are_aligned_and_apart() {
        let mut memory = Memory::new();
        let heap = memory.heap();
        // SAFETY: no layout is empty.
        let (a, b) = unsafe { (heap.alloc(layout(3, 1)), heap.alloc(layout(8, 8))) };
        assert_eq!(b as usize % 8, 0);
        assert!(b as usize >= a as usize + 3);
        assert_eq!(heap.used_bytes(), 16);
    }

    #[test]
    fn a_full_heap_gives_null_and_stays_usable() {
        let mut memory = Memory::new();
        let heap = memory.heap();
        // SAFETY: no layout is empty.
        unsafe {
            assert!(heap.alloc(layout(65, 1)).is_null());
            assert!(!heap.alloc(layout(64, 1)).is_null());
            assert!(heap.alloc(layout(1, 1)).is_null());
        }
    }

    #[test]
    fn an_image_beyond_the_end_leaves_no_heap() {
        let mut memory = Memory::new();
        let start = memory.0.as_mut_ptr();
        for end in [0, start as usize - 1, start as usize] {
            let heap = Heap::new(start, end);
            // SAFETY: the layout is not empty.
            assert!(unsafe { heap.alloc(layout(1, 1)) }.is_null());
            assert_eq!(heap.used_bytes(), 0);
        }
    }

    #[test]
    fn sizes_that_wrap_around_are_refused() {
        let mut memory = Memory::new();
        let heap = memory.heap();
        // SAFETY: no layout is empty.
        unsafe {
            assert!(!heap.alloc(layout(16, 1)).is_null());
            let huge = (isize::MAX as usize) & !15; // cast ok: positive
            assert!(heap.alloc(layout(huge, 16)).is_null());
            assert!(heap.alloc(layout(1, 1 << 62)).is_null());
        }
        assert_eq!(heap.used_bytes(), 16);
    }

    #[test]
    fn the_latest_allocation_grows_in_place_and_others_move() {
        let mut memory = Memory::new();
        let heap = memory.heap();
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
