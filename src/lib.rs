//! Nightferry carries queued objects between S3 buckets by night and keeps exact books on it.

pub mod clock;
pub mod decide;
pub mod exit;
pub mod ledger;
pub mod model;
pub mod secret;
