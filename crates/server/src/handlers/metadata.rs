//! `GET /.well-known/oauth-authorization-server` (RFC 8414), also under the name that OpenID clients ask for.

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::identity::PROOF_ALGORITHM;
use crate::state::State;

pub(crate) async fn metadata(state: web::Data<State>) -> HttpResponse {
    let origin = state.origin();
    let at = |path: &str| format!("{origin}{path}");
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=300")).json(json!({
        "issuer": origin,
        "jwks_uri": at("/.well-known/jwks.json"),
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/api/auth/token"),
        "revocation_endpoint": at("/api/auth/revoke"),
        "device_authorization_endpoint": at("/api/auth/device/code"),
        "grant_types_supported": [
            "authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token",
        ],
        "dpop_signing_alg_values_supported": [PROOF_ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        // RFC 9207: a client that knows several servers can tell whose answer it got.
        "authorization_response_iss_parameter_supported": true,
        // Clients are public: they have no secret.
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}
