use expect_test::expect;
use llm::{Dialect, LlmError, StreamDecoder, StreamEvent, decode_response};

use super::{decode, folded, told};

const START: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","model":"claude-x","usage":{"input_tokens":15,"cache_read_input_tokens":10,"cache_creation_input_tokens":4,"output_tokens":1}}}

"#;

fn stream(middle: &str, stop: &str) -> String {
    format!(
        "{START}{middle}event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"{stop}\"}},\"usage\":{{\"output_tokens\":50}}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n"
    )
}

const TOOLS: &str = r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s=="}}

data: {"type":"content_block_stop","index":0}

data: {"type":"ping"}

data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Look"}}

data: {"type":"content_block_stop","index":1}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1","name":"read","input":{}}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

data: {"type":"content_block_stop","index":2}

data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t2","name":"list","input":{}}}

data: {"type":"content_block_stop","index":3}

data: {"type":"some_new_event","x":1}

"#;

/// Tool calls are counted apart from other blocks, one without arguments gets `{}`, unknown events are passed over,
/// usage is cumulative and contains the cache.
#[test]
fn thinking_text_and_two_tools() {
    expect![[r#"
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}
        usage {"input_tokens":29,"output_tokens":1,"cache_read_tokens":10,"cache_write_tokens":4,"reasoning_tokens":0,"estimated":false}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"extra_content":{"anthropic":{"thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s=="}]}}},"finish_reason":null}]}
        keep-alive
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"content":"Look"},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"read","arguments":""}}]},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"t2","type":"function","function":{"name":"list","arguments":""}}]},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]},"finish_reason":null}]}
        chunk {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
        usage {"input_tokens":29,"output_tokens":50,"cache_read_tokens":10,"cache_write_tokens":4,"reasoning_tokens":0,"estimated":false}
        done ToolCalls"#]].assert_eq(&told(&decode(Dialect::Anthropic, &stream(TOOLS, "tool_use"))));
}

#[test]
fn the_whole_answer_says_the_same() {
    let (answer, usage) = folded(&decode(Dialect::Anthropic, &stream(TOOLS, "tool_use")));
    let body = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
        {"type":"thinking","thinking":"hm","signature":"s=="},{"type":"text","text":"Look"},
        {"type":"tool_use","id":"t1","name":"read","input":{"a":1}},{"type":"tool_use","id":"t2","name":"list","input":{}}],
        "stop_reason":"tool_use","usage":{"input_tokens":15,"cache_read_input_tokens":10,"cache_creation_input_tokens":4,"output_tokens":50}}"#;
    let (whole, whole_usage) = decode_response(Dialect::Anthropic, 7, body.as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(whole).unwrap(), answer);
    assert_eq!(whole_usage, Some(usage));
    let openai = usage.to_openai(None);
    assert_eq!(
        (openai["prompt_tokens"].as_u64(), openai["completion_tokens"].as_u64()),
        (Some(29), Some(50))
    );
    assert_eq!(
        (openai["total_tokens"].as_u64(), openai["prompt_tokens_details"]["cached_tokens"].as_u64()),
        (Some(79), Some(10))
    );
}

#[test]
fn stop_reasons() {
    let reason = |stop: &str| match decode(Dialect::Anthropic, &stream("", stop)).pop() {
        Some(StreamEvent::Done(reason)) => format!("{reason:?}"),
        other => panic!("{other:?}"),
    };
    let cases = [
        ("end_turn", "Stop"),
        ("stop_sequence", "Stop"),
        ("max_tokens", "Length"),
        ("model_context_window_exceeded", "Length"),
        ("tool_use", "ToolCalls"),
        ("refusal", "ContentFilter"),
        ("pause_turn", "PauseTurn"),
    ];
    for (stop, expected) in cases {
        assert_eq!(reason(stop), expected, "{stop}");
    }
}

#[test]
fn an_error_event_and_a_missing_end_are_errors() {
    let overloaded = format!(
        "{START}event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}}}\n\n"
    );
    let events = decode(Dialect::Anthropic, &overloaded);
    let Some(StreamEvent::Error(error)) = events.last() else { panic!("{events:?}") };
    assert_eq!((error.status, error.code.as_deref()), (529, Some("overloaded_error")));
    let events = decode(Dialect::Anthropic, START);
    assert!(matches!(events.last(), Some(StreamEvent::Error(error)) if error.is_cut()), "{events:?}");
}

#[test]
fn garbage_is_called_garbage() {
    let mut decoder = StreamDecoder::new(Dialect::Anthropic, 0);
    assert!(matches!(decoder.push(b"data: {\"type\":7}\n\n"), Err(LlmError::Garbled(_))));
}

/// A model that takes no schema answers as the input of a tool, which is text to everybody else.
#[test]
fn trap_12_the_answer_in_a_tool_is_the_text_of_the_answer() {
    let block = |name: &str, pieces: &[&str]| {
        let start = format!(
            r#"data: {{"type":"content_block_start","index":0,"content_block":{{"type":"tool_use","id":"t","name":"{name}","input":{{}}}}}}"#
        );
        let delta = |piece: &&str| {
            let json = serde_json::to_string(piece).unwrap();
            format!(
                r#"data: {{"type":"content_block_delta","index":0,"delta":{{"type":"input_json_delta","partial_json":{json}}}}}"#
            )
        };
        let stop = r#"data: {"type":"content_block_stop","index":0}"#.to_owned();
        let events = std::iter::once(start).chain(pieces.iter().map(delta)).chain([stop]);
        events.map(|event| event + "\n\n").collect::<String>()
    };
    let name = "plantocode_structured_answer";
    let text = |events: &[StreamEvent]| folded(events).0["choices"][0]["message"]["content"].clone();
    let alone = decode(Dialect::Anthropic, &stream(&block(name, &["", "{\"a\":", "1}"]), "tool_use"));
    assert_eq!(text(&alone), "{\"a\":1}");
    assert!(matches!(alone.last(), Some(StreamEvent::Done(llm::FinishReason::Stop))), "{alone:?}");
    let empty = decode(Dialect::Anthropic, &stream(&block(name, &[]), "tool_use"));
    assert_eq!(text(&empty), "{}");
    let cut = decode(Dialect::Anthropic, &stream(&block(name, &["{\"a"]), "max_tokens"));
    assert!(matches!(cut.last(), Some(StreamEvent::Done(llm::FinishReason::Length))), "{cut:?}");
    let both = [block("read", &["{}"]), block(name, &["{}"])].concat();
    let both = decode(Dialect::Anthropic, &stream(&both, "tool_use"));
    assert!(matches!(both.last(), Some(StreamEvent::Done(llm::FinishReason::ToolCalls))), "{both:?}");
    let whole = format!(
        r#"{{"id":"m","model":"c","stop_reason":"tool_use","content":[{{"type":"tool_use","id":"t","name":"{name}","input":{{"a":1}}}}]}}"#
    );
    let (whole, _) = decode_response(Dialect::Anthropic, 7, whole.as_bytes()).unwrap();
    assert_eq!((whole.text(), whole.choices[0].finish_reason), ("{\"a\":1}", Some(llm::FinishReason::Stop)));
}
