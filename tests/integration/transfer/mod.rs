//! The copy of single objects.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

mod attempts;
mod checksums;
mod copies;
mod deep;
mod dress;
mod faults;
mod listing;
mod multipart;
mod oversized;
mod patience;
mod refusals;
mod renewal;
mod server_side;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use nightferry::clock::Clock;
use nightferry::model::{ChecksumMode, Failure, ObjectFacts, Side, WriteOptions};
use nightferry::s3::{Bucket, BucketSpec, HttpClient, KeySupply};
use nightferry::secret::{AccessKeys, Secret};
use nightferry::transfer::{
    Arrival, Begun, Buffers, FirstTry, Limits, RetryPolicy, Route, ServerSide, Tally, Transfer,
    WholeCopy,
};

use crate::s3_server::{ACCESS_KEY, S3Server, S3ServerBuilder, SECRET_KEY};

const MIB: u64 = 1024 * 1024;

/// A server with a source and a destination bucket, and what copies between them.
struct World {
    server: S3Server,
    transfer: Transfer,
    tally: Tally,
}

impl World {
    fn new() -> Self {
        Self::with(S3Server::builder(), ACCESS_KEY)
    }

    /// Reads the source with another key than the destination is written with.
    fn with(builder: S3ServerBuilder, source_key: &str) -> Self {
        Self::waiting(builder, source_key, BucketSpec::TIMEOUT)
    }

    /// Waits no longer than `timeout` for an answer.
    fn waiting(builder: S3ServerBuilder, source_key: &str, timeout: Duration) -> Self {
        let server = builder.start();
        server.create_bucket("src");
        server.create_bucket("dst");
        let bucket = |side, name: &str, key: &str| {
            let mut spec = spec(&server, name, key, SECRET_KEY);
            spec.timeout = timeout;
            Bucket::new(&HttpClient::new(4).unwrap(), side, spec, Clock::system()).unwrap()
        };
        let transfer = Transfer {
            source: bucket(Side::Source, "src", source_key),
            destination: bucket(Side::Destination, "dst", ACCESS_KEY),
            limits: Limits::default(),
            checksum: ChecksumMode::Auto,
            write_options: WriteOptions::default(),
            retry: RetryPolicy {
                attempts: 4,
                base_ms: 1,
                cap_ms: 20,
            },
            stop: Arc::default(),
            buffers: Buffers::new(64 * 1024 * 1024),
            server_side: ServerSide::never(),
        };
        Self {
            server,
            transfer,
            tally: Tally::default(),
        }
    }

    /// The source's facts, as the decision has them.
    fn planned(&self, name: &str) -> ObjectFacts {
        let head = self.transfer.source_head(name, &self.tally).unwrap();
        head.expect("the object is there").facts
    }

    /// Copies `name` whole.
    fn copy(&self, name: &str) -> Result<Arrival, Failure> {
        let planned = self.planned(name);
        self.copy_as(name, &planned)
    }

    /// Copies `name` whole, as it was `planned`.
    fn copy_as(&self, name: &str, planned: &ObjectFacts) -> Result<Arrival, Failure> {
        let copy = WholeCopy {
            name,
            planned,
            replaces: None,
        };
        let begun = match self.try_first(copy).map(FirstTry::succeeded) {
            None => Begun::Not,
            Some(Ok((arrival, _))) => return Ok(arrival),
            Some(Err(tried)) => Begun::Tried(tried),
        };
        let copied = self.transfer.copy_whole(copy, begun, &self.tally);
        copied.map(|(arrival, _)| arrival)
    }

    /// The first try, if it is small enough for one.
    fn try_first(&self, copy: WholeCopy<'_>) -> Option<FirstTry> {
        let ready = Arc::new(self.transfer.clone()).ready(copy, &mut None)?;
        let (sender, receiver) = mpsc::channel();
        ready.go(move |tried| sender.send(tried).unwrap());
        Some(receiver.recv().unwrap())
    }

    /// Copies `name` by whichever route its size asks for, parts on threads of their own.
    fn copy_routed(&self, name: &str) -> Result<Arrival, Failure> {
        let planned = self.planned(name);
        let mut route = self.transfer.route(planned.size_bytes)?;
        if let Route::ServerSide { size_bytes } = route {
            let transfer = &self.transfer;
            if let Some(arrival) = transfer.copy_server_side(name, &planned, None, &self.tally)? {
                return Ok(arrival);
            }
            route = transfer.route_through_here(size_bytes)?;
        }
        let Route::Parts(plan) = route else {
            return self.copy_as(name, &planned);
        };
        let parts = self
            .transfer
            .begin_parts(name, &planned, plan, None, &self.tally)?;
        let copied = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..parts.plan().count)
                .map(|index| {
                    let parts = &parts;
                    scope.spawn(move || parts.copy_part(index, &self.tally))
                })
                .collect();
            threads
                .into_iter()
                .try_for_each(|t| t.join().unwrap().map(drop))
        });
        copied
            .and_then(|()| parts.finish(None, &self.tally))
            .inspect_err(|_| parts.abort(&self.tally).unwrap())
    }

    fn stop(&self) {
        self.transfer.stop.store(true, Ordering::Relaxed);
    }

    /// How many requests of this S3 operation came to the server.
    fn count(&self, operation: &str) -> usize {
        let requests = self.server.requests();
        requests.iter().filter(|r| r.operation == operation).count()
    }
}

fn spec(server: &S3Server, bucket: &str, key: &str, secret: &str) -> BucketSpec {
    BucketSpec {
        endpoint: server.endpoint().parse().unwrap(),
        region: "us-east-1".into(),
        bucket: bucket.into(),
        path_style: true,
        keys: KeySupply::Fixed(AccessKeys {
            access_key_id: key.into(),
            secret_access_key: Secret::new(secret.into()),
            session_token: None,
            expires_at: None,
        }),
        requester_pays: false,
        ask_checksums: true,
        encryption: None,
        timeout: BucketSpec::TIMEOUT,
    }
}

/// An object of these bytes, as the server takes it.
fn object(body: impl Into<Vec<u8>>) -> crate::s3_server::NewObject {
    crate::s3_server::NewObject {
        body: body.into(),
        ..Default::default()
    }
}

fn stopped() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(true))
}
