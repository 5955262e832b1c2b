//! Start, list, resize, exit, who may come in.

use crate::{DEADLINE, House, SIZE, ended, from_start, info, log, next, read_until, sh, until};
use std::os::unix::fs::PermissionsExt;
use terminal::{Client, RecordKind, Size, State, TerminalError};

#[tokio::test]
async fn a_program_runs_is_seen_and_ends() {
    let house = House::new();
    let client = house.client().await;
    let started = client.start(sh("a", "echo hello; read x; echo got $x; stty size; exit 7")).await.unwrap();
    assert_eq!(started.state, State::Running);
    let mut attachment = client.attach(from_start(&started)).await.unwrap();
    let first = next(&mut attachment).await.unwrap();
    assert_eq!((first.kind, first.offset), (RecordKind::Resize { size: SIZE }, 0));
    read_until(&mut attachment, "hello").await;
    let size = Size { cols: 100, rows: 30 };
    client.resize(&started.id, size).await.unwrap();
    assert_eq!(client.input(&started.id, "me", 1, "abc\n").await.unwrap(), 1);
    let mut resized = false;
    let mut seen = Vec::new();
    loop {
        let record = next(&mut attachment).await.unwrap();
        match record.kind {
            RecordKind::Resize { size: to } => resized = to == size,
            RecordKind::Exit => break,
            _ => seen.extend_from_slice(&record.bytes),
        }
    }
    assert!(resized);
    let seen = String::from_utf8(seen).unwrap();
    assert!(seen.contains("got abc\r\n30 100\r\n"), "{seen:?}");
    let info = ended(&client, &started.id).await;
    assert_eq!(info.state, State::Exited { code: 7, signal: None });
    assert_eq!((info.size, info.log_start, info.epoch), (size, 0, started.epoch));
    let whole = String::from_utf8(log(&client, &info).await).unwrap();
    assert!(whole.starts_with("hello\r\n") && whole.ends_with("30 100\r\n"), "{whole:?}");
    assert!(matches!(client.input(&started.id, "me", 2, "x").await, Err(TerminalError::NotFound(_))));

    // An ended terminal can be followed from anywhere, and forgotten.
    let mut again = client.attach(from_start(&info)).await.unwrap();
    let mut bytes = Vec::new();
    let mut sizes = Vec::new();
    while let Some(record) = next(&mut again).await {
        match record.kind {
            RecordKind::Resize { size } => sizes.push((record.offset, size)),
            _ => bytes.extend_from_slice(&record.bytes),
        }
    }
    assert_eq!(bytes, whole.as_bytes());
    assert_eq!(sizes.len(), 2);
    assert_eq!(sizes[0], (0, SIZE));
    client.forget(&started.id).await.unwrap();
    assert!(client.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_environment_is_what_was_given_without_what_is_ours() {
    let house = House::new();
    let client = house.client().await;
    let mut start = sh("env", "env; pwd; ls -l /proc/self/fd");
    start.env = vec![
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ("PLANTOCODE_TOKEN".to_owned(), "secret".to_owned()),
        ("TERM".to_owned(), "dumb".to_owned()),
    ];
    start.cwd = "/usr".to_owned();
    let started = client.start(start).await.unwrap();
    let info = ended(&client, &started.id).await;
    let seen = String::from_utf8(log(&client, &info).await).unwrap();
    for line in
        ["PATH=/usr/bin:/bin\r\n", "TERM=xterm-256color\r\n", "COLORTERM=truecolor\r\n", "\r\n/usr\r\n"]
    {
        assert!(seen.contains(line), "{line:?} in {seen}");
    }
    assert!(!seen.contains("PLANTOCODE") && !seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("socket:") && !seen.contains("terminals.db"), "{seen}");
}

#[tokio::test]
async fn bad_starts_leave_nothing() {
    let house = House::new();
    let client = house.client().await;
    let mut nowhere = sh("nowhere", "true");
    nowhere.cwd = "/nowhere/at/all".to_owned();
    assert!(matches!(client.start(nowhere).await, Err(TerminalError::Invalid(_))));
    let mut nothing = sh("nothing", "true");
    nothing.command = Some(vec!["/no/such/program".to_owned()]);
    assert!(matches!(client.start(nothing).await, Err(TerminalError::Failed { .. })));
    let mut huge = sh("huge0", "true");
    huge.size = Size { cols: 60_000, rows: 60_000 };
    assert!(matches!(client.start(huge).await, Err(TerminalError::Invalid(_))));
    assert!(client.list().await.unwrap().is_empty());
    client.start(sh("twice", "true")).await.unwrap();
    assert!(matches!(client.start(sh("twice", "true")).await, Err(TerminalError::Failed { .. })));
    assert_eq!(client.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn changes_are_told() {
    let house = House::new();
    let client = house.client().await;
    let mut notices = client.watch().await.unwrap();
    let script = "read x; printf '\\a\\033]0;title\\a\\033]9;done\\a'; sleep 1000";
    let started = client.start(sh("bell", script)).await.unwrap();
    let told = tokio::time::timeout(DEADLINE, notices.next()).await.unwrap().unwrap();
    assert_eq!(told, std::slice::from_ref(&started.id));
    client.input(&started.id, "me", 1, "\n").await.unwrap();
    until("the bell", || async { info(&client, &started.id).await.attention.bells == 1 }).await;
    until("the notice", || async {
        info(&client, &started.id).await.attention.notice.as_deref() == Some("done")
    })
    .await;
    let now = info(&client, &started.id).await;
    assert_eq!((now.attention.bells, now.program_title.as_deref()), (1, Some("title")));
    assert!(tokio::time::timeout(DEADLINE, notices.next()).await.unwrap().is_some());
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
}

#[tokio::test]
async fn a_loose_directory_a_stranger_without_token_and_a_program_inside_are_refused() {
    let loose = House::new();
    std::fs::create_dir(&loose.config.directory).unwrap();
    std::fs::set_permissions(&loose.config.directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Client::connect_or_start(&loose.config).await, Err(TerminalError::Refused(_))));

    let house = House::new();
    let client = house.client().await;
    for (name, mode) in [("terminal.token", 0o600), ("terminal.lock", 0o600), ("", 0o700)] {
        let meta = std::fs::metadata(house.config.directory.join(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{name}");
    }
    assert_eq!(std::fs::metadata(&house.config.database).unwrap().permissions().mode() & 0o777, 0o600);

    // A probe inside a terminal speaks the protocol with the right token, and is sent away.
    let script = format!(
        "python3 - <<'E'\nimport socket,struct,json\ns=socket.socket(socket.AF_UNIX);s.connect({:?})\n\
         h=json.dumps({{'hello':{{'version':1,'token':open({:?}).read()}}}}).encode()\n\
         s.sendall(struct.pack('>II',4+len(h),len(h))+h)\nprint(s.recv(999))\nE",
        house.config.socket(),
        house.config.directory.join("terminal.token"),
    );
    let started = client.start(sh("inside", &script)).await.unwrap();
    let info = ended(&client, &started.id).await;
    let seen = String::from_utf8(log(&client, &info).await).unwrap();
    assert!(seen.contains("inside a terminal may not"), "{seen}");

    let token = house.config.directory.join("terminal.token");
    let right = std::fs::read(&token).unwrap();
    std::fs::write(&token, "0".repeat(right.len())).unwrap();
    assert!(matches!(Client::connect(&house.config).await, Err(TerminalError::Refused(_))));
    std::fs::write(&token, right).unwrap();
    Client::connect(&house.config).await.unwrap();
}
