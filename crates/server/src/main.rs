//! `plantocode-server`: the proxy server and its administration.

mod user_limits;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use secrecy::SecretString;
use server::admin::{Admin, NewKey};
use server::config::Log;
use server::doctor::Verdict;
use server::{Config, Server};
use server_store::{Role, Store};
use tracing_subscriber::EnvFilter;

/// What a request allocates on one thread is often freed by another, which the system's allocator is slow at; and what a
/// thousand streams took it never gave back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// One door to every model: people sign in, keys stay here, everything that leaves is on record.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Directory of key, configuration and database.
    #[arg(long, global = true, env = "PLANTOCODE_SERVER_DATA", default_value = "plantocode-server-data")]
    data: PathBuf,
    /// Database URL, instead of the configuration's.
    #[arg(long, global = true, env = "PLANTOCODE_DATABASE")]
    database: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the data directory: master key, configuration, database.
    Init,
    /// Run the server. Prints one line of JSON when it is ready.
    Serve {
        /// Address and port, instead of the configuration's.
        #[arg(long, env = "PLANTOCODE_LISTEN")]
        listen: Option<SocketAddr>,
        /// Address that clients use, instead of the configuration's.
        #[arg(long, env = "PLANTOCODE_PUBLIC_URL")]
        public_url: Option<String>,
    },
    /// Provider keys in the vault.
    #[command(subcommand)]
    Keys(Keys),
    /// People.
    #[command(subcommand)]
    User(User),
    /// Tokens: those of programs and agents, and the key that signs people's.
    #[command(subcommand)]
    Token(Token),
    /// The record of what left.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The seals of keys.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Bring the schema of the database up to date, as `serve` does by itself; show what that takes.
    Migrate {
        /// Change nothing, and fail when something is pending.
        #[arg(long)]
        check: bool,
    },
    /// Look at everything a server needs, and say what is missing.
    Doctor,
}

#[derive(Subcommand)]
enum Keys {
    /// Put a key into the vault.
    Add {
        /// Name of the provider, such as `openai`.
        provider: String,
        /// Base URL, such as https://api.openai.com/v1 or https://api.anthropic.com
        #[arg(long)]
        base_url: String,
        /// Wire form: openai, openai_responses, anthropic, gemini, xai, xai_chat, openrouter or compatible.
        #[arg(long)]
        dialect: String,
        /// Environment variable that holds the key.
        #[arg(long, conflicts_with = "key_stdin")]
        key_env: Option<String>,
        /// Read the key from standard input.
        #[arg(long)]
        key_stdin: bool,
        /// Models it serves: `model` or `alias=model`, separated by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        models: Vec<String>,
    },
    /// List the keys, without the keys.
    List,
    /// Put another key in the place of one; provider, address and models stay.
    Replace {
        /// Its id, from `keys list`.
        id: String,
        /// Environment variable that holds the new key.
        #[arg(long, conflicts_with = "key_stdin")]
        key_env: Option<String>,
        /// Read the new key from standard input.
        #[arg(long)]
        key_stdin: bool,
    },
    /// Remove a key.
    Remove {
        /// Its id, from `keys list`.
        id: String,
    },
}

#[derive(Subcommand)]
enum User {
    /// Add a person; the password is read from standard input.
    Add {
        /// Name for signing in.
        login: String,
        /// admin, member or auditor.
        #[arg(long, default_value = "member")]
        role: String,
    },
    /// Print a link, good once within a day, by which a person sets a password; also an administrator who has lost theirs.
    Invite {
        /// Name for signing in.
        login: String,
    },
    Limits(user_limits::UserLimits),
    /// Erase a person: name, password, devices and the addresses in the audit. Usage and audit keep a bare id; this cannot be
    /// undone.
    Erase {
        /// Name for signing in.
        login: String,
    },
}

#[derive(Subcommand)]
enum Token {
    /// List the tokens of programs and agents.
    List,
    /// Void one; what it has under way ends.
    Revoke {
        /// Its id, from `token list`.
        id: String,
    },
    /// Make a new key for access tokens. It is published at once and signs five minutes later; nobody is signed out.
    Rotate {
        /// Void all other keys now: every access token ends, and clients renew theirs. For a key in wrong hands.
        #[arg(long)]
        at_once: bool,
    },
}

#[derive(Subcommand)]
enum VaultCommand {
    /// Show when provider keys were opened, by whom and what for, the newest first.
    Log {
        /// How many lines at most.
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// Make a new master key and seal everything under it. Stop the servers of this database first: they hold the old one.
    Rewrap,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Walk every chain and the signed checkpoints, and say where one breaks.
    Verify {
        /// Compare with a file of positions that replies carried (x-plantocode-audit) or of checkpoints (from the log or the
        /// sink), one per line: finds what was cut off at the end.
        #[arg(long)]
        witness: Option<PathBuf>,
    },
    /// Print every record as a line of JSON, exactly as it was hashed.
    Export,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut config = Config::load(&arguments.data)?;
    write_log(config.settings.log);
    if let Some(database) = arguments.database {
        config.settings.database = database;
    }
    match arguments.command {
        Command::Init => init(&config).await,
        Command::Serve { listen, public_url } => {
            config.settings.listen = listen.unwrap_or(config.settings.listen);
            config.settings.public_url = public_url.unwrap_or(config.settings.public_url);
            serve(config).await
        }
        Command::Keys(command) => keys(&config, command).await,
        Command::User(User::Add { login, role }) => {
            let role = Role::parse(&role).context("the role must be admin, member or auditor")?;
            let admin = Admin::open_on_record(&config).await?;
            let id = admin.add_user(&login, read_stdin()?.into(), role).await?;
            say(&format!("added {login} ({id})"))
        }
        Command::User(User::Invite { login }) => {
            let url = match config.settings.public_url.as_str() {
                "" => format!("http://{}", config.settings.listen),
                url => url.to_owned(),
            };
            say(&Admin::open_on_record(&config).await?.invite(&login, &url).await?)
        }
        Command::User(User::Limits(asked)) => user_limits::run(&config, asked).await,
        Command::User(User::Erase { login }) => {
            Admin::open_on_record(&config).await?.erase_user(&login).await?;
            say(&format!("erased {login}"))
        }
        Command::Vault(VaultCommand::Rewrap) => rewrap(&config).await,
        Command::Vault(VaultCommand::Log { limit }) => vault_log(&config, limit).await,
        Command::Migrate { check } => migrate(&config, check).await,
        Command::Doctor => doctor(&config).await,
        Command::Token(command) => token(&config, command).await,
        Command::Audit(AuditCommand::Verify { witness }) => verify(&config, witness.as_deref()).await,
        Command::Audit(AuditCommand::Export) => export(&config).await,
    }
}

/// Writes the log to standard error from now on.
fn write_log(form: Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match form {
        Log::Text => log.init(),
        // The request that a line belongs to stands in it as `span`.
        Log::Json => log.json().with_span_list(false).init(),
    }
}

async fn init(config: &Config) -> anyhow::Result<()> {
    let admin = Admin::open(config).await?;
    if let Some(path) = &admin.new_master_key {
        let path = path.display();
        tracing::warn!("{path} is the master key: keep a copy elsewhere, without it stored keys are lost");
    }
    admin.close().await;
    say(&format!("{} is ready; next: plantocode-server serve --data {0}", config.data.display()))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let running = Server::start(config).await?;
    if let Some(link) = running.setup_url() {
        tracing::info!("no administrator yet; this link makes one, once, within 15 minutes: {link}");
    }
    let ready = serde_json::json!({
        "ready": true,
        "url": running.url(),
        "listens": format!("http://{}", running.listens()),
        "setup_url": running.setup_url(),
    });
    say(&ready.to_string())?;
    wait_for_signal().await?;
    tracing::info!("stopping");
    running.stop().await?;
    Ok(())
}

#[cfg(unix)]
async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn wait_for_signal() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}

async fn keys(config: &Config, command: Keys) -> anyhow::Result<()> {
    let admin = match command {
        Keys::List => Admin::open(config).await?,
        _ => Admin::open_on_record(config).await?,
    };
    match command {
        Keys::Add { provider, base_url, dialect, key_env, key_stdin, models } => {
            let key = given_key(key_env, key_stdin)?;
            let id = admin.add_key(NewKey { provider, dialect, base_url, models, key }).await?;
            say(&format!("added key {id}"))
        }
        Keys::List => {
            for key in admin.keys().await? {
                say(&format!(
                    "{}  {}  {}  {}  {}",
                    key.id, key.provider, key.dialect, key.base_url, key.models
                ))?;
            }
            Ok(())
        }
        Keys::Replace { id, key_env, key_stdin } => {
            admin.replace_key(&id, &given_key(key_env, key_stdin)?).await?;
            say(&format!("replaced key {id}"))
        }
        Keys::Remove { id } => {
            admin.remove_key(&id).await?;
            say(&format!("removed key {id}"))
        }
    }
}

fn given_key(key_env: Option<String>, key_stdin: bool) -> anyhow::Result<SecretString> {
    let key = match (key_env, key_stdin) {
        (Some(name), false) => std::env::var(&name).with_context(|| format!("{name} is not set"))?,
        (None, true) => read_stdin()?,
        _ => bail!("say where the key is: --key-env NAME or --key-stdin"),
    };
    Ok(key.into())
}

async fn token(config: &Config, command: Token) -> anyhow::Result<()> {
    let admin = match command {
        Token::List => Admin::open(config).await?,
        _ => Admin::open_on_record(config).await?,
    };
    match command {
        Token::List => {
            for token in admin.api_tokens().await? {
                let state = if token.revoked_ms.is_some() { "revoked" } else { "works" };
                let end =
                    token.expires_ms.map_or_else(|| "no end".to_owned(), |ms| format!("ends {}", day(ms)));
                let (id, kind, name) = (&token.id, token.kind.as_str(), &token.name);
                say(&format!("{id}  {kind}  {state}  {end}  {name}  {}", token.models))?;
            }
            Ok(())
        }
        Token::Revoke { id } => {
            admin.revoke_api_token(&id).await?;
            say(&format!("revoked token {id}"))
        }
        Token::Rotate { at_once } => {
            let kid = admin.rotate_signing_key(at_once).await?;
            let when =
                if at_once { "signs from now on; all others are void" } else { "signs in five minutes" };
            say(&format!("key {kid} {when}"))
        }
    }
}

/// A moment as people write it, in UTC.
fn day(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| time.strftime("%F %R UTC").to_string())
}

async fn rewrap(config: &Config) -> anyhow::Result<()> {
    let admin = Admin::open_on_record(config).await?;
    let old = admin.change_master_key(config).await?;
    admin.close().await;
    say(&format!(
        "everything is sealed under the new master.key; keep a copy of it elsewhere. The old one is {}: backups need it",
        old.display()
    ))
}

async fn vault_log(config: &Config, limit: i64) -> anyhow::Result<()> {
    let admin = Admin::open(config).await?;
    for row in admin.vault_log(limit).await? {
        let how = if row.opened { "opened" } else { "DID NOT OPEN" };
        let (at, key, provider) = (day(row.at_ms), &row.key_id, &row.provider);
        say(&format!("{at}  {key}  {provider}  {how}  {}  {}", row.reason, row.actor))?;
    }
    admin.close().await;
    Ok(())
}

async fn migrate(config: &Config, check: bool) -> anyhow::Result<()> {
    let url = config.database_url();
    let pending = Store::pending_migrations(&url).await.with_context(|| {
        format!(
            "the database cannot be looked at; if {} does not exist yet, `init` makes it",
            config.data.display()
        )
    })?;
    for name in &pending {
        say(&format!("pending  {name}"))?;
    }
    match pending.len() {
        0 => return say("the schema is up to date"),
        count if check => bail!("{count} migrations are pending; `migrate` or the next `serve` applies them"),
        _ => {}
    }
    Store::open(&url, config.env.now_ms()).await?.close().await;
    say(&format!("applied {} migrations", pending.len()))
}

async fn doctor(config: &Config) -> anyhow::Result<()> {
    let findings = server::doctor::examine(config).await;
    for finding in &findings {
        let word = match finding.verdict {
            Verdict::Good => "good",
            Verdict::Warning => "look",
            Verdict::Bad => "BAD ",
        };
        say(&format!("{word}  {}", finding.text))?;
    }
    if findings.iter().any(|finding| finding.verdict == Verdict::Bad) {
        bail!("the server cannot do what it is for");
    }
    Ok(())
}

async fn export(config: &Config) -> anyhow::Result<()> {
    let admin = Admin::open(config).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let count = admin
        .export_audit(|record| {
            out.write_all(record)?;
            out.write_all(b"\n")
        })
        .await?;
    out.flush()?;
    tracing::info!("{count} records");
    Ok(())
}

async fn verify(config: &Config, witness: Option<&Path>) -> anyhow::Result<()> {
    let admin = Admin::open(config).await?;
    let report = admin.verify_audit().await?;
    for chain in &report.chains {
        let (node, records) = (&chain.node, chain.records);
        match &chain.broken {
            None => say(&format!("{node}  {records} records in order, head {}", chain.head))?,
            Some((seq, problem)) => say(&format!("{node}  broken at record {seq}: {problem}"))?,
        }
    }
    if let Some((number, problem)) = &report.checkpoints.broken {
        say(&format!("broken at checkpoint {number}: {problem}"))?;
    }
    let mut broken = !report.is_intact();
    if let Some(path) = witness {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        for (line, problem) in admin.contradictions(&text).await? {
            broken = true;
            say(&format!("line {line} of the witness: {problem}"))?;
        }
    }
    if broken {
        bail!("the audit is not intact");
    }
    let (chains, checkpoints) = (report.chains.len(), report.checkpoints.checkpoints);
    say(&format!("{chains} chains and {checkpoints} checkpoints in order"))
}

fn read_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("nothing was given on standard input");
    }
    Ok(text.to_owned())
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
