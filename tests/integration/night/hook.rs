//! A server that is told of nights, and writes down what it was told.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub path: String,
    pub body: String,
}

/// How a call is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Status(u16),
    /// Not at all; the connection stays open.
    Never,
}

/// The server, on a port of its own; gone when dropped.
pub struct Hook {
    port: u16,
    calls: Calls,
    _runtime: Runtime,
}

/// What came, and a bell that rings for each.
type Calls = Arc<(Mutex<Vec<Call>>, Condvar)>;

impl Hook {
    /// One that says that all is well.
    pub fn start() -> Self {
        Self::answering([])
    }

    /// One that answers so at first, and then that all is well.
    pub fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Arc<Vec<Answer>> = Arc::new(answers.into_iter().collect());
        let calls = Calls::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let written = Arc::clone(&calls);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((connection, _)) = listener.accept().await {
                let (written, answers) = (Arc::clone(&written), Arc::clone(&answers));
                let service = service_fn(move |request| {
                    answered(request, Arc::clone(&written), Arc::clone(&answers))
                });
                let served = http1::Builder::new();
                tokio::spawn(served.serve_connection(TokioIo::new(connection), service));
            }
        });
        Self {
            port,
            calls,
            _runtime: runtime,
        }
    }

    /// A URL whose path is a secret.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hush", self.port)
    }

    /// What came so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.0.lock().unwrap().clone()
    }

    /// Waits until something has come.
    pub fn wait_called(&self) {
        let (calls, bell) = &*self.calls;
        let calls = calls.lock().unwrap();
        drop(bell.wait_while(calls, |calls| calls.is_empty()).unwrap());
    }
}

async fn answered(
    request: Request<Incoming>,
    calls: Calls,
    answers: Arc<Vec<Answer>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let path = request.uri().to_string();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let place = {
        let (calls, bell) = &*calls;
        let mut calls = calls.lock().unwrap();
        calls.push(Call { path, body });
        bell.notify_all();
        calls.len() - 1
    };
    match answers.get(place) {
        Some(Answer::Never) => std::future::pending().await,
        Some(Answer::Status(status)) => {
            let answer = Response::builder().status(*status);
            Ok(answer.body(Empty::new()).unwrap())
        }
        None => Ok(Response::new(Empty::new())),
    }
}
