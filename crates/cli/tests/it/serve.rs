use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use testkit::{Behaviour, Repo, Simulator, Spawned};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plantocode");
const LIMIT: Duration = Duration::from_secs(20);

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("PLANTOCODE_HOME", home).env_remove("OPENAI_API_KEY");
    command
}

fn terminate(process: &Spawned) {
    let id = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn in_the_background_it_is_not_stopped_by_its_terminal() {
    let home = tempfile::tempdir().unwrap();
    // `script` gives it a terminal, and `-m` makes the shell put it into the background of that terminal.
    let shell = r#"
        set -m
        "$PROGRAM" serve </dev/tty >"$PLANTOCODE_HOME/out" 2>&1 &
        for i in $(seq 200); do grep -q "To get in" "$PLANTOCODE_HOME/out" && break; sleep 0.05; done
        sleep 0.3
        echo "state=$(sed 's/.*) //; s/ .*//' /proc/$!/stat)"
        kill -CONT $!; kill $!; wait $!
        echo "code=$?"
    "#;
    let mut script = Command::new("script");
    script.args(["-qec", r#"exec bash -c "$SHELL_TEXT""#, "/dev/null"]);
    script.env("SHELL_TEXT", shell).env("PROGRAM", PROGRAM).env("PLANTOCODE_HOME", home.path());
    let Output { stdout, .. } = script.output().unwrap();
    let text = String::from_utf8_lossy(&stdout);
    assert!(text.contains("state=S") && text.contains("code=0"), "{text}");
}

#[test]
fn the_end_waits_for_an_answer_until_it_is_asked_twice() {
    let simulator = Simulator::start(Behaviour { delay_ms: 5_000, ..Behaviour::default() });
    let home = tempfile::tempdir().unwrap();
    let add = ["models", "add", "local", "--url", &simulator.openai_url(), "--model", "m"];
    assert!(command(home.path(), &add).status().unwrap().success());
    let mut serve =
        Spawned::start(command(home.path(), &["serve"]), LIMIT, |line| line.starts_with("To get in"));
    let repo = Repo::new().file("src/lib.rs", "pub fn send() {}\n").commit("Begin");
    let project = repo.path().to_str().unwrap().to_owned();
    let plan = ["plan", "Retry send", "--model", "local/m", "--yes-up-to", "1", "--project", &project];
    let mut plan = command(home.path(), &plan).spawn().unwrap();
    simulator.wait_for(LIMIT, |log| log.iter().any(|request| request.status.is_some()));
    terminate(&serve);
    eventually("it says that it waits", || serve.output().contains("still arriving"));
    assert!(!serve.output().contains("Ended before"), "it did not wait:\n{}", serve.output());
    terminate(&serve);
    assert!(serve.wait(Duration::from_secs(5)).success());
    assert!(serve.output().contains("What had arrived is kept"), "{}", serve.output());
    assert_eq!(plan.wait().unwrap().code(), Some(1), "a plan whose engine has gone is not done");
}
