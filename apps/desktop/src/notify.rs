//! Tells the person when a plan is done or an approval waits, if they look elsewhere.

use crate::way::Way;
use crate::window::MAIN;
use api::JobId;
use api::events::{EventsClient, Topic, WatchEvents};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{GetPlan, PlansClient};
use futures_util::StreamExt;
use rpc::Client;
use std::collections::HashMap;
use std::time::Duration;
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

/// How long to wait before the engine is looked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// Follows jobs as long as the app runs.
pub async fn plans(app: AppHandle, way: Way) {
    let mut known = HashMap::new();
    loop {
        if let Ok(client) = way.client().await {
            follow(&app, client, &mut known).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn follow(app: &AppHandle, client: Client, known: &mut HashMap<JobId, JobState>) {
    let Ok(mut changes) = EventsClient(client.clone()).watch(&WatchEvents::default()).await else { return };
    while let Some(Ok(change)) = changes.next().await {
        if change.topic != Topic::Job {
            continue;
        }
        let Ok(job) = JobsClient(client.clone()).get(&GetJob { job: change.id.as_str().into() }).await else {
            continue;
        };
        // Once for each state that a job reaches, however often it is told.
        if known.insert(job.id.clone(), job.state) == Some(job.state) {
            continue;
        }
        if let Some((title, body)) = notice(&client, &job).await
            && !is_seen(app)
            && let Err(error) = app.notification().builder().title(title).body(body).show()
        {
            tracing::debug!(%error, "the system shows no notifications");
        }
    }
}

/// What is worth telling. Nothing of the code or the task: a notification may stand on a locked screen.
async fn notice(client: &Client, job: &Job) -> Option<(&'static str, String)> {
    match job.state {
        JobState::Completed => {
            let plan = job.plan.clone()?;
            let plan = PlansClient(client.clone()).get(&GetPlan { plan }).await.ok()?;
            let findings = plan.errors + plan.warnings;
            let steps =
                if plan.step_count == 1 { "1 step".to_owned() } else { format!("{} steps", plan.step_count) };
            let findings = match findings {
                0 => "nothing found in the check".to_owned(),
                1 => "1 finding".to_owned(),
                n => format!("{n} findings"),
            };
            Some(("Plan is done", format!("{steps}, {findings}.")))
        }
        JobState::Failed => {
            let what = if job.plan.is_some() { "Plan failed" } else { "Job failed" };
            Some((what, "Open PlanToCode to see why. What had arrived is kept.".to_owned()))
        }
        JobState::WaitingApproval => {
            Some(("Approval needed", "A job waits for you to approve what it sends.".to_owned()))
        }
        JobState::Queued
        | JobState::Running
        | JobState::WaitingNetwork
        | JobState::Paused
        | JobState::Canceled => None,
    }
}

/// Whether the person looks at the window anyway.
fn is_seen(app: &AppHandle) -> bool {
    app.get_webview_window(MAIN).is_some_and(|window| window.is_focused().unwrap_or(false))
}
