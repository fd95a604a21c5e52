//! HTTP connections: each request goes through the checks of [`signing`], then through `s3s`.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, DATE, EXPECT, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use s3s::{Body, HttpResponse, S3Error};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Server;
use super::body::{RequestBody, SpoiltBody};
use super::clock;
use super::exchange::Exchange;
use super::faults::FaultAction;
use super::signing;

/// Accepts connections for as long as the runtime lives.
pub(super) async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    s3: S3Service,
    tls: Option<TlsAcceptor>,
) -> Infallible {
    loop {
        // An accept fails when, for instance, the client is gone already; the next may not.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Answers in two writes would otherwise wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let server = Arc::clone(&server);
        let s3 = s3.clone();
        let service = service_fn(move |request| answer(Arc::clone(&server), s3.clone(), request));
        let tls = tls.clone();
        tokio::spawn(async move {
            // It fails when a fault drops the connection or the client does.
            let http = http1::Builder::new();
            let _ = match tls {
                None => http.serve_connection(TokioIo::new(stream), service).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
                    // The client does not trust the certificate.
                    Err(_) => Ok(()),
                },
            };
        });
    }
}

async fn answer(
    server: Arc<Server>,
    s3: S3Service,
    request: Request<Incoming>,
) -> io::Result<HttpResponse> {
    let (mut parts, incoming) = request.into_parts();
    let exchange = Arc::new(Exchange::new(&parts));
    if server.logs_requests {
        server.log.push(Arc::clone(&exchange));
    }
    let body = RequestBody::new(incoming);
    let response = if let Err(error) = signing::check(&server, &exchange, &mut parts) {
        to_response(error)
    } else {
        parts.extensions.insert(Arc::clone(&exchange));
        let request = Request::from_parts(parts, Body::http_body(body.clone()));
        let response = s3.call(request).await;
        response.map_err(|error| io::Error::other(s3s::StdError::from(error)))?
    };
    if matches!(exchange.action(), Some(FaultAction::StallAnswer)) {
        std::future::pending::<()>().await;
    }
    if matches!(
        exchange.action(),
        Some(FaultAction::DropConnection | FaultAction::DropAnswer)
    ) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    // A client that waits for 100 Continue has not sent its body and will not.
    if !exchange.headers.contains_key(EXPECT) {
        body.drain().await;
    }
    Ok(finish(&server, &exchange, response))
}

fn to_response(error: S3Error) -> HttpResponse {
    error
        .to_http_response()
        .expect("an error can be written as XML")
}

/// Adds what all answers have in common.
fn finish(server: &Server, exchange: &Exchange, response: HttpResponse) -> HttpResponse {
    let (mut parts, mut body) = response.into_parts();
    let is_error = !parts.status.is_success();
    if let Some(status) = exchange.good_status().filter(|_| !is_error) {
        parts.status = status;
    }
    if parts.status == StatusCode::NOT_MODIFIED || (is_error && exchange.method == Method::HEAD) {
        body = Body::empty();
        parts.headers.remove(CONTENT_LENGTH);
    } else if let Some(bytes) = body.bytes() {
        body = with_error_details(exchange, &bytes).map_or(body, Body::from);
    }
    let header =
        |text: &str| HeaderValue::try_from(text).expect("the text is a valid header value");
    parts
        .headers
        .insert("x-amz-request-id", header(&exchange.request_id));
    parts.headers.insert(
        "x-amz-id-2",
        header(&format!("{}/example", exchange.request_id)),
    );
    parts
        .headers
        .insert(SERVER, HeaderValue::from_static("AmazonS3"));
    let date = clock::http_date(server.clock.now());
    parts.headers.insert(DATE, header(&date));
    exchange.set_status(parts.status.as_u16());
    let body = SpoiltBody::wrap(body, exchange.action().as_ref());
    HttpResponse::from_parts(parts, body)
}

/// Completes the XML of an error, which may also come with status 200.
fn with_error_details(exchange: &Exchange, body: &[u8]) -> Option<String> {
    let xml = std::str::from_utf8(body).ok()?;
    let start = xml.strip_suffix("</Error>")?;
    Some(format!(
        "{start}{}<RequestId>{}</RequestId></Error>",
        exchange.error_details(),
        exchange.request_id
    ))
}
