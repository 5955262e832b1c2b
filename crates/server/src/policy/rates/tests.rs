use super::*;

fn rates(change: impl FnOnce(&mut Limits)) -> Rates {
    let mut limits = Limits { requests_per_minute: 0, concurrent: 0, ..Limits::default() };
    change(&mut limits);
    Rates::new(limits)
}

fn user(name: &str) -> [(Scope, &str); 1] {
    [(Scope::User, name)]
}

#[test]
fn of_many_at_once_exactly_the_allowed_number_is_admitted_and_again_after_the_window() {
    let rates = rates(|limits| limits.requests_per_minute = 5);
    for start in [0, 60_000] {
        let admitted = std::thread::scope(|scope| {
            let tasks: Vec<_> =
                (0..20).map(|_| scope.spawn(|| rates.admit(&user("ada"), start).is_ok())).collect();
            tasks.into_iter().filter_map(|task| task.join().ok()).filter(|ok| *ok).count()
        });
        assert_eq!(admitted, 5);
    }
    assert!(rates.admit(&user("bob"), 60_000).is_ok(), "others are not affected");
}

#[test]
fn the_wait_that_is_named_is_enough_and_needed() {
    let rates = rates(|limits| limits.requests_per_minute = 1);
    drop(rates.admit(&user("ada"), 0).unwrap());
    let over = rates.admit(&user("ada"), 0).unwrap_err();
    assert_eq!((over.scope, over.what), (Scope::User, What::Requests));
    let wait = over.wait.as_millis() as i64;
    assert!(rates.admit(&user("ada"), wait - 1).is_err());
    assert!(rates.admit(&user("ada"), wait).is_ok());
}

#[test]
fn a_request_that_one_key_has_no_room_for_takes_nothing_of_the_others() {
    let rates = rates(|limits| {
        limits.requests_per_minute = 2;
        limits.address.requests_per_minute = 1;
    });
    let keys = |user, address| [(Scope::User, user), (Scope::Address, address)];
    drop(rates.admit(&keys("ada", "::1"), 0).unwrap());
    assert_eq!(rates.admit(&keys("ada", "::1"), 0).unwrap_err().scope, Scope::Address);
    drop(rates.admit(&keys("ada", "::2"), 0).unwrap());
    assert_eq!(rates.admit(&keys("ada", "::3"), 0).unwrap_err().scope, Scope::User);
}

#[test]
fn what_runs_is_counted_until_it_ends() {
    let rates = rates(|limits| limits.concurrent = 2);
    let (one, _two) = (rates.admit(&user("ada"), 0).unwrap(), rates.admit(&user("ada"), 0).unwrap());
    assert_eq!(rates.admit(&user("ada"), 0).unwrap_err().what, What::Running);
    one.release();
    one.release();
    let _three = rates.admit(&user("ada"), 0).unwrap();
    assert!(rates.admit(&user("ada"), 0).is_err());
    drop(one);
    assert!(rates.admit(&user("ada"), 0).is_err(), "what was released is not released again");
}

#[test]
fn what_is_refused_after_all_has_taken_nothing() {
    let rates = rates(|limits| {
        (limits.requests_per_minute, limits.concurrent, limits.tokens_per_minute) = (2, 1, 100);
    });
    for _ in 0..5 {
        let mut running = rates.admit(&user("ada"), 0).unwrap();
        running.add((Scope::Model, "m"), 100, 0).unwrap();
        running.undo();
    }
    drop(rates.admit(&user("ada"), 0).unwrap());
    drop(rates.admit(&user("ada"), 0).unwrap());
    assert_eq!(rates.admit(&user("ada"), 0).unwrap_err().what, What::Requests);
}

#[test]
fn tokens_are_reserved_before_and_settled_after() {
    let rates = rates(|limits| limits.tokens_per_minute = 1_000);
    let ask = |tokens, now| {
        let mut running = rates.admit(&user("ada"), now)?;
        running.add((Scope::Model, "m"), tokens, now)?;
        Ok::<_, Over>(running)
    };
    let mut one = ask(800, 0).unwrap();
    assert_eq!(ask(300, 0).unwrap_err().what, What::Tokens);
    one.used(100);
    one.keep();
    let two = ask(900, 0).unwrap();
    assert!(ask(1, 0).is_err());
    drop(two);
    assert!(ask(900, 0).is_ok(), "dropped without a word it has used nothing");
    let mut three = ask(10, 0).unwrap();
    three.used(1_900);
    three.keep();
    assert!(ask(1, 59_000).is_err(), "an answer longer than reserved is paid for later");
    assert!(ask(1, 61_000).is_ok());
}

#[test]
fn a_request_larger_than_a_minute_is_let_in_when_all_of_it_is_there() {
    let rates = rates(|limits| limits.tokens_per_minute = 1_000);
    let mut running = rates.admit(&user("ada"), 0).unwrap();
    running.add((Scope::Model, "m"), 5_000, 0).unwrap();
    running.used(5_000);
    running.keep();
    assert_eq!(rates.admit(&user("ada"), 200_000).unwrap_err().what, What::Tokens, "it is paid for");
    let mut next = rates.admit(&user("ada"), 250_000).unwrap();
    assert!(next.add((Scope::Model, "m"), 100, 250_000).is_ok());
}

#[test]
fn a_model_without_room_gives_back_what_its_user_gave() {
    let rates = rates(|limits| {
        limits.tokens_per_minute = 1_000;
        limits.model.concurrent = 1;
    });
    let mut one = rates.admit(&user("ada"), 0).unwrap();
    one.add((Scope::Model, "m"), 400, 0).unwrap();
    let mut two = rates.admit(&user("bob"), 0).unwrap();
    assert_eq!(two.add((Scope::Model, "m"), 400, 0).unwrap_err().scope, Scope::Model);
    let mut three = rates.admit(&user("ada"), 0).unwrap();
    assert_eq!(three.add((Scope::Model, "n"), 700, 0).unwrap_err().what, What::Tokens);
    three.add((Scope::Model, "n"), 600, 0).unwrap();
    drop((one, three));
    two.add((Scope::Model, "n"), 1_000, 0).unwrap();
}

#[test]
fn another_limit_holds_from_the_next_request_on() {
    let known = rates(|limits| limits.requests_per_minute = 100);
    let person = |requests_per_minute, concurrent| {
        known.for_person(Rate { requests_per_minute, tokens_per_minute: 0, concurrent })
    };
    let held = known.admit(&user("ada"), 0).unwrap();
    let less = person(2, 0);
    drop((less.admit(&user("ada"), 0).unwrap(), less.admit(&user("ada"), 0).unwrap()));
    assert_eq!(less.admit(&user("ada"), 0).unwrap_err().what, What::Requests);
    assert_eq!(
        person(2, 1).admit(&user("ada"), 60_000).unwrap_err().what,
        What::Running,
        "the one before counts"
    );
    drop(held);
    // Without a limit nothing is counted, and what holds after that begins anew.
    let none = person(0, 5);
    (0..50).for_each(|_| drop(none.admit(&user("ada"), 60_000).unwrap()));
    drop((less.admit(&user("ada"), 60_000).unwrap(), less.admit(&user("ada"), 60_000).unwrap()));
    assert!(less.admit(&user("ada"), 60_000).is_err());
}

#[test]
fn what_began_under_another_limit_gives_back_by_the_one_that_holds() {
    let known = rates(|_| {});
    let person = |requests_per_minute, tokens_per_minute| {
        known.for_person(Rate { requests_per_minute, tokens_per_minute, concurrent: 9 })
    };
    let begin = |rates: &Rates, tokens| {
        let mut running = rates.admit(&user("ada"), 0)?;
        running.add((Scope::Model, "m"), tokens, 0)?;
        Ok::<_, Over>(running)
    };
    let (mut free, limited) = (begin(&person(0, 0), 10).unwrap(), person(2, 1_000));
    drop(begin(&limited, 1).unwrap());
    free.undo();
    drop(free);
    assert!(begin(&limited, 1_000).is_ok(), "the end of one without a limit takes nothing of those with one");
}
