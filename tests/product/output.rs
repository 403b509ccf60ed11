//! Output that cannot be written.

use crate::server::Home;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

fn commands(home: &Home) -> Vec<Command> {
    home.ok(&["send", "--new", "-p", "qq", "-r", "group_1", "hello"]);
    let arguments: [&[&str]; 11] = [
        &["--help"],
        &["-h"],
        &["--version"],
        &["help"],
        &["send", "--help"],
        &["version"],
        &["man"],
        &["completions", "bash"],
        &["list"],
        &["export"],
        &["stats"],
    ];
    arguments.iter().map(|arguments| home.command(arguments)).collect()
}

#[test]
fn a_command_whose_output_finds_no_space_fails_and_says_so() {
    let home = Home::new();
    for mut command in commands(&home) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {told}");
        assert!(told.starts_with("rechat: cannot write the output: No space left"), "{told}");
    }
}

#[test]
fn a_command_whose_reader_has_gone_ends_in_silence() {
    let home = Home::new();
    for mut command in commands(&home) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*told), (Some(0), ""), "{command:?}");
    }
}
