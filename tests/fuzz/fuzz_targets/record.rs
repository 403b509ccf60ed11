#![no_main]

use rechat::store::record;

// A record that can be read is written again, and reads the same.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = record::decode(7, bytes) {
        let again = record::encode(&message).expect("what was read can be written");
        assert_eq!(record::decode(7, &again).as_ref(), Ok(&message));
    }
});
