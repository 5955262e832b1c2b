//! The published Noise vectors, through our own handshake type.

use relay::Random;
use relay::bytes::Key;
use relay::keys::DeviceKeys;
use relay::noise::{End, Handshake};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Fixture {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    source: String,
    protocol_name: String,
    init_prologue: String,
    #[serde(default)]
    init_psks: Vec<String>,
    init_static: Option<String>,
    init_ephemeral: String,
    init_remote_static: Option<String>,
    resp_static: Option<String>,
    resp_ephemeral: String,
    resp_remote_static: Option<String>,
    handshake_hash: Option<String>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    payload: String,
    ciphertext: String,
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn end(vector: &Vector, end: End) -> Handshake {
    let (secret, ephemeral, peer) = match end {
        End::Initiator => (&vector.init_static, &vector.init_ephemeral, &vector.init_remote_static),
        End::Responder => (&vector.resp_static, &vector.resp_ephemeral, &vector.resp_remote_static),
    };
    let mut both = Zeroizing::new([0; 64]);
    if let Some(secret) = secret {
        both[..32].copy_from_slice(&bytes::<32>(secret));
    }
    let ephemeral = bytes::<32>(ephemeral);
    let random: Random = Arc::new(move |to| to.copy_from_slice(&ephemeral));
    let peer = peer.as_ref().map(|key| Key(bytes(key)));
    let psk = vector.init_psks.first().map(|key| bytes::<32>(key));
    let prologue = hex::decode(&vector.init_prologue).unwrap();
    let keys = DeviceKeys::from_secret(&both);
    Handshake::new(&vector.protocol_name, end, &keys, peer.as_ref(), psk.as_ref(), &prologue, &random)
        .unwrap()
}

#[test]
fn every_published_vector_comes_out() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/noise.json")).unwrap();
    assert!(fixture.vectors.iter().any(|v| v.protocol_name == relay::noise::PAIRING));
    assert!(fixture.vectors.iter().any(|v| v.protocol_name == relay::noise::SESSION));
    for vector in &fixture.vectors {
        let name = format!("{} of {}", vector.protocol_name, vector.source);
        let handshakes = if vector.protocol_name.contains("XX") { 3 } else { 2 };
        let (mut ours, mut theirs) = (end(vector, End::Initiator), end(vector, End::Responder));
        for message in &vector.messages[..handshakes] {
            let sent = ours.write(&hex::decode(&message.payload).unwrap()).unwrap();
            assert_eq!(hex::encode(&sent), message.ciphertext, "{name}");
            assert_eq!(hex::encode(theirs.read(&sent).unwrap()), message.payload, "{name}");
            std::mem::swap(&mut ours, &mut theirs);
        }
        let (next, other) = (ours.finish().unwrap(), theirs.finish().unwrap());
        assert_eq!(next.hash, other.hash);
        if let Some(hash) = &vector.handshake_hash {
            assert_eq!(hex::encode(next.hash), *hash, "{name}");
        }
        for (i, message) in vector.messages[handshakes..].iter().enumerate() {
            let (from, to) = if i % 2 == 0 { (&next, &other) } else { (&other, &next) };
            let sent = from.send.seal(i as u64 / 2, &[], &hex::decode(&message.payload).unwrap());
            assert_eq!(hex::encode(&sent), message.ciphertext, "{name}");
            let plain = to.receive.open(i as u64 / 2, &[], &sent).unwrap();
            assert_eq!(hex::encode(plain), message.payload, "{name}");
        }
    }
}
