//! What is checked and then done is done in one step: tried by two at once, on both databases.

use server_store::AccountChange;

use super::*;

const ROUNDS: usize = 10;

fn user(id: &str, role: Role) -> UserRow {
    UserRow {
        id: id.into(),
        org_id: "org".into(),
        login: id.into(),
        password_hash: "hash".into(),
        role,
        created_ms: 10,
        disabled_ms: None,
    }
}

#[tokio::test]
async fn of_two_at_once_one_is_served_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    of_two_at_once(&sqlite_url(&directory)).await;
}

#[tokio::test]
async fn of_two_at_once_one_is_served_on_postgres() {
    let postgres = Postgres::start();
    of_two_at_once(&postgres.url()).await;
}

/// The recorder and the pool are two writers of one file: neither is refused because of the other, also not a transaction that
/// reads before it writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_requests_store_and_what_people_change_do_not_refuse_each_other() {
    const EACH: i64 = 300;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&sqlite_url(&directory), 1).await.unwrap();
    store.add_org("org", "Org", 10).await.unwrap();
    for (id, role) in [("p", Role::Admin), ("q", Role::Member)] {
        store.add_user(&user(id, role)).await.unwrap();
    }
    let recording = tokio::spawn({
        let store = store.clone();
        async move {
            for seq in 1..=EACH {
                record(&store, records(vec![audit_row(seq)])).await.unwrap();
            }
        }
    });
    for round in 0..EACH {
        let role = if round % 2 == 0 { Role::Auditor } else { Role::Member };
        assert!(store.change_account("p", "q", AccountChange::Role(role)).await.unwrap(), "{round}");
    }
    recording.await.unwrap();
    assert_eq!(store.audit_chain("n", 0, 1_000).await.unwrap().len(), EACH as usize);
    store.close().await;
    let closed = record(&store, records(vec![audit_row(EACH + 1)])).await;
    assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
}

async fn of_two_at_once(url: &str) {
    let store = Store::open(url, 1).await.unwrap();
    store.add_org("org", "Org", 10).await.unwrap();
    one_sets_up(&store).await;
    one_administrator_stays(&store).await;
    invitations(&store).await;
    store.close().await;
}

/// Two good links, as two nodes make them, and one of them twice.
async fn one_sets_up(store: &Store) {
    let taken = user("taken", Role::Member);
    store.add_user(&taken).await.unwrap();
    store.add_setup_link("a", 1_000).await.unwrap();
    store.add_setup_link("b", 1_000).await.unwrap();
    let same_name = UserRow { id: "x".into(), ..taken };
    assert!(matches!(store.set_up("a", &same_name, 999).await, Err(StoreError::Conflict)));
    assert!(store.setup_link_is_good("a", 999).await.unwrap(), "and can be tried with another name");
    assert!(!store.set_up("a", &user("late", Role::Admin), 1_000).await.unwrap(), "expired");
    let users = ["one", "two", "three"].map(|id| user(id, Role::Admin));
    let (a, b, again) = tokio::join!(
        store.set_up("a", &users[0], 999),
        store.set_up("b", &users[1], 999),
        store.set_up("a", &users[2], 999)
    );
    let done = [a.unwrap(), b.unwrap(), again.unwrap()];
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    let admins = store.users("org").await.unwrap();
    assert_eq!(admins.iter().filter(|user| user.role == Role::Admin).count(), 1);
}

/// Whoever turns another out administers at that moment; so somebody always does.
async fn one_administrator_stays(store: &Store) {
    for id in ["p", "q"] {
        store.add_user(&user(id, Role::Admin)).await.unwrap();
    }
    let (disabled, enabled) = (AccountChange::Disabled(Some(5)), AccountChange::Disabled(None));
    let (member, admin) = (AccountChange::Role(Role::Member), AccountChange::Role(Role::Admin));
    assert!(!store.change_account("p", "p", disabled).await.unwrap(), "nobody their own");
    assert!(!store.change_account("taken", "p", disabled).await.unwrap(), "members change nobody");
    assert!(!store.change_account("p", "nobody", disabled).await.unwrap());
    for _ in 0..ROUNDS {
        for (out, back) in [(disabled, enabled), (member, admin)] {
            let (p, q) =
                tokio::join!(store.change_account("p", "q", out), store.change_account("q", "p", out));
            let (p, q) = (p.unwrap(), q.unwrap());
            assert!(p != q, "{out:?}: one of the two is out before the other is served");
            let (winner, loser) = if p { ("p", "q") } else { ("q", "p") };
            assert!(store.change_account(winner, loser, back).await.unwrap());
        }
    }
}

async fn invitations(store: &Store) {
    let add = async |hash: &str, id: &str, by: Option<&str>| {
        store.add_invitation(hash, id, 1_000, by).await.unwrap()
    };
    store.add_user(&user("grace", Role::Member)).await.unwrap();
    let new = UserRow { password_hash: "!".into(), ..user("new", Role::Admin) };
    store.add_user(&new).await.unwrap();
    store.add_identity("https://issuer.example", "s", &user("vouched", Role::Member)).await.unwrap();
    assert!(add("i1", "grace", Some("p")).await);
    for (id, by, why) in [
        ("q", Some("p"), "another administrator, who has a password"),
        ("p", Some("p"), "nor the one who asks, whose token may be in other hands"),
        ("vouched", Some("p"), "an issuer vouches for them"),
        ("vouched", None, "on the machine neither"),
        ("grace", Some("taken"), "members invite nobody"),
        ("nobody", Some("p"), "there is no such person"),
    ] {
        assert!(!add("i2", id, by).await, "{why}");
    }
    assert_eq!(store.invited("i1", 999).await.unwrap().as_deref(), Some("grace"), "the earlier link stays");
    assert!(add("i3", "q", None).await, "on the machine");
    assert!(add("i4", "new", Some("p")).await, "an administrator without a password yet");
    // What leads to a member's account does not lead to an administrator's.
    assert!(store.change_account("p", "grace", AccountChange::Role(Role::Admin)).await.unwrap());
    assert_eq!(store.invited("i1", 999).await.unwrap(), None);
    assert!(store.change_account("p", "grace", AccountChange::Role(Role::Member)).await.unwrap());
    for round in 0..ROUNDS {
        let link = |name: &str| format!("{name}{round}");
        // One link is good, however many are made at once; and it works once.
        let (a, b) = (link("a"), link("b"));
        let (one, two) = tokio::join!(add(&a, "grace", Some("p")), add(&b, "grace", Some("q")));
        assert!(one && two);
        let good = [store.invited(&a, 999).await.unwrap(), store.invited(&b, 999).await.unwrap()];
        assert_eq!(good.iter().flatten().count(), 1, "{good:?}");
        let left = if good[0].is_some() { &a } else { &b };
        let (first, second) = tokio::join!(
            store.accept_invitation(left, "first", 999),
            store.accept_invitation(left, "second", 999)
        );
        assert_eq!([first.unwrap(), second.unwrap()].iter().flatten().count(), 1);
    }
    // A link that was good when its page was opened sets no password for somebody who is disabled meanwhile.
    assert!(add("last", "grace", Some("p")).await);
    assert!(store.change_account("p", "grace", AccountChange::Disabled(Some(5))).await.unwrap());
    let before = store.user("grace").await.unwrap().unwrap().password_hash;
    assert_eq!(store.accept_invitation("last", "late", 999).await.unwrap(), None);
    assert_eq!(store.user("grace").await.unwrap().unwrap().password_hash, before);
    assert!(!add("none", "grace", Some("p")).await);
}
