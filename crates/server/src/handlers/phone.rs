//! `/phone`: the phone's page, a static bundle. All it knows it gets through the relay, sealed.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::ApiError;
use crate::state::State;

/// `GET /phone` and `GET /phone/{path}`. A fragment, which may hold a pairing's secret, never reaches a server.
pub(crate) async fn page(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if webui::get(webui::MOBILE).is_none() {
        let status = actix_web::http::StatusCode::NOT_FOUND;
        return Err(ApiError::new(status, "no_interface", webui::HOW_TO_BUILD));
    }
    let path = request.match_info().query("path");
    file(&state, &if path.is_empty() { webui::MOBILE.to_owned() } else { format!("mobile/{path}") })
}

/// `GET /assets/{path}`: scripts, styles and fonts, named by their content.
pub(crate) async fn asset(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    file(&state, &format!("assets/{}", request.match_info().query("path")))
}

fn file(state: &State, path: &str) -> Result<HttpResponse, ApiError> {
    let status = actix_web::http::StatusCode::NOT_FOUND;
    let asset =
        webui::get(path).ok_or_else(|| ApiError::new(status, "not_found", "there is no such file"))?;
    let caching = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut reply = HttpResponse::Ok();
    reply
        .insert_header((CONTENT_TYPE, asset.media_type))
        .insert_header((CACHE_CONTROL, caching))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"));
    if path == webui::MOBILE {
        reply.insert_header((CONTENT_SECURITY_POLICY, content_security_policy(state)));
        let isolation = HeaderName::from_static("cross-origin-opener-policy");
        reply.insert_header((isolation, "same-origin"));
    }
    Ok(reply.body(asset.bytes.into_owned()))
}

fn content_security_policy(state: &State) -> String {
    // A page's own origin covers its WebSockets in current browsers; older ones need it said.
    let socket = state.origin().replacen("http", "ws", 1);
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self' {socket}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}
