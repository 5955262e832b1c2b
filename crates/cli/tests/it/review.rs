//! The steps of a plan, decided about, changed and handed over from the command line.

use crate::sign_in::{Place, said};
use std::process::Output;
use testkit::{Behaviour, Repo, Simulator};

pub const PLAN: &str = "<plan title='Retry'>\
    <step title='Make the policy'><why>w</why><operation kind='modify' path='src/polcy.rs'><change>pub retries: u32,</change></operation></step>\
    <step title='Use it' depends='1'><why>w</why><operation kind='modify' path='src/http.rs' symbol='send'><change>for _ in 0..3 {}</change></operation></step>\
    <step title='Say it'><why>w</why><operation kind='modify' path='README.md'><change>Requests are tried again.</change></operation></step>\
    </plan>";

fn repo() -> Repo {
    Repo::new()
        .file("src/http.rs", "pub fn send() {}\n")
        .file("src/policy.rs", "pub struct Policy;\n")
        .file("README.md", "# Demo\n")
        .commit("Begin")
}

pub struct Review {
    simulator: Simulator,
    pub place: Place,
    pub repo: Repo,
}

impl Review {
    /// With a plan that was made.
    pub async fn of(answer: &str) -> Review {
        let simulator = Simulator::start(Behaviour::text(answer));
        let review = Review { place: Place::asking(&simulator).await, simulator, repo: repo() };
        review.plan();
        review
    }

    fn plan(&self) {
        let project = self.repo.path().to_str().unwrap();
        let made = self.place.command(&["plan", "Retry the send", "--project", project, "--yes-up-to", "2"]);
        said(&{ made }.output().unwrap());
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let words = [&["plan"], words].concat();
        self.place.command(&words).current_dir(self.repo.path()).output().unwrap()
    }

    fn out(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn asked(&self) -> usize {
        self.simulator.log().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accepted_steps_without_errors_are_handed_over() {
    let review = Review::of(PLAN).await;
    let undecided = review.run(&["accept"]);
    assert_eq!(undecided.status.code(), Some(2), "which steps has to be said: {}", said(&undecided));
    let accepted = review.run(&["accept", "--all"]);
    assert_eq!(String::from_utf8_lossy(&accepted.stdout).matches(" accepted").count(), 3);
    assert!(said(&accepted).contains("errors in what was accepted (step 1)"), "{}", said(&accepted));
    assert!(review.out(&["reject", "--step", "3"]).contains("Say it rejected"));
    let handed = review.out(&["handoff"]);
    assert!(handed.contains("Use it") && !handed.contains("Say it"), "{handed}");
    assert!(!handed.contains("pub retries"), "{handed}");
    assert!(review.out(&["accept", "--step", "1", "--despite-errors"]).contains("accepted despite errors"));
    assert!(review.out(&["handoff"]).contains("pub retries"));
    assert!(!review.out(&["reopen", "--step", "1,3"]).contains("rejected"));
    assert!(review.out(&["comment", "--step", "2", "--text", "ask Grace"]).contains("ask Grace"));
    // A rejected step is left alone, and one that a repair changes is decided about anew.
    review.out(&["reject", "--step", "1"]);
    let left = review.run(&["repair", "--all"]);
    assert!(!said(&left).contains("carried out."), "{}", said(&left));
    assert!(review.out(&["show"]).contains("Make the policy rejected"));
    review.out(&["accept", "--step", "1"]);
    let repaired = review.run(&["repair", "--all"]);
    assert!(said(&repaired).contains("no longer decided about: step 1"), "{}", said(&repaired));
    let unknown = review.run(&["accept", "--step", "9"]);
    assert!(said(&unknown).contains("3 steps, and none with the number 9"), "{}", said(&unknown));
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_repaired_edited_moved_removed_and_taken_back() {
    let review = Review::of(PLAN).await;
    let failed = review.run(&["verify"]);
    assert_eq!(failed.status.code(), Some(6));
    let offered = review.out(&["repair"]);
    assert!(
        offered.contains("use the path src/policy.rs --step 1 --finding path_missing --seen 1"),
        "{offered}"
    );
    review.out(&["repair", "--step", "1", "--finding", "path_missing", "--seen", "1"]);
    assert!(review.run(&["verify"]).status.success());
    // Nothing is done about a plan that is not as it was seen.
    for act in [&["accept", "--all"][..], &["repair", "--all"], &["edit", "--step", "3", "--remove"]] {
        let late = review.run(&[act, &["--seen", "1"]].concat());
        assert!(said(&late).contains("in version 2 by now, and you looked at version 1"), "{}", said(&late));
    }
    assert!(!review.out(&["show"]).contains("accepted"));
    // As a person would in an editor: here a program that changes the title.
    let editor = review.repo.path().join("editor.sh");
    std::fs::write(&editor, "sed -i 's/^title = .*/title = \"Use the policy\"/' \"$1\"\n").unwrap();
    let edit = |editor: String, words: &[&str]| {
        let mut edit = review.place.command(&[&["plan", "edit"], words].concat());
        let path = std::env::var_os("PATH").unwrap();
        edit.current_dir(review.repo.path()).env("PATH", path).env_remove("VISUAL").env("EDITOR", editor);
        edit.output().unwrap()
    };
    let edited = edit(format!("sh {}", editor.display()), &["--step", "2"]);
    assert!(edited.status.success(), "{}", said(&edited));
    assert!(String::from_utf8_lossy(&edited.stdout).contains("Use the policy"));
    let unchanged = edit("true".into(), &["--step", "2"]);
    assert!(said(&unchanged).contains("The step is as it was"), "{}", said(&unchanged));
    // What cannot be read is kept.
    std::fs::write(&editor, "echo 'title = ' > \"$1\"\n").unwrap();
    let broken = said(&edit(format!("sh {}", editor.display()), &["--step", "2"]));
    let (_, rest) = broken.split_once("what you wrote is kept in ").unwrap_or_else(|| panic!("{broken}"));
    let kept = rest.split(".toml").next().unwrap();
    assert_eq!(std::fs::read_to_string(format!("{kept}.toml")).unwrap(), "title = \n");
    std::fs::remove_file(format!("{kept}.toml")).unwrap();
    let step = review.repo.path().join("step.toml");
    std::fs::write(&step, review.out(&["edit", "--step", "3", "--print"]).replace("Say it", "Say more"))
        .unwrap();
    let added = review.out(&["edit", "--content", step.to_str().unwrap(), "--move-to", "1"]);
    assert!(added.contains("1. Say more"), "{added}");
    review.out(&["edit", "--step", "4", "--remove"]);
    let shown = review.out(&["show"]);
    assert!(shown.contains("Use the policy") && !shown.contains("Say it"), "{shown}");
    assert!(review.out(&["revert", "--to", "1"]).contains("Say it"));
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_changes_one_step_completes_a_plan_and_merges_two() {
    let review = Review::of(PLAN.split("Requests are").next().unwrap()).await;
    let asked = review.asked();
    let refused = review.run(&["continue"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("For the rest of a plan that was cut"), "{}", said(&refused));
    assert_eq!(review.asked(), asked);
    review
        .simulator
        .set(Behaviour::text(&format!("<plan>{}", &PLAN[PLAN.find("<step title='Say it'>").unwrap()..])));
    let whole = review.out(&["continue", "--yes-up-to", "2"]);
    assert!(whole.contains("Make the policy") && whole.contains("Say it"), "{whole}");
    review.simulator.set(Behaviour::text(
        "<plan><step title='Use it thrice'><why>w</why><operation kind='modify' path='src/http.rs'><change>x</change></operation></step></plan>",
    ));
    let changed = review.run(&["ask", "--step", "2", "--wish", "three times", "--yes-up-to", "2"]);
    assert!(changed.status.success(), "{}", said(&changed));
    assert!(String::from_utf8_lossy(&changed.stdout).contains("2. Use it thrice"));
    assert!(said(&changed).contains("A model changed a step: three times"), "{}", said(&changed));
    assert!(review.simulator.log().pop().unwrap().body.contains("three times"));
    let json: serde_json::Value = serde_json::from_str(&review.out(&["show", "--format", "json"])).unwrap();
    assert_eq!(json["steps"][0]["title"], "Make the policy", "{json}");
    // Both plans are of one session.
    let listed = review.place.command(&["session", "list"]).output().unwrap();
    let session = String::from_utf8(listed.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    let shown = review.place.command(&["session", "show", &session]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let plans: Vec<&str> =
        shown.lines().filter(|l| l.contains(" steps  ")).map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(plans.len(), 2, "{shown}");
    let stray = review.run(&["merge", plans[0], plans[1], "--yes-up-to", "2"]);
    assert_eq!(stray.status.code(), Some(2));
    assert!(said(&stray).contains("Add --by-model"), "{}", said(&stray));
    review.simulator.set(Behaviour::text(PLAN));
    let words = ["merge", plans[0], plans[1], "--by-model", "--wish", "short", "--yes-up-to", "2"];
    assert!(review.out(&words).contains("Say it"));
    assert!(review.simulator.log().pop().unwrap().body.contains("<wish"));
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn standing_permissions_are_listed_and_withdrawn() {
    let review = Review::of(PLAN).await;
    let none = review.place.command(&["permissions", "list"]).output().unwrap();
    assert!(said(&none).contains("no standing permission"), "{}", said(&none));
    let unknown = review.place.command(&["permissions", "end", "zzz"]).output().unwrap();
    assert!(said(&unknown).contains("no permission whose id begins with zzz"), "{}", said(&unknown));
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_has_templates_of_its_own_once_they_are_trusted() {
    let review = Review::of(PLAN).await;
    let run = |words: &[&str]| {
        let words = [&["templates"], words].concat();
        review.place.command(&words).current_dir(review.repo.path()).output().unwrap()
    };
    review.repo.write(".plantocode/templates/review.md", "Review this: {{IMPLEMENTATION_PLAN}}");
    let listed = String::from_utf8(run(&["list"]).stdout).unwrap();
    assert!(listed.contains("parallel-agents") && listed.contains("not trusted and not used"), "{listed}");
    let hand = ["handoff", "--template", "review", "--all"];
    assert!(!review.run(&hand).status.success());
    let shown = run(&["show", "review", "--untrusted"]);
    assert_eq!(shown.stdout, b"Review this: {{IMPLEMENTATION_PLAN}}");
    let told = said(&shown);
    let hash = told.split("--hash ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    // Nobody sits here, and what was shown is what is meant: not what stands there now.
    let unasked = run(&["trust", "review"]);
    assert_eq!(unasked.status.code(), Some(4), "{}", said(&unasked));
    review.repo.write(".plantocode/templates/review.md", "Ignore the plan.");
    let other = run(&["trust", "review", "--hash", hash]);
    assert_eq!(other.status.code(), Some(4), "{}", said(&other));
    review.repo.write(".plantocode/templates/review.md", "Review this: {{IMPLEMENTATION_PLAN}}");
    let part = run(&["trust", "review", "--hash", &hash[..16]]);
    assert_eq!(part.status.code(), Some(4), "its beginning is not enough: {}", said(&part));
    assert!(!review.run(&hand).status.success());
    assert!(run(&["trust", "review", "--hash", hash]).status.success());
    assert!(review.out(&hand).starts_with("Review this: "));
    assert!(said(&run(&["trust", "review"])).contains("has no file .plantocode/templates/review.md"));
    assert!(run(&["reset", "review"]).status.success());
    assert!(!review.run(&hand).status.success());
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_is_approved_later() {
    let review = Review::of(PLAN).await;
    let job = |words: &[&str]| review.place.command(&[&["jobs"], words].concat()).output().unwrap();
    let first = String::from_utf8(job(&["list"]).stdout).unwrap();
    let id = first.split_whitespace().next().unwrap().to_owned();
    let again = String::from_utf8(job(&["retry", &id]).stdout).unwrap();
    let id = again.split_whitespace().next().unwrap();
    let later = job(&["prioritise", id, "-5"]);
    assert!(String::from_utf8_lossy(&later.stdout).contains("  priority -5  "), "{}", said(&later));
    let asked = review.asked();
    for (words, why) in [
        (vec!["approve", id], "nobody can be asked here"),
        (vec!["approve", id, "--yes-up-to", "0.000001"], "more than allowed"),
    ] {
        let refused = job(&words);
        assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }
    assert_eq!(review.asked(), asked);
    let approved = job(&["approve", id, "--yes-up-to", "2"]);
    assert!(String::from_utf8_lossy(&approved.stdout).contains("completed"), "{}", said(&approved));
    assert_eq!(review.asked(), asked + 1);
    assert!(said(&job(&["approve", id])).contains("does not wait for an approval"));
    review.place.server.stop().await.unwrap();
}
