//! Traces: whose trace a request belongs to, who is told, and what a collector gets.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use testkit::Behaviour;

use crate::support::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Takes what is posted to it, head and body.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Posted>>>);

/// Head and body.
type Posted = (String, Vec<u8>);

impl Collector {
    fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, this) = (stream.unwrap(), this.clone());
                std::thread::spawn(move || while this.take(&mut stream).is_some() {});
            }
        });
        url
    }

    fn take(&self, stream: &mut std::net::TcpStream) -> Option<()> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            let head = end.map(|end| String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase());
            if let (Some(end), Some(head)) = (end, head) {
                let length = head.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().unwrap();
                if bytes.len() >= end + 4 + length {
                    self.0.lock().unwrap().push((head, bytes[end + 4..].to_vec()));
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                    return Some(());
                }
            }
            match stream.read(&mut buffer).ok()? {
                0 => return None,
                read => bytes.extend_from_slice(&buffer[..read]),
            }
        }
    }

    fn spans(&self) -> Vec<Span> {
        let messages = self.0.lock().unwrap().clone();
        let decoded =
            messages.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
        decoded
            .flat_map(|message| message.resource_spans)
            .inspect(|spans| {
                let resource = attributes(&spans.resource.as_ref().unwrap().attributes);
                assert_eq!(resource["service.name"], json!("models"));
            })
            .flat_map(|spans| spans.scope_spans)
            .flat_map(|spans| spans.spans)
            .collect()
    }
}

fn attributes(
    pairs: &[opentelemetry_proto::tonic::common::v1::KeyValue],
) -> BTreeMap<String, serde_json::Value> {
    let value = |value: Any| match value {
        Any::StringValue(text) => json!(text),
        Any::IntValue(number) => json!(number),
        Any::BoolValue(truth) => json!(truth),
        other => panic!("{other:?}"),
    };
    pairs.iter().map(|pair| (pair.key.clone(), value(pair.value.clone().unwrap().value.unwrap()))).collect()
}

#[tokio::test]
async fn a_collector_gets_two_spans_for_each_request_and_no_contents() {
    let collector = Collector::default();
    let url = collector.start();
    let mut world = World::with(Database::Sqlite, |settings| {
        (settings.telemetry.otlp_endpoint, settings.telemetry.service_name) = (url, "models".into());
        settings.telemetry.headers = BTreeMap::from([("x-collector-key".to_owned(), "open".to_owned())]);
    })
    .await;
    let ada = world.sign_in("ada").await;
    let chat = |model, stream| world.chat(&ada, &ask(model, stream));
    let answered = chat("either", true).header("traceparent", PARENT).header("tracestate", "v=1").send();
    answered.await.unwrap().text().await.unwrap();
    world.openai.set(Behaviour::fail(500));
    assert_eq!(chat("gpt-4.1-mini", false).send().await.unwrap().status(), 502);
    assert_eq!(chat("none", false).send().await.unwrap().status(), 404);
    let unsampled = PARENT.replace("-01", "-00");
    assert_eq!(chat("none", false).header("traceparent", unsampled).send().await.unwrap().status(), 404);
    let records = world.audit_until(&ada, |records| records.len() == 6).await;
    assert_eq!(records[0]["record"]["trace_id"], TRACE);
    world.stop().await;

    let (head, _) = collector.0.lock().unwrap()[0].clone();
    assert!(head.starts_with("post /v1/traces ") && head.contains("x-collector-key: open"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    for (_, body) in collector.0.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(body);
        for private in ["Say hello", "simulator", CANARY] {
            assert!(!text.contains(private), "{private} in {text}");
        }
        // As a word: the digits of an id may happen to spell it.
        assert!(text.split(|c: char| !c.is_ascii_alphanumeric()).all(|word| word != "ada"), "{text}");
    }
    let spans = collector.spans();
    assert_eq!(spans.len(), 5, "{spans:#?}");
    let (request, exchange) = (&spans[0], &spans[1]);
    assert_eq!(hex::encode(&request.trace_id), TRACE);
    assert_eq!(hex::encode(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!((request.kind, exchange.kind), (2, 3));
    assert_eq!(
        (exchange.trace_id.clone(), exchange.parent_span_id.clone()),
        (request.trace_id.clone(), request.span_id.clone())
    );
    assert_eq!((request.trace_state.as_str(), exchange.name.as_str()), ("v=1", "chat gpt-4.1-mini"));
    assert!(
        request.start_time_unix_nano <= request.end_time_unix_nano
            && request.start_time_unix_nano > 1_600_000_000 << 30
    );
    let said = attributes(&request.attributes);
    assert_eq!(said["http.route"], "/v1/chat/completions");
    assert_eq!(said["plantocode.request_id"], records[0]["record"]["request_id"]);
    let said = attributes(&exchange.attributes);
    assert_eq!(said["gen_ai.operation.name"], "chat");
    assert_eq!(said["gen_ai.provider.name"], "openai");
    assert_eq!(said["gen_ai.request.model"], "gpt-4.1-mini");
    assert!(said["gen_ai.response.model"].as_str().unwrap().starts_with("gpt-4.1-mini"), "{said:?}");
    assert_eq!(said["gen_ai.usage.input_tokens"], records[1]["record"]["usage"]["input_tokens"]);
    assert_eq!(said["gen_ai.usage.output_tokens"], records[1]["record"]["usage"]["output_tokens"]);
    assert!(!said.contains_key("error.type") && exchange.status.is_none());
    let failed = attributes(&spans[3].attributes);
    assert_eq!(
        (&failed["error.type"], &failed["http.response.status_code"]),
        (&json!("upstream_unavailable"), &json!(500))
    );
    assert_eq!(spans[3].status.as_ref().unwrap().code, 2);
    assert_ne!(spans[2].trace_id, spans[4].trace_id, "without a parent each request is a trace");
    assert_eq!(attributes(&spans[4].attributes)["error.type"], "model_not_found");
}

#[tokio::test]
async fn a_collector_that_is_away_or_hangs_costs_no_request_anything() {
    // It takes connections and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        closed.local_addr().unwrap()
    };
    for address in [hanging.local_addr().unwrap(), nobody] {
        let mut world = World::with(Database::Sqlite, |settings| {
            settings.telemetry.otlp_endpoint = format!("http://{address}");
            settings.metrics_token = "scrape".into();
        })
        .await;
        let ada = world.sign_in("ada").await;
        let start = Instant::now();
        for _ in 0..10 {
            json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        if address == nobody {
            for _ in 0..200 {
                let text =
                    world.get("/metrics").bearer_auth("scrape").send().await.unwrap().text().await.unwrap();
                if text.lines().any(|line| line == "plantocode_spans_lost_total 20") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let text =
                world.get("/metrics").bearer_auth("scrape").send().await.unwrap().text().await.unwrap();
            assert!(text.lines().any(|line| line == "plantocode_spans_lost_total 20"), "{text}");
        }
        let start = Instant::now();
        world.stop().await;
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn providers_are_told_of_a_trace_only_if_the_operator_says_so() {
    for propagate in [false, true] {
        let world = World::with(Database::Sqlite, |settings| settings.telemetry.propagate = propagate).await;
        let ada = world.sign_in("ada").await;
        for (parent, known) in [(PARENT, true), ("00-not-a-parent-01", false)] {
            let request = world.chat(&ada, &ask("gpt-4.1-mini", false));
            json_of(request.header("traceparent", parent).header("tracestate", "v=1")).await;
            let headers = world.openai.log().pop().unwrap().headers;
            let passed = headers.get("traceparent");
            assert_eq!(passed.is_some(), propagate && known, "{headers:?}");
            assert_eq!(headers.get("tracestate").map(String::as_str), passed.map(|_| "v=1"));
            if let Some(passed) = passed {
                assert!(passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with("-01"), "{passed}");
                assert!(!passed.contains("b7ad6b7169203331"), "the span is the server's own");
            }
        }
        let records = world.audit_until(&ada, |records| records.len() == 4).await;
        let traces: Vec<_> = records.iter().map(|record| record["record"]["trace_id"].as_str()).collect();
        assert_eq!(traces, [Some(TRACE), Some(TRACE), None, None]);
    }
}
