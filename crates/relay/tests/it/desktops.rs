//! The desktop's end against a hub with a real socket.

use crate::hub::{DESK, Got, Hub, PHONE, Phone, Said, config, desktop_and_phone, online, peer, within};
use crate::{keys, random};
use relay::bytes::Sealed;
use relay::certificate::Certificate;
use relay::client::{DATA_BYTES, DeviceLink, Event, PairingEvent, Peer};
use relay::envelope::FromHub;
use relay::pairing::{Decision, Phone as PairingPhone};
use relay::record::{RecordKind, StreamMessage};
use relay::words::OneTimeSecret;
use rpc::{Message, Scope, Scopes};

fn text(text: impl Into<String>) -> Message {
    Message::Text(text.into())
}

fn data(stream: u32, offset: u64, bytes: &[u8]) -> Message {
    Message::Binary(
        StreamMessage { stream, kind: RecordKind::Data, epoch: 7, offset, bytes }.to_bytes().into(),
    )
}

#[tokio::test]
async fn a_session_outlives_sockets_and_nothing_is_lost_or_doubled() {
    let (link, _events, mut phone, mut session) = desktop_and_phone().await;
    for round in 0..5 {
        for i in 0..10 {
            phone.say(&format!("{round}.{i}"));
            session.tx.send(text(format!("back {round}.{i}"))).await.unwrap();
            if i == 4 {
                // In one round the hub has forgotten the desktop: its boxes come again, the sessions drop doubles.
                phone.hub.state.lock().unwrap().forgetful = false;
                phone.hub.cut();
            }
        }
        for i in 0..10 {
            assert_eq!(within(session.rx.recv()).await, Some(text(format!("{round}.{i}"))));
            assert_eq!(phone.hear().await, Said::Api(format!("back {round}.{i}")));
        }
        online(&link).await;
    }
    assert!(phone.hub.state.lock().unwrap().registrations >= 6);
}

#[tokio::test]
async fn a_hub_that_forgot_costs_nothing_that_the_desktop_still_has() {
    let (link, _events, mut phone, session) = desktop_and_phone().await;
    phone.hub.state.lock().unwrap().forgetful = true;
    phone.hub.cut();
    for i in 0..5 {
        session.tx.send(text(i.to_string())).await.unwrap();
    }
    for i in 0..5 {
        assert_eq!(phone.hear().await, Said::Api(i.to_string()));
    }
    online(&link).await;
}

#[tokio::test]
async fn a_repeated_beginning_does_not_displace_the_session() {
    let (_link, _events, mut phone, mut session) = desktop_and_phone().await;
    phone.hub.carry(phone.first.clone());
    phone.say("still here");
    assert_eq!(within(session.rx.recv()).await, Some(text("still here")));
    session.tx.send(text("yes")).await.unwrap();
    assert_eq!(phone.hear().await, Said::Api("yes".into()));
}

#[tokio::test]
async fn a_missing_box_ends_the_session_and_the_phone_is_told() {
    let (_link, mut events, mut phone, mut session) = desktop_and_phone().await;
    let lost = phone.session.seal(&relay::session::Plain::Api("lost".into()), 0).unwrap();
    assert_eq!(lost.len(), 1);
    phone.say("after");
    assert_eq!(phone.hear().await, Said::Unknown);
    assert_eq!(within(session.rx.recv()).await, None);
    // A new session takes its place.
    let Phone { hub, inbox, .. } = phone;
    let mut phone = Phone::begin(hub, inbox, &keys(3), 10).await;
    phone.say("again");
    let Some(Event::Session { mut link, .. }) = within(events.recv()).await else { panic!() };
    assert_eq!(within(link.rx.recv()).await, Some(text("again")));
}

#[tokio::test]
async fn a_hub_that_lost_boxes_makes_every_phone_begin_again() {
    let (_link, _events, mut phone, mut session) = desktop_and_phone().await;
    phone.hub.tell(&FromHub::Gap {});
    assert_eq!(within(session.rx.recv()).await, None);
    assert_eq!(phone.hear().await, Said::Unknown);
}

#[tokio::test]
async fn a_phone_whose_rights_change_begins_again() {
    let (link, mut events, mut phone, mut session) = desktop_and_phone().await;
    let scopes = Scopes::NONE.with(Scope::View);
    link.admit(Peer { scopes, ..peer(Some(PHONE)) }).await.unwrap();
    assert_eq!(within(session.rx.recv()).await, None);
    assert_eq!(phone.hear().await, Said::Unknown);
    let Phone { hub, inbox, .. } = phone;
    let mut phone = Phone::begin(hub, inbox, &keys(3), 10).await;
    phone.say("again");
    let Some(Event::Session { peer, mut link }) = within(events.recv()).await else { panic!() };
    assert_eq!(peer.scopes, scopes);
    assert_eq!(within(link.rx.recv()).await, Some(text("again")));
    // So does one whose link the engine has let go.
    drop(link);
    assert_eq!(phone.hear().await, Said::Unknown);
}

#[tokio::test]
async fn a_box_that_the_hub_refuses_ends_its_session() {
    let (_link, _events, phone, mut session) = desktop_and_phone().await;
    phone.hub.state.lock().unwrap().refuses = true;
    session.tx.send(text("for somebody who is away")).await.unwrap();
    assert_eq!(within(session.rx.recv()).await, None);
}

#[tokio::test]
async fn a_revoked_phone_is_out_when_revoke_returns() {
    let (link, mut events, mut phone, mut session) = desktop_and_phone().await;
    assert!(link.revoke(keys(3).public().link).await.unwrap());
    phone.say("a call");
    assert_eq!(within(session.rx.recv()).await, None, "its link has ended");
    assert_eq!(phone.hear().await, Said::Unknown);
    phone.hub.carry(phone.first.clone());
    link.admit(peer(None)).await.unwrap();
    let Phone { hub, inbox, .. } = phone;
    let mut phone = Phone::begin(hub, inbox, &keys(3), 11).await;
    phone.say("x");
    assert!(matches!(within(events.recv()).await, Some(Event::Recognised { .. })));
    assert!(!link.revoke(keys(66).public().link).await.unwrap());
}

#[tokio::test]
async fn terminal_bytes_arrive_sealed_and_whole() {
    let (_link, _events, mut phone, session) = desktop_and_phone().await;
    let bytes: Vec<u8> = (0..150_000u32).map(|i| (i / 7) as u8).collect();
    let mut offset = 1000;
    for chunk in bytes.chunks(30_000) {
        session.tx.send(data(5, offset, chunk)).await.unwrap();
        offset += chunk.len() as u64;
    }
    session.tx.send(text(r#"{"jsonrpc":"2.0","method":"$/end","params":{"id":5}}"#)).await.unwrap();
    let (mut shown, mut ended) = (Vec::new(), false);
    while shown.len() < bytes.len() || !ended {
        match phone.hear().await {
            Said::Record(5, record) => {
                assert_eq!(record.offset, 1000 + shown.len() as u64);
                shown.extend(record.bytes);
            }
            Said::Api(_) => ended = true,
            Said::Head(5, head) => assert_eq!(head, offset),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shown, bytes);
    within(async {
        while !phone.hub.state.lock().unwrap().aliases.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_socket_lags_streams_and_loses_no_call() {
    let (_link, _events, mut phone, mut session) = desktop_and_phone().await;
    session.tx.send(data(5, 0, b"begin")).await.unwrap();
    assert!(matches!(phone.hear().await, Said::Record(5, _)));
    phone.hub.state.lock().unwrap().asleep = true;
    // More than the socket's own buffers hold, so that the lane fills up.
    let chunk = vec![b'x'; 32 * 1024];
    for i in 0..1000u64 {
        session.tx.send(data(5, 5 + i * chunk.len() as u64, &chunk)).await.unwrap();
    }
    session.tx.send(text("not lost")).await.unwrap();
    phone.hub.state.lock().unwrap().asleep = false;
    phone.say("me neither");
    let (mut lagging, mut shown) = (false, 0);
    loop {
        match phone.hear().await {
            Said::Lagging(5) => lagging = true,
            Said::Api(text) => break assert_eq!(text, "not lost"),
            Said::Record(5, record) => shown += record.bytes.len(),
            Said::Head(..) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(lagging && shown < 1000 * chunk.len() - DATA_BYTES);
    assert_eq!(within(session.rx.recv()).await, Some(text("me neither")));
    // Attached again, as another stream.
    session.tx.send(data(6, 99, b"new")).await.unwrap();
    loop {
        if let Said::Record(6, record) = phone.hear().await {
            break assert_eq!(record.bytes, b"new");
        }
    }
}

#[tokio::test]
async fn a_lost_socket_lags_what_was_under_way() {
    let (link, _events, mut phone, session) = desktop_and_phone().await;
    session.tx.send(data(5, 0, b"begin")).await.unwrap();
    assert!(matches!(phone.hear().await, Said::Record(5, _)));
    phone.hub.cut();
    loop {
        match phone.hear().await {
            Said::Head(..) => {}
            other => break assert_eq!(other, Said::Lagging(5)),
        }
    }
    online(&link).await;
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_an_error_of_its_own() {
    let (_link, _events, mut phone, session) = desktop_and_phone().await;
    let long = format!(r#"{{"jsonrpc":"2.0","id":9,"result":"{}"}}"#, "x".repeat(300_000));
    session.tx.send(text(long)).await.unwrap();
    let Said::Api(answer) = phone.hear().await else { panic!() };
    assert!(answer.contains("too_large") && answer.contains("\"id\":9"), "{answer}");
}

/// The phone's first two steps against a pairing: its digits, and where the decision comes.
async fn meet(
    hub: &Hub,
    inbox: &mut tokio::sync::mpsc::UnboundedReceiver<Got>,
    words: &str,
) -> relay::pairing::Waiting {
    let secret = OneTimeSecret::from_words(words).unwrap();
    let mailbox = secret.mailbox();
    let (begun, first) = PairingPhone::begin(&keys(3), &secret, None, "Pocket", &random(70)).unwrap();
    let send = |body| hub.tell(&FromHub::Pairing { mailbox: mailbox.clone(), body: Sealed::new(body) });
    send(first);
    let Some(Got::Pairing(second)) = within(inbox.recv()).await else { panic!() };
    let (waiting, third) = begun.answer(&second).unwrap();
    send(third);
    waiting
}

#[tokio::test]
async fn a_phone_is_paired_through_a_mailbox_and_lets_itself_in() {
    let (hub, mut inbox) = Hub::start().await;
    let (link, mut events) = DeviceLink::start(config(&hub, vec![])).unwrap();
    online(&link).await;
    let mut pairing = link.pair().await.unwrap();
    let Some(PairingEvent::Offered { words, qr, .. }) = within(pairing.events.recv()).await else { panic!() };
    assert!(qr.starts_with(&hub.origin));
    let shown = format!("{:?}", PairingEvent::Offered { qr, words: words.clone(), expires_in_ms: 1 });
    assert_eq!(shown, "Offered(…)", "the code stands in no log");
    let waiting = meet(&hub, &mut inbox, &words).await;
    let Some(PairingEvent::Arrived { fingerprint, .. }) = within(pairing.events.recv()).await else {
        panic!()
    };
    assert_eq!(fingerprint, keys(3).public().fingerprint());
    let scopes = Scopes::NONE.with(Scope::View).with(Scope::Run);
    let wrong = if waiting.digits == "000000" { "000001" } else { "000000" };
    pairing.answers.confirm(wrong, scopes).await;
    assert_eq!(within(pairing.events.recv()).await, Some(PairingEvent::WrongDigits { left: 2 }));
    pairing.answers.confirm(&format!(" {} ", waiting.digits), scopes).await;
    let Some(PairingEvent::Accepted(peer)) = within(pairing.events.recv()).await else { panic!() };
    assert_eq!((peer.scopes, peer.keys), (scopes, keys(3).public()));
    let Some(Got::Pairing(fourth)) = within(inbox.recv()).await else { panic!() };
    let Decision::Accepted { certificate, scopes, .. } = waiting.decision(&fourth).unwrap() else { panic!() };
    assert_eq!(scopes, ["view", "run"]);
    let (certificate, signature) = Certificate::parse(certificate.as_bytes()).unwrap();
    certificate.verify(&signature, &keys(2).public().link).unwrap();
    assert_eq!((certificate.account.as_str(), certificate.issuer.as_str()), ("acc", DESK));
    let mut phone = Phone::begin(hub, inbox, &keys(3), 12).await;
    phone.say("in");
    assert!(matches!(within(events.recv()).await, Some(Event::Recognised { .. })));
    let Some(Event::Session { peer, .. }) = within(events.recv()).await else { panic!() };
    assert!(!peer.scopes.contains(Scope::Approve));
}

#[tokio::test]
async fn three_wrong_tries_end_a_pairing() {
    let (hub, mut inbox) = Hub::start().await;
    let (link, _events) = DeviceLink::start(config(&hub, vec![])).unwrap();
    online(&link).await;
    let mut pairing = link.pair().await.unwrap();
    let Some(PairingEvent::Offered { words, .. }) = within(pairing.events.recv()).await else { panic!() };
    let waiting = meet(&hub, &mut inbox, &words).await;
    for _ in 0..3 {
        pairing.answers.confirm("", Scopes::all()).await;
    }
    let mut last = None;
    while let Some(event) = within(pairing.events.recv()).await {
        last = Some(event);
    }
    assert_eq!(last, Some(PairingEvent::Ended("digits")));
    let Some(Got::Pairing(fourth)) = within(inbox.recv()).await else { panic!() };
    assert_eq!(waiting.decision(&fourth).unwrap(), Decision::Refused { reason: "digits".into() });
}
