#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    rechat::adapter::fuzzing::onebot12_segments(text);
});
