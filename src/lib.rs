//! Nightferry carries queued objects between S3 buckets by night and keeps exact books on it.

pub mod cli;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod decide;
pub mod exit;
pub mod intake;
pub mod ledger;
pub mod model;
pub mod pool;
pub mod preflight;
pub mod recorder;
pub mod report;
pub mod run;
pub mod s3;
pub mod secret;
pub mod transfer;
