#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    rechat::adapter::fuzzing::cq_code(text);
});
