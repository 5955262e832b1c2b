use crate::fixture::{Fixture, TASK};
use api::discovery::{DiscoveryClient, IncludeFiles};
use api::projects::{GrantProject, ProjectsClient, WithdrawProject};
use api::sessions::GetSession;

#[tokio::test(flavor = "multi_thread")]
async fn files_are_ranked_with_reasons_and_the_best_are_ticked() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    let ranking = f.find(&session).await;
    let http = ranking.sources.iter().find(|file| file.path == "src/http.rs").unwrap();
    assert!(http.included && http.rank <= 2, "{ranking:#?}");
    assert!(
        http.reasons
            .iter()
            .any(|r| r.detail == "defines function `send`, named in the task" && r.line == Some(3)),
        "{http:#?}"
    );
    assert!(ranking.tests.iter().any(|t| t.path == "tests/send.rs" && !t.included));
    assert!(ranking.current && ranking.scanned >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_are_kept_and_files_can_be_added_by_hand() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let discovery = DiscoveryClient(f.client.clone());
    let include = |paths: &[&str], included| IncludeFiles {
        session: session.id.clone(),
        paths: paths.iter().map(|p| (*p).to_owned()).collect(),
        included,
    };
    let ranking = discovery.include(&include(&["src/http.rs"], false)).await.unwrap();
    assert!(!ranking.sources.iter().find(|f| f.path == "src/http.rs").unwrap().included);
    f.repo.write("docs/notes.txt", "nothing to find here\n");
    discovery.include(&include(&["docs/notes.txt"], true)).await.unwrap();
    let again = f.find(&session).await;
    assert!(
        again.sources.iter().any(|f| f.path == "docs/notes.txt" && f.included),
        "an added file survives a new search"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_the_root_can_be_added() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), f.repo.path().join("way-out")).unwrap();
    let absolute = outside.path().join("secret.txt").to_str().unwrap().to_owned();
    for path in ["../secret.txt", "way-out/secret.txt", &absolute, ".git/config", "src/../../x"] {
        let add = IncludeFiles { session: session.id.clone(), paths: vec![path.to_owned()], included: true };
        let refused = DiscoveryClient(f.client.clone()).include(&add).await.unwrap_err();
        assert_eq!(refused.reason, "file_unreadable", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_folder_is_not_read_any_more() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let projects = ProjectsClient(f.client.clone());
    projects.withdraw(&WithdrawProject { project: session.project.clone() }).await.unwrap();
    let start = api::plans::StartPlan { session: session.id.clone(), model: None };
    let job = f.plans().start(&start).await.unwrap();
    let failed = f.job_in(&job, api::jobs::JobState::Failed).await;
    assert!(failed.note.contains("not granted"), "{}", failed.note);
    let files = DiscoveryClient(f.client.clone()).files(&GetSession { session: session.id }).await.unwrap();
    assert!(!files.sources.is_empty(), "what was stored is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_real_folders_are_granted() {
    let f = Fixture::start().await;
    let projects = ProjectsClient(f.client.clone());
    let file = f.repo.path().join("README.md").to_str().unwrap().to_owned();
    for path in ["relative", "/", "/no/such/folder", &file] {
        let refused = projects.grant(&GrantProject { path: path.to_owned() }).await.unwrap_err();
        assert_eq!(refused.reason, "not_a_folder", "{path}");
    }
}
