//! The phone's own code, in TypeScript, run by Node against the desktop's end: pairing, a session, terminal bytes.
//! `ui/node_modules` has to be there (`cargo xtask setup` sees to it); without it these tests fail.

use crate::hub::{DESK, Got, Hub, PHONE, config, online, within};
use crate::{keys, random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relay::bytes::{Sealed, Signature};
use relay::certificate::Certificate;
use relay::client::{DeviceLink, Event, PairingEvent};
use relay::envelope::FromHub;
use relay::pairing::{Desktop, DesktopInfo};
use relay::proof;
use relay::record::{RecordKind, StreamMessage};
use relay::words::OneTimeSecret;
use rpc::{Message, Scope, Scopes};
use serde::Deserialize;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    boxes: Vec<String>,
    texts: Vec<String>,
    records: Vec<String>,
    opened: bool,
    closed: bool,
    body: String,
    digits: String,
    fingerprint: String,
    certificate: String,
    proof: String,
    scopes: Vec<String>,
    noise: String,
    error: Option<String>,
}

struct Node {
    _child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Node {
    fn start() -> Node {
        let ui = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui");
        let mut child = Command::new("node")
            .arg("test/relay/phone.mjs")
            .current_dir(ui)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("node is needed for this test: {e}"));
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap()).lines();
        Node { _child: child, to, from }
    }

    async fn ask(&mut self, line: serde_json::Value) -> Answer {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = within(self.from.next_line()).await.unwrap();
        let answer = answer.unwrap_or_else(|| panic!("the phone ended; is ui/node_modules installed?"));
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    async fn bytes(&mut self, what: &str, bytes: &[u8]) -> Answer {
        let body = STANDARD.encode(bytes);
        self.ask(serde_json::json!({ "do": what, "body": body, "desktop": DESK })).await
    }
}

fn decode(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// Moves what each side has for the other until `enough`.
async fn until(
    hub: &Hub,
    inbox: &mut mpsc::UnboundedReceiver<Got>,
    node: &mut Node,
    mut enough: impl FnMut(Answer) -> bool,
) {
    loop {
        let answer = match within(inbox.recv()).await.unwrap() {
            Got::Box(bytes) => node.bytes("box", &bytes).await,
            Got::Frame(bytes) => node.bytes("frame", &bytes).await,
            Got::Pairing(_) => continue,
        };
        assert_eq!(answer.error, None);
        carry(hub, &answer);
        if enough(answer) {
            return;
        }
    }
}

fn carry(hub: &Hub, answer: &Answer) {
    for sealed in &answer.boxes {
        hub.carry(decode(sealed));
    }
}

/// Pairs through the desktop's mailbox and begins a session.
async fn paired(
    hub: &Hub,
    inbox: &mut mpsc::UnboundedReceiver<Got>,
    node: &mut Node,
) -> (DeviceLink, mpsc::Receiver<Event>, rpc::Link) {
    let (link, mut events) = DeviceLink::start(config(hub, vec![])).unwrap();
    online(&link).await;
    let mut pairing = link.pair().await.unwrap();
    let Some(PairingEvent::Offered { qr, .. }) = within(pairing.events.recv()).await else { panic!() };
    let (_, _, secret) = OneTimeSecret::from_qr(&qr).unwrap();
    let send = |body: &str| {
        hub.tell(&FromHub::Pairing { mailbox: secret.mailbox(), body: Sealed::new(decode(body)) });
    };
    let known = node.ask(serde_json::json!({ "do": "keys" })).await;
    let first = node.ask(serde_json::json!({ "do": "pair", "text": qr })).await;
    send(&first.body);
    let Some(Got::Pairing(second)) = within(inbox.recv()).await else { panic!() };
    let third = node.bytes("second", &second).await;
    assert_eq!(third.fingerprint, keys(2).public().fingerprint());
    send(&third.body);
    let Some(PairingEvent::Arrived { name, fingerprint }) = within(pairing.events.recv()).await else {
        panic!()
    };
    assert_eq!((name.as_str(), fingerprint), ("Pocket", known.fingerprint));
    pairing.answers.confirm(&third.digits, Scopes::NONE.with(Scope::View)).await;
    let Some(PairingEvent::Accepted(peer)) = within(pairing.events.recv()).await else { panic!() };
    assert_eq!(peer.keys.noise.to_base64(), known.noise);
    let Some(Got::Pairing(fourth)) = within(inbox.recv()).await else { panic!() };
    let decision = node.bytes("fourth", &fourth).await;
    assert_eq!(decision.scopes, ["view"]);
    let certificate = decode(&decision.certificate);
    let (read, signature) = Certificate::parse(&certificate).unwrap();
    read.verify(&signature, &keys(2).public().link).unwrap();
    let enrolment = proof::enrolment("https://relay.example", &certificate);
    proof::verify(&peer.keys.link, &enrolment, &Signature::from_base64(&decision.proof).unwrap()).unwrap();
    let key = keys(2).public().noise.to_base64();
    let dialled =
        node.ask(serde_json::json!({ "do": "dial", "phone": PHONE, "desktop": DESK, "key": key })).await;
    carry(hub, &dialled);
    until(hub, inbox, node, |answer| answer.opened).await;
    carry(hub, &node.ask(serde_json::json!({ "do": "say", "text": "hello" })).await);
    loop {
        if let Some(Event::Session { link: session, .. }) = within(events.recv()).await {
            return (link, events, session);
        }
    }
}

fn stream(kind: RecordKind, offset: u64, bytes: &[u8]) -> Message {
    Message::Binary(StreamMessage { stream: 5, kind, epoch: u64::MAX - 7, offset, bytes }.to_bytes().into())
}

#[tokio::test]
async fn the_phone_pairs_calls_and_sees_a_terminal() {
    let (hub, mut inbox) = Hub::start().await;
    let mut node = Node::start();
    let (_link, _events, mut session) = paired(&hub, &mut inbox, &mut node).await;
    assert_eq!(within(session.rx.recv()).await, Some(Message::Text("hello".into())));

    let long = "ä€🙂".repeat(20_000);
    carry(&hub, &node.ask(serde_json::json!({ "do": "say", "text": long })).await);
    assert_eq!(within(session.rx.recv()).await, Some(Message::Text(long.clone())));
    session.tx.send(Message::Text(long.clone())).await.unwrap();
    until(&hub, &mut inbox, &mut node, |answer| answer.texts == [long.as_str()]).await;

    let bytes: Vec<u8> = (0..120_000u32).map(|i| (i / 3) as u8).collect();
    let sent = [
        stream(RecordKind::Gap, 10, &1000u64.to_be_bytes()),
        stream(RecordKind::Snapshot, 1000, &bytes),
        stream(RecordKind::Resize, 1000, &[0, 80, 0, 24]),
        stream(RecordKind::Data, 1000, b"$ ls\r\n"),
        stream(RecordKind::Exit, 1006, &[]),
    ];
    for message in &sent {
        session.tx.send(message.clone()).await.unwrap();
    }
    let mut shown = Vec::new();
    until(&hub, &mut inbox, &mut node, |answer| {
        shown.extend(answer.records.iter().map(|record| Message::Binary(decode(record).into())));
        shown.len() >= sent.len()
    })
    .await;
    assert_eq!(shown, sent);

    // The socket is cut: what was attached ends with a reason, and the session goes on.
    hub.cut();
    let mut canceled = false;
    until(&hub, &mut inbox, &mut node, |answer| {
        canceled |= answer.texts.iter().any(|text| text.contains("\"lagging\""));
        canceled
    })
    .await;
    let Some(Message::Text(cancel)) = within(session.rx.recv()).await else { panic!() };
    assert!(cancel.contains("$/cancel"), "{cancel}");
    carry(&hub, &node.ask(serde_json::json!({ "do": "say", "text": "after" })).await);
    assert_eq!(within(session.rx.recv()).await, Some(Message::Text("after".into())));
}

#[tokio::test]
async fn the_phone_notices_a_revoked_pairing_and_another_desktop() {
    let (hub, mut inbox) = Hub::start().await;
    let mut node = Node::start();
    let (link, _events, _session) = paired(&hub, &mut inbox, &mut node).await;
    let phone = node.ask(serde_json::json!({ "do": "keys" })).await;
    let of = |text: &str| relay::bytes::Key::from_base64(text).unwrap();
    assert!(!link.revoke(of(&phone.noise)).await.unwrap(), "a peer is named by its link key");
    // A desktop with the secret and other keys than those of the code.
    let secret = OneTimeSecret::generate(&random(90));
    let qr = secret.qr("https://relay.example", &keys(2).public().noise);
    let info = DesktopInfo { device: DESK.into(), name: "Desk".into(), link: keys(8).public().link };
    let mut other = Desktop::new(&keys(8), &secret, info, &random(91)).unwrap();
    let first = node.ask(serde_json::json!({ "do": "pair", "text": qr })).await;
    let second = other.answer(&decode(&first.body)).unwrap();
    assert_eq!(node.bytes("second", &second).await.error.as_deref(), Some("forged"));
    // The same by words is a pairing: there is no key to compare with, the secret vouches.
    let words = secret.words().unwrap();
    let info = DesktopInfo { device: DESK.into(), name: "Desk".into(), link: keys(8).public().link };
    let mut by_words = Desktop::new(&keys(8), &secret, info, &random(92)).unwrap();
    let first = node.ask(serde_json::json!({ "do": "pair", "text": words })).await;
    let second = by_words.answer(&decode(&first.body)).unwrap();
    let third = node.bytes("second", &second).await;
    assert_eq!(by_words.meet(&decode(&third.body)).unwrap().digits, third.digits);
}

#[tokio::test]
async fn the_phone_begins_again_when_its_session_is_unknown() {
    let (hub, mut inbox) = Hub::start().await;
    let mut node = Node::start();
    let (link, _events, _session) = paired(&hub, &mut inbox, &mut node).await;
    let known = node.ask(serde_json::json!({ "do": "keys" })).await;
    // The desktop restarts without its sessions.
    drop(link);
    let keys_of_phone = relay::keys::PublicKeys {
        noise: relay::bytes::Key::from_base64(&known.noise).unwrap(),
        link: relay::bytes::Key([9; 32]),
    };
    let peer = relay::client::Peer { keys: keys_of_phone, ..crate::hub::peer(Some(PHONE)) };
    let (link, _events) = DeviceLink::start(config(&hub, vec![peer])).unwrap();
    online(&link).await;
    carry(&hub, &node.ask(serde_json::json!({ "do": "say", "text": "lost" })).await);
    until(&hub, &mut inbox, &mut node, |answer| answer.closed).await;
}
