//! Large buffers that are used again.
//!
//! The allocator keeps what threads free in arenas of their own; with many
//! threads and buffers of megabytes that is several times what is in use. So
//! large buffers are lent and come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers below this size are left to the allocator.
const LARGE_BYTES: usize = 1024 * 1024;

/// Lends buffers. Clones lend from one stock.
#[derive(Debug, Clone)]
pub struct Buffers {
    stock: Arc<Mutex<Stock>>,
    most_bytes: usize,
}

/// Large buffers that are not lent, and the bytes of those and of lent ones.
#[derive(Debug, Default)]
struct Stock {
    idle: Vec<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// Keeps idle buffers only as far as all large ones together, the lent ones
    /// included, stay within `most_bytes`.
    #[must_use]
    pub fn new(most_bytes: u64) -> Self {
        Self {
            stock: Arc::default(),
            most_bytes: usize::try_from(most_bytes).unwrap_or(usize::MAX),
        }
    }

    /// A buffer of `size` bytes; what is in it is of no meaning.
    pub(super) fn lend(&self, size: usize) -> Buffer {
        if size < LARGE_BYTES {
            return Buffer {
                bytes: vec![0; size],
                home: None,
            };
        }
        let again = self.stock().take(size, self.most_bytes);
        let bytes = match again {
            Some(mut bytes) => {
                bytes.resize(size, 0);
                bytes
            }
            None => vec![0; size],
        };
        Buffer {
            bytes,
            home: Some(self.clone()),
        }
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    /// An idle buffer that fits and is not far too large; `None` if a new one is
    /// to be made, for which room is made among the idle.
    fn take(&mut self, size: usize, most_bytes: usize) -> Option<Vec<u8>> {
        let fits = |bytes: &Vec<u8>| (size..=2 * size).contains(&bytes.capacity());
        if let Some(place) = self.idle.iter().position(fits) {
            return Some(self.idle.swap_remove(place));
        }
        while self.bytes + size > most_bytes {
            let Some(dropped) = self.idle.pop() else {
                break;
            };
            self.bytes -= dropped.capacity();
        }
        self.bytes += size;
        None
    }
}

/// A lent buffer; it goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Option<Buffers>,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            home.stock().idle.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn idle(buffers: &Buffers) -> Vec<usize> {
        buffers.stock().idle.iter().map(Vec::capacity).collect()
    }

    #[test]
    fn a_large_buffer_comes_back_and_is_lent_again() {
        let buffers = Buffers::new(16 * MIB as u64);
        let first = buffers.lend(8 * MIB);
        assert_eq!(first.as_ref().len(), 8 * MIB);
        let place = first.as_ref().as_ptr();
        drop(first);
        assert_eq!(idle(&buffers), [8 * MIB]);
        let second = buffers.lend(5 * MIB);
        assert_eq!(
            (second.as_ref().len(), second.as_ref().as_ptr()),
            (5 * MIB, place)
        );
        assert!(idle(&buffers).is_empty());
    }

    #[test]
    fn idle_buffers_make_room_for_new_ones() {
        let buffers = Buffers::new(10 * MIB as u64);
        drop(buffers.lend(8 * MIB));
        let small = buffers.lend(2 * MIB);
        assert_eq!(idle(&buffers), [8 * MIB], "both fit");
        let more = buffers.lend(2 * MIB);
        assert!(idle(&buffers).is_empty(), "the idle one had to go");
        drop((small, more));
        assert_eq!(idle(&buffers), [2 * MIB, 2 * MIB]);
        assert_eq!(buffers.stock().bytes, 4 * MIB);
    }

    #[test]
    fn small_buffers_are_not_kept() {
        let buffers = Buffers::new(16 * MIB as u64);
        drop(buffers.lend(1000));
        assert!(idle(&buffers).is_empty());
    }
}
