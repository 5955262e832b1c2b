//! The greeting, and the state of the engine's own things.

mod health;

use crate::Engine;
use crate::error::database;
use api::Empty;
use api::system::{CheckSystem, Cleaned, Greeting, Health, Hello, SizeKind, SizePart, Sizes, System};
use rpc::{ApiError, Caller, Scope};
use std::path::Path;

const ENGINE_NAME: &str = "engine_id";

impl System for Engine {
    async fn hello(&self, caller: &Caller, hello: Hello) -> Result<Greeting, ApiError> {
        tracing::debug!(client = hello.client, api = hello.api, caller = caller.name, "a client says hello");
        if hello.api > api::API_VERSION {
            let message = "This engine is older than the program that calls it. Close all PlanToCode programs and \
                           start again.";
            return Err(ApiError::invalid("api_newer", message));
        }
        self.inner.frames.is_called(caller.link, &hello.client);
        let fresh = self.inner.new_id();
        let engine = self
            .inner
            .store
            .write(move |db| {
                if let Some(known) = store::settings::get(db, ENGINE_NAME)? {
                    return Ok(known);
                }
                store::settings::put(db, ENGINE_NAME, &fresh)?;
                Ok(fresh)
            })
            .await
            .map_err(database)?;
        let scopes =
            Scope::ALL.into_iter().filter(|s| caller.scopes.contains(*s)).map(|s| s.name().to_owned());
        Ok(Greeting {
            api: api::API_VERSION,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            engine,
            scopes: scopes.collect(),
        })
    }

    async fn sizes(&self, _: &Caller, _: Empty) -> Result<Sizes, ApiError> {
        let kept = self.inner.store.read(store::keeping::sizes).await.map_err(database)?;
        let dir = self.inner.lock.dir().clone();
        let part = |kind, bytes| SizePart { kind, bytes, count: None };
        let (terminals, cache, log) = tokio::task::block_in_place(|| {
            let log = dir.terminal_log();
            (with_log(&log), below(&dir.cache), bytes(&beside(&dir.database(), "-wal")))
        });
        let mut parts = vec![
            SizePart { kind: SizeKind::Texts, bytes: kept.texts, count: Some(kept.text_count) },
            part(SizeKind::Rows, kept.pages.saturating_sub(kept.texts + kept.unused)),
            part(SizeKind::Unused, kept.unused),
            part(SizeKind::Log, log),
            part(SizeKind::Terminals, terminals),
            part(SizeKind::Cache, cache),
        ];
        parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
        Ok(Sizes { parts, free: health::free(&dir.data) })
    }

    async fn check(&self, caller: &Caller, request: CheckSystem) -> Result<Health, ApiError> {
        health::health(self, caller, request.whole).await
    }

    async fn clean(&self, _: &Caller, _: Empty) -> Result<Cleaned, ApiError> {
        self.inner.clean(crate::house::Wish::Person).await.map_err(database)
    }
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// The file that SQLite keeps beside a database.
fn beside(database: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn with_log(database: &Path) -> u64 {
    bytes(database) + bytes(&beside(database, "-wal"))
}

/// What the files below a folder take. Links are not followed.
fn below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => below(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}
