//! Integration tests: the library, and the program, against an S3 server within the process.

mod night;
#[path = "../s3_server/mod.rs"]
mod s3_server;
mod s3_server_behaviour;
mod serve;
#[path = "../smtp_server/mod.rs"]
mod smtp_server;
mod transfer;
mod trouble;
