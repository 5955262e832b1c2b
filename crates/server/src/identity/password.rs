use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::ServerError;
use crate::env::Env;

/// Length of the shortest password, in characters.
pub(crate) fn shortest() -> usize {
    12
}

/// Hashes and checks passwords with argon2id, a few at a time: each takes 19 MiB and tens of milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    env: Env,
}

impl Passwords {
    pub fn new(env: Env) -> Self {
        Self { turns: Arc::new(Semaphore::new(2)), env }
    }

    /// The PHC string to store.
    pub async fn hash(&self, password: SecretString) -> Result<String, ServerError> {
        let salt = self.env.random::<16>()?;
        let hashed = self.compute(move || {
            let hash = Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
        });
        hashed.await?.map_err(|error| ServerError::Setup(format!("the password cannot be hashed: {error}")))
    }

    /// Whether the password is the one. Without a stored hash the same work is done, so that the time taken does
    /// not tell whether the user exists.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool, ServerError> {
        self.compute(move || {
            let bytes = password.expose_secret().as_bytes();
            match stored.as_deref().map(PasswordHash::new) {
                Some(Ok(hash)) => Argon2::default().verify_password(bytes, &hash).is_ok(),
                _ => {
                    let work = Argon2::default().hash_password_with_salt(bytes, &[0; 16]);
                    drop(work);
                    false
                }
            }
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServerError> {
        let failed = || ServerError::Setup("the password computation did not run".into());
        let _turn = self.turns.acquire().await.map_err(|_| failed())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| failed())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn however_many_sign_in_two_passwords_are_computed_at_a_time() {
        let passwords = Passwords::new(Env::system());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tries = (0..12).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            passwords.compute(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(10));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        assert!(futures_util::future::join_all(tries).await.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
