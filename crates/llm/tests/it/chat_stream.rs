use expect_test::expect;
use llm::{Dialect, FinishReason, StreamDecoder, StreamEvent, decode_response};

use super::{decode, folded, told};

const STREAM: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"service_tier":"default"}

: still working

data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}

data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}

data: [DONE]

"#;

#[test]
fn a_stream_with_everything() {
    expect![[r#"
        chunk {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"service_tier":"default"}
        keep-alive
        chunk {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}
        chunk {"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
        usage {"input_tokens":9,"output_tokens":4,"cache_read_tokens":3,"cache_write_tokens":0,"reasoning_tokens":2,"estimated":false}
        done Stop"#]].assert_eq(&told(&decode(Dialect::OpenAi, STREAM)));
}

#[test]
fn pieces_of_any_size_give_the_same_events() {
    let whole = decode(Dialect::OpenAi, STREAM);
    for size in 1..80 {
        let mut decoder = StreamDecoder::new(Dialect::OpenAi, 7);
        let mut events = Vec::new();
        for piece in STREAM.as_bytes().chunks(size) {
            events.extend(decoder.push(piece).unwrap());
        }
        events.extend(decoder.finish().unwrap());
        assert_eq!(events, whole, "pieces of {size}");
    }
}

#[test]
fn an_end_without_done_counts_only_after_a_finish_reason() {
    let (head, _) = STREAM.split_once("data: [DONE]").unwrap();
    assert_eq!(decode(Dialect::Compatible, head).last(), Some(&StreamEvent::Done(FinishReason::Stop)));
    let (head, _) = STREAM.split_once("\"finish_reason\":\"stop\"").unwrap();
    let (head, _) = head.rsplit_once("data: ").unwrap();
    let last = decode(Dialect::Compatible, head).pop();
    assert!(matches!(&last, Some(StreamEvent::Error(error)) if error.is_cut()), "{last:?}");
    let done_too_early = decode(Dialect::Compatible, &format!("{head}data: [DONE]\n\n")).pop();
    assert!(
        matches!(&done_too_early, Some(StreamEvent::Error(error)) if error.is_cut()),
        "{done_too_early:?}"
    );
}

#[test]
fn nothing_counts_after_the_end() {
    let events = decode(Dialect::OpenAi, &format!("{STREAM}{STREAM}"));
    assert_eq!(events, decode(Dialect::OpenAi, STREAM));
}

#[test]
fn errors_inside_a_stream_in_every_shape() {
    let error = |data: &str| match decode(Dialect::Compatible, &format!("data: {data}\n\n")).pop() {
        Some(StreamEvent::Error(error)) => (error.status, error.message),
        other => panic!("{other:?}"),
    };
    assert_eq!(error(r#"{"error":{"message":"m","type":"server_error"}}"#), (502, "m".into()));
    assert_eq!(
        error(
            r#"{"id":"x","error":{"code":429,"message":"m"},"choices":[{"delta":{},"finish_reason":"error"}]}"#
        ),
        (429, "m".into())
    );
    assert_eq!(error(r#"[{"error":{"code":503,"message":"m"}}]"#), (503, "m".into()));
    // A chunk that merely speaks of errors is a chunk.
    let chunk = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"\"error\": yes"},"finish_reason":"stop"}],"error":null}"#;
    assert_eq!(
        decode(Dialect::Compatible, &format!("data: {chunk}\n\n")).pop(),
        Some(StreamEvent::Done(FinishReason::Stop))
    );
}

/// Interleaved pieces of parallel calls come together by their index.
#[test]
fn parallel_tool_calls_are_put_together() {
    let chunk = |calls: &str| {
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{calls}]}}}}]}}\n\n"
        )
    };
    let stream = [
        chunk(r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#),
        chunk(
            r#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{"}},{"index":0,"function":{"arguments":"{\"x\":"}}"#,
        ),
        chunk(r#"{"index":0,"function":{"arguments":"1}"}},{"index":1,"function":{"arguments":"}"}}"#),
    ];
    let (answer, usage) = folded(&decode(Dialect::OpenAi, &stream.concat()));
    let calls = &answer["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls[0]["function"], serde_json::json!({ "name": "f", "arguments": "{\"x\":1}" }));
    assert_eq!(calls[1]["function"], serde_json::json!({ "name": "g", "arguments": "{}" }));
    assert!(usage.estimated && usage.output_tokens > 0);
}

#[test]
fn an_answer_that_is_not_a_stream() {
    let body = r#"{"id":"c","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2},"system_fingerprint":"fp"}"#;
    let (answer, usage) = decode_response(Dialect::OpenAi, 0, body.as_bytes()).unwrap();
    assert_eq!((answer.text(), answer.extra["system_fingerprint"].as_str()), ("Hi", Some("fp")));
    assert_eq!(usage.map(|usage| (usage.input_tokens, usage.output_tokens)), Some((1, 2)));
    assert!(decode_response(Dialect::OpenAi, 0, b"{\"choices\":[]}").is_err());
    assert!(decode_response(Dialect::OpenAi, 0, b"<html>").is_err());
}
