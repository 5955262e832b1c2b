//! `plantocode audit`: whether the engine's own record of what left is as it was written.

use crate::show;
use api::Empty;
use api::usage::UsageClient;
use host::Host;
use std::process::ExitCode;

pub async fn verify() -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let verdict = UsageClient(host.client.clone()).verify_record(&Empty {}).await?;
    host.close().await;
    match verdict.broken_at {
        None => {
            show::line(format_args!(
                "{} records in order; none was changed, removed or moved.",
                verdict.records
            ))?;
            if verdict.compared > 0 {
                let sent = "requests went through a server; what it says it sent is what was approved.";
                show::line(format_args!("{} {sent}", verdict.compared))?;
            }
            if verdict.alarms > 0 {
                anyhow::bail!(
                    "of {} requests the server says something else than what was approved, or nothing; their plans say what. Ask \
                     whoever runs the server",
                    verdict.alarms
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(at) => anyhow::bail!(
            "the record is broken at position {at}: a record is missing, was changed, or stands in another place. The {} before it are in order",
            verdict.records
        ),
    }
}
