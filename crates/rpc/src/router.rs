//! Which method answers, and who may call it.

use crate::caller::{Caller, Scope};
use crate::error::{ApiError, ErrorCode};
use crate::frame::{decode, encode};
use crate::observe::Observer;
use crate::once::Once;
use crate::record::{Consumed, RecordStream};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// How a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With one result.
    Unary,
    /// With any number of items.
    Stream,
    /// With any number of records: bytes at an offset.
    Feed,
}

/// One method of the contract, as the `api!` macro declares it.
#[derive(Clone, Copy, Debug)]
pub struct MethodSpec {
    /// `service.verb`.
    pub name: &'static str,
    /// How it answers.
    pub kind: Kind,
    /// What its caller must hold.
    pub scope: Scope,
    /// The name of its parameter type.
    pub params: &'static str,
    /// The name of its result or item type.
    pub result: &'static str,
}

type Raw = Box<RawValue>;
type UnaryHandler = dyn Fn(Caller, Raw) -> BoxFuture<'static, Result<Raw, ApiError>> + Send + Sync;
type RawStream = BoxStream<'static, Result<Raw, ApiError>>;
type FeedHandler =
    dyn Fn(Caller, Raw, Consumed) -> BoxFuture<'static, Result<RecordStream, ApiError>> + Send + Sync;
type StreamHandler = dyn Fn(Caller, Raw) -> BoxFuture<'static, Result<RawStream, ApiError>> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Handler {
    Unary(Arc<UnaryHandler>),
    Stream(Arc<StreamHandler>),
    Feed(Arc<FeedHandler>),
}

/// The methods of one engine or server, mounted service by service.
#[derive(Default)]
pub struct Router {
    methods: BTreeMap<&'static str, (MethodSpec, Handler)>,
    observer: Option<Arc<dyn Observer>>,
    once: Option<Arc<dyn Once>>,
}

impl Router {
    /// A router that knows no method.
    pub fn new() -> Router {
        Router::default()
    }

    /// Every mounted method, by name.
    pub fn methods(&self) -> impl Iterator<Item = &MethodSpec> {
        self.methods.values().map(|(spec, _)| spec)
    }

    /// Tells `observer` of every message of every link that this router serves.
    pub fn observe(&mut self, observer: Arc<dyn Observer>) {
        self.observer = Some(observer);
    }

    /// Leads calls with a key to whoever keeps the keys. Without a keeper such calls are refused.
    pub fn keep_keys(&mut self, once: Arc<dyn Once>) {
        self.once = Some(once);
    }

    pub(crate) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.observer.clone()
    }

    pub(crate) fn once(&self) -> Option<Arc<dyn Once>> {
        self.once.clone()
    }

    /// The method of this name, if there is one.
    pub(crate) fn spec(&self, method: &str) -> Option<MethodSpec> {
        self.methods.get(method).map(|(spec, _)| *spec)
    }

    /// Mounts a unary method. Used by the `api!` macro.
    pub fn unary<P, R, F, Fut>(&mut self, spec: MethodSpec, handler: F)
    where
        P: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(Caller, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, ApiError>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let erased = move |caller: Caller, raw: Raw| -> BoxFuture<'static, Result<Raw, ApiError>> {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let params: P = decode(&raw)?;
                encode(&handler(caller, params).await?)
            })
        };
        self.methods.insert(spec.name, (spec, Handler::Unary(Arc::new(erased))));
    }

    /// Mounts a stream method. Used by the `api!` macro.
    pub fn stream<P, R, F, Fut>(&mut self, spec: MethodSpec, handler: F)
    where
        P: DeserializeOwned + Send + 'static,
        R: Serialize + 'static,
        F: Fn(Caller, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<BoxStream<'static, Result<R, ApiError>>, ApiError>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let erased = move |caller: Caller, raw: Raw| -> BoxFuture<'static, Result<RawStream, ApiError>> {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let params: P = decode(&raw)?;
                let items = handler(caller, params).await?;
                Ok(items.map(|item| encode(&item?)).boxed())
            })
        };
        self.methods.insert(spec.name, (spec, Handler::Stream(Arc::new(erased))));
    }

    /// Mounts a feed method. Used by the `api!` macro.
    pub fn feed<P, F, Fut>(&mut self, spec: MethodSpec, handler: F)
    where
        P: DeserializeOwned + Send + 'static,
        F: Fn(Caller, P, Consumed) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<RecordStream, ApiError>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let erased =
            move |caller: Caller, raw: Raw, consumed| -> BoxFuture<'static, Result<RecordStream, ApiError>> {
                let handler = Arc::clone(&handler);
                Box::pin(async move { handler(caller, decode(&raw)?, consumed).await })
            };
        self.methods.insert(spec.name, (spec, Handler::Feed(Arc::new(erased))));
    }

    /// The handler of `method`, if `caller` may call it. Nothing has been decoded yet.
    pub(crate) fn allow(&self, caller: &Caller, method: &str) -> Result<(MethodSpec, Handler), ApiError> {
        let Some((spec, handler)) = self.methods.get(method) else {
            return Err(ApiError::not_found("unknown_method", "This engine has no such method.")
                .with("method", method.chars().take(80).collect::<String>()));
        };
        if !caller.scopes.contains(spec.scope) {
            let message =
                format!("This needs the scope “{}”, which {} was not given.", spec.scope.name(), caller.name);
            return Err(ApiError::new(ErrorCode::Forbidden, "scope", message)
                .with("scope", spec.scope.name())
                .with("method", spec.name));
        }
        Ok((*spec, handler.clone()))
    }
}
