//! `plantocode audit`: whether the engine's own record of what left is as it was written.

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
            anstream::println!("{} records in order; none was changed, removed or moved.", verdict.records);
            Ok(ExitCode::SUCCESS)
        }
        Some(at) => anyhow::bail!(
            "the record is broken at position {at}: a record is missing, was changed, or stands in another place. The {} before it are in order",
            verdict.records
        ),
    }
}
