//! Hostile bytes: a small corpus and a thousand changes of each. Nothing panics, and nothing grows.

use crate::{keys, random};
use relay::Random;
use relay::certificate::Certificate;
use relay::envelope::{FromHub, FromMailbox, ToHub, ToMailbox};
use relay::pairing::{Desktop, DesktopInfo, Phone};
use relay::ptc1::Frame;
use relay::record::{RecordKind, StreamMessage};
use relay::sealing::BoxHead;
use relay::session::{Names, Opening, Plain, respond};
use relay::words::OneTimeSecret;

const MUTATIONS: usize = 1000;

/// One change: bits, a cut, a repetition, or a length turned to its extremes.
fn mutated(seed: &[u8], random: &Random) -> Vec<u8> {
    let mut dice = [0; 8];
    random(&mut dice);
    let mut bytes = seed.to_vec();
    let at = usize::from(u16::from_be_bytes([dice[1], dice[2]])) % bytes.len().max(1);
    match dice[0] % 5 {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(at..),
        2 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
        3 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= dice[3] | 1),
    }
    bytes
}

fn each(corpus: &[Vec<u8>], mut harness: impl FnMut(&[u8])) {
    let random = random(4711);
    for seed in corpus {
        harness(seed);
        for _ in 0..MUTATIONS {
            harness(&mutated(seed, &random));
        }
    }
}

#[test]
fn frames_and_stream_messages() {
    let frame = Frame { session: "alias", payload: &[1; 90] }.to_bytes().unwrap();
    each(&[frame, b"PTC1\xff\xff".to_vec(), vec![]], |bytes| {
        if let Ok(frame) = Frame::parse(bytes) {
            assert_eq!(frame.to_bytes().unwrap(), bytes, "what is read is what was written");
        }
    });
    let message = StreamMessage { stream: 1, kind: RecordKind::Gap, epoch: 1, offset: 2, bytes: b"abc" };
    each(&[message.to_bytes()], |bytes| {
        if let Ok(message) = StreamMessage::parse(bytes) {
            assert_eq!(message.to_bytes(), bytes);
        }
    });
}

#[test]
fn envelopes() {
    let corpus = [
        r#"{"type":"sealed","to":"p","seq":1,"box":"AQI=","queue":true}"#,
        r#"{"type":"sealed","from":"p","n":1,"box":"AQI="}"#,
        r#"{"type":"presence","device":"p","name":"x","kind":"mobile","online":true}"#,
        r#"{"type":"goaway","afterMs":1,"reason":"x"}"#,
        r#"{"type":"pairing","mailbox":"m","body":"AQI="}"#,
    ];
    each(&corpus.map(|text| text.as_bytes().to_vec()), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        // Whatever is read can be written and read again.
        if let Ok(envelope) = ToHub::parse(&text) {
            assert!(ToHub::parse(&envelope.to_text()).is_ok());
        }
        if let Ok(envelope) = FromHub::parse(&text) {
            assert!(FromHub::parse(&envelope.to_text()).is_ok());
        }
        let _read = (ToMailbox::parse(&text), FromMailbox::parse(&text));
    });
}

#[test]
fn certificates() {
    let certificate = Certificate {
        origin: "https://relay.example".into(),
        account: "a".into(),
        issuer: "d".into(),
        name: "n".into(),
        keys: keys(3).public(),
        issued_at: 1,
        id: "i".into(),
    };
    let (genuine, key) = (certificate.to_bytes(&keys(2)), keys(2).public().link);
    each(std::slice::from_ref(&genuine), |bytes| {
        if let Ok((read, signature)) = Certificate::parse(bytes) {
            assert!(bytes == genuine || read.verify(&signature, &key).is_err());
        }
    });
}

#[test]
fn handshakes() {
    let secret = OneTimeSecret::from_bytes([1; 16]);
    let info = || DesktopInfo { device: "d".into(), name: "n".into(), link: keys(2).public().link };
    let (_, first) = Phone::begin(&keys(3), &secret, None, "p", &random(5)).unwrap();
    each(std::slice::from_ref(&first), |bytes| {
        let mut desktop = Desktop::new(&keys(2), &secret, info(), &random(6)).unwrap();
        let _answer = desktop.answer(bytes);
    });
    let mut desktop = Desktop::new(&keys(2), &secret, info(), &random(6)).unwrap();
    let second = desktop.answer(&first).unwrap();
    each(std::slice::from_ref(&second), |bytes| {
        let (phone, _) = Phone::begin(&keys(3), &secret, None, "p", &random(5)).unwrap();
        assert!(bytes == second || phone.answer(bytes).is_err());
    });
    let names = || Names { phone: "p".into(), desktop: "d".into() };
    let (_, begin) = Opening::begin(&keys(3), names(), &keys(2).public().noise, &random(7)).unwrap();
    each(std::slice::from_ref(&begin), |bytes| {
        let answered = respond(&keys(2), names(), &keys(3).public().noise, bytes, &random(8), 0);
        // The number in the head of a first box means nothing and is bound by nothing.
        assert!(answered.is_err() || bytes[..9] == begin[..9] && bytes[17..] == begin[17..]);
    });
}

#[test]
fn boxes_and_records() {
    let (mut phone, mut desktop) = crate::sessions::pair();
    let genuine = phone.seal(&Plain::Api("x".repeat(100)), 0).unwrap().remove(0);
    each(std::slice::from_ref(&genuine), |bytes| {
        let _head = BoxHead::parse(bytes);
        assert!(bytes == genuine || desktop.open(bytes).is_err());
    });
    assert!(desktop.open(&genuine).is_ok(), "nothing of it has ended the session");
    let message = StreamMessage { stream: 1, kind: RecordKind::Data, epoch: 1, offset: 0, bytes: &[7; 100] };
    let record = desktop.records().seal(&message, &random(9)).unwrap().remove(0);
    each(std::slice::from_ref(&record), |bytes| {
        assert!(bytes == record || phone.records().open(1, bytes).is_err());
    });
    assert!(phone.records().open(1, &record).is_ok());
}
