//! `version 1 | nonce 24 | wrapped data key 48 | nonce 24 | ciphertext`, XChaCha20-Poly1305 throughout.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::ServerError;
use crate::env::Env;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const WRAPPED: usize = 32 + 16;

/// Seals `plain` under a fresh data key. `binding` must be the same when it is opened.
pub(super) fn seal(
    master: &[u8; 32],
    binding: &[u8],
    plain: &[u8],
    env: &Env,
) -> Result<Vec<u8>, ServerError> {
    let data_key = env.random::<32>()?;
    let mut out = vec![VERSION];
    for (key, text) in [(master, &data_key[..]), (&data_key, plain)] {
        let nonce = env.random::<NONCE>()?;
        let sealed = XChaCha20Poly1305::new(key.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: text, aad: binding })
            .map_err(|_| ServerError::Setup("sealing failed".into()))?;
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
    }
    Ok(out)
}

/// Opens what [`seal`] made; `what` names it in the error.
pub(super) fn open(
    master: &[u8; 32],
    binding: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Vec<u8>, ServerError> {
    parts(sealed)
        .and_then(|(wrap_nonce, wrapped, nonce, text)| {
            let data_key: [u8; 32] = decrypt(master, wrap_nonce, wrapped, binding)?.try_into().ok()?;
            decrypt(&data_key, nonce, text, binding)
        })
        .ok_or(ServerError::Sealed(what))
}

/// The same text under another master key. The text itself is not opened.
pub(super) fn rewrap(
    old: &[u8; 32],
    new: &[u8; 32],
    binding: &[u8],
    sealed: &[u8],
    env: &Env,
    what: &'static str,
) -> Result<Vec<u8>, ServerError> {
    let (wrap_nonce, wrapped, nonce, text) = parts(sealed).ok_or(ServerError::Sealed(what))?;
    let data_key = decrypt(old, wrap_nonce, wrapped, binding).ok_or(ServerError::Sealed(what))?;
    let wrap_nonce = env.random::<NONCE>()?;
    let wrapped = XChaCha20Poly1305::new(new.into())
        .encrypt(&XNonce::from(wrap_nonce), Payload { msg: &data_key, aad: binding })
        .map_err(|_| ServerError::Setup("sealing failed".into()))?;
    Ok([&[VERSION][..], &wrap_nonce, &wrapped, &nonce, text].concat())
}

type Parts<'a> = ([u8; NONCE], &'a [u8], [u8; NONCE], &'a [u8]);

fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let rest = sealed.strip_prefix(&[VERSION])?;
    let (wrap_nonce, rest) = rest.split_first_chunk::<NONCE>()?;
    let (wrapped, rest) = rest.split_at_checked(WRAPPED)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE>()?;
    Some((*wrap_nonce, wrapped, *nonce, text))
}

fn decrypt(key: &[u8; 32], nonce: [u8; NONCE], text: &[u8], binding: &[u8]) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(nonce), Payload { msg: text, aad: binding }).ok()
}
