//! Integration tests.
#[path = "../s3_server/mod.rs"]
mod s3_server;
mod s3_server_behaviour;
