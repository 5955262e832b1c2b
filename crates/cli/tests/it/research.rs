//! `research` as a process, signed in to a real server that asks a simulated provider.

use crate::sign_in::{Place, said};
use testkit::{Behaviour, Repo, Simulator};

fn repo() -> Repo {
    Repo::new().file("src/http.rs", "pub fn send() {}\n").file("README.md", "# Demo\n").commit("Begin")
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_looked_up_through_the_server_and_attached_to_a_plan() {
    let simulator = Simulator::start(Behaviour::default());
    let (place, repo) = (Place::asking(&simulator).await, repo());
    let project = repo.path().to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--project", &project]);
        place.command(&all).output().unwrap()
    };
    // Nobody can be asked here: nothing is sent, not even a question.
    let refused = run(&["research", "Which limit of retries is usual?", "Is a reset safe?"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("searches the web up to 3 times"), "{}", said(&refused));
    assert!(simulator.log().is_empty());
    // For all of them together there is not enough.
    let dear = run(&["research", "One?", "Two?", "Three?", "--yes-up-to", "0.5"]);
    assert_eq!(dear.status.code(), Some(4), "{}", said(&dear));
    let spent = simulator.log().len();
    assert!(spent == 1, "{spent} {}", said(&dear));
    let answered = run(&[
        "research",
        "Which limit of retries is usual?",
        "Is a reset safe?",
        "--yes-up-to",
        "2",
        "--format",
        "json",
    ]);
    assert!(answered.status.success(), "{}", said(&answered));
    let told: serde_json::Value = serde_json::from_slice(&answered.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2);
    for finding in findings {
        assert_eq!(finding["state"], "answered", "{finding}");
        assert_eq!(finding["sources"][0]["url"], "https://docs.example/retry");
        assert_eq!(finding["sources"][0]["date"], "April 30, 2026");
        assert!(finding["cost"].as_u64().unwrap() > 20_000, "{finding}");
        assert_eq!(finding["searches"].as_array().unwrap().len(), 2, "{finding}");
    }
    let id = findings[0]["id"].as_str().unwrap();
    let session = findings[0]["session"].as_str().unwrap();
    let shown = run(&["research", "show", id]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.starts_with("## Which limit of retries is usual?\n"), "{text}");
    assert!(text.contains("1. Retrying – docs <https://docs.example/retry>, April 30, 2026"), "{text}");
    assert!(text.contains("Sources, read on 20"), "{text}");
    let attached = run(&["research", "attach", id]);
    assert!(String::from_utf8_lossy(&attached.stdout).contains("attached"), "{}", said(&attached));
    let plan = run(&["plan", "--session", session, "--yes-up-to", "2"]);
    assert!(plan.status.success(), "{}", said(&plan));
    assert!(said(&plan).contains("web-finding-1"), "it is shown before it is sent: {}", said(&plan));
    let sent = simulator.log().pop().unwrap().body;
    assert!(sent.contains("<web-finding-1-") && sent.contains("https://docs.example/retry"), "{sent}");
    let listed = run(&["research", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 7, "all of the project");
    let audit = place.command(&["audit"]).output().unwrap();
    assert!(audit.status.success(), "{}", said(&audit));
    place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_proposes_the_questions_of_a_task() {
    let list = r#"[{"question":"Which limit of retries is usual?","why":"the policy"}]"#;
    let simulator = Simulator::start(Behaviour::text(list));
    let (place, repo) = (Place::asking(&simulator).await, repo());
    let project = repo.path().to_str().unwrap();
    let task = ["research", "--task", "Retry twice", "--attach", "--yes-up-to", "2", "--project", project];
    let found = place.command(&task).output().unwrap();
    assert!(found.status.success(), "{}", said(&found));
    assert!(said(&found).contains("For questions to look up on the web"), "{}", said(&found));
    assert!(said(&found).contains("For an answer from the web to one question"), "{}", said(&found));
    assert!(String::from_utf8_lossy(&found.stdout).contains("## Which limit of retries is usual?"));
    assert_eq!(simulator.log().len(), 2);
    let second = &simulator.log()[1].body;
    assert!(second.contains("web_search_20250305") && !second.contains("Retry twice"), "{second}");
    let nothing = place.command(&["research", "--project", project]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1));
    assert!(said(&nothing).contains("nothing to look up"), "{}", said(&nothing));
    place.server.stop().await.unwrap();
}
