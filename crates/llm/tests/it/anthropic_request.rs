use expect_test::expect;
use llm::{Dialect, LlmError, ModelLimits, encode};

use super::{request, shown};

fn wire(body: &str) -> String {
    shown(&request(Dialect::Anthropic, body))
}

fn refused(body: &str) -> String {
    encode(Dialect::Anthropic, body.as_bytes(), "m", &ModelLimits::default()).unwrap_err().to_string()
}

#[test]
fn leading_system_messages_go_to_the_top_and_later_ones_stay() {
    expect![[r#"
        {
          "model": "m-upstream",
          "max_tokens": 64000,
          "system": [
            {
              "type": "text",
              "text": "One.",
              "cache_control": {
                "type": "ephemeral"
              }
            },
            {
              "type": "text",
              "text": "Two."
            }
          ],
          "messages": [
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "Hi"
                },
                {
                  "type": "text",
                  "text": "Later."
                }
              ]
            },
            {
              "role": "assistant",
              "content": [
                {
                  "type": "text",
                  "text": "Hello"
                }
              ]
            }
          ],
          "stream": true
        }
        -- translated to Anthropic messages
        -- set max_tokens to 64000
        -- kept a later system message in place, as user text"#]]
    .assert_eq(&wire(
        r#"{"model":"a","messages":[
            {"role":"system","content":[{"type":"text","text":"One.","cache_control":{"type":"ephemeral"}}]},
            {"role":"developer","content":"Two."},
            {"role":"user","content":"Hi"},
            {"role":"system","content":"Later."},
            {"role":"assistant","content":"Hello "}]}"#,
    ));
}

#[allow(clippy::too_many_lines, reason = "a golden text")]
#[test]
fn tool_results_of_one_turn_become_one_message_before_its_text() {
    expect![[r#"
        {
          "model": "m-upstream",
          "max_tokens": 100,
          "messages": [
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "Look."
                }
              ]
            },
            {
              "role": "assistant",
              "content": [
                {
                  "type": "thinking",
                  "thinking": "hm",
                  "signature": "s=="
                },
                {
                  "type": "tool_use",
                  "id": "t1",
                  "name": "read",
                  "input": {
                    "path": "a",
                    "n": 1.0
                  }
                },
                {
                  "type": "tool_use",
                  "id": "t2",
                  "name": "list",
                  "input": {}
                }
              ]
            },
            {
              "role": "user",
              "content": [
                {
                  "type": "tool_result",
                  "tool_use_id": "t1",
                  "content": [
                    {
                      "type": "text",
                      "text": "text"
                    }
                  ]
                },
                {
                  "type": "tool_result",
                  "tool_use_id": "t2",
                  "content": [
                    {
                      "type": "image",
                      "source": {
                        "type": "base64",
                        "media_type": "image/png",
                        "data": "AAAA"
                      }
                    }
                  ]
                },
                {
                  "type": "text",
                  "text": "And?"
                }
              ]
            }
          ],
          "tools": [
            {
              "name": "read",
              "description": "d",
              "input_schema": {
                "type": "object",
                "properties": {
                  "path": {
                    "type": "string"
                  }
                }
              }
            },
            {
              "name": "list",
              "input_schema": {
                "type": "object",
                "properties": {}
              }
            }
          ],
          "tool_choice": {
            "type": "any",
            "disable_parallel_tool_use": true
          },
          "stream": true
        }
        -- translated to Anthropic messages"#]].assert_eq(&wire(
        r#"{"model":"a","max_tokens":100,"messages":[
            {"role":"user","content":"Look."},
            {"role":"assistant","content":null,"tool_calls":[
                {"id":"t1","type":"function","function":{"name":"read","arguments":"{\"path\":\"a\",\"n\":1.0}"}},
                {"id":"t2","type":"function","function":{"name":"list","arguments":""}}],
             "extra_content":{"anthropic":{"thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s=="}]}}},
            {"role":"tool","tool_call_id":"t1","content":"text"},
            {"role":"tool","tool_call_id":"t2","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
            {"role":"user","content":"And?"}],
            "tools":[{"type":"function","function":{"name":"read","description":"d","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}},
                     {"type":"function","function":{"name":"list"}}],
            "tool_choice":"required","parallel_tool_calls":false}"#,
    ));
}

#[test]
fn sampling_stops_user_and_effort() {
    expect![[r#"
        {
          "model": "m-upstream",
          "max_tokens": 64000,
          "messages": [
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "Hi"
                }
              ]
            }
          ],
          "temperature": 1.0,
          "top_p": 0.9,
          "stop_sequences": [
            "END"
          ],
          "metadata": {
            "user_id": "u-1"
          },
          "stream": true
        }
        -- translated to Anthropic messages
        -- lowered max_tokens from 999999 to 64000
        -- lowered temperature from 1.7 to 1
        -- dropped stop sequences of white space only
        -- dropped seed
        -- dropped logit_bias"#]].assert_eq(&wire(
        r#"{"model":"a","max_completion_tokens":999999,"temperature":1.7,"top_p":0.90,"seed":3,"logit_bias":{},
            "stop":["END"," \n"],"user":"u-1","messages":[{"role":"user","content":"Hi"},{"role":"user","content":"  "}]}"#,
    ));
    expect![[r#"
        {
          "model": "m-upstream",
          "max_tokens": 4000,
          "messages": [
            {
              "role": "user",
              "content": [
                {
                  "type": "image",
                  "source": {
                    "type": "url",
                    "url": "https://a.test/x.png"
                  }
                },
                {
                  "type": "document",
                  "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": "AAAA"
                  }
                }
              ]
            }
          ],
          "thinking": {
            "type": "enabled",
            "budget_tokens": 2000
          },
          "stream": true
        }
        -- translated to Anthropic messages
        -- set thinking.budget_tokens to 2000
        -- dropped temperature: reasoning is on"#]].assert_eq(&wire(
        r#"{"model":"a","max_tokens":4000,"temperature":0.2,"reasoning_effort":"high",
            "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.test/x.png"}},
            {"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}]}]}"#,
    ));
}

#[test]
fn tool_choices() {
    let choice = |choice: &str| {
        let body = format!(
            r#"{{"model":"a","messages":[{{"role":"user","content":"x"}}],"tools":[],"tool_choice":{choice}}}"#
        );
        let wire = request(Dialect::Anthropic, &body);
        let body: serde_json::Value = serde_json::from_slice(&wire.body).unwrap();
        body["tool_choice"].to_string()
    };
    assert_eq!(choice("\"auto\""), r#"{"type":"auto"}"#);
    assert_eq!(choice("\"none\""), r#"{"type":"none"}"#);
    assert_eq!(choice("\"required\""), r#"{"type":"any"}"#);
    assert_eq!(choice(r#"{"type":"function","function":{"name":"f"}}"#), r#"{"type":"tool","name":"f"}"#);
}

#[test]
fn a_schema_for_the_answer_goes_along_where_the_model_takes_one() {
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}"#;
    assert!(wire(body).contains(r#""output_config": {"#), "{}", wire(body));
}

#[test]
fn what_would_change_the_meaning_is_refused() {
    let with = |more: &str| {
        refused(&format!(r#"{{"model":"a","messages":[{{"role":"user","content":"x"}}],{more}}}"#))
    };
    assert_eq!(with(r#""n":2"#), "Anthropic cannot express more than one choice (`n`)");
    assert_eq!(with(r#""logprobs":true"#), "Anthropic cannot express `logprobs`");
    let call = r#"{"model":"a","messages":[{"role":"assistant","tool_calls":[{"id":"t","function":{"name":"f","arguments":"[1]"}}]}]}"#;
    assert!(refused(call).contains("`t` are not a JSON object"), "{}", refused(call));
    let image = r#"{"model":"a","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://10.0.0.1/x"}}]}]}"#;
    assert!(refused(image).contains("must be a data: or https: URL"));
    let audio =
        r#"{"model":"a","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}]}"#;
    assert!(refused(audio).contains("`input_audio`"));
}

#[test]
fn the_same_request_always_gives_the_same_bytes() {
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x"}],"zeta":1,"alpha":2}"#;
    let again = || request(Dialect::Anthropic, body);
    assert_eq!(again(), again());
    assert_eq!(again().headers[0], ("anthropic-version", "2023-06-01".to_owned()));
}

#[test]
fn errors_say_who_has_to_act() {
    let broken = encode(Dialect::Anthropic, b"{", "m", &ModelLimits::default()).unwrap_err();
    assert!(matches!(broken, LlmError::Malformed(_)));
}
