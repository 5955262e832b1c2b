//! What a model is asked about plans that exist.

use crate::fixture::{Fixture, TASK};
use api::approvals::{GetApproval, GetText};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{GetPlan, Plan, PlanState};
use api::review::{AskStep, CompletePlan, MergeByModel, Origin};
use testkit::{Behaviour, Style};

const MODEL: &str = "sim/sim-large";

/// Approves what a job asks and waits for its end.
async fn run(f: &Fixture, job: &Job, purpose: &str) -> Job {
    let waiting = f.job_in(job, JobState::WaitingApproval).await;
    let manifest = f.approvals().get(&GetApproval { approval: waiting.approval.unwrap() }).await.unwrap();
    assert_eq!(manifest.purpose, purpose);
    f.approve(&manifest).await.unwrap();
    for _ in 0..1000 {
        let now = JobsClient(f.client.clone()).get(&GetJob { job: job.id.clone() }).await.unwrap();
        if matches!(now.state, JobState::Completed | JobState::Failed | JobState::Canceled) {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the job never ended");
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.title.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_plan_is_completed_and_itself_stays() {
    let f = Fixture::start().await;
    f.simulator.set(Behaviour { style: Style::Cut, ..Behaviour::default() });
    let (_, _, cut) = f.plan(TASK).await;
    assert_eq!(cut.state, PlanState::Cut);
    let whole = cut.steps.iter().filter(|step| step.complete).count();
    assert!(whole > 0 && whole < cut.steps.len(), "{cut:?}");
    f.simulator.set(Behaviour::text(
        "<plan>\n<step title=\"The rest\"><why>It was missing.</why>\n<operation kind=\"modify\" path=\"src/http.rs\"><change>x</change></operation></step>\n</plan>",
    ));
    let request = CompletePlan { plan: cut.id.clone(), model: Some(MODEL.into()) };
    let job = f.plans().complete(&request).await.unwrap();
    let waiting = f.job_in(&job, JobState::WaitingApproval).await;
    let begun = GetText { approval: waiting.approval.unwrap(), source: "begun".into() };
    let begun = f.approvals().text(&begun).await.unwrap().text;
    assert!(begun.contains(&cut.steps[0].title), "{begun}");
    run(&f, &job, "the rest of a plan that was cut").await;
    let plan = f.plan_ended(&job).await;
    assert_eq!(plan.state, PlanState::Complete);
    let mut expected: Vec<&str> = cut.steps.iter().filter(|s| s.complete).map(|s| s.title.as_str()).collect();
    expected.push("The rest");
    assert_eq!(titles(&plan), expected);
    let old = f.plans().get(&GetPlan { plan: cut.id.clone() }).await.unwrap();
    assert_eq!((old.state, old.steps.len()), (PlanState::Cut, cut.steps.len()));
    let again = CompletePlan { plan: plan.id, model: None };
    assert_eq!(f.plans().complete(&again).await.unwrap_err().reason, "plan_not_cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_plans_become_one_with_sources() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let step = |title: &str, path: &str| {
        format!(
            "<step title=\"{title}\"><why>w</why><operation kind=\"modify\" path=\"{path}\"><change>{title}</change></operation></step>"
        )
    };
    let mut plans = Vec::new();
    for text in [step("Retry in send", "src/http.rs"), step("Add a limit to the policy", "src/policy.rs")] {
        f.simulator.set(Behaviour::text(&format!("<plan title=\"T\">{text}</plan>")));
        let (job, manifest) = f.ask(&session).await;
        f.approve(&manifest).await.unwrap();
        plans.push(f.plan_ended(&job).await);
    }
    let both = step("Add a limit to the policy", "src/policy.rs") + &step("Retry in send", "src/http.rs");
    f.simulator.set(Behaviour::text(&format!("<plan title=\"Both\">{both}</plan>")));
    let ids: Vec<_> = plans.iter().map(|plan| plan.id.clone()).collect();
    let merge =
        MergeByModel { plans: ids.clone(), wish: Some("policy first".into()), model: Some(MODEL.into()) };
    let job = f.plans().merge_by_model(&merge).await.unwrap();
    run(&f, &job, "one plan made of several").await;
    let merged = f.plan_ended(&job).await;
    assert_eq!(titles(&merged), ["Add a limit to the policy", "Retry in send"]);
    let sources: Vec<_> = merged.steps.iter().map(|step| step.source.clone().unwrap().plan).collect();
    assert_eq!(sources, [ids[1].clone(), ids[0].clone()]);
    let versions = f.plans().versions(&GetPlan { plan: merged.id }).await.unwrap().versions;
    assert_eq!((versions.len(), versions[0].origin), (1, Origin::Merge));
    let one = MergeByModel { plans: ids[..1].to_vec(), ..merge };
    assert_eq!(f.plans().merge_by_model(&one).await.unwrap_err().reason, "plans_count");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_step_is_changed_unless_it_was_changed_meanwhile() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let step = |title: &str| {
        format!(
            "<plan><step title=\"{title}\"><why>w</why><operation kind=\"modify\" path=\"src/http.rs\"><change>c</change></operation></step></plan>"
        )
    };
    let ask = AskStep {
        plan: plan.id.clone(),
        version: plan.version,
        step: plan.steps[0].id.clone(),
        wish: "Say it shorter".into(),
        model: Some(MODEL.into()),
    };
    f.simulator.set(Behaviour::text(&step("Shorter")));
    let job = f.plans().ask_step(&ask).await.unwrap();
    let other = f.plans().ask_step(&ask).await.unwrap();
    assert_eq!(job.about, std::slice::from_ref(&plan.id));
    assert_eq!(run(&f, &job, "a change of one step of a plan").await.state, JobState::Completed);
    let changed = f.plans().get(&GetPlan { plan: plan.id.clone() }).await.unwrap();
    assert_eq!((changed.steps[0].title.as_str(), changed.version), ("Shorter", plan.version + 1));
    assert_eq!(changed.steps[0].id, plan.steps[0].id);
    assert_eq!(titles(&changed)[1..], titles(&plan)[1..], "the others stay as they are");
    // The second wish was for a step that reads otherwise now.
    f.simulator.set(Behaviour::text(&step("Otherwise")));
    let late = run(&f, &other, "a change of one step of a plan").await;
    assert_eq!(late.state, JobState::Failed);
    assert!(late.note.contains("changed meanwhile"), "{}", late.note);
    let after = f.plans().get(&GetPlan { plan: plan.id.clone() }).await.unwrap();
    assert_eq!(after.version, changed.version);
    // An answer that is not one step changes nothing.
    f.simulator.set(Behaviour::text("I would rather not."));
    let ask = AskStep { version: after.version, ..ask };
    let refused = run(&f, &f.plans().ask_step(&ask).await.unwrap(), "a change of one step of a plan").await;
    assert!(
        refused.state == JobState::Failed && refused.note.contains("not one whole step"),
        "{}",
        refused.note
    );
    let stale = AskStep { version: 1, ..ask };
    assert_eq!(f.plans().ask_step(&stale).await.unwrap_err().reason, "plan_changed");
}
