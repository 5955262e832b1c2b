#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| llm::fuzzing::inbound_responses(data));
