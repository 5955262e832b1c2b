//! The link to the relay: started when it is of use, ended when it is not, and a router behind each session.

use super::peer;
use crate::{Engine, Inner, cloud};
use api::devices::LinkState;
use api::events::Topic;
use futures_util::future::BoxFuture;
use relay::bytes::Key;
use relay::client::{DeviceLink, DeviceLinkConfig, Event, LinkState as State, Pairing, Peer, TokenSupplier};
use relay::keys::PublicKeys;
use rpc::{ApiError, Caller, ErrorCode, Link};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long to wait before a link that could not be started is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// How long a device that was just accepted may take to stand in the list.
const TO_BE_LISTED: (u32, Duration) = (20, Duration::from_millis(50));
/// How long a pairing waits for the link.
const TO_BE_ONLINE: Duration = Duration::from_secs(10);

/// A link that runs.
pub(super) struct Running {
    link: Arc<DeviceLink>,
    origin: String,
    /// Which sign-in it was made for: the server ties a desktop's place to it.
    sign_in: u64,
    state: watch::Receiver<State>,
}

impl Running {
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn state(&self) -> (LinkState, Option<String>) {
        match &*self.state.borrow() {
            State::Online => (LinkState::Online, None),
            State::Connecting => (LinkState::Connecting, None),
            State::Waiting(why) => (LinkState::Connecting, Some(crate::error::sentence(why))),
            State::Revoked => (
                LinkState::Connecting,
                Some(
                    "The server has removed this machine from its devices. Sign out and in again.".to_owned(),
                ),
            ),
            State::Off => (LinkState::Connecting, Some("The link has ended.".to_owned())),
        }
    }
}

fn no_link(message: String) -> ApiError {
    ApiError::new(ErrorCode::Unavailable, "no_link", message)
}

impl Inner {
    /// Starts or ends the link as the sign-in and the paired devices ask for. Trouble is logged: nobody waits.
    pub(crate) async fn refresh_link(self: &Arc<Inner>) {
        let wanted = match self.device_rows().await {
            Ok(rows) => {
                let server = self.signed_in_server();
                rows.iter().any(|row| Some(&row.server) == server.as_ref()) || self.pairs_now()
            }
            Err(error) => {
                tracing::warn!(%error, "the paired devices cannot be read");
                return;
            }
        };
        let changed = if wanted && self.signed_in_server().is_some() {
            match self.link().await {
                Ok(_) => true,
                Err(error) => {
                    tracing::warn!(%error, "the link to the relay cannot be started");
                    self.retry_later();
                    false
                }
            }
        } else {
            self.devices.running.lock().await.take().is_some()
        };
        if changed {
            self.bus.tell(Topic::Device, "", None);
        }
    }

    /// Tries again in a while: the server may be away. One try waits at a time.
    fn retry_later(self: &Arc<Inner>) {
        if self.devices.retrying.swap(true, Ordering::SeqCst) {
            return;
        }
        let inner = Arc::downgrade(self);
        let again: BoxFuture<'static, ()> = Box::pin(async move {
            tokio::time::sleep(RETRY).await;
            if let Some(inner) = inner.upgrade() {
                inner.devices.retrying.store(false, Ordering::SeqCst);
                inner.refresh_link().await;
            }
        });
        tokio::spawn(again);
    }

    /// Ends the link: the engine closes.
    pub(crate) async fn close_link(&self) {
        self.devices.running.lock().await.take();
    }

    /// The link to the server that is signed in to, started if it does not run.
    async fn link(self: &Arc<Inner>) -> Result<Arc<DeviceLink>, ApiError> {
        // Whoever ends a device waits for the lock below; so nothing is asked of a server while it is held.
        let _one_at_a_time = self.devices.starting.lock().await;
        let sign_in = self.sign_in_number();
        {
            let mut running = self.devices.running.lock().await;
            if let Some(running) = running.as_ref().filter(|running| running.sign_in == sign_in) {
                return Ok(Arc::clone(&running.link));
            }
            // One that belonged to an earlier sign-in is of no use: the server refuses it.
            running.take();
        }
        let access = self.access().await?;
        let access = access.ok_or_else(|| {
            let message = "Devices are reached through a server. Sign in to one first.";
            ApiError::new(ErrorCode::Unauthenticated, "signed_out", message)
        })?;
        let keys = self.devices.keys.clone();
        let link_key = keys.public().link.to_base64();
        let name = self.env.machine.clone();
        let place = cloud::add_device(&self.gateway, &access.server, &access.token, &name, &link_key).await;
        let place = place.map_err(|e| crate::error::request(&e))?;
        let origin = self.signed_in_server().unwrap_or_default();
        let rows = self.device_rows().await?;
        let config = DeviceLinkConfig {
            origin: origin.clone(),
            device: place.device,
            name,
            keys,
            peers: rows.iter().filter(|row| row.server == origin).filter_map(peer).collect(),
            token: token_supplier(Arc::downgrade(self)),
            clock: Arc::clone(&self.env.clock),
            random: Arc::clone(&self.env.random),
        };
        let (link, events) = DeviceLink::start(config).map_err(|e| no_link(e.to_string()))?;
        let state = link.state();
        let link = Arc::new(link);
        tokio::spawn(follow(Arc::downgrade(self), events));
        tokio::spawn(tell_states(Arc::downgrade(self), state.clone()));
        *self.devices.running.lock().await =
            Some(Running { link: Arc::clone(&link), origin, sign_in, state });
        Ok(link)
    }

    /// Opens a pairing once the link is there; and the server's origin.
    pub(super) async fn open_pairing(self: &Arc<Inner>) -> Result<(Pairing, String), ApiError> {
        let link = self.link().await?;
        let mut state = link.state();
        let online = state.wait_for(|state| matches!(state, State::Online | State::Revoked));
        let reached = tokio::time::timeout(TO_BE_ONLINE, online).await.is_ok();
        if !reached {
            let (_, _, trouble) = self.link_state().await;
            let why = trouble.unwrap_or_else(|| "It does not answer.".to_owned());
            return Err(no_link(format!(
                "The server's relay cannot be reached. {why} Nothing was changed; try again."
            )));
        }
        let pairing = link.pair().await.map_err(|e| no_link(crate::error::sentence(&e.to_string())))?;
        Ok((pairing, self.signed_in_server().unwrap_or_default()))
    }

    /// Ends the sessions of a device; it may come back with other rights.
    pub(super) async fn admit_again(&self, peer: Peer) {
        let link = self.devices.running.lock().await.as_ref().map(|running| Arc::clone(&running.link));
        if let Some(link) = link
            && let Err(error) = link.admit(peer).await
        {
            tracing::debug!(%error, "the link had ended already");
        }
    }

    /// Ends the sessions of a device for good, then tells the server.
    pub(super) async fn end_device(&self, keys: &PublicKeys) {
        let link = self.devices.running.lock().await.as_ref().map(|running| Arc::clone(&running.link));
        if let Some(link) = link
            && let Err(error) = link.revoke(keys.link).await
        {
            tracing::debug!(%error, "the link had ended already");
        }
        if let Ok(Some(access)) = self.access().await {
            let link_key = keys.link.to_base64();
            let told = cloud::revoke_device(&self.gateway, &access.server, &access.token, &link_key).await;
            if let Err(error) = told {
                tracing::warn!(%error, "a device was revoked here; the server could not be told");
            }
        }
    }
}

fn token_supplier(inner: Weak<Inner>) -> TokenSupplier {
    Arc::new(move || {
        let inner = inner.clone();
        Box::pin(async move {
            let inner = inner.upgrade().ok_or("the engine has ended")?;
            match inner.access().await {
                Ok(Some(access)) => Ok(access.token),
                Ok(None) => Err("nobody is signed in".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
    })
}

async fn tell_states(inner: Weak<Inner>, mut state: watch::Receiver<State>) {
    while state.changed().await.is_ok() {
        let Some(inner) = inner.upgrade() else { return };
        inner.bus.tell(Topic::Device, "", None);
    }
}

/// Serves the sessions of the paired devices until the link ends.
async fn follow(inner: Weak<Inner>, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let Some(inner) = inner.upgrade() else { return };
        match event {
            Event::Session { peer, link } => {
                tokio::spawn(serve(Engine { inner }, peer, link));
            }
            Event::Recognised { peer, device } => {
                let key = peer.to_base64();
                let noted = inner.store.write(move |db| store::devices::recognise(db, &key, &device)).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "a device's id cannot be noted");
                }
            }
            // Whether a phone is there is told by its session, not by the server.
            Event::Presence { .. } => {}
        }
    }
}

/// One session of one device: the same router as everywhere, with the rights of its pairing.
async fn serve(engine: Engine, peer: Peer, link: Link) {
    let key = peer.keys.link;
    // A device that stands in no list is not served, whatever the link let in.
    let Some(id) = engine.inner.note_paired_session(key).await else {
        tracing::warn!("a device that is not in the list of paired ones was refused");
        return;
    };
    let caller = Caller::new(format!("device:{id}"), peer.scopes);
    let router = engine.router();
    let inner = Arc::downgrade(&engine.inner);
    drop(engine);
    rpc::serve_within(router, caller, link, relay::session::MAX_API_BYTES).await;
    if let Some(inner) = inner.upgrade() {
        inner.note_session(key, false).await;
    }
}

impl Inner {
    /// Counts a session that begins, if its device is in the list; the device's id here.
    async fn note_paired_session(&self, key: Key) -> Option<String> {
        for _ in 0..TO_BE_LISTED.0 {
            if let Some(id) = self.note_session(key, true).await {
                return Some(id);
            }
            self.note_session(key, false).await;
            tokio::time::sleep(TO_BE_LISTED.1).await;
        }
        None
    }

    /// Counts a session that begins or ends; the device's id here.
    async fn note_session(&self, key: Key, begins: bool) -> Option<String> {
        {
            let mut sessions = self.devices.sessions();
            let count = sessions.entry(key).or_default();
            *count = if begins { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                sessions.remove(&key);
            }
        }
        let (text, now) = (key.to_base64(), self.now());
        let id = self.store.write(move |db| store::devices::seen(db, &text, now)).await;
        let id = id.unwrap_or_else(|error| {
            tracing::warn!(%error, "a device's visit cannot be noted");
            None
        });
        self.bus.tell(Topic::Device, id.as_deref().unwrap_or_default(), None);
        id
    }
}
