//! The headers of S3's answers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| nightferry::s3::fuzzing::headers(text));
