//! Byte vectors that both ends check and `docs/protocol.md` quotes: `fixtures/link.json`. With `RELAY_BLESS` set the
//! file is written anew; the change then has to be explained.

use relay::bytes::Nonce;
use relay::certificate::Certificate;
use relay::keys::DeviceKeys;
use relay::noise::CipherKey;
use relay::proof::{self, Registration};
use relay::ptc1::Frame;
use relay::record::{RecordKeys, RecordKind, StreamMessage};
use relay::sealing::{BoxHead, BoxKind};
use relay::session::{Names, Opening, Plain, respond};
use relay::words::{OneTimeSecret, digits};
use relay::{Clock, Random};
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

const FIXTURE: &str = include_str!("../fixtures/link.json");
const ORIGIN: &str = "https://relay.example";

/// Every draw is this byte, repeated.
fn all(byte: u8) -> Random {
    Arc::new(move |to| to.fill(byte))
}

fn counting(from: u8) -> DeviceKeys {
    let mut bytes = Zeroizing::new([0; 64]);
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = from + i as u8;
    }
    DeviceKeys::from_secret(&bytes)
}

fn signed(keys: &DeviceKeys, message: &[u8]) -> Value {
    json!({ "message": hex::encode(message), "signature": hex::encode(keys.sign(message).0) })
}

fn pairing(desktop: &DeviceKeys) -> Value {
    let secret = OneTimeSecret::from_bytes(std::array::from_fn(|i| i as u8));
    json!({
        "secret": "000102030405060708090a0b0c0d0e0f",
        "words": secret.words().unwrap(),
        "qr": secret.qr(ORIGIN, &desktop.public().noise),
        "psk": hex::encode(secret.psk().as_slice()),
        "mailbox": secret.mailbox(),
        "digits_of_42": digits(&[0x42; 32]),
        "digits_of_43": digits(&[0x43; 32]),
    })
}

fn signatures(desktop: &DeviceKeys, phone: &DeviceKeys) -> Value {
    let certificate = Certificate {
        origin: ORIGIN.into(),
        account: "account-1".into(),
        issuer: "desktop-1".into(),
        name: "Pocket".into(),
        keys: phone.public(),
        issued_at: 1_700_000_000_000,
        id: "00112233445566778899aabbccddeeff".into(),
    };
    let certificate = certificate.to_bytes(desktop);
    let nonce = Nonce([0x33; 32]);
    let registration = proof::registration(&Registration {
        origin: ORIGIN,
        account: "account-1",
        device: "phone-1",
        generation: 7,
        nonce: &nonce,
        token_id: "token-1",
    });
    json!({
        "certificate": hex::encode(&certificate),
        "registration": signed(phone, &registration),
        "ticket": signed(phone, &proof::ticket(ORIGIN, "phone-1", &nonce)),
        "enrolment": signed(phone, &proof::enrolment(ORIGIN, &certificate)),
    })
}

fn sealed() -> Value {
    let records = RecordKeys::from_transport_key([0x11; 32]);
    let message =
        StreamMessage { stream: 5, kind: RecordKind::Data, epoch: u64::MAX, offset: 1000, bytes: b"ls\r\n" };
    let record = records.seal(&message, &all(0x66)).unwrap().remove(0);
    let frame = Frame { session: "alias-1", payload: &record }.to_bytes().unwrap();
    let head = BoxHead { kind: BoxKind::Transport, session: [1, 2, 3, 4, 5, 6, 7, 8], seq: 3 };
    let rest =
        CipherKey::new([0x22; 32]).seal(3, &head.associated("phone-1", "desktop-1"), b"\x00\x00\x01{}");
    json!({
        "transport_key": hex::encode([0x11; 32]),
        "message": hex::encode(message.to_bytes()),
        "record": hex::encode(&record),
        "frame": hex::encode(frame),
        "box_key": hex::encode([0x22; 32]),
        "box": hex::encode(head.with(&rest)),
    })
}

fn session(desktop: &DeviceKeys, phone: &DeviceKeys) -> Value {
    let clock: Clock = Arc::new(|| 0);
    let names = || Names { phone: "phone-1".into(), desktop: "desktop-1".into() };
    let (opening, first) = Opening::begin(phone, names(), &desktop.public().noise, &all(0x55)).unwrap();
    let (mut theirs, second) =
        respond(desktop, names(), &phone.public().noise, &first, &all(0x77), clock()).unwrap();
    let mut ours = opening.finish(&second, clock()).unwrap();
    let said = ours.seal(&Plain::Api("hello".into()), 0).unwrap().remove(0);
    theirs.open(&said).unwrap();
    let answered = theirs.seal(&Plain::Api("welcome".into()), 0).unwrap().remove(0);
    json!({
        "first": hex::encode(first),
        "second": hex::encode(second),
        "said": hex::encode(said),
        "answered": hex::encode(answered),
    })
}

#[test]
fn the_bytes_are_those_of_the_fixture() {
    let (desktop, phone) = (counting(0), counting(64));
    let made = json!({
        "about": "Byte vectors of the device link. Keys: the desktop's secret is the bytes 0 to 63, the phone's 64 to 127, X25519 before Ed25519.",
        "desktop": { "noise": hex::encode(desktop.public().noise.0), "link": hex::encode(desktop.public().link.0), "fingerprint": desktop.public().fingerprint() },
        "phone": { "noise": hex::encode(phone.public().noise.0), "link": hex::encode(phone.public().link.0), "fingerprint": phone.public().fingerprint() },
        "pairing": pairing(&desktop),
        "signatures": signatures(&desktop, &phone),
        "sealed": sealed(),
        "session": session(&desktop, &phone),
    });
    if std::env::var_os("RELAY_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/link.json"), text).unwrap();
        return;
    }
    let kept: Value = serde_json::from_str(FIXTURE).unwrap();
    assert_eq!(made, kept);
}
