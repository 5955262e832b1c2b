//! What is shipped for operators is true: the alerts work, each has its entry in the runbook, and they ask for metrics that
//! there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_alerts_do_what_their_tests_say() {
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let ran = Command::new("promtool").args(arguments).current_dir(root().join("deploy")).output();
        let ran = ran.expect("promtool is installed (package prometheus)");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}");
    }
}

#[test]
fn every_alert_has_its_entry_in_the_runbook_and_its_test() {
    let alerts = read("deploy/alerts.yml");
    let alerts: BTreeSet<&str> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let runbook = read("docs/runbook.md");
    let (_, entries) = runbook.split_once("## Alerts").unwrap();
    let entries: BTreeSet<&str> = entries.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(alerts, entries);
    let tests = read("deploy/alerts.test.yml");
    assert!(alerts.iter().all(|alert| tests.contains(&format!("alertname: {alert}"))));
}

#[tokio::test]
async fn the_alerts_ask_for_metrics_that_there_are() {
    let world = World::with(Database::Sqlite, |settings| settings.metrics_token = "scrape".into()).await;
    // A family without a value is not told.
    let ada = world.sign_in("ada").await;
    json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
    assert_eq!(world.chat(&ada, &ask("none", false)).send().await.unwrap().status(), 404);
    world.audit_until(&ada, |records| records.len() == 3).await;
    let metrics = world.get("/metrics").bearer_auth("scrape").send().await.unwrap().text().await.unwrap();
    let alerts = read("deploy/alerts.yml");
    let names = alerts.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names: BTreeSet<&str> = names.filter(|name| name.starts_with("plantocode_")).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let family = name.strip_suffix("_total").unwrap_or(name);
        assert!(metrics.contains(&format!("# TYPE {family} ")), "{name}\n{metrics}");
    }
}
