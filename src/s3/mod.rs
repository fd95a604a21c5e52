//! All that Nightferry knows of S3: signing and sending requests, reading
//! answers, and what a refusal means.
//!
//! Every request is signed and sent with one list of headers (`request`), when the
//! endpoint's pace allows it; every refusal passes through one table ([`cause`]).
//! Nothing here retries: that is a decision of `transfer`.
//! Callers wait; one thread of the [`HttpClient`] sends and receives for all of them
//! (`exchange`). For small objects nobody waits (`detached`).

mod answer;
mod archive;
mod bandwidth;
mod bucket;
pub mod cause;
mod checked;
mod condition;
mod copy;
mod counters;
mod detached;
mod download;
mod exchange;
#[cfg(fuzzing)]
pub mod fuzzing;
mod headers;
#[cfg(test)]
mod hostile;
mod http;
mod keyring;
mod list;
mod listing;
mod multipart;
mod object;
mod pace;
mod request;
mod signer;
mod stream;
mod tags;
mod xml;

pub use bandwidth::Bandwidth;
pub use bucket::{Bucket, BucketError, BucketSpec};
pub use cause::Operation;
pub use checked::Piece;
pub use condition::Condition;
pub use copy::{CopyHeaders, CopySource};
pub use detached::Leave;
pub use download::{ContentRange, Download, DownloadBody};
pub use headers::Head;
pub use http::{HttpClient, HttpClientError};
pub use keyring::{Issue, KeySupply, NotIssued};
pub use list::{ListPage, ListedObject};
pub use listing::Listing;
pub use multipart::{CompletedUpload, UploadedPart};
pub use object::{GetOptions, PutAnswer, Upload};
pub use request::Body;
pub use signer::Signer;
pub use tags::{TAGGING, tags_header};
