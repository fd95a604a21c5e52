//! Proves that the S3 server of the tests behaves as AWS S3 does.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what fails here fails the test"
)]

mod client;
mod faults;
mod listings;
mod multipart;
mod objects;
mod refusals;
