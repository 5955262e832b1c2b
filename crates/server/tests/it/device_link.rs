//! The relay over real sockets: who gets in, what is carried where, and what a slow, hostile or revoked device does to
//! others.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use relay::bytes::{Nonce, Sealed};
use relay::envelope::{DeviceKind, FromHub, FromMailbox, Resume, ToHub, ToMailbox};
use relay::keys::DeviceKeys;
use relay::proof;
use serde_json::json;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::devices::{
    Device, certificate, challenged, desktop, dial, enrolment, error, frame, opened, phone, presence, random,
    refused, register, sealed, stream, ticket,
};
use crate::support::{World, error_of, json_of};

#[tokio::test]
async fn nobody_registers_without_the_devices_key() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let laptop = desktop(&world, &ada).await;

    let no_token = dial(&world, "/ws/device-link", "plantocode.link.v1", &[]).await;
    assert_eq!(refused(no_token), 401);
    let bad_ticket = dial(&world, "/ws/device-link", "plantocode.link.v1, ticket.nothing", &[]).await;
    assert_eq!(refused(bad_ticket), 401);
    let foreign =
        [("origin", "https://evil.example".to_owned()), ("authorization", format!("Bearer {}", ada.access))];
    assert_eq!(refused(dial(&world, "/ws/device-link", "plantocode.link.v1", &foreign).await), 403);
    let other = [("authorization", format!("Bearer {}", ada.access))];
    assert_eq!(refused(dial(&world, "/ws/device-link", "chat", &other).await), 400);

    // Another key; another account's device; a signature over another socket's nonce.
    let impostor = Device {
        keys: DeviceKeys::generate(&random()),
        id: laptop.id.clone(),
        ..desktop(&world, &ada).await
    };
    let stranger = desktop(&world, &bob).await;
    let stolen = Device {
        id: laptop.id.clone(),
        keys: stranger.keys.clone(),
        account: stranger.account.clone(),
        ..stranger
    };
    for (device, tokens, nonce) in
        [(&impostor, &ada, None), (&stolen, &bob, None), (&laptop, &ada, Some(Nonce([7; 32])))]
    {
        let (mut wire, given, generation, token_id) = challenged(&world, device, tokens).await;
        let nonce = nonce.unwrap_or(given);
        let signature = device.keys.sign(&proof::registration(&proof::Registration {
            origin: &world.url,
            account: &device.account,
            device: &device.id,
            generation,
            nonce: &nonce,
            token_id: &token_id,
        }));
        let (device_id, kind) = (device.id.clone(), device.kind);
        wire.tell(&ToHub::Register { device_id, kind, name: None, signature, resume: None }).await;
        let last = wire.ended().await.as_ref().and_then(error);
        assert_eq!(last, Some(("unauthenticated".to_owned(), None)));
    }
    // Anything but a registration first.
    let (mut wire, ..) = challenged(&world, &laptop, &ada).await;
    wire.tell(&ToHub::Heartbeat {}).await;
    assert_eq!(wire.ended().await.as_ref().and_then(error), Some(("invalid".to_owned(), None)));
}

#[tokio::test]
async fn a_phone_enrols_once_by_a_desktops_word_and_gets_in_by_its_key() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let keys = DeviceKeys::generate(&random());

    let forged = Device {
        keys: DeviceKeys::generate(&random()),
        id: laptop.id.clone(),
        account: laptop.account.clone(),
        kind: DeviceKind::Desktop,
    };
    let bytes = certificate(&world, &forged, &keys, "one");
    let reply =
        world.post("/api/devices/enroll").json(&enrolment(&world, bytes, &keys)).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 403, "signed by another key");
    let bytes = certificate(&world, &laptop, &keys, "one");
    let wrong = enrolment(&world, bytes.clone(), &DeviceKeys::generate(&random()));
    let reply = world.post("/api/devices/enroll").json(&wrong).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 403, "not the key that the certificate names");

    let again = enrolment(&world, bytes.clone(), &keys);
    json_of(world.post("/api/devices/enroll").json(&again)).await;
    json_of(world.post("/api/devices/enroll").json(&again)).await;
    let thief = DeviceKeys::generate(&random());
    let bytes = certificate(&world, &laptop, &thief, "one");
    let reply =
        world.post("/api/devices/enroll").json(&enrolment(&world, bytes, &thief)).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 403, "a certificate's id is used once");

    let late = certificate(&world, &laptop, &thief, "two");
    world.env.advance(6 * 60_000);
    let reply =
        world.post("/api/devices/enroll").json(&enrolment(&world, late, &thief)).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 403, "too old");

    // A ticket works once, and only for the page that asked.
    let phone = Device { id: "one".into(), kind: DeviceKind::Mobile, account: laptop.account.clone(), keys };
    let protocols = format!("plantocode.link.v1, ticket.{}", ticket(&world, &phone).await);
    let from_page = [("origin", world.url.clone())];
    assert_eq!(refused(dial(&world, "/ws/device-link", &protocols, &from_page).await), 401);
    assert_eq!(refused(dial(&world, "/ws/device-link", &protocols, &[]).await), 401, "used up by the other");
    let wrong = Device {
        keys: DeviceKeys::generate(&random()),
        id: "one".into(),
        account: String::new(),
        kind: DeviceKind::Mobile,
    };
    let body = json!({ "device": "one" });
    let reply = json_of(world.post("/api/devices/challenge").json(&body)).await;
    let nonce = Nonce::from_base64(reply["nonce"].as_str().unwrap()).unwrap();
    let signature = wrong.keys.sign(&proof::ticket(&world.url, "one", &nonce));
    let body = json!({ "device": "one", "nonce": nonce, "signature": signature });
    let reply = world.post("/api/devices/ticket").json(&body).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 401, "signed by another key");
    register(&world, &phone, &ada, None).await;
}

#[tokio::test]
async fn boxes_go_to_devices_of_the_same_account_in_order_and_once() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let strange = desktop(&world, &bob).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mut b = register(&world, &mobile, &ada, None).await.wire;
    let mut c = register(&world, &strange, &bob, None).await.wire;
    assert_eq!(a.until(presence).await, (mobile.id.clone(), true));
    assert_eq!(b.until(presence).await, (laptop.id.clone(), true));

    b.tell(&sealed(&laptop, 1, "one", false)).await;
    b.tell(&sealed(&laptop, 1, "one", false)).await;
    b.tell(&sealed(&laptop, 2, "two", false)).await;
    assert_eq!(a.until(opened).await, (mobile.id.clone(), 1, "one".into()));
    assert_eq!(a.until(opened).await, (mobile.id.clone(), 2, "two".into()));
    b.tell(&sealed(&laptop, 9, "nine", false)).await;
    assert_eq!(b.until(error).await, ("out_of_order".into(), Some(9)));

    // Another account's device does not exist, as far as one can tell.
    c.tell(&sealed(&laptop, 1, "x", true)).await;
    assert_eq!(c.until(error).await, ("unavailable".into(), Some(1)));
    drop(a);
    assert_eq!(b.until(|e| presence(e).filter(|(_, online)| !online)).await, (laptop.id.clone(), false));
    b.tell(&sealed(&laptop, 3, "three", false)).await;
    assert_eq!(b.until(error).await, ("unavailable".into(), Some(3)));
}

#[tokio::test]
async fn what_was_missed_is_sent_again_and_a_hole_is_said() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mut b = register(&world, &mobile, &ada, None).await;
    a.tell(&sealed(&mobile, 1, "first", true)).await;
    assert_eq!(b.wire.until(opened).await.2, "first");
    // Gone without acknowledging anything after the first.
    b.wire.tell(&ToHub::Ack { up_to: 1 }).await;
    let resume = |token: &str, received| Some(Resume { token: token.to_owned(), received });
    drop(b.wire);
    a.until(|e| presence(e).filter(|(_, online)| !online)).await;
    for seq in 2..=4 {
        a.tell(&sealed(&mobile, seq, &format!("missed {seq}"), true)).await;
    }
    a.until(|e| matches!(e, FromHub::Received { up_to: 4 }).then_some(())).await;
    let mut again = register(&world, &mobile, &ada, resume(&b.resume_token, 1)).await;
    assert!(again.resumed);
    for seq in 2..=4 {
        assert_eq!(again.wire.until(opened).await, (laptop.id.clone(), seq, format!("missed {seq}")));
    }
    // The sender resumes too, and learns what has arrived.
    drop(a);
    let forged = register(&world, &mobile, &ada, resume("another token", 4)).await;
    assert!(!forged.resumed);

    // More than is kept: the next resume says that there is a hole.
    drop(forged.wire);
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let long = "x".repeat(40_000);
    for seq in 1..=40 {
        a.tell(&sealed(&mobile, seq, &long, true)).await;
    }
    a.until(|e| matches!(e, FromHub::Received { up_to: 40 }).then_some(())).await;
    let mut late = register(&world, &mobile, &ada, resume(&forged.resume_token, 0)).await;
    assert!(!late.resumed && late.received == 0);
    late.wire.until(|e| matches!(e, FromHub::Gap {}).then_some(())).await;
}

#[tokio::test]
async fn a_newer_socket_takes_the_place_and_the_late_end_of_an_old_one_does_nothing() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut b = register(&world, &mobile, &ada, None).await.wire;
    let mut old = register(&world, &laptop, &ada, None).await.wire;
    let mut new = register(&world, &laptop, &ada, None).await.wire;
    assert!(old.ended().await.is_some(), "the old socket is closed");
    drop(old);
    tokio::time::sleep(Duration::from_millis(200)).await;
    b.tell(&sealed(&laptop, 1, "still here", false)).await;
    assert_eq!(new.until(opened).await.2, "still here");
}

#[tokio::test]
async fn a_revoked_device_is_gone_before_the_call_returns() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mut b = register(&world, &mobile, &ada, None).await.wire;
    let body = json!({ "link_key": mobile.keys.public().link });
    let by_bob = json_of(world.post("/api/devices/revoke").bearer_auth(&bob.access).json(&body)).await;
    assert_eq!(by_bob["revoked"], false, "not his");
    let waiting = ticket(&world, &mobile).await;
    let done = json_of(world.post("/api/devices/revoke").bearer_auth(&ada.access).json(&body)).await;
    assert_eq!(done["revoked"], true);
    a.tell(&sealed(&mobile, 1, "x", true)).await;
    assert_eq!(a.until(error).await, ("unavailable".into(), Some(1)));
    let mut revoked = false;
    while let Some(envelope) = b.next().await {
        revoked |= matches!(envelope, FromHub::Revoked {});
    }
    assert!(revoked);
    // Neither a ticket it had nor a new one lets it in.
    let protocols = format!("plantocode.link.v1, ticket.{waiting}");
    let mut late = dial(&world, "/ws/device-link", &protocols, &[]).await.unwrap();
    let Some(FromHub::Challenge { nonce, generation, account, token_id }) = late.next().await else {
        panic!()
    };
    let signature = mobile.keys.sign(&proof::registration(&proof::Registration {
        origin: &world.url,
        account: &account,
        device: &mobile.id,
        generation,
        nonce: &nonce,
        token_id: &token_id,
    }));
    let (device_id, kind) = (mobile.id.clone(), mobile.kind);
    late.tell(&ToHub::Register { device_id, kind, name: None, signature, resume: None }).await;
    assert_eq!(late.ended().await.as_ref().and_then(error), Some(("revoked".into(), None)));
    let reply = json_of(world.post("/api/devices/challenge").json(&json!({ "device": mobile.id }))).await;
    let nonce = Nonce::from_base64(reply["nonce"].as_str().unwrap()).unwrap();
    let signature = mobile.keys.sign(&proof::ticket(&world.url, &mobile.id, &nonce));
    let body = json!({ "device": mobile.id, "nonce": nonce, "signature": signature });
    let reply = world.post("/api/devices/ticket").json(&body).send().await.unwrap();
    let (status, error) = error_of(reply).await;
    assert_eq!((status, error["code"].as_str()), (403, Some("revoked")));
}

#[tokio::test]
async fn terminal_frames_follow_their_alias_and_a_slow_phone_costs_only_itself() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let (slow, quick) = (phone(&world, &laptop).await, phone(&world, &laptop).await);
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let unread = register(&world, &slow, &ada, None).await.wire;
    let mut b = register(&world, &quick, &ada, None).await.wire;
    let (to_slow, to_quick) = (stream(&mut a, &slow, 1).await, stream(&mut a, &quick, 2).await);

    a.0.send(frame(&to_quick, 4_096)).await.unwrap();
    let got = loop {
        match b.message().await.unwrap() {
            Message::Binary(bytes) => break bytes,
            _ => continue,
        }
    };
    assert_eq!(Message::binary(got), frame(&to_quick, 4_096), "byte for byte");

    // Nobody reads the slow phone's socket: what does not fit into the system's buffers and the lane is dropped, said
    // once, and the other phone goes on getting every frame.
    let mut lagging = false;
    for round in 0..200_u32 {
        for _ in 0..4 {
            a.0.send(frame(&to_slow, 32 << 10)).await.unwrap();
        }
        a.0.send(frame(&to_quick, 100)).await.unwrap();
        loop {
            if let Message::Binary(bytes) = b.message().await.unwrap() {
                assert_eq!(bytes.len(), 6 + to_quick.len() + 100, "round {round}");
                break;
            }
        }
        while let Ok(Some(Ok(Message::Text(text)))) =
            tokio::time::timeout(Duration::from_millis(1), a.0.next()).await
        {
            lagging |= matches!(FromHub::parse(&text), Ok(FromHub::Lagging { alias }) if alias == to_slow);
        }
        if lagging {
            break;
        }
    }
    assert!(lagging, "the producer is told");
    drop(unread);

    // A phone cannot send frames under a desktop's alias, nor ask for one.
    b.0.send(frame(&to_quick, 10)).await.unwrap();
    b.tell(&ToHub::OpenStream { to: laptop.id.clone(), reference: 3 }).await;
    assert_eq!(b.until(error).await, ("forbidden".into(), Some(3)));
    a.tell(&ToHub::CloseStream { alias: to_quick.clone() }).await;
    b.until(|e| matches!(e, FromHub::StreamClosed { alias } if *alias == to_quick).then_some(())).await;
    // Not a PTC1 frame: the connection ends with a reason.
    a.0.send(Message::binary(vec![0; 10])).await.unwrap();
    assert_eq!(a.ended().await.as_ref().and_then(error), Some(("invalid".into(), None)));
}

#[tokio::test]
async fn too_much_at_once_is_answered_and_nothing_is_lost() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mut b = register(&world, &mobile, &ada, None).await.wire;
    let sender = tokio::spawn(async move {
        // All at once, so that it is too fast on a busy machine too.
        for seq in 1..=800 {
            let text = sealed(&laptop, seq, &seq.to_string(), false).to_text();
            b.0.feed(Message::text(text)).await.unwrap();
        }
        b.0.flush().await.unwrap();
        b.until(|e| error(e).filter(|(code, _)| code == "rate_limited")).await;
    });
    for seq in 1..=800_u64 {
        assert_eq!(a.until(opened).await.1, seq);
        if seq % 50 == 0 {
            a.tell(&ToHub::Ack { up_to: seq }).await;
        }
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn authority_ends_with_the_token_unless_it_is_renewed() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mobile = phone(&world, &laptop).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mut b = register(&world, &mobile, &ada, None).await.wire;
    world.env.advance(10 * 60_000);
    let grant = json!({ "grant_type": "refresh_token", "refresh_token": ada.refresh });
    let fresh = json_of(world.post("/api/auth/token").json(&grant)).await;
    let credential = fresh["access_token"].as_str().unwrap().to_owned().into();
    a.tell(&ToHub::Reauth { credential }).await;
    a.until(|e| matches!(e, FromHub::Reauthorized { .. }).then_some(())).await;
    world.env.advance(6 * 60_000);
    let mut goodbye = false;
    while let Some(envelope) = b.next().await {
        goodbye |= matches!(envelope, FromHub::Goaway { .. });
    }
    assert!(goodbye, "the phone did not renew");
    a.tell(&ToHub::Heartbeat {}).await;
    a.until(|e| matches!(e, FromHub::Heartbeat {}).then_some(())).await;

    // The end of the sign-in is the end of the link.
    let revoke = json!({ "token": fresh["refresh_token"] });
    assert!(world.post("/api/auth/revoke").json(&revoke).send().await.unwrap().status().is_success());
    assert_eq!(a.ended().await.as_ref().and_then(error), Some(("revoked".into(), None)));
}

#[tokio::test]
async fn a_mailbox_holds_one_phone_and_guesses_are_limited() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let laptop = desktop(&world, &ada).await;
    let mut a = register(&world, &laptop, &ada, None).await.wire;
    let mailbox = "ab".repeat(32);
    a.tell(&ToHub::PairingOpen { mailbox: mailbox.clone() }).await;
    a.until(|e| matches!(e, FromHub::PairingOpened { .. }).then_some(())).await;

    let join = async |name: &str| {
        let mut wire = dial(&world, "/ws/pairing", "plantocode.pairing.v1", &[]).await?;
        let join = ToMailbox::PairingJoin { mailbox: name.to_owned() };
        wire.0.send(Message::text(join.to_text())).await?;
        Ok::<_, tungstenite::Error>(wire)
    };
    let mut first = join(&mailbox).await.unwrap();
    let hello = ToMailbox::Pairing { body: Sealed::new(b"hello".to_vec()) };
    first.0.send(Message::text(hello.to_text())).await.unwrap();
    a.until(|e| matches!(e, FromHub::Pairing { body, .. } if body.as_bytes() == b"hello").then_some(()))
        .await;
    a.tell(&ToHub::Pairing { mailbox: mailbox.clone(), body: Sealed::new(b"answer".to_vec()) }).await;
    let Some(Message::Text(text)) = first.message().await else { panic!("an answer") };
    assert!(
        matches!(FromMailbox::parse(&text), Ok(FromMailbox::Pairing { body }) if body.as_bytes() == b"answer")
    );

    let mut second = join(&mailbox).await.unwrap();
    let Some(Message::Text(text)) = second.message().await else { panic!("an answer") };
    assert!(
        matches!(FromMailbox::parse(&text), Ok(FromMailbox::PairingClosed { reason }) if reason == "taken")
    );
    let mut nowhere = join(&"cd".repeat(32)).await.unwrap();
    let Some(Message::Text(text)) = nowhere.message().await else { panic!("an answer") };
    assert!(
        matches!(FromMailbox::parse(&text), Ok(FromMailbox::PairingClosed { reason }) if reason == "expired")
    );
    drop(first);
    a.until(|e| matches!(e, FromHub::PairingClosed { .. }).then_some(())).await;
    for _ in 0..2 {
        join(&mailbox).await.unwrap();
    }
    assert_eq!(refused(join(&mailbox).await), 429, "five tries a minute");
}
