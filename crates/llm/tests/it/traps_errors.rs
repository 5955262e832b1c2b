//! What goes wrong in errors, by the numbers of the list of traps (wire forms of providers).

use std::time::Duration;

use llm::{Dialect, LlmError, UpstreamError, decode_error, decode_response};
use serde_json::{Value, json};

fn read(status: u16, body: Value) -> UpstreamError {
    decode_error(status, body.to_string().as_bytes())
}

#[test]
fn trap_20_openrouter_says_who_failed_and_402_is_the_account() {
    let metadata = json!({ "provider_name": "Together", "raw": "{\"detail\":\"internal host\"}" });
    let failed = read(
        502,
        json!({ "error": { "code": 502, "message": "Provider returned error", "metadata": metadata } }),
    );
    assert_eq!(failed.message, "Together: Provider returned error");
    let broke = read(402, json!({ "error": { "code": 402, "message": "Insufficient credits" } }));
    assert!(broke.status == 402 && broke.is_exhausted());
    let inside = json!({ "error": { "code": 402, "message": "Insufficient credits" } }).to_string();
    let whole = decode_response(Dialect::OpenRouter, 7, inside.as_bytes());
    assert!(matches!(whole, Err(LlmError::Failed(error)) if error.status == 402));
}

#[test]
fn trap_22_an_error_in_a_list_is_an_error() {
    let error =
        read(403, json!([{ "error": { "code": 403, "message": "denied", "status": "PERMISSION_DENIED" } }]));
    assert_eq!(
        (error.status, error.code.as_deref(), error.message.as_str()),
        (403, Some("PERMISSION_DENIED"), "denied")
    );
}

#[test]
fn trap_40_every_shape_is_read_and_no_body_is_passed_on() {
    let told = |status, body| {
        let error = read(status, body);
        (error.status, error.code, error.message)
    };
    let code = |code: &str| Some(code.to_owned());
    assert_eq!(
        told(
            400,
            json!({ "error": { "message": "bad", "type": "invalid_request_error", "param": null, "code": "x" } })
        ),
        (400, code("x"), "bad".into())
    );
    assert_eq!(
        told(
            529,
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "busy" }, "request_id": "r" })
        ),
        (529, code("overloaded_error"), "busy".into())
    );
    assert_eq!(
        told(
            400,
            json!({ "error": { "code": 400, "message": "no", "status": "INVALID_ARGUMENT", "details": [] } })
        ),
        (400, code("INVALID_ARGUMENT"), "no".into())
    );
    assert_eq!(told(400, json!({ "error": { "code": 400, "message": "no" } })), (400, None, "no".into()));
    assert_eq!(
        told(429, json!({ "code": "Some resource has been exhausted", "error": "Too many requests" })),
        (429, code("Some resource has been exhausted"), "Too many requests".into())
    );
    for strange in
        ["<html>internal host</html>", "b'{\"error\":1}'", "", "null", "[]", "{\"error\":[]}", "\u{0}"]
    {
        let error = decode_error(503, strange.as_bytes());
        assert_eq!(
            (error.status, error.message.as_str()),
            (503, "the upstream answered with status 503"),
            "{strange}"
        );
    }
    let long = read(500, json!({ "error": { "message": "x".repeat(10_000) } }));
    assert_eq!(long.message.chars().count(), UpstreamError::MESSAGE_LIMIT);
}

/// Google answers a wrong key with 400, which would look like the caller's fault.
#[test]
fn trap_40_a_wrong_key_is_a_wrong_key_at_google_too() {
    let info = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com" });
    let error = read(
        400,
        json!({ "error": { "code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [info] } }),
    );
    assert_eq!(error.status, 401);
}

fn exceeded(quota: &str, delay: &str) -> UpstreamError {
    read(
        429,
        json!({ "error": { "code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaMetric": "m", "quotaId": quota, "quotaValue": "250" }] },
        { "@type": "type.googleapis.com/google.rpc.Help", "links": [{ "description": "d", "url": "https://a.test" }] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay } ] } }),
    )
}

#[test]
fn trap_41_google_says_in_the_body_how_long_to_wait() {
    let minute = exceeded("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "45.837906927s");
    assert_eq!(minute.retry_after, Some(Duration::new(45, 837_906_927)));
    assert!(!minute.is_exhausted());
    for odd in ["", "s", "-3s", "NaNs", "1e300s", "5m"] {
        assert_eq!(exceeded("PerMinute", odd).retry_after, None, "{odd}");
    }
}

#[test]
fn trap_41_a_quota_of_a_day_does_not_come_back_in_a_minute() {
    let day = exceeded("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "45.8s");
    assert_eq!((day.retry_after, day.code.as_deref()), (None, Some(UpstreamError::QUOTA_EXHAUSTED)));
    assert!(day.is_exhausted());
    let openai = read(
        429,
        json!({ "error": { "message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota" } }),
    );
    assert!(openai.is_exhausted());
}

/// The statuses that say who has to act; who tries again and where is the gateway's business.
#[test]
fn trap_42_an_error_inside_a_success_has_the_status_it_would_have_had() {
    let inside = |error: Value| read(200, json!({ "error": error })).status;
    for (name, status) in [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("overloaded_error", 529),
        ("something_new", 502),
    ] {
        assert_eq!(inside(json!({ "type": name, "message": "m" })), status, "{name}");
    }
    assert_eq!(inside(json!({ "status": "UNAVAILABLE", "message": "m" })), 503);
    assert_eq!(inside(json!({ "code": 429, "message": "m" })), 429);
    assert_eq!(decode_error(200, b"???").status, 502);
}
