//! What goes in: once, whole, and never more than was meant.

use crate::{DEADLINE, House, ended, from_start, info, log, next, read_until, sh, until};
use sha2::{Digest, Sha256};
use terminal::{Client, PasteOutcome, PasteRule, Refusal, TerminalError};

#[tokio::test]
async fn a_repeated_number_is_applied_once_also_after_a_reconnect() {
    let house = House::new();
    let client = house.client().await;
    let file = house.path("typed");
    let started =
        client.start(sh("once", &format!("stty raw -echo; echo ready; exec cat > {file:?}"))).await.unwrap();
    read_until(&mut client.attach(from_start(&started)).await.unwrap(), "ready").await;
    let id = &started.id;
    for n in 1..=50_u64 {
        assert_eq!(client.input(id, "phone", n, format!("{n};")).await.unwrap(), n);
        // The answer was lost: the same call over another connection.
        let again = Client::connect(&house.config).await.unwrap();
        assert_eq!(again.input(id, "phone", n, format!("{n};")).await.unwrap(), n);
        assert_eq!(again.input(id, "desktop", n, ".").await.unwrap(), n);
    }
    let skipped = client.input(id, "phone", 52, "never").await;
    assert!(matches!(skipped, Err(TerminalError::Sequence { expected: 51 })));
    let expected: String = (1..=50).map(|n| format!("{n};.")).collect();
    until("the input", || async { std::fs::read_to_string(&file).unwrap_or_default() == expected }).await;
    client.close(id).await.unwrap();
    ended(&client, id).await;
}

#[tokio::test]
async fn large_input_arrives_whole_and_a_full_queue_says_so() {
    let house = House::new();
    let client = house.client().await;
    let file = house.path("pasted");
    for (n, size) in [1024, 65_536, 1024 * 1024].into_iter().enumerate() {
        let script = format!("stty raw -echo; echo ready; head -c {size} > {file:?}");
        let started = client.start(sh(&format!("large{n}"), &script)).await.unwrap();
        read_until(&mut client.attach(from_start(&started)).await.unwrap(), "ready").await;
        let bytes: Vec<u8> = (0..size).map(|n| b'a' + u8::try_from((n / 7 + n) % 26).unwrap()).collect();
        let want = Sha256::digest(&bytes);
        client.input(&started.id, "me", 1, bytes).await.unwrap();
        ended(&client, &started.id).await;
        assert_eq!(Sha256::digest(std::fs::read(&file).unwrap()), want, "{size} bytes");
    }

    let started = client.start(sh("deaf0", "stty raw -echo; echo ready; sleep 1000")).await.unwrap();
    read_until(&mut client.attach(from_start(&started)).await.unwrap(), "ready").await;
    let megabyte = vec![b'x'; 1024 * 1024];
    let mut seq = 0;
    let full = loop {
        match client.input(&started.id, "me", seq + 1, megabyte.clone()).await {
            Ok(_) => seq += 1,
            Err(error) => break error,
        }
        assert!(seq < 4);
    };
    assert!(matches!(full, TerminalError::Full), "{full}");
    // The host lives and serves others.
    assert_eq!(info(&client, &started.id).await.id, started.id);
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
}

#[tokio::test]
async fn every_query_reaches_the_program_once_with_three_viewers() {
    let house = House::new();
    let client = house.client().await;
    let file = house.path("answers");
    let script = format!(
        "stty raw -echo; read x; printf '\\033[c\\033[6n\\033]11;?\\007\\033[?2004$p'; \
         (sleep 1; printf done) & exec cat > {file:?}"
    );
    let mut start = sh("query", &script);
    start.command = Some(vec!["/bin/bash".into(), "-c".into(), script]);
    let started = client.start(start).await.unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(client.attach(from_start(&started)).await.unwrap());
    }
    client.input(&started.id, "me", 1, "\n").await.unwrap();
    for viewer in &mut viewers {
        read_until(viewer, "done").await;
    }
    // A late viewer, whose tail holds the queries again.
    let mut late = client.attach(from_start(&started)).await.unwrap();
    read_until(&mut late, "done").await;
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
    let answers = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    for answer in ["\x1b[?6c", ";1R", "rgb:1e1e/1e1e/1e1e", "\x1b[?2004;2$y"] {
        assert_eq!(answers.matches(answer).count(), 1, "{answer:?} in {answers:?}");
    }
}

#[tokio::test]
async fn a_paste_needs_an_asking_program_in_the_foreground_and_plain_text() {
    let house = House::new();
    let client = house.client().await;
    let file = house.path("paste");
    let script = format!(
        "stty raw -echo; echo ready; read a; printf '\\033[?2004h'; echo asked; \
         read b; sleep 1000 & echo other; fg; echo back; exec cat > {file:?}"
    );
    let mut start = sh("paste", &script);
    start.command = Some(vec!["/bin/bash".into(), "-mc".into(), script]);
    let started = client.start(start).await.unwrap();
    let id = started.id.as_str();
    let mut view = client.attach(from_start(&started)).await.unwrap();
    read_until(&mut view, "ready").await;
    let launched = PasteRule::Launched;

    let hostile = "innocent\x1b[201~\nrm -rf ~\n";
    let refused = client.paste(id, "me", 1, hostile, PasteRule::Foreground).await.unwrap();
    assert_eq!(refused, PasteOutcome::Refused(Refusal::Control { at: 8, code: 0x1b }));
    let refused = client.paste(id, "me", 2, "text", launched).await.unwrap();
    assert_eq!(refused, PasteOutcome::Refused(Refusal::NoBracketedPaste));

    client.input(id, "me", 3, "\n").await.unwrap();
    read_until(&mut view, "asked").await;
    client.input(id, "me", 4, "\n").await.unwrap();
    read_until(&mut view, "other").await;
    // The same number is the same paste: what it came to the first time is said again.
    let mut outcome = PasteOutcome::Pasted;
    for seq in 5..200 {
        outcome = client.paste(id, "me", seq, "", launched).await.unwrap();
        assert_eq!(client.paste(id, "me", seq, "", launched).await.unwrap(), outcome);
        if outcome != PasteOutcome::Pasted {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(outcome, PasteOutcome::Refused(Refusal::Foreground));
    client.signal(id, terminal::wire::Signal::Kill).await.unwrap();
    read_until(&mut view, "back").await;

    let seq = 1;
    let text = format!("first\r\nsecond\t{}\n", "x".repeat(100_000));
    until("cat", || async { file.exists() }).await;
    let pasted = client.paste(id, "other viewer", seq, &text, launched).await.unwrap();
    assert_eq!(pasted, PasteOutcome::Pasted);
    let want = format!("\x1b[200~{}\x1b[201~", text.replace("\r\n", "\r").replace('\n', "\r"));
    until("the paste", || async { std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with(&want)) })
        .await;
    client.close(id).await.unwrap();
    let end = ended(&client, id).await;
    assert!(!log(&client, &end).await.is_empty());
    assert!(matches!(client.paste(id, "me", 300, "x", launched).await, Err(TerminalError::NotFound(_))));
    let last = tokio::time::timeout(DEADLINE, async { while next(&mut view).await.is_some() {} }).await;
    assert!(last.is_ok());
}

#[tokio::test]
async fn pastes_into_a_program_that_does_not_read_hold_up_nothing_else() {
    let house = House::new();
    let client = house.client().await;
    let script = "stty raw -echo; printf '\\033[?2004hready'; sleep 1000";
    let started = client.start(sh("stuck", script)).await.unwrap();
    read_until(&mut client.attach(from_start(&started)).await.unwrap(), "ready").await;
    let mut pastes = tokio::task::JoinSet::new();
    for n in 0..70 {
        let (client, id) = (client.clone(), started.id.clone());
        let text = "x".repeat(if n == 0 { 512 * 1024 } else { 1 });
        pastes.spawn(async move {
            client.paste(&id, &format!("viewer {n}"), 1, &text, PasteRule::Foreground).await
        });
    }
    for _ in 0..6 {
        let refused = tokio::time::timeout(DEADLINE, pastes.join_next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(refused, Err(TerminalError::Full)), "{refused:?}");
    }
    // The others wait, and everything else is heard.
    assert_eq!(info(&client, &started.id).await.id, started.id);
    tokio::time::timeout(DEADLINE, client.close(&started.id)).await.unwrap().unwrap();
    ended(&client, &started.id).await;
    while let Some(outcome) = tokio::time::timeout(DEADLINE, pastes.join_next()).await.unwrap() {
        let outcome = outcome.unwrap();
        assert!(
            matches!(outcome, Ok(PasteOutcome::Interrupted { .. }) | Err(TerminalError::NotFound(_))),
            "{outcome:?}"
        );
    }
}
