//! Pairing: the same digits at both ends, and what somebody in the middle cannot do.

use crate::{keys, random};
use relay::RelayError;
use relay::bytes::{Key, Nonce, Sealed};
use relay::certificate::Certificate;
use relay::keys::DeviceKeys;
use relay::noise::{End, Handshake, PAIRING};
use relay::pairing::{Decision, Desktop, DesktopInfo, Phone};
use relay::proof::{self, Registration};
use relay::words::{OneTimeSecret, digits};
use sha2::{Digest, Sha256};

fn info(seed: u64) -> DesktopInfo {
    DesktopInfo { device: "desk-1".into(), name: "Desk".into(), link: keys(seed).public().link }
}

#[test]
fn two_devices_with_the_secret_meet() {
    let secret = OneTimeSecret::generate(&random(1));
    let (desk, phone) = (keys(2), keys(3));
    let mut desktop = Desktop::new(&desk, &secret, info(2), &random(4)).unwrap();
    let typed = OneTimeSecret::from_words(&secret.words().unwrap().to_uppercase()).unwrap();
    assert_eq!(typed.mailbox(), secret.mailbox());
    let (begun, first) = Phone::begin(&phone, &typed, None, "Pocket\u{7}", &random(5)).unwrap();
    let second = desktop.answer(&first).unwrap();
    let (waiting, third) = begun.answer(&second).unwrap();
    let arrived = desktop.meet(&third).unwrap();
    assert_eq!(arrived.digits, waiting.digits);
    assert_eq!((arrived.name.as_str(), arrived.keys), ("Pocket", phone.public()));
    assert_eq!(waiting.keys.fingerprint(), desk.public().fingerprint());
    let decision = Decision::Accepted {
        certificate: Sealed::new(vec![1]),
        scopes: vec!["view".into()],
        device: "desk-1".into(),
        key: desk.public().noise,
    };
    assert_eq!(waiting.decision(&arrived.decide(&decision)).unwrap(), decision);
}

#[test]
fn a_desktop_that_is_not_the_scanned_one_is_refused() {
    let secret = OneTimeSecret::generate(&random(1));
    let qr = secret.qr("https://relay.example", &keys(2).public().noise);
    let (origin, expected, scanned) = OneTimeSecret::from_qr(&qr).unwrap();
    assert_eq!(origin, "https://relay.example");
    let (begun, first) = Phone::begin(&keys(3), &scanned, Some(expected), "Pocket", &random(5)).unwrap();
    let mut other = Desktop::new(&keys(9), &secret, info(9), &random(4)).unwrap();
    let second = other.answer(&first).unwrap();
    assert!(matches!(begun.answer(&second), Err(RelayError::Forged(_))));
}

#[test]
fn without_the_secret_nobody_gets_in() {
    let mut desktop =
        Desktop::new(&keys(2), &OneTimeSecret::generate(&random(1)), info(2), &random(4)).unwrap();
    let guess = OneTimeSecret::generate(&random(99));
    let (begun, first) = Phone::begin(&keys(3), &guess, None, "Thief", &random(5)).unwrap();
    let (_, third) = begun.answer(&desktop.answer(&first).unwrap()).unwrap();
    assert!(matches!(desktop.meet(&third), Err(RelayError::Forged(_))));
}

#[test]
fn a_key_that_was_not_committed_to_is_refused() {
    // A phone that knows the secret and speaks Noise properly, but looked for its link key afterwards.
    let secret = OneTimeSecret::generate(&random(1));
    let meet = |committed: &DeviceKeys, told: &DeviceKeys| {
        let mut desktop = Desktop::new(&keys(2), &secret, info(2), &random(4)).unwrap();
        let (psk, phone, blind) = (secret.psk(), keys(3), Key([8; 32]));
        let mut noise = Handshake::new(
            PAIRING,
            End::Initiator,
            &phone,
            None,
            Some(&psk),
            b"plantocode-pairing-v1",
            &random(5),
        )
        .unwrap();
        let commitment = Sha256::new()
            .chain_update(b"plantocode-commit-v1")
            .chain_update(phone.public().noise.0)
            .chain_update(committed.public().link.0)
            .chain_update(blind.0)
            .finalize();
        let second = desktop.answer(&noise.write(&commitment).unwrap()).unwrap();
        noise.read(&second).unwrap();
        let told = serde_json::json!({ "name": "x", "link": told.public().link, "blind": blind });
        desktop.meet(&noise.write(told.to_string().as_bytes()).unwrap())
    };
    assert!(meet(&keys(3), &keys(3)).is_ok());
    assert!(matches!(meet(&keys(3), &keys(66)), Err(RelayError::Forged(_))));
}

#[test]
fn the_digits_differ_when_two_handshakes_do() {
    let secret = OneTimeSecret::generate(&random(1));
    let run = |seed| {
        let mut desktop = Desktop::new(&keys(2), &secret, info(2), &random(seed)).unwrap();
        let (begun, first) = Phone::begin(&keys(3), &secret, None, "Pocket", &random(seed + 1)).unwrap();
        begun.answer(&desktop.answer(&first).unwrap()).unwrap().0.digits
    };
    assert_ne!(run(10), run(20));
    let all: Vec<String> = (0..=255).map(|i| digits(&[i; 32])).collect();
    assert!(all.iter().all(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_digit())));
}

#[test]
fn wrong_words_are_told_from_right_ones() {
    let words = OneTimeSecret::from_bytes([7; 16]).words().unwrap();
    assert!(OneTimeSecret::from_words(&format!("  {}\n", words.replace(' ', "  "))).is_ok());
    assert!(OneTimeSecret::from_words("zoo zoo zoo").is_err());
    assert!(OneTimeSecret::from_words(&"abandon ".repeat(12)).is_err(), "the checksum is wrong");
    assert!(OneTimeSecret::from_qr("https://x/phone#v1.AAAA.BBBB").is_err());
}

#[test]
fn a_certificate_is_what_was_signed() {
    let desk = keys(2);
    let certificate = Certificate {
        origin: "https://relay.example".into(),
        account: "acc".into(),
        issuer: "desk-1".into(),
        name: "Pocket".into(),
        keys: keys(3).public(),
        issued_at: 1_700_000_000_000,
        id: "00ff".into(),
    };
    let bytes = certificate.to_bytes(&desk);
    let (read, signature) = Certificate::parse(&bytes).unwrap();
    assert_eq!(read, certificate);
    read.verify(&signature, &desk.public().link).unwrap();
    assert!(read.verify(&signature, &keys(3).public().link).is_err());
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[i] ^= 1;
        let taken = Certificate::parse(&changed)
            .is_ok_and(|(read, signature)| read.verify(&signature, &desk.public().link).is_ok());
        assert!(!taken, "byte {i}");
    }
}

#[test]
fn a_registration_binds_every_field() {
    let (desk, nonce) = (keys(2), Nonce([5; 32]));
    let base = Registration {
        origin: "https://a.example",
        account: "acc",
        device: "dev",
        generation: 7,
        nonce: &nonce,
        token_id: "t",
    };
    let signature = desk.sign(&proof::registration(&base));
    let holds = |r: &Registration<'_>| {
        proof::verify(&desk.public().link, &proof::registration(r), &signature).is_ok()
    };
    assert!(holds(&base));
    assert!(!holds(&Registration { origin: "https://b.example", ..base }));
    assert!(!holds(&Registration { account: "ac", device: "cdev", ..base }));
    assert!(!holds(&Registration { generation: 8, ..base }));
    assert!(!holds(&Registration { nonce: &Nonce([6; 32]), ..base }));
    assert!(!holds(&Registration { token_id: "u", ..base }));
    assert!(proof::verify(&Key([0; 32]), &[], &signature).is_err());
}
