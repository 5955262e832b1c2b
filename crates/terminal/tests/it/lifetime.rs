//! Who outlives whom.

use crate::{House, ended, from_start, info, log, next, read_until, sh, until};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use terminal::{Attach, Client, RecordKind, State, TerminalError};

fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rfind(')').is_some_and(|at| !stat[at..].starts_with(") Z"))
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// A process that starts the host as an application would: as its child, with a pipe to us.
fn starter(house: &House) -> std::process::Child {
    let host = &house.config.executable;
    let line = format!(
        "{host:?} terminal-host --dir {:?} --database {:?} --idle-ms 2000 </dev/null >/dev/null 2>&1 & \
         echo $!; exec sleep 1000",
        house.config.directory, house.config.database,
    );
    Command::new("/bin/sh").args(["-c", &line]).stdout(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn the_shell_outlives_a_killed_starter_and_a_new_client_goes_on_at_its_offset() {
    let house = House::new();
    let mut starter = starter(&house);
    let mut line = String::new();
    BufReader::new(starter.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host: i32 = line.trim().parse().unwrap();
    until("the host", || async { Client::connect(&house.config).await.is_ok() }).await;
    let client = Client::connect(&house.config).await.unwrap();
    let script = "echo pid $$; trap '' HUP; while read x; do echo got $x; done";
    let started = client.start(sh("lives", script)).await.unwrap();
    let mut view = client.attach(from_start(&started)).await.unwrap();
    let seen = read_until(&mut view, "\r\n").await;
    let have = seen.len() as u64;
    drop((view, client));

    starter.kill().unwrap();
    starter.wait().unwrap();
    assert!(is_alive(host));
    let client = Client::connect(&house.config).await.unwrap();
    client.input(&started.id, "me", 1, "one\n").await.unwrap();
    let attach = Attach { have, ..from_start(&started) };
    let mut view = client.attach(attach).await.unwrap();
    let first = next(&mut view).await.unwrap();
    assert_eq!((first.kind, first.offset), (RecordKind::Data, have));
    let shell: i32 = String::from_utf8(seen).unwrap().trim()[4..].parse().unwrap();
    assert!(is_alive(shell));

    // Closing ends also what ignores the hangup, and then the host ends by itself.
    client.close(&started.id).await.unwrap();
    let end = ended(&client, &started.id).await;
    assert!(matches!(end.state, State::Exited { signal: Some(_), .. }), "{:?}", end.state);
    assert!(!is_alive(shell));
    drop((view, client));
    until("the end of the idle host", || async { !is_alive(host) }).await;
    assert!(!house.config.socket().exists());
    assert!(matches!(Client::connect(&house.config).await, Err(TerminalError::Unreachable { .. })));
}

#[tokio::test]
async fn closing_leaves_no_orphan_but_spares_sessions_of_others() {
    let house = House::new();
    let client = house.client().await;
    let script = "sleep 1001 & echo bg $!; (trap '' HUP TERM; exec sleep 1002) & echo deaf $!; \
                  setsid sleep 1003 & sleep 0.3; echo own $(pgrep -n -f 'sleep 1003'); sleep 1004";
    let started = client.start(sh("orphan", script)).await.unwrap();
    let mut view = client.attach(from_start(&started)).await.unwrap();
    let mut seen = String::from_utf8(read_until(&mut view, "own ").await).unwrap();
    if !seen.ends_with('\n') {
        seen += &String::from_utf8(read_until(&mut view, "\n").await).unwrap();
    }
    let pid = |name: &str| -> i32 {
        let at = seen.find(name).unwrap() + name.len();
        seen[at..].split_whitespace().next().unwrap().parse().unwrap()
    };
    let (background, deaf, own) = (pid("bg "), pid("deaf "), pid("own "));
    assert!([background, deaf, own].into_iter().all(is_alive));
    client.close(&started.id).await.unwrap();
    until("the end of the session", || async { !is_alive(background) && !is_alive(deaf) }).await;
    ended(&client, &started.id).await;
    assert!(is_alive(own), "a session of its own is not ours to end");
    kill(own);
}

#[tokio::test]
async fn a_killed_host_loses_terminals_but_not_their_logs() {
    let house = House::new();
    let client = house.client().await;
    let pid = house.host_pid().await;
    let started = client.start(sh("lost0", "seq 1 1000; echo done; read x")).await.unwrap();
    let mut view = client.attach(from_start(&started)).await.unwrap();
    let head = read_until(&mut view, "done\r\n").await.len() as u64;
    until("the commit", || async { head_on_disk(&house, &started.id) == head }).await;
    kill(pid);
    let gone = view.next().await;
    assert!(matches!(gone, Err(TerminalError::Gone)), "{gone:?}");
    assert!(matches!(client.list().await, Err(TerminalError::Gone)));

    let client = house.client().await;
    let lost = info(&client, &started.id).await;
    assert_eq!((&lost.state, lost.head), (&State::Lost, head));
    assert!(lost.ended_at.is_some());
    assert!(log(&client, &lost).await.starts_with(b"1\r\n2\r\n"));
    let mut view = client.attach(Attach { epoch: None, ..from_start(&lost) }).await.unwrap();
    let kind = next(&mut view).await.unwrap().kind;
    assert!(matches!(kind, RecordKind::Snapshot { .. }));
    assert_eq!(next(&mut view).await.unwrap().kind, RecordKind::Exit);
    assert!(next(&mut view).await.is_none());
    client.forget(&lost.id).await.unwrap();
}

/// How far a terminal's output is safe from a crash of the host.
fn head_on_disk(house: &House, id: &str) -> u64 {
    let log = rusqlite::Connection::open(house.path("terminals.db")).unwrap();
    log.query_row("SELECT head FROM terminals WHERE id = ?1", [id], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn one_host_serves_a_directory_however_many_start_it() {
    let house = House::new();
    let clients = futures(&house, 8).await;
    let hosts = crate::processes_with(&house.config.directory);
    assert!(!hosts.is_empty());
    until("one host", || async { crate::processes_with(&house.config.directory).len() == 1 }).await;
    let started = clients[0].start(sh("shared", "read x")).await.unwrap();
    for client in &clients {
        assert_eq!(client.list().await.unwrap().len(), 1);
    }
    clients[7].close(&started.id).await.unwrap();
    ended(&clients[3], &started.id).await;
}

async fn futures(house: &House, count: usize) -> Vec<Client> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let config = house.config.clone();
        tasks.spawn(async move { Client::connect_or_start(&config).await.unwrap() });
    }
    tasks.join_all().await
}
