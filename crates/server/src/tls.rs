//! TLS of the server itself, from PEM files.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ServerError;
use crate::config::Tls;

/// What the listener needs; `None` where TLS is not configured.
pub(crate) fn config(settings: &Tls) -> Result<Option<ServerConfig>, ServerError> {
    let Tls { certificate, key } = settings;
    match (certificate.is_empty(), key.is_empty()) {
        (true, true) => return Ok(None),
        (false, false) => {}
        _ => return Err(ServerError::Config("tls needs both certificate and key".into())),
    }
    let wrong = |path: &str, error: String| ServerError::Config(format!("tls: {path}: {error}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ServerError::Setup(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    Ok(Some(config))
}
