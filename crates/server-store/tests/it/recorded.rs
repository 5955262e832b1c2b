//! What is stored for every request, and what limits them: usage, ledger, limits of one person, audit records.

use super::*;

pub async fn usage(store: &Store) {
    let row = |id: &str, user: &str, cost: Option<i64>| UsageRow {
        request_id: id.into(),
        org_id: "org".into(),
        user_id: user.into(),
        device_id: "d1".into(),
        token_id: (id == "r2").then(|| "t1".into()),
        job: (id == "r1").then(|| "job".into()),
        at_ms: 100,
        provider: "p".into(),
        model: "m".into(),
        input_tokens: 10,
        output_tokens: 5,
        cache_read_tokens: 1,
        cache_write_tokens: 2,
        reasoning_tokens: 3,
        estimated: id == "r2",
        cost_microusd: cost,
        outcome: "served".into(),
    };
    let settlement = |id: &str, user: &str, cost, reserved_microusd| Settlement {
        usage: row(id, user, cost),
        reserved_microusd,
    };
    let first = settlement("r1", "u1", Some(30), Some(50));
    let both = vec![settlement("r2", "u2", Some(12), None), settlement("r3", "u2", None, Some(7))];
    record(store, settled(vec![first.clone()])).await.unwrap();
    record(store, settled(both)).await.unwrap();
    let twice = record(store, settled(vec![settlement("r4", "u1", Some(1), None), first])).await;
    assert!(matches!(twice, Err(StoreError::Conflict)), "a request settles once: {twice:?}");
    assert_eq!(store.balance("org").await.unwrap(), -42, "what was set aside has come back");
    let spent = store.spent_since(0).await.unwrap();
    assert_eq!(spent.iter().map(|spent| spent.microusd).sum::<i64>(), 42);
    assert!(store.spent_since(86_400_000).await.unwrap().is_empty());
    assert_eq!(store.api_tokens("org", None).await.unwrap()[0].spent_microusd, 12);
    assert_eq!(store.recent_usage("org", None, 10).await.unwrap().len(), 3);
    assert_eq!(store.recent_usage("org", Some("u1"), 10).await.unwrap(), [row("r1", "u1", Some(30))]);
    let sums = store.usage_by_model("org", Some("u2"), 0).await.unwrap();
    assert_eq!((sums[0].requests, sums[0].input_tokens, sums[0].cost_microusd), (2, 20, 12));
    assert!(store.usage_by_model("org", None, 101).await.unwrap().is_empty());
}

pub async fn own_limits(store: &Store) {
    let limits = OwnLimits {
        requests_per_minute: Some(u32::MAX),
        concurrent: Some(0),
        month_microusd: Some(5_000_000),
        ..OwnLimits::default()
    };
    let of = |user_id: Option<&str>, limits| OwnLimitsRow {
        org_id: "org".into(),
        user_id: user_id.map(str::to_owned),
        limits,
    };
    assert_eq!(store.own_limits_of("org", Some("u1")).await.unwrap(), None);
    store.set_own_limits("org", Some("u1"), &OwnLimits::default(), 1).await.unwrap();
    store.set_own_limits("org", Some("u1"), &limits, 2).await.unwrap();
    let less = OwnLimits { tokens_per_minute: Some(7), day_microusd: Some(u64::MAX), ..OwnLimits::default() };
    store.set_own_limits("org", None, &less, 3).await.unwrap();
    assert_eq!(store.own_limits_of("org", Some("u1")).await.unwrap(), Some(limits));
    let kept = OwnLimits { day_microusd: Some(i64::MAX.unsigned_abs()), ..less };
    let mut all = store.own_limits().await.unwrap();
    all.sort_by(|a, b| a.user_id.cmp(&b.user_id));
    assert_eq!(all, [of(None, kept), of(Some("u1"), limits)]);
    store.reset_own_limits("org", None).await.unwrap();
    store.reset_own_limits("org", None).await.unwrap();
    assert_eq!(store.own_limits().await.unwrap(), [of(Some("u1"), limits)]);
    // A few at a time: neither undoes what the other has set, and 0 is a limit like others.
    let requests = OwnLimits { requests_per_minute: Some(0), ..OwnLimits::default() };
    let tokens = OwnLimits { tokens_per_minute: Some(9), ..OwnLimits::default() };
    let (one, other) = tokio::join!(
        store.change_own_limits("org", Some("u1"), &requests, 4),
        store.change_own_limits("org", Some("u1"), &tokens, 4)
    );
    one.unwrap();
    other.unwrap();
    let both = OwnLimits { requests_per_minute: Some(0), tokens_per_minute: Some(9), ..limits };
    assert_eq!(store.own_limits().await.unwrap(), [of(Some("u1"), both)]);
}

pub fn audit_row(seq: i64) -> AuditRow {
    AuditRow {
        node: "n".into(),
        seq,
        request_id: format!("r{seq}"),
        org_id: "org".into(),
        at_ms: seq,
        hash: format!("{seq:064}"),
        record: vec![0, 1, 255],
    }
}

pub async fn record(store: &Store, recording: Recording) -> Result<(), StoreError> {
    store.record(&Arc::new(recording)).await
}

pub fn settled(settlements: Vec<Settlement>) -> Recording {
    let settlements = settlements.into_iter().map(Arc::new).collect();
    Recording { settlements, ..Recording::default() }
}

pub fn records(records: Vec<AuditRow>) -> Recording {
    Recording { records, ..Recording::default() }
}

pub async fn audit(store: &Store) {
    let row = audit_row;
    record(store, records(vec![row(1), row(2)])).await.unwrap();
    let clash = record(store, records(vec![row(3), row(2)])).await;
    assert!(matches!(clash, Err(StoreError::Conflict)), "{clash:?}");
    assert_eq!(store.audit_chain("n", 0, 10).await.unwrap(), [row(1), row(2)], "all or none");
    assert_eq!(store.audit_chain("n", 1, 10).await.unwrap(), [row(2)]);
    assert_eq!(store.audit_nodes().await.unwrap(), ["n"]);
    assert_eq!(store.recent_audit("org", 1).await.unwrap(), [row(2)]);
    let ended = AuditRow { request_id: "r1".into(), ..row(3) };
    record(store, records(vec![ended])).await.unwrap();
    assert_eq!(store.lone_records("n", 0, 10).await.unwrap(), [row(2)], "nobody wrote how it ended");
    assert!(store.lone_records("n", 2, 10).await.unwrap().is_empty());
}
