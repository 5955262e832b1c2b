//! What every link must do, whatever carries it: one suite, run over each.
//!
//! A crate that has a link includes this folder (`#[path]`), says how one is opened ([`Way`]) and calls [`over!`].
//! What is peculiar to a transport (who is let in, how it resumes) is tested beside it.

mod calls;
mod ends;
mod probe;
mod sizes;
mod watched;

pub use calls::*;
pub use ends::*;
pub use probe::{NumbersClient, Probe};
pub use sizes::*;
pub use watched::*;

use rpc::{Caller, Client, Link, Message, Router, Scopes};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// How a link is opened whose other end serves a router.
pub trait Way {
    /// The longest text that it carries.
    const LARGEST: usize;

    /// Opens one. `caller` is what the other end takes this one for.
    fn open(router: Arc<Router>, caller: Caller) -> impl Future<Output = Joined> + Send;
}

/// A link that is open.
pub struct Joined {
    /// This end.
    pub link: Link,
    /// Ends it without a word, as a network or a killed process does.
    pub cut: Box<dyn FnOnce() + Send>,
    /// What must live as long as the link.
    pub held: Box<dyn Any + Send>,
}

/// The tests of the suite over one [`Way`].
macro_rules! over {
    ($way:ty: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::$case::<$way>().await;
            }
        )*
    };
    ($way:ty) => {
        $crate::conformance::over!($way:
            a_call_answers_or_fails_with_its_reason
            every_error_code_arrives_as_it_was
            a_caller_without_the_scope_is_refused_before_decoding
            what_is_not_known_is_tolerated
            calls_at_once_are_answered_each_with_its_own
            an_id_can_be_used_again_after_its_call_was_canceled
            a_stream_is_held_back_by_credit_and_stopped_by_dropping
            a_feed_goes_as_far_as_was_consumed
            a_feed_fails_with_a_reason
            cancel_drops_the_handler
            a_call_has_exactly_one_end_however_often_it_is_canceled
            a_panic_ends_one_call_and_nothing_else
            what_is_large_arrives_and_what_is_too_large_fails_alone
            who_does_not_read_holds_nobody_up
            a_lost_link_fails_open_and_later_calls
            a_unary_call_that_has_begun_runs_to_its_end_when_the_link_goes
            a_call_with_a_key_takes_effect_once_also_on_another_link
            a_key_that_means_nothing_is_refused
            each_message_is_seen_and_nothing_of_what_it_says
        );
    };
}
pub(crate) use over;

/// A client, the service behind it, and the way to cut them apart.
pub struct Bench {
    pub numbers: NumbersClient,
    pub probe: Arc<Probe>,
    pub cut: Box<dyn FnOnce() + Send>,
    _held: Box<dyn Any + Send>,
}

impl Bench {
    pub async fn start<W: Way>(scopes: Scopes) -> Bench {
        let (router, probe) = probe::router(None);
        Bench::on::<W>(router, probe, Caller::new("test", scopes)).await
    }

    /// A client of a router that others may have, too.
    pub async fn on<W: Way>(router: Arc<Router>, probe: Arc<Probe>, caller: Caller) -> Bench {
        let Joined { link, cut, held } = W::open(router, caller).await;
        let (client, read): (Client, _) = rpc::connect(link);
        tokio::spawn(read);
        Bench { numbers: NumbersClient(client), probe, cut, _held: held }
    }
}

/// A link whose frames the test writes itself.
pub struct Raw {
    pub link: Link,
    pub probe: Arc<Probe>,
    _held: Box<dyn Any + Send>,
}

impl Raw {
    pub async fn start<W: Way>() -> Raw {
        let (router, probe) = probe::router(None);
        let Joined { link, held, .. } = W::open(router, Caller::owner("test")).await;
        Raw { link, probe, _held: held }
    }

    pub async fn say(&self, text: &str) {
        self.link.tx.send(Message::Text(text.to_owned())).await.unwrap();
    }

    pub async fn call(&self, id: u32, method: &str, params: &str) {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"numbers.{method}","params":{params}}}"#);
        self.say(&text).await;
    }

    pub async fn hear(&mut self) -> String {
        let heard = within("a frame", self.link.rx.recv()).await;
        let Some(Message::Text(text)) = heard else { panic!("no text: {heard:?}") };
        text
    }
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what} never came"))
}

pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}
