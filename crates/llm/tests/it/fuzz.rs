//! The fuzz targets' functions over their corpus and over changed copies of it: the same ones each time.

use std::fs;
use std::path::Path;

use llm::fuzzing;
use testkit::Mutator;

/// Changed copies that each function is run on.
const MUTATIONS: usize = 1_000;

fn run(target: &str, holds: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 2, "{target} has no corpus");
    seeds.iter().for_each(|seed| holds(seed));
    let mut mutator = Mutator::new(1);
    for number in 0..MUTATIONS {
        let bytes = mutator.next(&seeds);
        // The bytes are told only when the function panics: the panic's own message says which rule was broken.
        let told = Told { target, number, bytes: &bytes };
        holds(&bytes);
        std::mem::forget(told);
    }
}

struct Told<'b> {
    target: &'b str,
    number: usize,
    bytes: &'b [u8],
}

#[allow(clippy::print_stderr, reason = "a failed test tells what it failed on")]
impl Drop for Told<'_> {
    fn drop(&mut self) {
        let shown = self.bytes.escape_ascii();
        eprintln!("{} breaks a rule with mutation {}: b\"{shown}\"", self.target, self.number);
    }
}

#[test]
fn events_are_the_same_wherever_the_bytes_are_cut() {
    run("sse", fuzzing::sse);
}

#[test]
fn a_stream_of_chat_completions_ends_once() {
    run("chat_stream", fuzzing::chat_stream);
}

#[test]
fn a_stream_of_messages_ends_once() {
    run("anthropic_stream", fuzzing::anthropic_stream);
}

#[test]
fn a_stream_of_contents_ends_once() {
    run("gemini_stream", fuzzing::gemini_stream);
}

#[test]
fn a_stream_of_responses_ends_once() {
    run("responses_stream", fuzzing::responses_stream);
}

#[test]
fn an_error_is_described_and_briefly() {
    run("error_body", fuzzing::error_body);
}

#[test]
fn a_request_is_refused_or_the_same_each_time() {
    run("request", fuzzing::request);
}

#[test]
fn a_request_in_anthropics_dialect_is_refused_or_the_same_each_time() {
    run("inbound_messages", fuzzing::inbound_messages);
}

#[test]
fn a_request_in_the_dialect_of_responses_is_refused_or_the_same_each_time() {
    run("inbound_responses", fuzzing::inbound_responses);
}

#[test]
fn a_stream_is_told_in_every_dialect() {
    run("outbound", fuzzing::outbound);
}

#[test]
fn the_head_of_a_recording_is_believed_or_not() {
    run("recording", fuzzing::recording);
}

#[test]
fn a_form_with_a_recording_is_refused_or_goes_on_with_another_models_name() {
    run("multipart", fuzzing::multipart);
    // The corpus has some that are read.
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/multipart");
    for name in ["all", "recording"] {
        let bytes = fs::read(seed.join(name)).unwrap();
        let at = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let kind = std::str::from_utf8(&bytes[..at]).unwrap();
        let body = bytes::Bytes::copy_from_slice(&bytes[at + 1..]);
        llm::inbound::transcription::Transcription::parse(kind, body).unwrap();
    }
}
