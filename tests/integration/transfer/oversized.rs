//! Answers that are larger than they should be, or never end, are cut off.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::model::{CarriedHeaders, Failure, FailureCause, Side};
use nightferry::s3::{
    Body, Bucket, BucketSpec, Condition, GetOptions, HttpClient, KeySupply, Listing, Upload,
    UploadedPart,
};
use nightferry::secret::{AccessKeys, Secret};

const MIB: u64 = 1024 * 1024;

/// What buffers on both sides of the connection may hold besides what is read.
const SLACK: u64 = 16 * MIB;

/// What is sent, piece by piece, until the other end has enough.
type Pieces = Box<dyn Iterator<Item = Vec<u8>>>;

/// Answers each request with what `answer` makes of its number, and counts what
/// the other end took of it.
struct Babbler {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Babbler {
    fn start(answer: impl Fn(u64) -> Pieces + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let babbler = Self {
            address: listener.local_addr().unwrap(),
            sent: Arc::default(),
            asked: Arc::default(),
        };
        let (sent, asked) = (Arc::clone(&babbler.sent), Arc::clone(&babbler.asked));
        let answer = Arc::new(answer);
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (sent, asked) = (Arc::clone(&sent), Arc::clone(&asked));
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(&client.unwrap(), &*answer, &sent, &asked));
            }
        });
        babbler
    }

    /// Gives this to every request.
    fn always(head: &str, body: impl Fn() -> Pieces + Send + Sync + 'static) -> Self {
        let head = head.as_bytes().to_vec();
        Self::start(move |_| Box::new(std::iter::once(head.clone()).chain(body())))
    }

    fn bucket(&self, side: Side) -> Bucket {
        let spec = BucketSpec {
            endpoint: format!("http://{}", self.address).parse().unwrap(),
            region: "us-east-1".into(),
            bucket: "b".into(),
            path_style: true,
            keys: KeySupply::Fixed(AccessKeys {
                access_key_id: "AKIDEXAMPLE".into(),
                secret_access_key: Secret::new("hush".into()),
                session_token: None,
                expires_at: None,
            }),
            requester_pays: false,
            ask_checksums: true,
            encryption: None,
            timeout: Duration::from_secs(20),
        };
        Bucket::new(&HttpClient::new(1).unwrap(), side, spec, Clock::system()).unwrap()
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// One request a connection.
fn serve(client: &TcpStream, answer: &dyn Fn(u64) -> Pieces, sent: &AtomicU64, asked: &AtomicU64) {
    let mut line = String::new();
    let mut request = BufReader::new(client);
    while line != "\r\n" {
        line.clear();
        if request.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
    let mut to = client;
    for piece in answer(asked.fetch_add(1, Ordering::Relaxed)) {
        if to.write_all(&piece).is_err() {
            return;
        }
        sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const OBJECT: &str = "ETag: \"0123456789abcdef0123456789abcdef-2\"\r\n\
                      Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

fn chunk(of: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", of.len()).as_bytes(), of, b"\r\n"].concat()
}

/// The same chunk for ever.
fn endless(of: &'static str) -> Pieces {
    let chunk = chunk(of.repeat(64 * 1024 / of.len()).as_bytes());
    Box::new(std::iter::repeat(chunk))
}

/// `begin`, then `more` for ever.
fn endless_after(begin: &'static str, more: &'static str) -> Pieces {
    Box::new(std::iter::once(chunk(begin.as_bytes())).chain(endless(more)))
}

fn entry(name: &str) -> String {
    format!(
        "<Contents><Key>{name}</Key><LastModified>2026-11-22T07:53:01.987Z</LastModified>\
         <ETag>&quot;aa&quot;</ETag><Size>5</Size></Contents>"
    )
}

/// A whole answer with a page of these names, and a token behind it.
fn page(names: &[String], token: u64) -> Vec<u8> {
    let entries: String = names.iter().map(|name| entry(name)).collect();
    let xml = format!(
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}\
         </NextContinuationToken>{entries}</ListBucketResult>"
    );
    whole(&xml)
}

fn whole(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into()
}

/// How a walk through all names of the bucket fails, and after how many.
fn walk(bucket: &Bucket) -> (usize, Failure) {
    let mut listing = Listing::new(String::new());
    let mut names = 0;
    loop {
        match listing.next_page(bucket) {
            Ok(Some(objects)) => names += objects.len(),
            Ok(None) => panic!("the listing ended after {names} names"),
            Err(failure) => return (names, failure),
        }
    }
}

#[test]
fn an_error_that_never_ends_is_read_up_to_its_limit_and_taken_by_its_status() {
    let head = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = || endless_after("<Error><Code>SlowDown</Code><Message>", "on and on ");
    let babbler = Babbler::always(head, endless);
    let failure = babbler.bucket(Side::Source).list("", None, None, 1);
    let failure = failure.unwrap_err();
    assert_eq!(failure.http_status, Some(503), "{failure:?}");
    assert!(failure.message.len() < 1000, "{failure:?}");
    assert!(babbler.sent() < SLACK, "{}", babbler.sent());
    let failure = babbler.bucket(Side::Source).head("a").unwrap_err();
    assert_eq!(failure.http_status, Some(503), "{failure:?}");
    assert!(babbler.sent() < 2 * SLACK, "{}", babbler.sent());
}

#[test]
fn xml_that_never_ends_is_refused() {
    let begin = "<ListBucketResult><IsTruncated>false</IsTruncated><Name>";
    let babbler = Babbler::always(CHUNKED, move || endless_after(begin, "b"));
    let bucket = babbler.bucket(Side::Destination);
    let none = CarriedHeaders(Vec::new());
    let parts: [UploadedPart; 0] = [];
    let id = nightferry::model::UploadId::new("u".to_owned());
    let failures = [
        bucket.list("", None, None, 1000).unwrap_err(),
        bucket.create_upload("a", &none, None).unwrap_err(),
        bucket.list_parts("a", &id).unwrap_err(),
        bucket
            .complete_upload("a", &id, &parts, Condition::Anything)
            .unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.cause, FailureCause::ServerError, "{failure:?}");
        assert!(
            failure
                .message
                .ends_with("answered with more than 16 MiB of XML"),
            "{failure:?}"
        );
    }
    assert!(
        babbler.sent() < 4 * (16 * MIB + SLACK),
        "{}",
        babbler.sent()
    );
}

#[test]
fn a_page_of_a_hundred_thousand_names_is_taken_if_it_is_no_longer_than_a_page_may_be() {
    let names =
        |length: usize| -> Vec<String> { (0..100_000).map(|n| format!("{n:0length$}")).collect() };
    let fits = page(&names(8), 1);
    assert!((fits.len() as u64) < 16 * MIB);
    let long = page(&names(200), 1);
    let answers = [fits, long];
    let babbler = Babbler::start(move |number| {
        Box::new(std::iter::once(
            answers[usize::try_from(number).unwrap()].clone(),
        ))
    });
    let bucket = babbler.bucket(Side::Source);
    let page = bucket.list("", None, None, 1000).unwrap();
    assert_eq!(page.objects.len(), 100_000);
    let failure = bucket.list("", None, None, 1000).unwrap_err();
    assert!(failure.message.contains("16 MiB"), "{failure:?}");
}

#[test]
fn a_listing_that_always_goes_on_is_left() {
    let empty = Babbler::start(|number| Box::new(std::iter::once(page(&[], number))));
    let (names, failure) = walk(&empty.bucket(Side::Source));
    assert_eq!((names, empty.asked()), (0, 101));
    assert!(failure.message.contains("without a name"), "{failure:?}");

    // Always the same names, always another token.
    let round = Babbler::start(|number| {
        let name = (number % 7).to_string();
        Box::new(std::iter::once(page(&[name], number)))
    });
    let (names, failure) = walk(&round.bucket(Side::Source));
    assert!(names < 21, "{names}");
    assert!(failure.message.contains("goes round"), "{failure:?}");
    assert_eq!(failure.cause, FailureCause::ServerError);
}

#[test]
fn headers_that_never_end_are_left_unread() {
    let value = "x".repeat(1000);
    let lines = move |number: u64| format!("x-amz-meta-{number}: {value}\r\n").into_bytes();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{OBJECT}");
    let babbler = Babbler::always(&head, move || {
        let lines = lines.clone();
        Box::new((0..10 * 1024).map(lines))
    });
    let failure = babbler.bucket(Side::Source).head("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Network, "{failure:?}");
    assert!(
        failure.message.contains("message head is too large"),
        "{failure:?}"
    );
    // One line that is all of it.
    let babbler = Babbler::always(&format!("{head}x-amz-meta-a: "), || {
        Box::new(std::iter::repeat_n(vec![b'x'; 1024 * 1024], 10))
    });
    let failure = babbler.bucket(Side::Source).head("a").unwrap_err();
    assert_eq!(failure.cause, FailureCause::Network, "{failure:?}");
    assert!(babbler.sent() < 10 * MIB, "{}", babbler.sent());
}

#[test]
fn an_object_may_have_as_many_metadata_as_s3_takes() {
    let lines = |number: u64| format!("x-amz-meta-{number}: x\r\n").into_bytes();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{OBJECT}");
    let babbler = Babbler::always(&head, move || {
        Box::new((0..1000).map(lines).chain([b"\r\n".to_vec()]))
    });
    let head = babbler.bucket(Side::Source).head("a").unwrap().unwrap();
    assert_eq!(head.carried().unwrap().0.len(), 1000);
}

#[test]
fn of_a_body_only_what_was_announced_is_read() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n{OBJECT}\r\n");
    let babbler = Babbler::always(&head, || Box::new(std::iter::repeat(vec![b'x'; 64 * 1024])));
    let bucket = babbler.bucket(Side::Source);
    let mut read = [0; 9];
    let download = bucket.get("a", GetOptions::default()).unwrap();
    assert_eq!(download.head.facts.size_bytes, 9);
    download.body.read_into(&mut read).unwrap();
    assert_eq!(&read, b"xxxxxxxxx");
    assert!(babbler.sent() < SLACK, "{}", babbler.sent());
    // What came behind it is no answer to the next request.
    let again = bucket.get("b", GetOptions::default()).unwrap();
    assert_eq!(again.head.facts.size_bytes, 9);
    assert_eq!(babbler.asked(), 2);
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    for (lengths, cause) in [
        ("", FailureCause::ServerError),
        ("Content-Length: -1\r\n", FailureCause::Network),
        (
            "Content-Length: 99999999999999999999\r\n",
            FailureCause::Network,
        ),
        (
            "Content-Length: 5\r\nContent-Length: 7\r\n",
            FailureCause::Network,
        ),
        ("Transfer-Encoding: chunked\r\n", FailureCause::ServerError),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lengths}{OBJECT}\r\n");
        let babbler = Babbler::always(&head, || endless("x"));
        let got = babbler.bucket(Side::Source).get("a", GetOptions::default());
        let failure = got.map(drop).unwrap_err();
        assert_eq!(failure.cause, cause, "{lengths:?} {failure:?}");
        assert!(babbler.sent() < SLACK, "{}", babbler.sent());
    }
    // More is announced than comes.
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n{OBJECT}\r\n");
    let babbler = Babbler::always(&head, || Box::new(std::iter::once(b"short".to_vec())));
    let download = babbler.bucket(Side::Source).get("a", GetOptions::default());
    let failure = download.unwrap().body.read_into(&mut [0; 9]).unwrap_err();
    assert_eq!(failure.cause, FailureCause::Network, "{failure:?}");
}

#[test]
fn redirects_are_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let babbler = Babbler::start(move |_| {
            let answer = format!(
                "HTTP/1.1 {status} Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
            Box::new(std::iter::once(answer.into_bytes()))
        });
        let bucket = babbler.bucket(Side::Source);
        let failure = bucket.list("", None, None, 1).unwrap_err();
        assert_eq!(failure.http_status, Some(status), "{failure:?}");
        assert_eq!(babbler.asked(), 1);
        // A HEAD has no words; a GET asks for them, once.
        let failure = bucket.head("a").unwrap_err();
        assert_eq!(failure.http_status, Some(status), "{failure:?}");
        assert_eq!(babbler.asked(), 3);
    }
}

#[test]
fn what_follows_a_good_answer_to_a_write_is_not_read() {
    let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{OBJECT}\r\n");
    let babbler = Babbler::always(&head, || endless("x"));
    let bucket = babbler.bucket(Side::Destination);
    let none = CarriedHeaders(Vec::new());
    let upload = Upload {
        body: Body::Bytes("text".into()),
        headers: &none,
        content_md5: None,
        checksum: None,
        condition: Condition::Anything,
    };
    bucket.put("a", upload).unwrap();
    bucket.delete("a").unwrap();
    assert!(babbler.sent() < 2 * SLACK, "{}", babbler.sent());
}
