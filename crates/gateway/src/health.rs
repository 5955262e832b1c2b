//! Which routes are left alone for a while, and for how long.
//!
//! A key that is limited or refused rests; an upstream that failed several times in a row rests, then lets one request
//! through, which decides for all. All of it is in memory and belongs to one [`crate::Gateway`]: nodes find out for
//! themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{GatewayError, Route};

/// When routes rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// Failures in a row before an upstream rests.
    pub failures: u32,
    /// How long it rests the first time; each further time twice as long, until `longest`.
    pub rest: Duration,
    /// The longest rest.
    pub longest: Duration,
    /// How long a key rests that is limited without a word about how long.
    pub limited: Duration,
    /// How long a key rests that was refused: a person has to replace it.
    pub refused: Duration,
    /// How long a key rests whose account has no credit or quota left.
    pub exhausted: Duration,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            rest: Duration::from_secs(5),
            longest: Duration::from_secs(120),
            limited: Duration::from_secs(5),
            refused: Duration::from_secs(60),
            exhausted: Duration::from_secs(300),
        }
    }
}

/// Why a route rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resting {
    /// Its key is limited.
    Limited,
    /// Its key was refused.
    Refused,
    /// The account of its key has no credit or quota left.
    Exhausted,
    /// Its upstream fails.
    Failing,
}

/// What is known of one route, for metrics and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteHealth {
    /// The provider.
    pub provider: String,
    /// The model there.
    pub model: String,
    /// The id of its key.
    pub key_id: String,
    /// Why it rests and how much longer; `None` while it is used.
    pub resting: Option<(Resting, Duration)>,
}

/// A model at an upstream: what fails together, whatever key is used.
type Upstream = (String, String, String);

fn upstream(route: &Route) -> Upstream {
    (route.provider.clone(), route.base_url.to_string(), route.upstream_model.clone())
}

/// Shared between the clones of a gateway.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    config: HealthConfig,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    upstreams: HashMap<Upstream, Circuit>,
    keys: HashMap<(Upstream, String), (Resting, Instant)>,
}

#[derive(Debug, Default)]
struct Circuit {
    /// Failures since the last success.
    failures: u32,
    /// How often it has rested since then.
    rests: u32,
    until: Option<Instant>,
    /// A request is finding out whether it works again.
    probing: bool,
}

/// Leave to use a route. Dropped without a verdict, it says nothing about the route.
#[derive(Debug)]
pub(crate) struct Leave {
    health: Option<Health>,
    upstream: Upstream,
    key_id: String,
    probe: bool,
}

impl Health {
    pub fn new(config: HealthConfig) -> Self {
        Self { config, known: Arc::default() }
    }

    /// Leave to use a route now, or why and how long it rests.
    pub fn ask(&self, route: &Route, now: Instant) -> Result<Leave, (Resting, Duration)> {
        let upstream = upstream(route);
        let mut known = self.lock();
        if let Some((why, until)) = known.keys.get(&(upstream.clone(), route.key_id.clone()))
            && *until > now
        {
            return Err((*why, *until - now));
        }
        let mut probe = false;
        if let Some(circuit) = known.upstreams.get_mut(&upstream)
            && let Some(until) = circuit.until
        {
            if until > now || circuit.probing {
                return Err((Resting::Failing, until.saturating_duration_since(now)));
            }
            (circuit.probing, probe) = (true, true);
        }
        Ok(Leave { health: Some(self.clone()), upstream, key_id: route.key_id.clone(), probe })
    }

    /// Everything that has been heard of, in order.
    pub fn all(&self, routes: &[&Route], now: Instant) -> Vec<RouteHealth> {
        let known = self.lock();
        let health = |route: &&Route| {
            let upstream = upstream(route);
            let key = known.keys.get(&(upstream.clone(), route.key_id.clone()));
            let key = key.filter(|(_, until)| *until > now).map(|(why, until)| (*why, *until - now));
            let circuit = known.upstreams.get(&upstream).and_then(|circuit| circuit.until);
            let circuit = circuit.map(|until| (Resting::Failing, until.saturating_duration_since(now)));
            RouteHealth {
                provider: route.provider.clone(),
                model: route.upstream_model.clone(),
                key_id: route.key_id.clone(),
                resting: key.or(circuit),
            }
        };
        routes.iter().map(health).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere leaves the maps whole: each verdict is one change.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave {
    /// Leave where nothing is kept.
    pub fn unwatched(route: &Route) -> Self {
        Self { health: None, upstream: upstream(route), key_id: route.key_id.clone(), probe: false }
    }

    /// It has begun to answer: the route may be used by all again, while this answer goes on.
    pub fn began(&mut self) {
        let Some(health) = &self.health else { return };
        let mut known = health.lock();
        known.keys.remove(&(self.upstream.clone(), self.key_id.clone()));
        if let Some(circuit) = known.upstreams.get_mut(&self.upstream).filter(|_| self.probe) {
            (circuit.probing, circuit.until) = (false, None);
        }
        self.probe = false;
    }

    /// It has answered to the end.
    pub fn worked(mut self) {
        let Some(health) = self.health.take() else { return };
        let mut known = health.lock();
        known.upstreams.remove(&self.upstream);
        known.keys.remove(&(self.upstream.clone(), self.key_id.clone()));
    }

    /// It has failed like this.
    pub fn failed(mut self, error: &GatewayError, now: Instant) {
        let Some(health) = self.health.take() else { return };
        let config = health.config;
        let mut known = health.lock();
        let key = (self.upstream.clone(), self.key_id.clone());
        match error {
            GatewayError::RateLimited { retry_after, .. } => {
                known.keys.insert(key, (Resting::Limited, now + retry_after.unwrap_or(config.limited)));
            }
            GatewayError::Unauthorized { .. } => {
                known.keys.insert(key, (Resting::Refused, now + config.refused));
            }
            GatewayError::Exhausted { retry_after, .. } => {
                // A provider that names a pause of seconds for a quota of a day is asked again after ours.
                let wait = retry_after.unwrap_or_default().max(config.exhausted);
                known.keys.insert(key, (Resting::Exhausted, now + wait));
            }
            GatewayError::Unavailable { .. } | GatewayError::Cut { .. } => {
                let circuit = known.upstreams.entry(self.upstream.clone()).or_default();
                circuit.failures += 1;
                circuit.probing &= !self.probe;
                if self.probe || circuit.failures >= config.failures {
                    let factor = 1_u32.checked_shl(circuit.rests).unwrap_or(u32::MAX);
                    circuit.until = Some(now + config.rest.saturating_mul(factor).min(config.longest));
                    circuit.rests += 1;
                    circuit.failures = 0;
                }
                return;
            }
            // The request's own fault, or nobody's: nothing is learnt, and the next one may probe.
            _ => {}
        }
        end_probe(&mut known, &self.upstream, self.probe);
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(health) = self.health.take() {
            end_probe(&mut health.lock(), &self.upstream, self.probe);
        }
    }
}

fn end_probe(known: &mut Known, upstream: &Upstream, probe: bool) {
    if let Some(circuit) = known.upstreams.get_mut(upstream).filter(|_| probe) {
        circuit.probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(model: &str, key: &str) -> Route {
        Route {
            provider: "p".into(),
            dialect: llm::Dialect::OpenAi,
            base_url: "https://a.test/v1".parse().unwrap(),
            upstream_model: model.into(),
            key_id: key.into(),
            key: None,
            limits: llm::ModelLimits::default(),
            extra_headers: Vec::new(),
        }
    }

    fn failing() -> GatewayError {
        GatewayError::Unavailable { provider: "p".into(), status: Some(500), message: String::new() }
    }

    fn limited(wait: Option<u64>) -> GatewayError {
        let retry_after = wait.map(Duration::from_secs);
        GatewayError::RateLimited { provider: "p".into(), retry_after, message: String::new() }
    }

    #[test]
    fn an_upstream_that_fails_rests_longer_each_time_and_is_probed_by_one() {
        let health = Health::new(HealthConfig::default());
        let route = route("m", "k");
        let mut now = Instant::now();
        for _ in 0..5 {
            health.ask(&route, now).unwrap().failed(&failing(), now);
        }
        for rest in [5, 10, 20, 40, 80, 120, 120] {
            let (why, wait) = health.ask(&route, now).unwrap_err();
            assert_eq!((why, wait.as_secs()), (Resting::Failing, rest));
            now += wait;
            let probe = health.ask(&route, now).unwrap();
            assert!(health.ask(&route, now).is_err(), "one probe at a time");
            probe.failed(&failing(), now);
        }
        now += Duration::from_secs(120);
        health.ask(&route, now).unwrap().worked();
        let (_one, _two) = (health.ask(&route, now).unwrap(), health.ask(&route, now).unwrap());
    }

    #[test]
    fn a_probe_that_says_nothing_leaves_the_next_one_to_find_out() {
        let health = Health::new(HealthConfig { failures: 1, ..HealthConfig::default() });
        let route = route("m", "k");
        let mut now = Instant::now();
        health.ask(&route, now).unwrap().failed(&failing(), now);
        now += Duration::from_secs(5);
        drop(health.ask(&route, now).unwrap());
        health.ask(&route, now).unwrap().failed(&GatewayError::Canceled, now);
        let mut probe = health.ask(&route, now).unwrap();
        probe.began();
        assert!(health.ask(&route, now).is_ok(), "an answer under way is enough");
        probe.worked();
        assert!(health.ask(&route, now).is_ok());
    }

    #[test]
    fn a_key_without_credit_rests_for_minutes_whatever_pause_was_named() {
        let health = Health::new(HealthConfig::default());
        let (one, two) = (route("m", "1"), route("m", "2"));
        let now = Instant::now();
        let exhausted = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            GatewayError::Exhausted { provider: "p".into(), retry_after, message: String::new() }
        };
        health.ask(&one, now).unwrap().failed(&exhausted(20), now);
        assert_eq!(health.ask(&one, now).unwrap_err(), (Resting::Exhausted, Duration::from_secs(300)));
        assert!(health.ask(&two, now).is_ok(), "another key has another account");
        health.ask(&two, now).unwrap().failed(&exhausted(3_600), now);
        assert_eq!(health.ask(&two, now).unwrap_err(), (Resting::Exhausted, Duration::from_secs(3_600)));
    }

    #[test]
    fn a_limited_key_rests_as_long_as_it_was_told_and_others_do_not() {
        let health = Health::new(HealthConfig::default());
        let (one, two, other) = (route("m", "1"), route("m", "2"), route("n", "1"));
        let now = Instant::now();
        health.ask(&one, now).unwrap().failed(&limited(Some(40)), now);
        assert_eq!(health.ask(&one, now).unwrap_err(), (Resting::Limited, Duration::from_secs(40)));
        assert!(health.ask(&two, now).is_ok());
        assert!(health.ask(&other, now).is_ok(), "limits are per model");
        health.ask(&two, now).unwrap().failed(&limited(None), now);
        assert_eq!(health.ask(&two, now).unwrap_err(), (Resting::Limited, Duration::from_secs(5)));
        let all = health.all(&[&one, &other], now);
        assert_eq!(all[0].resting, Some((Resting::Limited, Duration::from_secs(40))));
        assert_eq!(all[1].resting, None);
        assert!(health.ask(&one, now + Duration::from_secs(40)).is_ok());
    }
}
