//! Who is at the relay, and what waits for them.

use super::lanes::{Lanes, Offered};
use bytes::Bytes;
use relay::bytes::Sealed;
use relay::envelope::{DeviceKind, FromHub, Resume};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long boxes are kept for a device that is away, and how many bytes of them.
const KEEP_MS: i64 = 10 * 60_000;
const KEEP_BYTES: usize = 1 << 20;
/// What a kept box costs besides its bytes.
const KEPT_OVERHEAD: usize = 128;
/// Devices of one account that may be here at once.
const DEVICES: usize = 8;
/// Aliases that one desktop may have open.
const ALIASES: usize = 32;

/// Whom a token or ticket lets in.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    /// The account.
    pub account: String,
    /// The id of the token or ticket, as far as it is told to its owner.
    pub token_id: String,
    /// The only device it is for: a ticket's. A desktop's access token is for every desktop of its sign-in.
    pub device: Option<String>,
    /// The sign-in of an access token; its end is the end of the link.
    pub sign_in: Option<String>,
    /// When the authority ends.
    pub expires_ms: i64,
}

/// Why something was not done. The text goes to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: &'static str,
}

const fn refuse(code: &'static str, message: &'static str) -> Refusal {
    Refusal { code, message }
}

/// What a device proved when it registered.
pub(crate) struct Arrival {
    pub account: String,
    pub device: String,
    pub kind: DeviceKind,
    pub name: String,
    pub generation: u64,
    pub resume: Option<Resume>,
    /// A fresh token for the next resume.
    pub resume_token: String,
    pub lanes: Arc<Lanes>,
    /// Makes the first envelope it gets, of whether it resumed and the highest `seq` taken from it.
    pub greeting: Box<dyn FnOnce(bool, u64) -> FromHub + Send>,
}

/// The relay of one node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    state: Arc<Mutex<State>>,
    generation: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct State {
    devices: HashMap<String, Device>,
    aliases: HashMap<String, Alias>,
}

/// A device that is here, or was not long ago.
#[derive(Debug)]
struct Device {
    account: String,
    kind: DeviceKind,
    name: String,
    live: Option<Live>,
    resume_token: String,
    /// The highest `seq` taken from it.
    received: u64,
    /// The `n` of the next box for it.
    next: u64,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    left_ms: i64,
}

#[derive(Debug)]
struct Live {
    generation: u64,
    lanes: Arc<Lanes>,
}

#[derive(Debug)]
struct Kept {
    n: u64,
    from: String,
    sealed: Sealed,
}

#[derive(Debug)]
struct Alias {
    producer: (String, u64),
    consumer: (String, u64),
}

impl Hub {
    /// `first` numbers the first socket; later than every number of an earlier process of this server.
    pub fn new(first: u64) -> Hub {
        Hub { state: Arc::default(), generation: Arc::new(AtomicU64::new(first)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers a new socket.
    pub fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets a device take its place. An older socket of it is closed; a newer one keeps the place.
    pub fn register(&self, arrival: Arrival, now_ms: i64) -> Result<(), Refusal> {
        let mut state = self.state();
        state.forget_the_long_gone(now_ms);
        let Arrival { account, device: id, kind, name, generation, resume, resume_token, lanes, greeting } =
            arrival;
        let present = state.of_account(&account).filter(|(other, d)| **other != id && d.live.is_some());
        if present.count() >= DEVICES {
            return Err(refuse("too_many_devices", "Eight devices of this account are connected already."));
        }
        let device = state.devices.entry(id.clone()).or_insert_with(|| Device {
            account: account.clone(),
            kind,
            name: name.clone(),
            live: None,
            resume_token: String::new(),
            received: 0,
            next: 1,
            kept: VecDeque::new(),
            kept_bytes: 0,
            left_ms: now_ms,
        });
        if let Some(live) = &device.live {
            if live.generation >= generation {
                return Err(refuse("fenced", "A newer connection of this device is here."));
            }
            live.lanes.close("a newer connection of this device is here");
        }
        let resumed = resume.as_ref().is_some_and(|resume| device.resumes(resume));
        if !resumed {
            device.received = 0;
            device.next = 1;
            device.kept.clear();
            device.kept_bytes = 0;
        }
        device.resume_token = resume_token;
        device.name = name;
        device.live = Some(Live { generation, lanes: Arc::clone(&lanes) });
        lanes.control(greeting(resumed, device.received).to_text());
        if let Some(resume) = resume {
            if !resumed {
                lanes.control(FromHub::Gap {}.to_text());
            }
            device.acknowledge(resume.received);
            for kept in &device.kept {
                lanes.control(kept.envelope());
            }
        }
        state.end_aliases(|alias| alias.touches(&id));
        state.tell_presence(&id);
        state.greet(&id);
        Ok(())
    }

    /// A socket has ended. The close of an old one does nothing to a newer one.
    pub fn leave(&self, id: &str, generation: u64, now_ms: i64) {
        let mut state = self.state();
        let Some(device) = state.devices.get_mut(id) else { return };
        if device.live.as_ref().is_none_or(|live| live.generation != generation) {
            return;
        }
        device.live = None;
        device.left_ms = now_ms;
        state.end_aliases(|alias| alias.touches(id));
        state.tell_presence(id);
    }

    /// Ends a device's link before this returns, and forgets all that waited for it.
    pub fn revoke(&self, id: &str) {
        let mut state = self.state();
        let live = state.devices.get_mut(id).and_then(|device| device.live.take());
        if let Some(live) = live {
            live.lanes.control(FromHub::Revoked {}.to_text());
            live.lanes.close("this device was revoked");
        }
        state.end_aliases(|alias| alias.touches(id));
        state.tell_presence(id);
        state.devices.remove(id);
    }

    /// Takes a box from a device for another of the same account. The answer is the highest `seq` taken so far.
    pub fn deliver(
        &self,
        from: (&str, u64),
        to: &str,
        seq: u64,
        sealed: Sealed,
        queue: bool,
    ) -> Result<u64, Refusal> {
        let mut state = self.state();
        let account = {
            let sender = state.live(from)?;
            if seq <= sender.received {
                // Sent again after a reconnect: it has been delivered.
                return Ok(sender.received);
            }
            if seq != sender.received + 1 {
                return Err(refuse("out_of_order", "A box before this one is missing."));
            }
            sender.received = seq;
            sender.account.clone()
        };
        let away = refuse("unavailable", "That device is not connected.");
        let receiver = state.devices.get_mut(to).filter(|d| d.account == account).ok_or(away)?;
        if receiver.live.is_none() && !queue {
            return Err(away);
        }
        let kept = Kept { n: receiver.next, from: from.0.to_owned(), sealed };
        receiver.next += 1;
        if let Some(live) = &receiver.live {
            live.lanes.control(kept.envelope());
        }
        receiver.keep(kept);
        Ok(seq)
    }

    /// Forgets what a device has taken.
    pub fn acknowledge(&self, from: (&str, u64), up_to: u64) {
        if let Ok(device) = self.state().live(from) {
            device.acknowledge(up_to);
        }
    }

    /// Opens a way for terminal frames from a desktop to another device.
    pub fn open_stream(&self, from: (&str, u64), to: &str, alias: String) -> Result<(), Refusal> {
        let mut state = self.state();
        let producer = state.live(from)?;
        if producer.kind != DeviceKind::Desktop {
            return Err(refuse("forbidden", "Terminal output goes from desktops to other devices."));
        }
        let account = producer.account.clone();
        let consumer = state.devices.get(to).filter(|device| device.account == account);
        let Some(live) = consumer.and_then(|device| device.live.as_ref()) else {
            return Err(refuse("unavailable", "That device is not connected."));
        };
        let consumer = (to.to_owned(), live.generation);
        if state.aliases.values().filter(|alias| alias.producer.0 == from.0).count() >= ALIASES {
            return Err(refuse("too_many_streams", "Too many terminals are followed at once."));
        }
        state.aliases.insert(alias, Alias { producer: (from.0.to_owned(), from.1), consumer });
        Ok(())
    }

    /// Ends a way that this device opened.
    pub fn close_stream(&self, from: (&str, u64), alias: &str) {
        let mut state = self.state();
        if state.aliases.get(alias).is_some_and(|found| found.producer.0 == from.0) {
            // What the producer sent before it closed still goes out.
            state.end_aliases_named(&[alias.to_owned()], false);
        }
    }

    /// Passes a terminal frame on. `None`: the alias leads nowhere any more, which its producer has been told.
    pub fn frame(&self, from: (&str, u64), alias: &str, frame: Bytes) -> Option<Offered> {
        let state = self.state();
        let found = state.aliases.get(alias)?;
        if found.producer.0 != from.0 || found.producer.1 != from.1 {
            return None;
        }
        let live = state.devices.get(&found.consumer.0)?.live.as_ref()?;
        Some(live.lanes.data(alias, frame))
    }
}

impl State {
    fn of_account<'a>(&'a self, account: &'a str) -> impl Iterator<Item = (&'a String, &'a Device)> {
        self.devices.iter().filter(move |(_, device)| device.account == account)
    }

    /// The device behind a socket, unless a newer socket has its place.
    fn live(&mut self, (id, generation): (&str, u64)) -> Result<&mut Device, Refusal> {
        let device = self.devices.get_mut(id);
        let fenced = refuse("fenced", "A newer connection of this device is here.");
        device.filter(|d| d.live.as_ref().is_some_and(|live| live.generation == generation)).ok_or(fenced)
    }

    /// Tells a device of the others that are here.
    fn greet(&self, id: &str) {
        let Some(device) = self.devices.get(id) else { return };
        let Some(live) = &device.live else { return };
        for (other, found) in self.of_account(&device.account) {
            if other != id && found.live.is_some() {
                live.lanes.control(found.presence(other));
            }
        }
    }

    /// Tells the others whether a device is here.
    fn tell_presence(&self, id: &str) {
        let Some(device) = self.devices.get(id) else { return };
        let text = device.presence(id);
        for (other, found) in self.of_account(&device.account) {
            if let Some(live) = found.live.as_ref().filter(|_| other != id) {
                live.lanes.control(text.clone());
            }
        }
    }

    fn end_aliases(&mut self, which: impl Fn(&Alias) -> bool) {
        let ended: Vec<String> =
            self.aliases.iter().filter(|(_, alias)| which(alias)).map(|(name, _)| name.clone()).collect();
        self.end_aliases_named(&ended, true);
    }

    fn end_aliases_named(&mut self, names: &[String], forget: bool) {
        for name in names {
            let Some(alias) = self.aliases.remove(name) else { continue };
            let text = FromHub::StreamClosed { alias: name.clone() }.to_text();
            for (id, generation) in [&alias.producer, &alias.consumer] {
                let live = self.devices.get(id).and_then(|device| device.live.as_ref());
                if let Some(live) = live.filter(|live| live.generation == *generation) {
                    if forget {
                        live.lanes.forget(name);
                    }
                    live.lanes.control(text.clone());
                }
            }
        }
    }

    fn forget_the_long_gone(&mut self, now_ms: i64) {
        self.devices.retain(|_, device| device.live.is_some() || now_ms - device.left_ms < KEEP_MS);
    }
}

impl Alias {
    fn touches(&self, id: &str) -> bool {
        self.producer.0 == id || self.consumer.0 == id
    }
}

impl Device {
    /// Whether every box that the device has not received is still kept.
    fn resumes(&self, resume: &Resume) -> bool {
        let first_missed = resume.received.saturating_add(1);
        // The token is a random word of this device alone; the key was proved before.
        !self.resume_token.is_empty()
            && self.resume_token == resume.token
            && self.kept.front().map_or(self.next == first_missed, |kept| kept.n <= first_missed)
            && first_missed <= self.next
    }

    fn acknowledge(&mut self, up_to: u64) {
        while let Some(kept) = self.kept.pop_front_if(|kept| kept.n <= up_to) {
            self.kept_bytes -= kept.size();
        }
    }

    /// Keeps a box until it is acknowledged. The oldest go when there are too many; whoever missed one learns it when
    /// it wants to resume.
    fn keep(&mut self, kept: Kept) {
        self.kept_bytes += kept.size();
        self.kept.push_back(kept);
        while self.kept_bytes > KEEP_BYTES {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.kept_bytes -= oldest.size();
        }
    }

    fn presence(&self, id: &str) -> String {
        let (name, kind, online) = (self.name.clone(), self.kind, self.live.is_some());
        FromHub::Presence { device: id.to_owned(), name, kind, online }.to_text()
    }
}

impl Kept {
    /// What keeping it costs: empty boxes are not free.
    fn size(&self) -> usize {
        self.sealed.len() + self.from.len() + KEPT_OVERHEAD
    }

    fn envelope(&self) -> String {
        FromHub::Sealed { from: self.from.clone(), n: self.n, sealed: self.sealed.clone() }.to_text()
    }
}
