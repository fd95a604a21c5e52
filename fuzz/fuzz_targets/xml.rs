//! S3's answers in XML: listings, errors, multipart uploads.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| nightferry::s3::fuzzing::xml(body));
