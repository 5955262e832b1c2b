use expect_test::expect;
use llm::{ChatRequest, Dialect, ModelLimits, encode};

const BODY: &str = r#"{"model":"alias","messages":[{"role":"user","content":"x","odd":[1.0]}],"max_tokens":5,"temperature":0.70,"new":{"b":1,"a":2}}"#;

fn text(dialect: Dialect, limits: &ModelLimits, body: &str) -> String {
    let wire = encode(dialect, body.as_bytes(), "up", limits).unwrap();
    format!("{}\n-- {}", std::str::from_utf8(&wire.body).unwrap(), wire.transformations.join("\n-- "))
}

#[test]
fn openai_keeps_every_byte_it_need_not_change() {
    expect![[r#"
        {"model":"up","messages":[{"role":"user","content":"x","odd":[1.0]}],"max_completion_tokens":5,"temperature":0.70,"new":{"b":1,"a":2},"stream":true,"stream_options":{"include_usage":true}}
        -- set model to up
        -- set stream to true
        -- set stream_options.include_usage to true
        -- renamed max_tokens to max_completion_tokens"#]].assert_eq(&text(Dialect::OpenAi, &ModelLimits::default(), BODY));
}

#[test]
fn compatible_servers_get_the_old_name_and_no_options_they_refuse() {
    let limits = ModelLimits { stream_options: false, ..ModelLimits::default() };
    let body = BODY
        .replace("max_tokens", "max_completion_tokens")
        .replace("}}", "},\"stream_options\":{\"include_usage\":true}}");
    expect![[r#"
        {"model":"up","messages":[{"role":"user","content":"x","odd":[1.0]}],"max_tokens":5,"temperature":0.70,"new":{"b":1,"a":2},"stream":true}
        -- set model to up
        -- set stream to true
        -- dropped stream_options
        -- renamed max_completion_tokens to max_tokens"#]].assert_eq(&text(Dialect::Compatible, &limits, &body));
    expect![[r#"
        {"model":"up","messages":[{"role":"user","content":"x","odd":[1.0]}],"max_tokens":5,"temperature":0.70,"new":{"b":1,"a":2},"stream":true,"stream_options":{"include_usage":true}}
        -- set model to up
        -- set stream to true
        -- set stream_options.include_usage to true"#]].assert_eq(&text(Dialect::Compatible, &ModelLimits::default(), BODY));
}

#[test]
fn a_relay_gets_exactly_the_bytes_that_were_approved() {
    let odd = BODY.replace(',', " ,\n ");
    let wire = encode(Dialect::Relayed, odd.as_bytes(), "up", &ModelLimits::default()).unwrap();
    assert_eq!((wire.body.as_ref(), wire.streamed), (odd.as_bytes(), false));
    assert!(wire.transformations.is_empty());
}

#[test]
fn what_is_asked_is_read() {
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1},"max_completion_tokens":9,"max_tokens":3,"messages":[{"role":"user","content":"x"}]}"#;
    let request = ChatRequest::parse(body.as_bytes()).unwrap();
    assert_eq!((request.stream, request.include_usage, request.max_tokens), (true, true, Some(9)));
    assert!(
        text(Dialect::OpenAi, &ModelLimits::default(), body)
            .contains(r#""stream_options":{"include_usage":true,"x":1}"#)
    );
    assert!(!text(Dialect::OpenAi, &ModelLimits::default(), body).contains(r#""max_tokens""#));
}
