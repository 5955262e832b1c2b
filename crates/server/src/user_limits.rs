//! `plantocode-server user limits`.

use clap::Args;
use server::Config;
use server::admin::Admin;
use server_store::OwnLimits;

use super::say;

/// Show the limits of a person, or set some of them; 0 is no limit. They act within a second.
#[derive(Args)]
pub struct UserLimits {
    /// Name for signing in.
    login: String,
    /// Requests per minute.
    #[arg(long)]
    requests_per_minute: Option<u32>,
    /// Tokens per minute.
    #[arg(long)]
    tokens_per_minute: Option<u32>,
    /// Requests at the same time.
    #[arg(long)]
    concurrent: Option<u32>,
    /// What they may spend in a day of UTC, in millionths of a dollar.
    #[arg(long)]
    day_microusd: Option<u64>,
    /// What they may spend in a month of UTC, in millionths of a dollar.
    #[arg(long)]
    month_microusd: Option<u64>,
    /// Take all of their own limits away.
    #[arg(
        long,
        conflicts_with_all = ["requests_per_minute", "tokens_per_minute", "concurrent", "day_microusd", "month_microusd"]
    )]
    default: bool,
}

pub async fn run(config: &Config, asked: UserLimits) -> anyhow::Result<()> {
    let UserLimits {
        login,
        requests_per_minute,
        tokens_per_minute,
        concurrent,
        day_microusd,
        month_microusd,
        default,
    } = asked;
    let given =
        OwnLimits { requests_per_minute, tokens_per_minute, concurrent, day_microusd, month_microusd };
    let admin = match !default && given == OwnLimits::default() {
        true => Admin::open(config).await?,
        false => Admin::open_on_record(config).await?,
    };
    if default {
        admin.reset_limits(&login).await?;
    } else if given != OwnLimits::default() {
        admin.set_limits(&login, &given).await?;
    }
    for (name, most, is_own) in admin.limits(&login, &config.settings).await? {
        let most = if most == 0 { "no limit".to_owned() } else { most.to_string() };
        let whose = if is_own { "their own" } else { "the default" };
        say(&format!("{name}  {most}  {whose}"))?;
    }
    admin.close().await;
    Ok(())
}
