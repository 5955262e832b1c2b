//! Sessions that travel: exported at one moment, and made again elsewhere with nothing in them believed.

use crate::fixture::{Fixture, TASK, repo};
use crate::research::{ANTHROPIC, answered, attach, findings, searching};
use api::ProjectId;
use api::plans::PlanState;
use api::projects::{GrantProject, ProjectsClient};
use api::research::WebFindingState;
use api::review::{CommentStep, DecideSteps, Decision};
use api::sessions::{ExportSession, GetSession, ImportSession, SaveTask, Session, SessionsClient};
use serde_json::Value;
use testkit::{Behaviour, Page};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_made_again_elsewhere_and_nothing_in_it_counts_as_decided() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let step = plan.steps[0].id.clone();
    let decide = DecideSteps {
        plan: plan.id.clone(),
        version: plan.version,
        steps: vec![step.clone()],
        decision: Decision::Accepted,
        override_errors: false,
    };
    f.plans().decide(&decide).await.unwrap();
    let say = CommentStep { plan: plan.id.clone(), step: step.clone(), text: "First this".into() };
    f.plans().comment(&say).await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("session").display().to_string();
    let sessions = SessionsClient(f.client.clone());
    let export = ExportSession { session: plan.session.clone(), folder: folder.clone() };
    let made = sessions.export(&export).await.unwrap();
    assert!(made.files.contains(&"task.md".to_owned()) && made.files.len() == 3, "{made:?}");
    let read = |name: &str| std::fs::read_to_string(out.path().join("session").join(name)).unwrap();
    assert_eq!(read("task.md"), TASK);
    assert!(read(&made.files[1]).contains(&plan.steps[0].title));
    assert!(!read("session.json").contains(crate::fixture::KEY));
    assert_eq!(sessions.export(&export).await.unwrap_err().reason, "file_exists");

    // On another machine, where the project is another one.
    let there =
        Fixture::with(repo().file("src/http.rs", "pub fn send() {}\n"), testkit::Behaviour::default()).await;
    let path = there.repo.real_path().to_str().unwrap().to_owned();
    let project = ProjectsClient(there.client.clone()).grant(&GrantProject { path }).await.unwrap().id;
    let others = SessionsClient(there.client.clone());
    let import = ImportSession { project: project.clone(), folder };
    let session = others.import(&import).await.unwrap();
    assert_eq!(session.task, TASK);
    let plans = there.plans().list(&GetSession { session: session.id.clone() }).await.unwrap().plans;
    assert_eq!(plans.len(), 1);
    let get = api::plans::GetPlan { plan: plans[0].id.clone() };
    let copy = there.plans().get(&get).await.unwrap();
    assert_ne!(copy.id, plan.id);
    assert_eq!(
        (copy.state, &copy.title, copy.steps.len()),
        (PlanState::Complete, &plan.title, plan.steps.len())
    );
    assert_eq!(copy.steps[0].decision, Decision::Open);
    assert_eq!(copy.steps[0].comments[0].text, "First this");
    let findings = copy.steps.iter().map(|step| step.findings.len()).sum::<usize>();
    assert!(findings > 0, "it was checked against the project that is there: its lines are not");

    // What is no session changes nothing.
    let broken = out.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    let whole = read("session.json");
    for text in [
        "",
        "{}",
        &whole[..whole.len() / 2],
        &whole.replace("\"plantocode_session\": 1", "\"plantocode_session\": 2"),
        &whole.replace("\"path\": \"src/http.rs\"", "\"path\": \"../outside\""),
        &whole.replace("\"state\": \"complete\"", "\"state\": \"streaming\""),
        // A version with a step of which nothing is kept.
        &whole.replace(
            "\"versions\": []",
            r#""versions": [{"number": 2, "origin": "edit", "document": "<plan><step title='a'/></plan>", "steps": [], "created_at": 1}]"#,
        ),
    ] {
        std::fs::write(broken.join("session.json"), text).unwrap();
        let import = ImportSession { project: project.clone(), folder: broken.display().to_string() };
        let refused = others.import(&import).await.unwrap_err();
        assert_eq!(refused.reason, "session_file", "{text}");
    }
    assert_eq!(others.list(&api::sessions::ListSessions::default()).await.unwrap().sessions.len(), 1);
}

async fn granted(f: &Fixture) -> ProjectId {
    let path = f.repo.real_path().to_str().unwrap().to_owned();
    ProjectsClient(f.client.clone()).grant(&GrantProject { path }).await.unwrap().id
}

/// Exports a session to a folder; the names of its files.
async fn export(f: &Fixture, session: &Session, folder: &std::path::Path) -> Vec<String> {
    let export = ExportSession { session: session.id.clone(), folder: folder.display().to_string() };
    SessionsClient(f.client.clone()).export(&export).await.unwrap().files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_on_the_web_travels_and_is_attached_to_nothing() {
    let page = |url: &str| Page { url: url.into(), title: "Retrying".into(), ..Page::default() };
    let pages = vec![page("https://docs.example/retry")];
    let f = searching(Behaviour { pages: Some(pages), ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    let found = answered(&f, &session, "Which limit of retries is usual?", ANTHROPIC).await;
    attach(&f, &found, true).await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("session");
    let files = export(&f, &session, &folder).await;
    assert_eq!(files, ["task.md", "web-findings.md", "session.json"]);
    let read = std::fs::read_to_string(folder.join("web-findings.md")).unwrap();
    assert!(read.contains(&found.question) && read.contains("<https://docs.example/retry>"), "{read}");

    let there = Fixture::start().await;
    let project = granted(&there).await;
    let sessions = SessionsClient(there.client.clone());
    let import = |folder: &std::path::Path| ImportSession {
        project: project.clone(),
        folder: folder.display().to_string(),
    };
    let copy = sessions.import(&import(&folder)).await.unwrap();
    let copies = findings(&there, &copy).await;
    let [again] = copies.as_slice() else { panic!("{copies:?}") };
    assert_eq!((&again.question, &again.answer), (&found.question, &found.answer));
    assert_eq!((again.state, &again.sources), (WebFindingState::Answered, &found.sources));
    assert_eq!((again.created_at, again.answered_at), (found.created_at, found.answered_at));
    assert_eq!((again.attached, again.cost), (false, None), "decided and paid elsewhere");
    assert!(again.served.as_deref().unwrap().ends_with("(imported)"), "{again:?}");
    assert_ne!((&again.id, &again.job), (&found.id, &found.job));
    assert!(attach(&there, again, true).await.unwrap().attached);

    // A folder of an older program has none; in one that was tampered with nothing but addresses are sources.
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("session.json")).unwrap()).unwrap();
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut file = written.clone();
        change(&mut file);
        let folder = out.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("session.json"), file.to_string()).unwrap();
        folder
    };
    let older = changed("older", &|file| drop(file.as_object_mut().unwrap().remove("web_findings")));
    let old = sessions.import(&import(&older)).await.unwrap();
    assert_eq!((old.task.as_str(), findings(&there, &old).await.len()), (TASK, 0));
    let script = changed("script", &|file| {
        file["web_findings"][0]["web"]["sources"][0]["url"] = "javascript:alert(1)".into();
    });
    let without = sessions.import(&import(&script)).await.unwrap();
    let without = &findings(&there, &without).await[0];
    assert!(without.sources.is_empty());
    assert_eq!(
        without.trouble.as_deref(),
        Some(
            "1 sources without a web address were left out. No source was given: what it says may not have been looked up."
        )
    );
    for (name, member, value) in [("asked", "state", "asked"), ("empty", "question", "")] {
        let broken = changed(name, &|file| file["web_findings"][0][member] = value.into());
        assert_eq!(sessions.import(&import(&broken)).await.unwrap_err().reason, "session_file", "{name}");
    }
}

/// A writer saves a task with a number and then says the same number of a step, over and over. Of one moment are a task
/// and remarks of which the last has the task's number or the one before.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_of_one_moment_while_others_write() {
    const EXPORTS: usize = 25;
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let (sessions, plans) = (SessionsClient(f.client.clone()), f.plans());
    let session = sessions.get(&GetSession { session: plan.session.clone() }).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let say = CommentStep { plan: plan.id.clone(), step: plan.steps[0].id.clone(), text: String::new() };
    let begun = session.clone();
    let writer = tokio::spawn(async move {
        let (mut version, mut n) = (begun.task_version, 0);
        while !*stopped.borrow() {
            n += 1;
            let save = SaveTask {
                session: begun.id.clone(),
                text: n.to_string(),
                base_version: version,
                base_text: None,
            };
            version = sessions.save_task(&save).await.unwrap().task_version;
            plans.comment(&CommentStep { text: n.to_string(), ..say.clone() }).await.unwrap();
        }
        n
    });
    let out = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for n in 0..EXPORTS {
        let folder = out.path().join(n.to_string());
        export(&f, &session, &folder).await;
        let file: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("session.json")).unwrap()).unwrap();
        let saved: usize = file["task"].as_str().unwrap().parse().unwrap_or(0);
        let said = file["plans"][0]["comments"].as_array().unwrap().len();
        assert!(said == saved || said + 1 == saved, "saved {saved}, said {said}");
        seen.push(saved);
    }
    stop.send(true).unwrap();
    assert!(
        writer.await.unwrap() > 1 && seen.first() < seen.last(),
        "nothing was written meanwhile: {seen:?}"
    );
}
