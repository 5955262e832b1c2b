//! What is written in a dialect and read with our own decoder of that dialect says the same.

use llm::inbound::Door;
use llm::stream::{Delta, FunctionDelta, ToolCallDelta};
use llm::{ChatChunk, Dialect, FinishReason, StreamDecoder, StreamEvent, Usage};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::folded;
use super::inbound::{asked, written};

/// An answer, and how it is cut into chunks.
#[derive(Clone, Debug)]
struct Said {
    thoughts: Vec<String>,
    texts: Vec<String>,
    /// Arguments of each call, in pieces.
    calls: Vec<Vec<String>>,
    /// Which call says its next piece.
    order: Vec<Index>,
    finish: FinishReason,
    usage: Usage,
}

fn said() -> impl Strategy<Value = Said> {
    let word = || "[a-zäß😀\"\\\\\n ]{1,12}";
    let arguments = (prop::collection::vec(word(), 0..4), prop::collection::vec(any::<Index>(), 0..4));
    let arguments = arguments.prop_map(|(values, cuts)| {
        let object: serde_json::Map<_, _> = values
            .into_iter()
            .enumerate()
            .map(|(at, value)| (format!("k{at}"), Value::from(value)))
            .collect();
        let text: Vec<char> = Value::Object(object).to_string().chars().collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|range| text[range[0]..range[1]].iter().collect()).collect()
    });
    let finish = prop::sample::select(vec![
        FinishReason::Stop,
        FinishReason::Length,
        FinishReason::ToolCalls,
        FinishReason::ContentFilter,
    ]);
    let usage = (0..1_000_000_u64, 0..1_000_u64, 0..1_000_u64, 0..1_000_000_u64);
    let usage = usage.prop_map(|(input, read, write, output)| Usage {
        input_tokens: input + read + write,
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: write,
        ..Usage::default()
    });
    (
        prop::collection::vec(word().prop_map(String::from), 0..4),
        prop::collection::vec(word().prop_map(String::from), 0..5),
        prop::collection::vec(arguments, 0..4),
        prop::collection::vec(any::<Index>(), 0..40),
        finish,
        usage,
    )
        .prop_map(|(thoughts, texts, calls, order, finish, usage)| {
            // Whoever calls ends for that.
            let finish = match (finish, calls.is_empty()) {
                (FinishReason::Stop, false) => FinishReason::ToolCalls,
                (FinishReason::ToolCalls, true) => FinishReason::Stop,
                (finish, _) => finish,
            };
            Said { thoughts, texts, calls, order, finish, usage }
        })
}

impl Said {
    fn events(&self) -> Vec<StreamEvent> {
        let chunk = |delta, finish| StreamEvent::Chunk(ChatChunk::new("id-1", 7, "m").with(delta, finish));
        let mut events = vec![chunk(Delta { role: Some("assistant".into()), ..Delta::default() }, None)];
        for text in &self.thoughts {
            events.push(chunk(Delta { reasoning_content: Some(text.clone()), ..Delta::default() }, None));
        }
        for text in &self.texts {
            events.push(chunk(Delta { content: Some(text.clone()), ..Delta::default() }, None));
            events.push(StreamEvent::KeepAlive);
        }
        let call = |piece| chunk(Delta { tool_calls: Some(vec![piece]), ..Delta::default() }, None);
        let mut left: Vec<(u32, std::vec::IntoIter<String>)> =
            (0..).zip(self.calls.iter().map(|pieces| pieces.clone().into_iter())).collect();
        for (index, _) in &left {
            events.push(call(ToolCallDelta {
                index: *index,
                id: Some(format!("call-{index}")),
                kind: Some("function".into()),
                function: FunctionDelta { name: Some(format!("f{index}")), arguments: Some(String::new()) },
                ..ToolCallDelta::default()
            }));
        }
        let mut order = self.order.iter();
        while !left.is_empty() {
            let at = order.next().map_or(0, |pick| pick.index(left.len()));
            match left[at].1.next() {
                Some(piece) => events.push(call(ToolCallDelta {
                    index: left[at].0,
                    function: FunctionDelta { name: None, arguments: Some(piece) },
                    ..ToolCallDelta::default()
                })),
                None => drop(left.remove(at)),
            }
        }
        events.push(chunk(Delta::default(), Some(self.finish)));
        events.push(StreamEvent::Usage(self.usage));
        events.push(StreamEvent::Done(self.finish));
        events
    }
}

/// What an answer says, whatever its pieces were.
fn meaning(events: &[StreamEvent]) -> Value {
    let (answer, usage) = folded(events);
    let choice = &answer["choices"][0];
    let calls = choice["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
    let call = |call: &Value| {
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        json!([call["id"], call["function"]["name"], arguments])
    };
    json!({
        "text": choice["message"]["content"].as_str().unwrap_or_default(),
        "thoughts": choice["message"]["reasoning_content"].as_str().unwrap_or_default(),
        "calls": calls.iter().map(call).collect::<Vec<_>>(),
        "finish": choice["finish_reason"],
        "usage": usage,
    })
}

fn read(dialect: Dialect, stream: &str) -> Vec<StreamEvent> {
    let mut decoder = StreamDecoder::new(dialect, 7);
    let mut events = decoder.push(stream.as_bytes()).unwrap();
    events.extend(decoder.finish().unwrap());
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_of_any_dialect_is_read_back_as_it_was_meant(said in said()) {
        let events = said.events();
        let doors = [
            (Door::Chat, Dialect::OpenAi),
            (Door::Messages, Dialect::Anthropic),
            (Door::Responses, Dialect::OpenAiResponses),
        ];
        for (door, dialect) in doors {
            let more = if door == Door::Chat { json!({ "stream_options": { "include_usage": true } }) } else { json!({}) };
            let stream = written(&asked(door, more), &events);
            let mut expected = meaning(&events);
            if door == Door::Responses {
                // The dialect has no word for them.
                expected["usage"]["cache_write_tokens"] = 0.into();
            }
            prop_assert_eq!(meaning(&read(dialect, &stream)), expected, "{:?}:\n{}", door, stream);
        }
    }
}
