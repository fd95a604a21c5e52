//! The night.

mod conveyor;
mod deliver;
mod in_parts;
mod lock;
mod names;
mod progress;
mod stop;
mod voyage;

pub use lock::{LockError, TaskLock};
pub use names::Names;
pub use stop::{Stop, StopSignal};
