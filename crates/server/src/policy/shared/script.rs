//! Operations in the words of the script (`rates.lua`), and what its answers mean.

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;

use super::worker::{Operation, Reply};
use super::{Limited, Over, Refused, Scope, Taken, What};

impl Taken {
    /// The sets in which it stands as running.
    pub fn sets(&self) -> impl Iterator<Item = &String> + Clone {
        self.things.iter().map(|thing| &thing.running)
    }

    /// Of each thing its bucket and its set, and of each budget its account and its set.
    fn keys(&self) -> impl Iterator<Item = &String> + Clone {
        let things = self.things.iter().flat_map(|thing| [&thing.bucket, &thing.running]);
        things.chain(self.money.purses.iter().flat_map(|limit| [&limit.account, &limit.held]))
    }
}

/// Milliseconds as the script takes them.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A call of the script for one operation.
pub(super) fn call<'k>(script: &str, keys: impl Iterator<Item = &'k String> + Clone, operation: &str) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script).arg(keys.clone().count());
    keys.for_each(|key| {
        command.arg(key);
    });
    command.arg(operation);
    command
}

/// All of an operation.
pub(super) fn command(script: &str, operation: &Operation, lease_for: Duration) -> Cmd {
    match operation {
        Operation::Take { lease, .. } => {
            let taken = &lease.taken;
            let Taken { things, tokens, money, .. } = &**taken;
            let mut command = call(script, taken.keys(), "take");
            command
                .arg(&taken.lease)
                .arg(millis(lease_for))
                .arg(tokens)
                .arg(money.microusd)
                .arg(things.len());
            rates(&mut command, things);
            for limit in &money.purses {
                command.arg(limit.budget_microusd).arg(limit.settled_microusd);
            }
            command
        }
        Operation::Release { taken, used, spent } => {
            let back = i128::from(taken.tokens) - i128::from(*used);
            let mut command = call(script, taken.keys(), "release");
            command.arg(&taken.lease).arg(back.to_string()).arg(spent).arg(taken.things.len());
            rates(&mut command, &taken.things);
            command
        }
        Operation::Charge { things } => {
            let keys = things.iter().flat_map(|thing| [&thing.bucket, &thing.running]);
            let mut command = call(script, keys, "charge");
            rates(&mut command, things);
            command
        }
        Operation::Ask { .. } => {
            let mut command = call(script, std::iter::empty(), "renew");
            command.arg(millis(lease_for));
            command
        }
    }
}

/// What keeps the places of some that run, and their money.
pub(super) fn renewal(script: &str, some: &[&Arc<Taken>], lease_for: Duration) -> Vec<Cmd> {
    let mut places = call(script, some.iter().flat_map(|taken| taken.sets()), "renew");
    places.arg(millis(lease_for));
    for taken in some {
        taken.sets().for_each(|_| {
            places.arg(&taken.lease);
        });
    }
    let limits = || some.iter().flat_map(|taken| taken.money.purses.iter().map(move |limit| (taken, limit)));
    if limits().next().is_none() {
        return vec![places];
    }
    let mut money = call(script, limits().flat_map(|(_, limit)| [&limit.account, &limit.held]), "hold");
    money.arg(millis(lease_for));
    for (taken, limit) in limits() {
        money.arg(&taken.lease).arg(taken.money.microusd).arg(limit.settled_microusd);
    }
    vec![places, money]
}

fn rates(command: &mut Cmd, things: &[Limited]) {
    for Limited { rate, .. } in things {
        command.arg(rate.requests_per_minute).arg(rate.tokens_per_minute).arg(rate.concurrent);
    }
}

/// Why the script has taken nothing.
pub(super) fn no_room(taken: &Taken, (thing, what, amount): Reply) -> Refused {
    const MONEY: u32 = 4;
    let at = usize::try_from(thing).unwrap_or(usize::MAX).saturating_sub(1);
    if what == MONEY
        && let Some(limit) = taken.money.purses.get(at.saturating_sub(taken.things.len()))
    {
        let left_microusd = i64::try_from(amount).unwrap_or(i64::MAX);
        return Refused::Spent { purse: limit.purse, left_microusd };
    }
    Refused::Over(Over {
        scope: taken.things.get(at).map_or(Scope::User, |thing| thing.scope),
        what: match what {
            1 => What::Running,
            2 => What::Requests,
            _ => What::Tokens,
        },
        wait: Duration::from_millis(amount.clamp(1, 60_000)),
    })
}
