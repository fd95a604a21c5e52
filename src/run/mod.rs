//! The night.

mod lock;
mod names;
mod stop;

pub use lock::{LockError, TaskLock};
pub use names::Names;
pub use stop::{Stop, StopSignal};
