//! The embedded S3 server alone, to try things against and to measure with.
//!
//! `cargo run --release --example embedded-s3 -- 127.0.0.1:9000 BUCKET… [BUCKET/NAME=BYTES…]`
//! makes the buckets and objects of random bytes, says where it is, and stays
//! up until Ctrl-C. The log of requests is off, so that it can run for long.

#[path = "../tests/s3_server/mod.rs"]
mod s3_server;

use std::error::Error;
use std::io::Write;

use s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .ok_or("give an address, such as 127.0.0.1:9000")?;
    let server = S3Server::builder()
        .address(&address)
        .log_requests(false)
        .start();
    for (argument, seed) in arguments.zip(1..) {
        match argument.split_once('=') {
            None => server.create_bucket(&argument),
            Some((object, bytes)) => {
                let (bucket, name) = object
                    .split_once('/')
                    .ok_or("an object is BUCKET/NAME=BYTES")?;
                server.put_random(bucket, name, bytes.parse()?, seed);
            }
        }
    }
    writeln!(
        std::io::stdout(),
        "{} with access_key_id = \"{ACCESS_KEY}\" and secret_access_key = \"{SECRET_KEY}\"",
        server.endpoint()
    )?;
    loop {
        std::thread::park();
    }
}
