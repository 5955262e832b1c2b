//! A hub in memory with a real WebSocket for the desktop, and a phone that is driven by the test.

use crate::{keys, random};
use futures_util::{SinkExt, StreamExt};
use relay::acceptor::{Accepted, Acceptor};
use relay::bytes::{Nonce, Sealed};
use relay::client::{DeviceLink, DeviceLinkConfig, Event, LinkState, Peer};
use relay::envelope::{DeviceKind, FromHub, ToHub};
use relay::keys::DeviceKeys;
use relay::proof::{self, Registration};
use relay::ptc1::Frame;
use relay::sealing::{BoxHead, BoxKind};
use relay::session::{Control, Names, Opening, Plain, Session};
use rpc::Scopes;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

pub const DESK: &str = "desk-1";
pub const PHONE: &str = "phone-1";

#[derive(Default)]
pub struct State {
    generation: u64,
    /// To the desktop's socket; dropped to cut it.
    desktop: Option<mpsc::UnboundedSender<Message>>,
    /// Boxes for the desktop that it has not acknowledged.
    waiting: Vec<(u64, Vec<u8>)>,
    n: u64,
    /// The highest box of the desktop.
    pub seq: u64,
    /// Whether the hub has lost its memory.
    pub forgetful: bool,
    /// Whether nothing is read from the desktop.
    pub asleep: bool,
    /// Whether the phone is away and boxes for it are refused.
    pub refuses: bool,
    pub aliases: HashMap<String, u64>,
    pub registrations: u64,
}

pub enum Got {
    Box(Vec<u8>),
    Frame(Vec<u8>),
    Pairing(Vec<u8>),
}

#[derive(Clone)]
pub struct Hub {
    pub state: Arc<Mutex<State>>,
    pub origin: String,
}

impl Hub {
    pub async fn start() -> (Hub, mpsc::UnboundedReceiver<Got>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (to_phone, phone) = mpsc::unbounded_channel();
        let hub = Hub { state: Arc::default(), origin };
        let running = hub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(running.clone().serve(stream, to_phone.clone()));
            }
        });
        (hub, phone)
    }

    async fn serve(self, stream: TcpStream, phone: mpsc::UnboundedSender<Got>) {
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let check = |request: &Request, mut response: Response| {
            assert_eq!(request.headers()["authorization"], "Bearer token-1");
            assert_eq!(request.uri().path(), "/ws/device-link");
            let protocol = request.headers()["sec-websocket-protocol"].clone();
            response.headers_mut().insert("sec-websocket-protocol", protocol);
            Ok(response)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, check).await.unwrap();
        let generation = {
            let mut state = self.state.lock().unwrap();
            state.generation += 1;
            state.generation
        };
        let nonce = Nonce([generation as u8; 32]);
        let challenge = FromHub::Challenge { nonce, generation, account: "acc".into(), token_id: "t".into() };
        socket.send(Message::text(challenge.to_text())).await.unwrap();
        let Some(Ok(Message::Text(text))) = socket.next().await else { return };
        let Ok(ToHub::Register { device_id, signature, resume, .. }) = ToHub::parse(text.as_str()) else {
            panic!("not a registration: {text}")
        };
        let proof = proof::registration(&Registration {
            origin: &self.origin,
            account: "acc",
            device: &device_id,
            generation,
            nonce: &nonce,
            token_id: "t",
        });
        proof::verify(&keys(2).public().link, &proof, &signature).unwrap();
        let (tx, mut rx) = mpsc::unbounded_channel();
        {
            let mut state = self.state.lock().unwrap();
            state.registrations += 1;
            let resumed = resume.is_some() && !std::mem::take(&mut state.forgetful);
            if !resumed {
                (state.seq, state.n) = (0, 0);
                state.waiting.clear();
            }
            let registered = FromHub::Registered {
                link_id: "l".into(),
                generation,
                resume_token: "r".into(),
                resumed,
                received: state.seq,
                heartbeat_ms: 15_000,
                expires_in_ms: 900_000,
            };
            tx.send(Message::text(registered.to_text())).unwrap();
            let received = resume.map_or(0, |resume| resume.received);
            state.waiting.retain(|(n, _)| *n > received);
            for (n, sealed) in &state.waiting {
                tx.send(to_desktop(*n, sealed)).unwrap();
            }
            state.aliases.clear();
            state.desktop = Some(tx);
        }
        let (mut sink, mut source) = socket.split();
        loop {
            let asleep = self.state.lock().unwrap().asleep;
            tokio::select! {
                out = rx.recv() => match out {
                    Some(message) => sink.send(message).await.unwrap(),
                    // Cut, as a network does: without a word.
                    None => return,
                },
                message = source.next(), if !asleep => match message {
                    Some(Ok(Message::Text(text))) => self.envelope(ToHub::parse(text.as_str()).unwrap(), &phone),
                    Some(Ok(Message::Binary(frame))) => phone.send(Got::Frame(frame.to_vec())).unwrap(),
                    _ => return,
                },
                () = tokio::time::sleep(Duration::from_millis(5)), if asleep => {}
            }
        }
    }

    fn envelope(&self, envelope: ToHub, phone: &mpsc::UnboundedSender<Got>) {
        let mut state = self.state.lock().unwrap();
        match envelope {
            ToHub::Heartbeat {} => state.tell(&FromHub::Heartbeat {}),
            ToHub::Sealed { to, seq, sealed, .. } => {
                assert_eq!(to, PHONE);
                if seq > state.seq {
                    assert_eq!(seq, state.seq + 1, "boxes are counted without a hole");
                    state.seq = seq;
                    if state.refuses {
                        let (code, message) = ("unavailable".to_owned(), String::new());
                        return state.tell(&FromHub::Error { code, message, reference: Some(seq) });
                    }
                    phone.send(Got::Box(sealed.as_bytes().to_vec())).unwrap();
                    state.tell(&FromHub::Received { up_to: seq });
                }
            }
            ToHub::Ack { up_to } => state.waiting.retain(|(n, _)| *n > up_to),
            ToHub::OpenStream { reference, .. } => {
                let alias = format!("alias-{}-{reference}", state.generation);
                state.aliases.insert(alias.clone(), reference);
                state.tell(&FromHub::Stream { alias, reference });
            }
            ToHub::CloseStream { alias } => {
                state.aliases.remove(&alias);
            }
            ToHub::PairingOpen { mailbox } => state.tell(&FromHub::PairingOpened { mailbox }),
            ToHub::Pairing { body, .. } => phone.send(Got::Pairing(body.as_bytes().to_vec())).unwrap(),
            ToHub::PairingClose { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// A box of the phone for the desktop.
    pub fn carry(&self, sealed: Vec<u8>) {
        let mut state = self.state.lock().unwrap();
        state.n += 1;
        let n = state.n;
        state.waiting.push((n, sealed.clone()));
        if let Some(desktop) = &state.desktop {
            // A socket that was cut takes nothing; the desktop resumes.
            let _cut = desktop.send(to_desktop(n, &sealed));
        }
    }

    pub fn tell(&self, envelope: &FromHub) {
        self.state.lock().unwrap().tell(envelope);
    }

    /// Cuts the desktop's socket.
    pub fn cut(&self) {
        self.state.lock().unwrap().desktop = None;
    }
}

impl State {
    fn tell(&mut self, envelope: &FromHub) {
        if let Some(desktop) = &self.desktop {
            desktop.send(Message::text(envelope.to_text())).unwrap();
        }
    }
}

fn to_desktop(n: u64, sealed: &[u8]) -> Message {
    let sealed = Sealed::new(sealed.to_vec());
    Message::text(FromHub::Sealed { from: PHONE.into(), n, sealed }.to_text())
}

pub fn peer(device: Option<&str>) -> Peer {
    Peer {
        keys: keys(3).public(),
        name: "Pocket".into(),
        device: device.map(str::to_owned),
        scopes: Scopes::all(),
    }
}

pub fn config(hub: &Hub, peers: Vec<Peer>) -> DeviceLinkConfig {
    DeviceLinkConfig {
        origin: hub.origin.clone(),
        device: DESK.into(),
        name: "Desk".into(),
        keys: keys(2),
        peers,
        token: Arc::new(|| Box::pin(async { Ok(SecretString::from("token-1")) })),
        clock: Arc::new(|| 1_700_000_000_000),
        random: random(50),
    }
}

pub async fn online(link: &DeviceLink) {
    let mut state = link.state();
    within(state.wait_for(|state| *state == LinkState::Online)).await.unwrap();
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("nothing came"))
}

/// The phone's end, with the library's own session.
pub struct Phone {
    pub hub: Hub,
    pub inbox: mpsc::UnboundedReceiver<Got>,
    pub session: Session,
    pub first: Vec<u8>,
    streams: HashMap<String, (u32, Acceptor)>,
    early: Vec<Vec<u8>>,
}

#[derive(Debug, PartialEq)]
pub enum Said {
    Api(String),
    Record(u32, Accepted),
    Lagging(u32),
    Head(u32, u64),
    Unknown,
}

impl Phone {
    pub async fn begin(
        hub: Hub,
        mut inbox: mpsc::UnboundedReceiver<Got>,
        keys: &DeviceKeys,
        seed: u64,
    ) -> Phone {
        let names = Names { phone: PHONE.into(), desktop: DESK.into() };
        let desktop = crate::keys(2).public().noise;
        let (opening, first) = Opening::begin(keys, names, &desktop, &random(seed)).unwrap();
        hub.carry(first.clone());
        let session = loop {
            let Some(Got::Box(sealed)) = within(inbox.recv()).await else { continue };
            let head = BoxHead::parse(&sealed).unwrap().0;
            if head.kind == BoxKind::Second && head.session == opening.id() {
                break opening.finish(&sealed, 0).unwrap();
            }
        };
        Phone { hub, inbox, session, first, streams: HashMap::new(), early: Vec::new() }
    }

    pub fn say(&mut self, text: &str) {
        for sealed in self.session.seal(&Plain::Api(text.into()), 0).unwrap() {
            self.hub.carry(sealed);
        }
    }

    pub async fn hear(&mut self) -> Said {
        within(self.listen()).await
    }

    /// What comes next, whenever that is.
    pub async fn listen(&mut self) -> Said {
        loop {
            match self.inbox.recv().await.unwrap() {
                Got::Box(sealed) => {
                    if BoxHead::parse(&sealed).unwrap().0.kind == BoxKind::Unknown {
                        return Said::Unknown;
                    }
                    match self.session.open(&sealed) {
                        Ok(Some(Plain::Api(text))) => return Said::Api(text),
                        Ok(Some(Plain::Control(control))) => {
                            if let Some(said) = self.control(control) {
                                return said;
                            }
                        }
                        Ok(None) | Err(relay::RelayError::OutOfPlace(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                Got::Frame(frame) => {
                    if let Some(said) = self.frame(&frame) {
                        return said;
                    }
                }
                Got::Pairing(_) => {}
            }
        }
    }

    fn control(&mut self, control: Control) -> Option<Said> {
        match control {
            Control::Alias { stream, alias, epoch, offset } => {
                self.streams.insert(alias, (stream, Acceptor::new(epoch.parse().unwrap(), offset)));
                assert!(self.early.is_empty(), "control goes first");
                None
            }
            Control::Lagging { stream } => {
                self.streams.retain(|_, (of, _)| *of != stream);
                Some(Said::Lagging(stream))
            }
            Control::Heads { heads } => heads.first().map(|head| Said::Head(head.stream, head.offset)),
            Control::Rekey {} | Control::Unknown => None,
        }
    }

    fn frame(&mut self, frame: &[u8]) -> Option<Said> {
        let frame = Frame::parse(frame).unwrap();
        // Frames of a stream that lagged may still be under way.
        let (stream, acceptor) = self.streams.get_mut(frame.session)?;
        let record = self.session.records().open(*stream, frame.payload).unwrap();
        acceptor.take(record).unwrap().map(|accepted| Said::Record(*stream, accepted))
    }
}

/// A desktop that is online, a phone with a confirmed session, and the link that was handed out.
pub async fn desktop_and_phone() -> (DeviceLink, mpsc::Receiver<Event>, Phone, rpc::Link) {
    let (hub, inbox) = Hub::start().await;
    let (link, mut events) = DeviceLink::start(config(&hub, vec![peer(None)])).unwrap();
    online(&link).await;
    hub.tell(&FromHub::Presence {
        device: PHONE.into(),
        name: "P".into(),
        kind: DeviceKind::Mobile,
        online: true,
    });
    let mut phone = Phone::begin(hub, inbox, &keys(3), 9).await;
    phone.say("hello");
    assert!(matches!(within(events.recv()).await, Some(Event::Presence { online: true, .. })));
    let Some(Event::Recognised { device, .. }) = within(events.recv()).await else {
        panic!("not recognised")
    };
    assert_eq!(device, PHONE);
    let Some(Event::Session { peer, link: mut session }) = within(events.recv()).await else { panic!() };
    assert_eq!((peer.name.as_str(), peer.device.as_deref()), ("Pocket", Some(PHONE)));
    assert_eq!(within(session.rx.recv()).await, Some(rpc::Message::Text("hello".into())));
    (link, events, phone, session)
}
