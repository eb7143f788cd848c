//! HTTP for object_store, on the client that the rest of the crate uses, so that there
//! is one list of certificate authorities, one proxy and one TLS in the program.
//!
//! It blocks. That is what the threads that call it are for; nothing else runs on them.

use std::future::{Future, ready};
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes, Frame};
use object_store::ClientConfigKey;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use ureq::http::{Method, Response, StatusCode};
use ureq::{AsSendBody, BodyReader, Timeout};

use crate::http::options::HttpOptions;
use crate::http::{answer, status};

/// Bytes read from a connection at once.
const PIECE: usize = 64 << 10;

/// Makes a [`Transport`] for each client that object_store wants.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) options: HttpOptions,
}

#[derive(Debug)]
struct Transport {
    options: HttpOptions,
    allows_http: bool,
}

/// An answer that says that there is no time, made an error so that it reaches the
/// caller with all that it says.
#[derive(Debug, thiserror::Error)]
#[error("status {status}")]
pub(super) struct Overloaded {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

/// Passwords and the like do not travel in the clear unless the caller says so.
#[derive(Debug, thiserror::Error)]
#[error("plain http is not allowed, unless allow_http is set to true")]
pub(super) struct Plain;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        Ok(HttpClient::new(Transport { options: self.options.clone(), allows_http }))
    }
}

impl HttpService for Transport {
    fn call<'a, 'result>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'result>>
    where
        'a: 'result,
        Self: 'result,
    {
        Box::pin(ready(self.run(request)))
    }
}

impl Transport {
    fn run(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.uri().scheme_str() != Some("https") && !self.allows_http {
            return Err(HttpError::new(HttpErrorKind::Unknown, Plain));
        }
        let (head, body) = request.into_parts();
        let body = gather(body)?;
        if matches!(head.method, Method::GET | Method::HEAD | Method::DELETE) {
            self.send(ureq::http::Request::from_parts(head, ()))
        } else {
            self.send(ureq::http::Request::from_parts(head, &body[..]))
        }
    }

    fn send(&self, mut request: ureq::http::Request<impl AsSendBody>) -> Result<HttpResponse, HttpError> {
        let agent = self.options.agent(request.uri());
        if let Some(left) = self.options.time_left() {
            if left.is_zero() {
                return Err(broken(ureq::Error::Timeout(Timeout::Global)));
            }
            request = agent.configure_request(request).timeout_global(Some(left)).build();
        }
        let response = agent.run(request).map_err(broken)?;
        let status = response.status();
        if status::is_busy(status) {
            let overloaded = Overloaded { status, retry_after: answer::retry_after(&response, SystemTime::now()) };
            return Err(HttpError::new(HttpErrorKind::Interrupted, overloaded));
        }
        let (head, body) = response.into_parts();
        let body = Arriving { reader: Mutex::new(body.into_reader()) };
        Ok(Response::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// The whole of a request's body, which is in memory and always ready.
fn gather(mut body: impl Body<Data = Bytes, Error = HttpError> + Unpin) -> Result<Bytes, HttpError> {
    let mut context = Context::from_waker(Waker::noop());
    let mut whole = Bytes::new();
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut context) {
        let Ok(data) = frame?.into_data() else { continue };
        whole = if whole.is_empty() { data } else { [whole, data].concat().into() };
    }
    Ok(whole)
}

/// A body on its way.
struct Arriving {
    reader: Mutex<BodyReader<'static>>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let reader = self.get_mut().reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut piece = vec![0; PIECE];
        let read = loop {
            match reader.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(len) => {
                piece.truncate(len);
                Some(Ok(Frame::data(piece.into())))
            }
            Err(error) => Some(Err(broken(error.into()))),
        })
    }
}

/// What kind of trouble it is, for object_store, which tries some again when it uploads.
fn broken(error: ureq::Error) -> HttpError {
    let kind = match &error {
        // Certificates and the like: that is how rustls wraps its errors.
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => HttpErrorKind::Unknown,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
