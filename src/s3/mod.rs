//! All that Nightferry knows of S3.

pub mod cause;

pub use cause::{Operation, Side};
