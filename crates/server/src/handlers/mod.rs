//! The endpoints. [`routes`] is the whole list.

mod admin;
mod audit;
mod auth;
mod cancel;
mod devices;
mod health;
mod metadata;
mod metrics;
mod openapi;
mod phone;
mod proxy;
mod sessions;
mod status;
mod token_pages;
mod tokens;
mod usage;
mod web_pages;
mod welcome;

use actix_web::web::{self, ServiceConfig};

use crate::error::ApiError;
use crate::relay_hub::{device_link_ws, mailbox};

/// Registers every endpoint.
pub(crate) fn routes(app: &mut ServiceConfig) {
    // Looked for in this order: those of every request come first, before any that has to be matched by pattern.
    app.route("/healthz", web::get().to(health::healthz))
        .route("/readyz", web::get().to(health::readyz))
        .route("/metrics", web::get().to(metrics::metrics))
        .route("/openapi.json", web::get().to(openapi::openapi))
        .route("/v1/chat/completions", web::post().to(proxy::chat::chat))
        .route("/api/llm/chat/completions", web::post().to(proxy::chat::chat))
        .route("/v1/messages", web::post().to(proxy::messages::messages))
        .route("/v1/messages/count_tokens", web::post().to(proxy::messages::count_tokens))
        .route("/v1/responses", web::post().to(proxy::responses::responses))
        .route("/v1/responses", web::get().to(proxy::responses::no_web_socket))
        .route("/v1/audio/transcriptions", web::post().to(proxy::transcriptions::transcriptions))
        .route("/api/audio/transcriptions", web::post().to(proxy::transcriptions::transcriptions))
        .route("/v1/models", web::get().to(proxy::models::models))
        .route("/api/models/estimate", web::post().to(proxy::estimate::estimate))
        .route("/api/llm/status/{id}", web::get().to(status::status))
        .route("/api/llm/cancel", web::post().to(cancel::cancel))
        .route("/api/usage", web::get().to(usage::usage))
        .route("/api/audit", web::get().to(audit::audit))
        .route("/api/audit/verify", web::get().to(audit::verify))
        .route("/api/account", web::get().to(auth::account::account))
        .route("/api/auth/device/code", web::post().to(auth::device::code))
        .route("/api/auth/token", web::post().to(auth::token::token))
        .route("/api/auth/revoke", web::post().to(auth::token::revoke))
        .route("/.well-known/jwks.json", web::get().to(auth::jwks::jwks))
        .route("/api/tokens", web::post().to(tokens::create))
        .route("/api/tokens", web::get().to(tokens::list))
        .route("/api/tokens/revoke", web::post().to(tokens::revoke))
        .route("/.well-known/oauth-authorization-server", web::get().to(metadata::metadata))
        .route("/.well-known/openid-configuration", web::get().to(metadata::metadata))
        .route("/api/devices", web::post().to(devices::add))
        .route("/api/devices", web::get().to(devices::list))
        .route("/api/devices/revoke", web::post().to(devices::revoke))
        .route("/api/devices/enroll", web::post().to(devices::enroll))
        .route("/api/devices/challenge", web::post().to(devices::challenge))
        .route("/api/devices/ticket", web::post().to(devices::ticket))
        .route("/ws/device-link", web::get().to(device_link_ws::device_link))
        .route("/ws/pairing", web::get().to(mailbox::pairing))
        .route("/tokens", web::get().to(token_pages::page))
        .route("/tokens", web::post().to(token_pages::make))
        .route("/tokens/revoke", web::post().to(token_pages::revoke))
        .route("/sessions", web::get().to(sessions::page))
        .route("/sessions/end", web::post().to(sessions::end))
        .route("/sessions/end-others", web::post().to(sessions::end_others))
        .route("/welcome", web::get().to(welcome::page))
        .route("/welcome", web::post().to(welcome::submit))
        .route("/", web::get().to(web_pages::home))
        .route("/", web::head().to(web_pages::alive))
        .route("/assets/server.css", web::get().to(web_pages::style))
        .route("/assets/{path:.*}", web::get().to(phone::asset))
        .route("/phone", web::get().to(phone::page))
        .route("/phone/{path:.*}", web::get().to(phone::page))
        .route("/favicon.ico", web::get().to(web_pages::no_icon))
        .route("/setup", web::get().to(auth::setup::page))
        .route("/setup", web::post().to(auth::setup::submit))
        .route("/sign-in", web::get().to(auth::sign_in::page))
        .route("/sign-in", web::post().to(auth::sign_in::submit))
        .route("/sign-in/with/{issuer}", web::get().to(auth::issuer::leave))
        .route("/sign-in/callback/{issuer}", web::get().to(auth::issuer::back))
        .route("/sign-out", web::post().to(auth::sign_in::sign_out))
        .route("/oauth/authorize", web::get().to(auth::authorize::page))
        .route("/oauth/authorize", web::post().to(auth::authorize::decide))
        .route("/device", web::get().to(auth::device::page))
        .route("/device", web::post().to(auth::device::decide))
        .configure(administration)
        .default_service(web::to(not_found));
}

fn administration(app: &mut ServiceConfig) {
    app.route("/api/admin/users", web::get().to(admin::users::list))
        .route("/api/admin/users", web::post().to(admin::users::add))
        .route("/api/admin/users/{id}/invite", web::post().to(admin::users::invite))
        .route("/api/admin/users/{id}/disable", web::post().to(admin::users::disable))
        .route("/api/admin/users/{id}/enable", web::post().to(admin::users::enable))
        .route("/api/admin/users/{id}/role", web::post().to(admin::users::set_role))
        .route("/api/admin/users/{id}/end-sessions", web::post().to(admin::users::end_sessions))
        .route("/api/admin/org", web::get().to(admin::org::show))
        .route("/api/admin/org", web::put().to(admin::org::change))
        .route("/api/admin/limits", web::get().to(admin::limits::show))
        .route("/api/admin/limits", web::put().to(admin::limits::set_for_everybody))
        .route("/api/admin/limits", web::delete().to(admin::limits::reset_for_everybody))
        .route("/api/admin/users/{id}/limits", web::get().to(admin::limits::of_user))
        .route("/api/admin/users/{id}/limits", web::put().to(admin::limits::set_for_user))
        .route("/api/admin/users/{id}/limits", web::delete().to(admin::limits::reset_for_user))
        .route("/api/admin/keys", web::get().to(admin::keys::list))
        .route("/api/admin/keys", web::post().to(admin::keys::add))
        .route("/api/admin/keys/{id}", web::put().to(admin::keys::replace))
        .route("/api/admin/keys/{id}", web::delete().to(admin::keys::remove))
        .route("/api/admin/vault-log", web::get().to(admin::keys::log));
}

async fn not_found() -> Result<(), ApiError> {
    let status = actix_web::http::StatusCode::NOT_FOUND;
    Err(ApiError::new(status, "not_found", "there is no such endpoint"))
}
