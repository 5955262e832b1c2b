//! The text envelopes: their exact form, and bounds.

use relay::bytes::{Nonce, Sealed, Signature};
use relay::envelope::{DeviceKind, FromHub, MAX_ENVELOPE_BYTES, Resume, ToHub, ToMailbox};
use secrecy::SecretString;

fn to_hub(envelope: &ToHub, text: &str) {
    assert_eq!(envelope.to_text(), text);
    assert_eq!(ToHub::parse(text).unwrap().to_text(), text);
}

fn from_hub(envelope: &FromHub, text: &str) {
    assert_eq!(envelope.to_text(), text);
    assert_eq!(FromHub::parse(text).unwrap().to_text(), text);
}

#[test]
fn what_a_device_says() {
    let register = ToHub::Register {
        device_id: "d".into(),
        kind: DeviceKind::Desktop,
        name: None,
        signature: Signature([0; 64]),
        resume: Some(Resume { token: "r".into(), received: 3 }),
    };
    let signature = format!("{}==", "A".repeat(86));
    to_hub(
        &register,
        &format!(
            r#"{{"type":"register","deviceId":"d","kind":"desktop","signature":"{signature}","resume":{{"token":"r","received":3}}}}"#
        ),
    );
    to_hub(&ToHub::Heartbeat {}, r#"{"type":"heartbeat"}"#);
    to_hub(
        &ToHub::Sealed { to: "p".into(), seq: 1, sealed: Sealed::new(vec![1, 2]), queue: false },
        r#"{"type":"sealed","to":"p","seq":1,"box":"AQI="}"#,
    );
    to_hub(&ToHub::Ack { up_to: 9 }, r#"{"type":"ack","upTo":9}"#);
    to_hub(&ToHub::OpenStream { to: "p".into(), reference: 4 }, r#"{"type":"open_stream","to":"p","ref":4}"#);
    to_hub(&ToHub::CloseStream { alias: "a".into() }, r#"{"type":"close_stream","alias":"a"}"#);
    to_hub(&ToHub::Reauth { credential: SecretString::from("t") }, r#"{"type":"reauth","credential":"t"}"#);
    to_hub(&ToHub::PairingOpen { mailbox: "m".into() }, r#"{"type":"pairing_open","mailbox":"m"}"#);
    assert!(matches!(
        ToMailbox::parse(r#"{"type":"pairing_join","mailbox":"m"}"#),
        Ok(ToMailbox::PairingJoin { .. })
    ));
}

#[test]
fn what_the_hub_says() {
    from_hub(
        &FromHub::Challenge {
            nonce: Nonce([0; 32]),
            generation: 2,
            account: "a".into(),
            token_id: "t".into(),
        },
        &format!(
            r#"{{"type":"challenge","nonce":"{}=","generation":2,"account":"a","tokenId":"t"}}"#,
            "A".repeat(43)
        ),
    );
    from_hub(
        &FromHub::Registered {
            link_id: "l".into(),
            generation: 2,
            resume_token: "r".into(),
            resumed: true,
            received: 5,
            heartbeat_ms: 15_000,
            expires_in_ms: 900_000,
        },
        r#"{"type":"registered","linkId":"l","generation":2,"resumeToken":"r","resumed":true,"received":5,"heartbeatMs":15000,"expiresInMs":900000}"#,
    );
    from_hub(
        &FromHub::Presence {
            device: "p".into(),
            name: "Pocket".into(),
            kind: DeviceKind::Mobile,
            online: true,
        },
        r#"{"type":"presence","device":"p","name":"Pocket","kind":"mobile","online":true}"#,
    );
    from_hub(
        &FromHub::Error { code: "unavailable".into(), message: "Away.".into(), reference: Some(1) },
        r#"{"type":"error","code":"unavailable","message":"Away.","ref":1}"#,
    );
    from_hub(
        &FromHub::Goaway { after_ms: 5, reason: "restart".into() },
        r#"{"type":"goaway","afterMs":5,"reason":"restart"}"#,
    );
    from_hub(
        &FromHub::Stream { alias: "a".into(), reference: 4 },
        r#"{"type":"stream","alias":"a","ref":4}"#,
    );
    from_hub(&FromHub::Received { up_to: 4 }, r#"{"type":"received","upTo":4}"#);
    from_hub(&FromHub::Gap {}, r#"{"type":"gap"}"#);
}

#[test]
fn strangers_and_newer_builds() {
    assert!(matches!(ToHub::parse(r#"{"type":"dance","x":1}"#), Ok(ToHub::Unknown)));
    assert!(matches!(FromHub::parse(r#"{"type":"heartbeat","new":true}"#), Ok(FromHub::Heartbeat {})));
    assert!(ToHub::parse("[]").is_err() && ToHub::parse(r#"{"type":"ack"}"#).is_err());
    let long = format!(r#"{{"type":"close_stream","alias":"{}"}}"#, "x".repeat(300));
    assert!(ToHub::parse(&long).is_err());
    assert!(ToHub::parse(&" ".repeat(MAX_ENVELOPE_BYTES + 1)).is_err());
    let shown = format!("{:?}", ToHub::parse(r#"{"type":"reauth","credential":"canary"}"#).unwrap());
    assert!(!shown.contains("canary"));
    let shown = format!("{:?}", Sealed::new(vec![0xca; 3]));
    assert_eq!(shown, "Sealed(3 bytes)");
}
