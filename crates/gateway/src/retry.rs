//! How long an upstream asks to wait, in every form that providers say it in a header.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;

/// Longer waits are not believed: a limit that lasts a day is not cured by waiting, and a clock may be wrong.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The wait that the headers of a reply ask for.
///
/// `retry-after-ms`; `retry-after` in seconds (also with a fraction) or as a date; else the latest reset of a limit of which
/// nothing is left: OpenAI's `x-ratelimit-reset-requests: 6m0s`, Anthropic's `anthropic-ratelimit-tokens-reset` as a
/// time. Dates are read against the reply's own `date`, so that no clock of ours is involved.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wait = explicit(headers).or_else(|| exhausted(headers))?;
    Some(wait.min(LONGEST))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn explicit(headers: &HeaderMap) -> Option<Duration> {
    if let Some(ms) = text(headers, "retry-after-ms").and_then(|value| value.parse::<f64>().ok()) {
        return seconds(ms / 1e3);
    }
    let value = text(headers, "retry-after")?;
    if let Ok(wait) = value.parse::<f64>() {
        return seconds(wait);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// The latest reset of the limits that are used up. A reset of a limit of which something is left says nothing.
fn exhausted(headers: &HeaderMap) -> Option<Duration> {
    let names = headers.keys().filter_map(|name| {
        let name = name.as_str();
        let openai = name.strip_prefix("x-ratelimit-reset-");
        let openai = openai.map(|limit| format!("x-ratelimit-remaining-{limit}"));
        let anthropic =
            name.strip_prefix("anthropic-ratelimit-").and_then(|rest| rest.strip_suffix("-reset"));
        let anthropic = anthropic.map(|limit| format!("anthropic-ratelimit-{limit}-remaining"));
        Some((name, openai.or(anthropic)?))
    });
    names
        .filter(|(_, remaining)| text(headers, remaining) == Some("0"))
        .filter_map(|(reset, _)| until_reset(headers, text(headers, reset)?))
        .max()
}

/// `6m0s`, `20ms`, `1s`, or a time of RFC 3339.
fn until_reset(headers: &HeaderMap, value: &str) -> Option<Duration> {
    if let Ok(wait) = value.parse::<SignedDuration>() {
        return wait.try_into().ok();
    }
    let until: Timestamp = value.parse().ok()?;
    let now = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    let now = Timestamp::try_from(now).ok()?;
    Some(until.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        retry_after(
            &pairs.iter().map(|(n, v)| ((*n).parse().unwrap(), HeaderValue::from_static(v))).collect(),
        )
    }

    #[test]
    fn trap_41_the_wait_is_read_in_every_form() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let ms = Duration::from_millis;
        for (headers, wait) in [
            (&[("retry-after", "7")][..], Some(ms(7_000))),
            (&[("retry-after", "1.5")], Some(ms(1_500))),
            (&[("retry-after-ms", "1500"), ("retry-after", "2")], Some(ms(1_500))),
            (&[date, ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(ms(30_000))),
            (&[date, ("retry-after", "Sun, 06 Nov 1994 08:40:00 GMT")], Some(ms(0))),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-3")], None),
            (&[("retry-after", "1e30")], None),
            (&[("retry-after", "900000")], Some(LONGEST)),
            (
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", "6m0s"),
                    ("x-ratelimit-remaining-tokens", "12"),
                    ("x-ratelimit-reset-tokens", "12h"),
                ],
                Some(ms(360_000)),
            ),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "20ms")], Some(ms(20))),
            (
                &[
                    date,
                    ("anthropic-ratelimit-tokens-remaining", "0"),
                    ("anthropic-ratelimit-tokens-reset", "1994-11-06T08:49:47Z"),
                    ("anthropic-ratelimit-requests-remaining", "0"),
                    ("anthropic-ratelimit-requests-reset", "1994-11-06T08:49:57Z"),
                ],
                Some(ms(20_000)),
            ),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "later")], None),
        ] {
            assert_eq!(read(headers), wait, "{headers:?}");
        }
    }
}
