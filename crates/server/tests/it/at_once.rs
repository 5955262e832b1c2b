//! Two who do at the same moment what only one of them may, and links that would lead into another's account.

use reqwest::StatusCode;
use serde_json::Value;
use server::admin::Admin;
use server_store::{Role, Store};
use sha2::{Digest as _, Sha256};

use crate::support::*;

const ROUNDS: usize = 4;

async fn act(world: &World, tokens: &Tokens, id: &str, act: &str) -> u16 {
    let path = format!("/api/admin/users/{id}/{act}");
    world.post(&path).bearer_auth(&tokens.access).send().await.unwrap().status().as_u16()
}

async fn id_of(world: &World, tokens: &Tokens) -> String {
    let account: Value = json_of(world.get("/api/account").bearer_auth(&tokens.access)).await;
    account["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_administrators_who_disable_each_other_leave_one_on_sqlite() {
    one_stays(Database::Sqlite).await;
}

#[tokio::test]
async fn two_administrators_who_disable_each_other_leave_one_on_postgres() {
    one_stays(Database::Postgres).await;
}

async fn one_stays(database: Database) {
    let world = World::with(database, |_| {}).await;
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("eve", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    admin.close().await;
    let mut people = [world.sign_in("ada").await, world.sign_in("eve").await];
    let ids = [id_of(&world, &people[0]).await, id_of(&world, &people[1]).await];
    for _ in 0..ROUNDS {
        let statuses = tokio::join!(
            act(&world, &people[0], &ids[1], "disable"),
            act(&world, &people[1], &ids[0], "disable")
        );
        let winner = match statuses {
            (200, 401 | 403) => 0,
            (401 | 403, 200) => 1,
            other => panic!("one of the two is no administrator any more: {other:?}"),
        };
        let (winner, loser) = (winner, 1 - winner);
        assert_eq!(act(&world, &people[winner], &ids[loser], "enable").await, 200);
        people[loser] = world.sign_in(["ada", "eve"][loser]).await;
    }
}

#[tokio::test]
async fn of_two_links_for_the_first_administrator_one_makes_one_on_sqlite() {
    one_is_first(Database::Sqlite).await;
}

#[tokio::test]
async fn of_two_links_for_the_first_administrator_one_makes_one_on_postgres() {
    one_is_first(Database::Postgres).await;
}

async fn one_is_first(database: Database) {
    let world = World::empty(database, |_| {}).started().await;
    let link = world.running.as_ref().unwrap().setup_url().unwrap().to_owned();
    let first = link.split_once("token=").unwrap().1;
    // As another node makes one at its start.
    let store = Store::open(&world.config.database_url(), world.env.now_ms()).await.unwrap();
    let hash = hex::encode(Sha256::digest("another-link"));
    store.add_setup_link(&hash, world.env.now_ms() + 60_000).await.unwrap();
    let submit = async |token: &str, login: &str| {
        let fields = [("token", token), ("login", login), ("password", PASSWORD)];
        world.form("/setup", "", &fields).send().await.unwrap().status()
    };
    let (a, b) = tokio::join!(submit(first, "ada"), submit("another-link", "eve"));
    let mut both = [a, b];
    both.sort();
    assert_eq!(both, [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN]);
    let org = store.orgs().await.unwrap().remove(0);
    assert_eq!(store.users(&org).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn an_administrator_with_a_password_is_invited_on_the_machine_alone() {
    let world = World::new().await;
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("eve", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    let (ada, eve) = (world.sign_in("ada").await, world.sign_in("eve").await);
    let (ada_id, eve_id) = (id_of(&world, &ada).await, id_of(&world, &eve).await);
    assert_eq!(act(&world, &ada, &eve_id, "invite").await, 409, "ada would be eve");
    assert_eq!(act(&world, &ada, &ada_id, "invite").await, 409, "whoever has ada's token would be ada");
    let link = admin.invite(" Eve ", &world.url).await.unwrap();
    admin.close().await;
    let token = link.split_once("/welcome?token=").unwrap().1;
    let set = [("token", token), ("password", "four other words altogether")];
    assert_eq!(world.form("/welcome", "", &set).send().await.unwrap().status(), StatusCode::SEE_OTHER);
    let old = world.form("/sign-in", "", &[("login", "eve"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED);
}
