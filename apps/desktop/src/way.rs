//! The app's way to the engine, found again when the process that was the engine has ended.

use host::Host;
use rpc::{Caller, Client, Link};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The name of this program in logs and events.
const NAME: &str = "desktop";

/// A way to the engine, or why there is none.
#[derive(Clone)]
pub struct Way {
    current: Arc<Mutex<Result<Arc<Host>, String>>>,
}

impl Way {
    /// Finds the engine or becomes it.
    pub async fn open() -> Way {
        Way { current: Arc::new(Mutex::new(open().await)) }
    }

    /// A link for `caller`. When the engine was another process and has ended, this one becomes it.
    ///
    /// # Errors
    /// In words, why there is no engine.
    pub async fn link(&self, caller: Caller) -> Result<Link, String> {
        let host = self.host().await;
        if let Ok(host) = &host
            && let Ok(link) = (host.dial)(caller.clone()).await
        {
            return Ok(link);
        }
        let host = self.again(host.ok()).await?;
        (host.dial)(caller).await.map_err(|error| error.to_string())
    }

    /// A client of the engine.
    ///
    /// # Errors
    /// As [`Way::link`].
    pub async fn client(&self) -> Result<Client, String> {
        let (client, read) = rpc::connect(self.link(Caller::owner(NAME)).await?);
        tokio::spawn(read);
        Ok(client)
    }

    /// Whether this process is the engine and a job runs in it now.
    pub fn is_busy(&self) -> bool {
        // While it is being opened again nothing runs in it.
        self.current.try_lock().is_ok_and(|host| host.as_ref().is_ok_and(|host| host.is_busy()))
    }

    /// Ends the engine, if it is ours.
    pub async fn close(self) {
        let host = std::mem::replace(&mut *self.current.lock().await, Err("the app has ended".to_owned()));
        if let Ok(Some(host)) = host.map(Arc::into_inner) {
            host.close().await;
        }
    }

    async fn host(&self) -> Result<Arc<Host>, String> {
        self.current.lock().await.clone()
    }

    /// Opens it anew, unless somebody else has done so since `gone` was asked.
    async fn again(&self, gone: Option<Arc<Host>>) -> Result<Arc<Host>, String> {
        let mut current = self.current.lock().await;
        let is_same = match (&*current, &gone) {
            (Ok(now), Some(gone)) => Arc::ptr_eq(now, gone),
            (Ok(_), None) => false,
            (Err(_), _) => true,
        };
        if is_same {
            *current = open().await;
        }
        current.clone()
    }
}

async fn open() -> Result<Arc<Host>, String> {
    Host::open(NAME).await.map(Arc::new).map_err(|error| error.to_string())
}
