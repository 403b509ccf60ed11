#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    rechat::server::fuzzing::command(text);
});
