//! What Nightferry itself spends on a request, without a server: signing it,
//! reading the headers of its answer, reading a page of a listing.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::hint::black_box;
use std::iter;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nightferry::model::Timestamp;
use nightferry::s3::{Head, ListPage, Signer};
use nightferry::secret::Secret;
use reqwest::header::{HeaderMap, HeaderValue};
use rusty_s3::{Bucket, Method, UrlStyle};

const NAME: &str = "photos/2026/07/img-0000007.jpg";
const MD5: &str = "\"9a0364b9e99bb480dd25e1f0284c8555\"";

fn sign(criterion: &mut Criterion) {
    let endpoint = "https://s3.example.com".parse().unwrap();
    let bucket = Bucket::new(endpoint, UrlStyle::Path, "photos", "us-east-1").unwrap();
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into());
    let signer = Signer::new("AKIDEXAMPLE".into(), secret, None, "us-east-1".into());
    let at = Timestamp::from_ms(1_795_000_000_000);
    criterion.bench_function("sign a GET", |bencher| {
        bencher.iter(|| {
            let url = bucket.object_url(black_box(NAME));
            signer.sign(at, Method::Get, url, &[], iter::once(("if-match", MD5)))
        });
    });
}

fn read_headers(criterion: &mut Criterion) {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("accept-ranges", "bytes"),
        ("content-length", "8192"),
        ("content-type", "image/jpeg"),
        ("date", "Sun, 22 Nov 2026 07:53:01 GMT"),
        ("etag", MD5),
        ("last-modified", "Wed, 12 Oct 2022 17:50:00 GMT"),
        ("server", "AmazonS3"),
        (
            "x-amz-id-2",
            "eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7",
        ),
        ("x-amz-meta-mtime", "1234567890.123"),
        ("x-amz-request-id", "318BC8BC148832E5"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    criterion.bench_function("read the headers of a GET", |bencher| {
        bencher.iter(|| Head::read(black_box(&headers), 8192));
    });
}

fn read_page(criterion: &mut Criterion) {
    let keys = 1000;
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>photos</Name>\
         <Prefix></Prefix><KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>\
         <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
         <NextContinuationToken>1/abc=</NextContinuationToken>",
    );
    for key in 0..keys {
        write!(
            xml,
            "<Contents><Key>photos/2026/07/img-{key:07}.jpg</Key>\
             <LastModified>2026-11-22T07:53:01.987Z</LastModified>\
             <ETag>&quot;9a0364b9e99bb480dd25e1f0284c8555&quot;</ETag><Size>8192</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        )
        .unwrap();
    }
    xml.push_str("</ListBucketResult>");
    assert_eq!(
        ListPage::parse(&xml).map(|page| page.objects.len()),
        Ok(keys)
    );
    let mut group = criterion.benchmark_group("listing");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("read a page of 1,000 names", |bencher| {
        bencher.iter(|| ListPage::parse(black_box(&xml)));
    });
    group.finish();
}

criterion_group!(benches, sign, read_headers, read_page);
criterion_main!(benches);
