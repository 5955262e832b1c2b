//! Pages of other origins that may use the API (CORS): those that the configuration names, letter by letter, and no others.
//!
//! What they send carries its token in a header. Cookies are never allowed, so that a page has no more rights than the token
//! it was given; the server's own pages, which go by a cookie, answer to nobody else.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};
use url::{Origin, Url};

use crate::ServerError;
use crate::state::State;

/// What a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
/// What a page may read of a reply, beside what it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, request-id, www-authenticate, x-plantocode-audit, x-plantocode-estimate, x-plantocode-upstream, x-request-id",
);
/// Seconds for which a browser remembers that it may.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
/// The longest list of headers that is allowed at once.
const LONGEST_LIST: usize = 1_024;

/// Whether all of them are origins as browsers write them; the first that is not is named.
pub(crate) fn check(origins: &[String]) -> Result<(), ServerError> {
    for origin in origins {
        let read = origin.parse::<Url>().map(|url| url.origin());
        // A star is a sign that hosts may have, and nobody means that.
        let is_one = !origin.contains('*')
            && read
                .is_ok_and(|read| matches!(read, Origin::Tuple(..)) && read.ascii_serialization() == *origin);
        if !is_one {
            let problem = format!(
                "cors_origins: `{origin}` is no origin, such as https://app.example or http://localhost:3000"
            );
            return Err(ServerError::Config(problem));
        }
    }
    Ok(())
}

/// Lets named origins in, and answers what browsers ask before they send anything.
pub(crate) async fn allow<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    if !differs(&request) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let origin = allowed(&request);
    if origin.is_some()
        && let Some(reply) = preflight(&request)
    {
        let mut reply = request.into_response(reply);
        tell(reply.headers_mut(), origin);
        return Ok(reply.map_into_right_body());
    }
    let mut reply = next.call(request).await?;
    if origin.is_some() {
        reply.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    tell(reply.headers_mut(), origin);
    Ok(reply.map_into_left_body())
}

/// The origins that are named.
fn named(request: &ServiceRequest) -> &[String] {
    request.app_data::<web::Data<State>>().map(|state| &*state.settings.cors_origins).unwrap_or_default()
}

/// Whether the reply depends on where the request comes from: of the API, where any origin is named.
fn differs(request: &ServiceRequest) -> bool {
    !named(request).is_empty() && ["/v1/", "/api/"].iter().any(|api| request.path().starts_with(api))
}

/// The origin of a request, if it is one of those that are named.
fn allowed(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?;
    named(request).iter().any(|named| named.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// What a browser is told that asks whether it may send a request; `None` for the request itself.
fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
    let headers = request.headers();
    if request.method() != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut reply = HttpResponse::NoContent();
    reply.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS));
    reply.insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBERED));
    // Clients send headers of their own, which mean nothing here and do no harm.
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|asked| is_list(asked)) {
        reply.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()));
    }
    Some(reply.finish())
}

fn is_list(names: &HeaderValue) -> bool {
    let names = names.to_str().unwrap_or_default();
    names.len() <= LONGEST_LIST && names.split(',').all(|name| name.trim().parse::<HeaderName>().is_ok())
}

fn tell(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    // A cache must not give one page's reply to another, nor that of no page to any.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}
