//! The answer to a request.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use gosync_chunks::{ByteRange, ReadAt};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    LAST_MODIFIED, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::task::spawn_blocking;

use crate::access::{AccessLog, AccessRecord};
use crate::body::{Part, PartsBody};
use crate::conditions::header;
use crate::range_header::{Selection, select};
use crate::site::{Found, ServedFile, Site};

/// Answers `request` and tells `log`.
pub(crate) async fn answer(
    site: Arc<Site>,
    log: &AccessLog,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<PartsBody> {
    let mut response = match request.method() {
        &Method::GET | &Method::HEAD => {
            let path = request.uri().path().to_owned();
            match spawn_blocking(move || site.find(&path)).await.unwrap_or(Err(StatusCode::INTERNAL_SERVER_ERROR)) {
                Ok(Found::File(file)) => send_file(&file, request.method(), request.headers()),
                Ok(Found::Listing(page)) => {
                    let body = PartsBody::text(page);
                    with_headers(StatusCode::OK, body, [(CONTENT_TYPE, "text/html; charset=utf-8")])
                }
                Ok(Found::Directory { location }) => {
                    let body = PartsBody::default();
                    with_headers(StatusCode::MOVED_PERMANENTLY, body, [(LOCATION, location.as_str())])
                }
                Err(status) => plain(status),
            }
        }
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if request.method() == Method::HEAD {
        let length = response.body().len();
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
        *response.body_mut() = PartsBody::default();
    }
    log.tell(|| AccessRecord {
        peer,
        method: request.method().to_string(),
        target: request.uri().to_string(),
        range: header(request.headers(), RANGE).map(str::to_owned),
        status: response.status().as_u16(),
        bytes: response.body().len(),
    });
    response
}

fn send_file(served: &ServedFile, method: &Method, headers: &HeaderMap) -> Response<PartsBody> {
    let ServedFile { file, validators, content_type, cache_control } = served;
    let length = file.size();
    let mut response = if validators.is_not_modified(headers) {
        // Without a length of its own it would get that of its body, which is 0.
        let length = length.to_string();
        with_headers(StatusCode::NOT_MODIFIED, PartsBody::default(), [(CONTENT_LENGTH, length.as_str())])
    } else {
        // Ranges are for GET alone (RFC 9110, section 14.2).
        let ranges = header(headers, RANGE).filter(|_| method == Method::GET && validators.allow_ranges(headers));
        let file = |range| Part::File(Arc::clone(file), range);
        match select(ranges, length) {
            Selection::Whole => {
                let body = PartsBody::new([file(ByteRange { start: 0, end: length })]);
                with_headers(StatusCode::OK, body, [(CONTENT_TYPE, *content_type)])
            }
            Selection::Unsatisfiable => {
                let mut response = plain(StatusCode::RANGE_NOT_SATISFIABLE);
                response.headers_mut().insert(CONTENT_RANGE, value(&format!("bytes */{length}")));
                response
            }
            Selection::Ranges(ranges) => match ranges[..] {
                [range] => {
                    let content_range = content_range(range, length);
                    let headers = [(CONTENT_TYPE, *content_type), (CONTENT_RANGE, content_range.as_str())];
                    with_headers(StatusCode::PARTIAL_CONTENT, PartsBody::new([file(range)]), headers)
                }
                _ => {
                    let boundary = boundary();
                    let parts = ranges.iter().flat_map(|&range| {
                        let content_range = content_range(range, length);
                        let head = format!(
                            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {content_range}\r\n\r\n"
                        );
                        [Part::Text(head.into()), file(range)]
                    });
                    let end = Part::Text(format!("\r\n--{boundary}--\r\n").into());
                    let content_type = format!("multipart/byteranges; boundary={boundary}");
                    let body = PartsBody::new(parts.chain([end]));
                    with_headers(StatusCode::PARTIAL_CONTENT, body, [(CONTENT_TYPE, content_type.as_str())])
                }
            },
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(ETAG, value(&validators.etag));
    if let Some(control) = cache_control {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
    }
    if let Some(modified) = &validators.modified {
        headers.insert(LAST_MODIFIED, value(modified));
    }
    response
}

fn plain(status: StatusCode) -> Response<PartsBody> {
    let body = PartsBody::text(format!("{status}\n"));
    with_headers(status, body, [(CONTENT_TYPE, "text/plain; charset=utf-8")])
}

fn with_headers<const N: usize>(
    status: StatusCode,
    body: PartsBody,
    headers: [(HeaderName, &str); N],
) -> Response<PartsBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, text) in headers {
        response.headers_mut().insert(name, value(text));
    }
    response
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("numbers, dates and percent-encoded names only")
}

fn content_range(range: ByteRange, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end - 1)
}

/// Random, so that no file can have it in it on purpose.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
