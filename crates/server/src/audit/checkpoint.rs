//! Signed checkpoints: every ten seconds in which a chain has grown, a statement of how far.
//!
//! A statement names the one before it and the end of each chain that has grown since. Whoever changes or removes a record
//! behind a checkpoint would have to sign all statements from there on, and the key is sealed under the master key,
//! which is not in the database. What a database alone cannot show is that its newest part was cut off: for that there are
//! witnesses, namely the positions that replies carried, and the checkpoints in the log and in the sink.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use secrecy::ExposeSecret as _;
use server_store::{AuditKeyRow, ChainHead, CheckpointRow, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::chain::{GENESIS, link};
use super::wire::{Head, Statement};
use crate::ServerError;
use crate::env::Env;
use crate::vault::Vault;

/// Between two looks at the chains.
const EVERY: Duration = Duration::from_secs(10);
/// How often the last checkpoint of a server is tried.
const LAST_TRIES: usize = 3;
/// Chains are looked at again from so long before the last checkpoint: other nodes' clocks differ.
const OVERLAP_MS: i64 = 120_000;
const DOMAIN: &[u8] = b"plantocode-checkpoint-v1";

/// Makes checkpoints.
pub(crate) struct Checkpoints {
    store: Store,
    env: Env,
    kid: String,
    key: SigningKey,
    /// Where each goes besides the database and the log.
    sink: Option<PathBuf>,
    /// How far each chain is covered, as far as this process knows.
    covered: HashMap<String, i64>,
}

impl Checkpoints {
    /// Opens the key; makes it when there is none.
    pub async fn open(store: &Store, vault: &Vault, env: &Env, sink: &str) -> Result<Self, ServerError> {
        if store.audit_keys().await?.is_empty() {
            let (kid, secret) = (env.id(), env.random::<32>()?);
            let sealed = vault.seal_signing_key(&kid, &secret)?;
            store.add_audit_key(&AuditKeyRow { kid, sealed, created_ms: env.now_ms() }).await?;
        }
        let keys = store.audit_keys().await?;
        let row = keys.first().ok_or_else(|| ServerError::NotFound("there is no audit key".into()))?;
        let secret = vault.open_signing_key(&row.kid, &row.sealed)?;
        Ok(Self {
            store: store.clone(),
            env: env.clone(),
            kid: row.kid.clone(),
            key: SigningKey::from_bytes(secret.expose_secret()),
            sink: (!sink.is_empty()).then(|| sink.into()),
            covered: HashMap::new(),
        })
    }

    /// The public half, for those who verify.
    pub fn public(&self) -> (String, VerifyingKey) {
        (self.kid.clone(), self.key.verifying_key())
    }

    /// Runs until it is stopped, and covers what has come until then.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            if !stopped {
                self.try_make().await;
                continue;
            }
            // There is no next time, so that one failure is not taken for an answer.
            for _ in 0..LAST_TRIES {
                if self.try_make().await {
                    return;
                }
            }
            return;
        }
    }

    /// Whether everything is covered now.
    async fn try_make(&mut self) -> bool {
        match self.make().await {
            Ok(()) => true,
            // Another node was quicker; what it left out comes with the next one.
            Err(ServerError::Store(StoreError::Conflict)) => false,
            Err(error) => {
                tracing::error!(%error, "the audit cannot be checkpointed");
                false
            }
        }
    }

    /// Makes a checkpoint if a chain has grown.
    pub async fn make(&mut self) -> Result<(), ServerError> {
        let last = self.store.last_checkpoint().await?;
        let now = self.env.now_ms();
        // The last one may be by a node whose clock is far ahead, and must not hide what comes until then.
        let since = last.as_ref().map_or(0, |last| last.at_ms.min(now) - OVERLAP_MS);
        let grown = self.store.chain_heads(since).await?;
        let heads: Vec<ChainHead> =
            grown.into_iter().filter(|head| self.covered.get(&head.node) != Some(&head.seq)).collect();
        if heads.is_empty() {
            return Ok(());
        }
        let statement = Statement {
            v: 1,
            number: last.as_ref().map_or(1, |last| last.number + 1),
            at_ms: now,
            previous: last.as_ref().map_or_else(|| GENESIS.into(), |last| hash(&last.statement)),
            heads: heads
                .iter()
                .map(|head| Head { node: head.node.clone(), seq: head.seq, hash: head.hash.clone() })
                .collect(),
        };
        let bytes = serde_json::to_vec(&statement).map_err(|error| ServerError::Data(error.to_string()))?;
        let row = CheckpointRow {
            number: statement.number,
            at_ms: statement.at_ms,
            kid: self.kid.clone(),
            signature: self.key.sign(&signed(&bytes)).to_bytes().to_vec(),
            statement: bytes,
        };
        self.store.add_checkpoint(&row).await?;
        self.covered.extend(heads.into_iter().map(|head| (head.node, head.seq)));
        let line = witness_line(&row);
        tracing::info!(checkpoint = line, "audit");
        self.append_to_sink(&line);
        Ok(())
    }

    fn append_to_sink(&self, line: &str) {
        let Some(path) = &self.sink else { return };
        let written = std::fs::OpenOptions::new().create(true).append(true).open(path);
        if let Err(error) = written.and_then(|mut file| writeln!(file, "{line}")) {
            tracing::error!(%error, path = %path.display(), "the sink of the audit cannot be written");
        }
    }
}

/// What a walk over the checkpoints found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckpointReport {
    /// Checkpoints that are in order.
    pub checkpoints: i64,
    /// Where and how they break.
    pub broken: Option<(i64, String)>,
}

/// Walks the checkpoints from the first one and stops where they break.
pub(crate) async fn verify(store: &Store, vault: &Vault) -> Result<CheckpointReport, ServerError> {
    const PAGE: i64 = 500;
    let mut keys = HashMap::new();
    for row in store.audit_keys().await? {
        // The public half is made from the sealed one: a row that somebody else put there does not open.
        let secret = vault.open_signing_key(&row.kid, &row.sealed)?;
        keys.insert(row.kid, SigningKey::from_bytes(secret.expose_secret()).verifying_key());
    }
    let mut report = CheckpointReport::default();
    let mut previous = GENESIS.to_owned();
    loop {
        let rows = store.checkpoints(report.checkpoints, PAGE).await?;
        if rows.is_empty() {
            return Ok(report);
        }
        for row in rows {
            if let Some(problem) = problem(&row, report.checkpoints + 1, &previous, &keys, store).await? {
                report.broken = Some((report.checkpoints + 1, problem));
                return Ok(report);
            }
            report.checkpoints = row.number;
            previous = hash(&row.statement);
        }
    }
}

async fn problem(
    row: &CheckpointRow,
    number: i64,
    previous: &str,
    keys: &HashMap<String, VerifyingKey>,
    store: &Store,
) -> Result<Option<String>, ServerError> {
    if row.number != number {
        return Ok(Some(format!("checkpoint {number} is missing, {} follows", row.number)));
    }
    let signature = Signature::from_slice(&row.signature).ok();
    let key = keys.get(&row.kid);
    let good = signature
        .zip(key)
        .is_some_and(|(signature, key)| key.verify_strict(&signed(&row.statement), &signature).is_ok());
    if !good {
        return Ok(Some("the signature is not that of the statement".into()));
    }
    let Ok(statement) = serde_json::from_slice::<Statement>(&row.statement) else {
        return Ok(Some("the statement cannot be read".into()));
    };
    if statement.number != number || statement.previous != previous || statement.at_ms != row.at_ms {
        return Ok(Some("the statement is not the one that follows the one before".into()));
    }
    for head in statement.heads {
        let Head { node, seq, hash } = head;
        match store.audit_hash(&node, seq).await? {
            Some(found) if found == hash => {}
            Some(_) => return Ok(Some(format!("record {seq} of {node} is not the one that was there"))),
            None => return Ok(Some(format!("record {seq} of {node} was there and is missing"))),
        }
    }
    Ok(None)
}

/// What a witness says that the database does not confirm; `None` when all is there.
///
/// A line is the position that a reply carried (`NODE/SEQ/HASH`) or a checkpoint (`checkpoint NUMBER HASH`), as the log and
/// the sink have it.
pub(crate) async fn contradiction(store: &Store, line: &str) -> Result<Option<String>, ServerError> {
    let unreadable = || Ok(Some("it is neither NODE/SEQ/HASH nor `checkpoint NUMBER HASH`".to_owned()));
    if let Some(rest) = line.strip_prefix("checkpoint ") {
        let Some((number, told)) = rest.split_once(' ') else { return unreadable() };
        let Ok(number) = number.parse::<i64>() else { return unreadable() };
        let row = store.checkpoints(number - 1, 1).await?.into_iter().find(|row| row.number == number);
        return Ok(match row {
            None => Some(format!("checkpoint {number} is missing: what came last was cut off")),
            Some(row) if hash(&row.statement) != told => Some(format!("checkpoint {number} is another one")),
            Some(_) => None,
        });
    }
    let mut parts = line.split('/');
    let (Some(node), Some(seq), Some(told), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return unreadable();
    };
    let Ok(seq) = seq.parse::<i64>() else { return unreadable() };
    Ok(match store.audit_hash(node, seq).await? {
        None => Some(format!("record {seq} of {node} is missing: what came last was cut off")),
        Some(found) if found != told => Some(format!("record {seq} of {node} is another one")),
        Some(_) => None,
    })
}

/// A checkpoint as witnesses keep it.
fn witness_line(row: &CheckpointRow) -> String {
    format!("checkpoint {} {}", row.number, hash(&row.statement))
}

fn hash(statement: &[u8]) -> String {
    link("checkpoint", statement)
}

/// A signature for nothing else: the key's other messages, if it ever had any, begin otherwise.
fn signed(statement: &[u8]) -> Vec<u8> {
    [DOMAIN, statement].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::chain::link;

    #[tokio::test]
    async fn a_checkpoint_by_a_clock_that_is_ahead_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("a.db").display());
        let store = Store::open(&url, 1).await.unwrap();
        let (env, ahead) = (Env::system(), Env::system());
        ahead.advance(3_600_000);
        let vault = Vault::new(crate::vault::MasterKey::new([7; 32]), env.clone());
        let add = async |node: &str, env: &Env| {
            let record = format!("a record of {node}").into_bytes();
            let hash = link(GENESIS, &record);
            let row = server_store::AuditRow {
                node: node.into(),
                seq: 1,
                request_id: "r".into(),
                org_id: "o".into(),
                at_ms: env.now_ms(),
                hash,
                record,
            };
            let recording = server_store::Recording { records: vec![row], ..Default::default() };
            store.record(&std::sync::Arc::new(recording)).await.unwrap();
        };
        add("ahead", &ahead).await;
        Checkpoints::open(&store, &vault, &ahead, "").await.unwrap().make().await.unwrap();
        add("here", &env).await;
        Checkpoints::open(&store, &vault, &env, "").await.unwrap().make().await.unwrap();
        let last = store.last_checkpoint().await.unwrap().unwrap();
        let statement: Statement = serde_json::from_slice(&last.statement).unwrap();
        assert!(statement.number == 2 && statement.heads.iter().any(|head| head.node == "here"));
    }
}
