//! `refine` and `improve` as processes, signed in to a real server that asks a simulated provider.

use crate::sign_in::{Place, said};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use testkit::{Behaviour, Repo, Simulator};

const TASK: &str = "Retry twice. Make it gooder.";
const PRECISE: &str = "Retry `send` in src/http.rs twice.\n\nMake it gooder.";

fn repo() -> Repo {
    Repo::new().file("src/http.rs", "pub fn send_twice() {}\n").file("README.md", "# Demo\n").commit("Begin")
}

fn answer(text: &str) -> Behaviour {
    Behaviour::text(&format!("<text>\n{text}\n</text>"))
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The id of the only session.
fn session(place: &Place) -> String {
    let listed = out(&place.command(&["session", "list"]).output().unwrap());
    assert_eq!(listed.lines().count(), 1, "{listed}");
    listed.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_put_precisely_as_one_step() {
    let simulator = Simulator::start(answer(PRECISE));
    let (place, repo) = (Place::asking(&simulator).await, repo());
    let run = |arguments: &[&str]| place.command(arguments).output().unwrap();
    let refused = run(&["refine", TASK, "--project", repo.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("For the task put precisely: Send"), "{}", said(&refused));
    assert!(said(&refused).contains("src/http.rs"), "{}", said(&refused));
    assert!(simulator.log().is_empty() && refused.stdout.is_empty());
    let id = session(&place);
    let begin = &id[..13];
    let refined = run(&["refine", "--session", begin, "--exclude", "README.md", "--yes-up-to", "1"]);
    assert_eq!(out(&refined), format!("{PRECISE}\n"));
    let told = said(&refined);
    for line in [
        "- Retry twice. Make it gooder.",
        "+ Retry `send` in src/http.rs twice.",
        "+ Make it gooder.",
        "The task has these words now · ",
    ] {
        assert!(told.lines().any(|l| l.starts_with(line)), "{line}: {told}");
    }
    assert!(
        told.contains(&format!("`plantocode session undo {id}`")) && told.contains(" out · $0."),
        "{told}"
    );
    let sent = simulator.log().pop().unwrap().body;
    assert!(sent.contains("send_twice") && sent.contains(TASK) && !sent.contains("# Demo"), "{sent}");
    // It is one step, back and forth.
    assert_eq!(out(&run(&["session", "undo", &id])), format!("{TASK}\n"));
    let nothing = run(&["session", "undo", &id]);
    assert!(said(&nothing).contains("nothing to take back"), "{}", said(&nothing));
    assert_eq!(out(&run(&["session", "redo", begin])), format!("{PRECISE}\n"));
    assert!(out(&run(&["session", "history", begin])).contains("suggested by model"));
    // An answer that cannot be used changes nothing.
    simulator.set(Behaviour::text("<text>Half of"));
    let cut = run(&["refine", "--session", begin, "--yes-up-to", "1"]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(said(&cut).contains("The task is as it was") && cut.stdout.is_empty(), "{}", said(&cut));
    assert!(out(&run(&["session", "show", begin])).contains(PRECISE));
    place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_is_improved_where_it_stands() {
    let simulator = Simulator::start(answer(PRECISE));
    let (place, repo) = (Place::asking(&simulator).await, repo());
    let run = |arguments: &[&str]| place.command(arguments).output().unwrap();
    let project = repo.path().to_str().unwrap();
    out(&run(&["refine", TASK, "--project", project, "--yes-up-to", "1"]));
    let id = session(&place);
    let asked = simulator.log().len();
    for (passage, why) in
        [("the disk", "does not have this passage"), ("twice.\n\nMake it", "nobody can be asked")]
    {
        let refused = run(&["improve", &id, passage]);
        assert!(!refused.status.success() && said(&refused).contains(why), "{}", said(&refused));
    }
    assert_eq!(simulator.log().len(), asked);
    simulator.set(answer("Make it better"));
    let mut improve = place.command(&["improve", &id, "-", "--wish", "correct English", "--format", "json"]);
    improve.args(["--yes-up-to", "1"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut improve = improve.spawn().unwrap();
    std::io::Write::write_all(&mut improve.stdin.take().unwrap(), b"Make it gooder\n").unwrap();
    let improved = out(&improve.wait_with_output().unwrap());
    let told: serde_json::Value = serde_json::from_str(&improved).unwrap();
    assert_eq!(told["task"], PRECISE.replace("gooder", "better"), "{told}");
    assert_eq!(told["suggestion"]["before"], "Make it gooder", "{told}");
    assert_eq!(told["suggestion"]["state"], "applied", "{told}");
    let sent = simulator.log().pop().unwrap().body;
    assert!(sent.contains("correct English") && !sent.contains("send_twice"), "{sent}");
    place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_for_words_that_are_gone_is_told_and_not_applied() {
    let simulator = Simulator::start(answer(PRECISE));
    let (place, repo) = (Place::asking(&simulator).await, repo());
    let run = |arguments: &[&str]| place.command(arguments).output().unwrap();
    out(&run(&["refine", TASK, "--project", repo.path().to_str().unwrap(), "--yes-up-to", "1"]));
    let (id, asked) = (session(&place), simulator.log().len());
    simulator.set(Behaviour { first_delay_ms: 3_000, ..answer("Make it better") });
    let mut improve = place.command(&["improve", &id, "Make it gooder", "--yes-up-to", "1"]);
    let improve = improve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let late = Instant::now() + Duration::from_secs(30);
    while simulator.log().len() == asked {
        assert!(Instant::now() < late, "the model was never asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // While the model thinks, the words change: by another command, which talks to the same engine.
    assert_eq!(out(&run(&["session", "undo", &id])), format!("{TASK}\n"));
    let dropped = improve.wait_with_output().unwrap();
    assert_eq!(dropped.status.code(), Some(1), "{}", said(&dropped));
    assert_eq!(String::from_utf8_lossy(&dropped.stdout), "Make it better\n");
    assert!(said(&dropped).contains("the words were changed meanwhile"), "{}", said(&dropped));
    assert!(out(&run(&["session", "show", &id])).contains(TASK));
    place.server.stop().await.unwrap();
}
