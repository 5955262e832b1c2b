use crate::fixture::{Fixture, link};
use rpc::{ApiError, Caller, ErrorCode, Kind, Scope, Scopes};

/// A caller that may only look calls every method of the contract.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_refused_everything_but_viewing() {
    let f = Fixture::start().await;
    let viewer = link(&f.engine, Caller::new("viewer", Scopes::NONE.with(Scope::View)));
    let mut refused = 0;
    for method in api::methods() {
        let error: ApiError = match method.kind {
            Kind::Unary => {
                match viewer.call::<_, serde_json::Value>(method.name, &serde_json::json!({})).await {
                    Ok(_) => continue,
                    Err(e) => e,
                }
            }
            Kind::Stream => {
                use futures_util::StreamExt;
                let mut items = viewer
                    .subscribe::<_, serde_json::Value>(method.name, &serde_json::json!({}))
                    .await
                    .unwrap();
                match items.next().await {
                    Some(Err(e)) => e,
                    _ => continue,
                }
            }
            Kind::Feed => {
                let mut records = viewer.feed(method.name, &serde_json::json!({})).await.unwrap();
                match records.next().await {
                    Some(Err(e)) => e,
                    _ => continue,
                }
            }
        };
        let allowed = matches!(method.scope, Scope::None | Scope::View);
        assert_eq!(error.code == ErrorCode::Forbidden, !allowed, "{}: {error:?}", method.name);
        refused += usize::from(!allowed);
    }
    assert_eq!(
        refused,
        api::methods().iter().filter(|m| !matches!(m.scope, Scope::None | Scope::View)).count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_the_contract_is_answered() {
    let f = Fixture::start().await;
    let mounted: Vec<&str> = f.engine.router().methods().map(|m| m.name).collect::<Vec<_>>();
    for method in api::methods() {
        assert!(mounted.contains(&method.name), "{}", method.name);
    }
}
