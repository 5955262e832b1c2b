//! Planning that is killed at any moment, as a real process: SIGKILL, again and again, on one data directory.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{Behaviour, Mutator, Repo, Simulator};

/// How often it is killed, unless `PLANTOCODE_KILLS` says otherwise.
const KILLS: usize = 60;

fn kills() -> usize {
    std::env::var("PLANTOCODE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS)
}

/// When it counts as hanging. On an idle machine everything rests within a second or two of the next start; a test that is
/// run beside others cannot promise the five that users are promised, and prints what it took.
const HANGS: Duration = Duration::from_secs(120);

struct Place {
    home: tempfile::TempDir,
    repo: Repo,
    simulator: Simulator,
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plantocode"));
        command.args(arguments).env("PLANTOCODE_HOME", self.home.path()).env("PATH", "/nonexistent");
        command
    }

    /// The states of all jobs.
    fn states(&self) -> Vec<String> {
        let listed = self.command(&["jobs", "list"]).output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let text = String::from_utf8(listed.stdout).unwrap();
        text.lines().filter_map(|line| Some(line.split_whitespace().nth(2)?.to_owned())).collect()
    }
}

#[test]
fn no_kill_loses_a_job_or_sends_a_request_twice() {
    let place = Place {
        home: tempfile::tempdir().unwrap(),
        repo: Repo::new()
            .file("src/http.rs", "pub fn send() {}\n")
            .file("src/policy.rs", "pub struct Policy;\n")
            .commit("Begin"),
        simulator: Simulator::start(Behaviour { delay_ms: 8, ..Behaviour::default() }),
    };
    let url = place.simulator.openai_url();
    let added = place.command(&["models", "add", "sim", "--url", &url, "--model", "m"]).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let plan = || {
        place
            .command(&["plan", "Retry `send` with a policy", "--yes-up-to", "1", "--project"])
            .arg(place.repo.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    // How long one takes here and now, so that kills hit every part of it on any machine.
    let begun = Instant::now();
    assert!(plan().wait().unwrap().success());
    let whole = usize::try_from(begun.elapsed().as_millis()).unwrap();
    let mut chance = Mutator::new(7);
    let mut ended = 0;
    let kills = kills();
    for _ in 0..kills {
        let mut plan = plan();
        std::thread::sleep(Duration::from_millis(chance.below(whole) as u64));
        plan.kill().unwrap();
        ended += usize::from(plan.wait().unwrap().success());
    }
    println!("{kills} kills, {ended} had ended before");
    assert!(ended < kills / 2, "most of them were killed before they had ended");
    // The list is asked of an engine that has just started, and that ends with the command: it is asked until all rest.
    let begun = Instant::now();
    let mut states = place.states();
    while states.iter().any(|state| state == "queued" || state == "running") {
        assert!(begun.elapsed() < HANGS, "after {HANGS:?}: {states:?}");
        states = place.states();
    }
    println!("at rest after {:?}", begun.elapsed());
    assert!(
        states
            .iter()
            .all(|s| ["completed", "failed", "canceled", "waiting"].contains(&s.as_str())
                || s.starts_with("wait")),
        "{states:?}"
    );
    assert!(!states.is_empty());
    // The provider was there all the time: nearly all of them go on, and hardly one is given up.
    let failed = states.iter().filter(|state| *state == "failed").count();
    println!("{} jobs, {failed} failed", states.len());
    assert!(failed * 20 <= states.len(), "{states:?}");
    // Every request has a boundary of its own, so one that was sent twice would be seen.
    let mut sent: HashMap<String, usize> = HashMap::new();
    for request in place.simulator.log() {
        *sent.entry(request.body_sha256).or_default() += 1;
    }
    // More than that of the one that was not killed.
    assert!(sent.len() > 1 && sent.values().all(|times| *times == 1), "{sent:?}");
    // The record of what left is whole, and says of every request that it was to leave.
    let audit = place.command(&["audit"]).output().unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}
