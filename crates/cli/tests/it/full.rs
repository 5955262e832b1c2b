//! A disk that is full while plans are made: nothing that was stored is lost, what to do is said, and once there is room
//! work goes on.

use crate::place::{PROGRAM, Said};
use std::process::Command;
use testkit::{Behaviour, Repo, Simulator};

/// How large the disk is.
const DISK: &str = "24m";

/// Runs a script in which `plantocode` is the program and `$PLANTOCODE_HOME` a small file system of its own.
fn on_a_small_disk(home: &tempfile::TempDir, repo: &Repo, simulator: &Simulator, script: &str) -> Said {
    let mount = format!("mount -t tmpfs -o size={DISK} none \"$PLANTOCODE_HOME\"");
    let run = |form: &[&str], script: &str| {
        let mut command = Command::new("unshare");
        command.args(form).args(["bash", "-c", script]).current_dir(repo.path());
        command.env("PLANTOCODE_HOME", home.path()).env("PROGRAM", PROGRAM).env("URL", simulator.url());
        command.env("OUT", repo.path().join(".git/out"));
        Said::from(command.output().unwrap_or_else(|e| panic!("`unshare` is needed (util-linux): {e}")))
    };
    for form in [&["--mount"][..], &["--mount", "--user", "--map-root-user"]] {
        if run(form, &mount).code == Some(0) {
            return run(form, &format!("{mount}\nplantocode() {{ \"$PROGRAM\" \"$@\"; }}\n{script}"));
        }
    }
    panic!(
        "no small file system can be mounted here: allow namespaces to this user, or run the tests as root"
    );
}

const SCRIPT: &str = r#"
step() { echo "== $1"; shift; "$@" 2>&1; echo "code $?"; }
fill() { cat /dev/zero > "$PLANTOCODE_HOME/filler" 2>/dev/null; }
make_plan() { plantocode plan "$1" --yes-up-to 1 --project . </dev/null; }
read_all() {
    step "$1 show" plantocode plan show
    step "$1 search" plantocode search before
    step "$1 audit" plantocode audit
}
HOST=${URL#http://}; PORT=${HOST#*:}; HOST=${HOST%:*}
control() {
    exec 3<>"/dev/tcp/$HOST/$PORT"
    printf 'POST /_control HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s' ${#1} "$1" >&3
    read -r -t 5 status <&3; exec 3>&-
}
step add plantocode models add sim --url "$URL/openai/v1" --model m
step first make_plan "Before the disk is full"

# The engine runs while the disk fills up.
coproc ENGINE { exec "$PROGRAM" trace --json; }
read -r line <&"${ENGINE[0]}"
cat <&"${ENGINE[0]}" > /dev/null &
fill
step warm make_plan "While it runs"
read_all warm
rm "$PLANTOCODE_HOME/filler"
step warm-after make_plan "Room again"

# An answer is arriving when it fills up, and its job cannot note its end before there is room.
control '{"delay_ms":150}'
make_plan "While it fills up" > "$OUT" 2>&1 & plan=$!
until plantocode jobs list | grep -q running; do sleep 0.05; done
sleep 0.3; fill; sleep 2; rm "$PLANTOCODE_HOME/filler"
wait $plan; code=$?
control '{}'
step during sh -c 'cat "$OUT"; exit '$code
kill "$ENGINE_PID"; wait "$ENGINE_PID" 2>/dev/null

# It starts on a disk that is full.
fill
step cold make_plan "From a cold start"
rm "$PLANTOCODE_HOME/filler"
step cold-after make_plan "After the cold start"
read_all after
step jobs plantocode jobs list
"#;

/// What was printed at a step, and its exit code.
fn at<'s>(said: &'s Said, step: &str) -> (&'s str, &'s str) {
    let head = format!("== {step}\n");
    let (_, rest) =
        said.out.split_once(&head).unwrap_or_else(|| panic!("no {step} in {}\n{}", said.out, said.err));
    let text = rest.split("== ").next().unwrap();
    let (text, code) = text.trim_end().rsplit_once("code ").unwrap_or_else(|| panic!("{step}: {rest}"));
    (text, code)
}

#[test]
fn a_full_disk_costs_nothing_that_was_stored_and_work_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let repo = Repo::new()
        .file("src/http.rs", "pub fn send() {}\n")
        .file("src/policy.rs", "pub struct Policy;\n")
        .commit("Begin");
    let simulator = Simulator::start(Behaviour::default());
    let said = on_a_small_disk(&home, &repo, &simulator, SCRIPT);
    for step in ["add", "first", "warm show", "warm search", "warm audit", "warm-after", "cold-after"] {
        let (text, code) = at(&said, step);
        assert_eq!(code, "0", "{step}: {text}\n{}", said.err);
    }
    // An answer of which a part had arrived is a cut plan.
    for (step, codes) in [("warm", &["1"][..]), ("during", &["1", "5"]), ("cold", &["1"])] {
        let (text, code) = at(&said, step);
        assert!(codes.contains(&code), "{step}: {text} {code}");
        assert!(text.contains("disk is full") && text.contains("Make room"), "{step}: {text}");
    }
    assert!(at(&said, "warm search").0.contains("Before the disk is full"));
    let (found, code) = at(&said, "after search");
    assert!(code == "0" && found.contains("Before the disk is full"), "{found}");
    assert_eq!(at(&said, "after audit").1, "0", "{}", at(&said, "after audit").0);
    // Whatever was begun has ended or waits.
    let (jobs, _) = at(&said, "jobs");
    assert!(jobs.matches("completed").count() >= 3 && !jobs.contains("running"), "{jobs}");
    // Nothing was sent twice, and nothing that could not be noted.
    let log = simulator.log();
    let mut hashes: Vec<&str> = log.iter().map(|request| request.body_sha256.as_str()).collect();
    hashes.sort_unstable();
    let sent = hashes.len();
    hashes.dedup();
    assert!(hashes.len() == sent && sent >= 3, "{sent} requests, {} different", hashes.len());
}
