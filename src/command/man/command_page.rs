//! The page of a command, from its help.

use super::page::{DATE, ManPage, VERSION, linted};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// Exit codes of every command, as docs/cli.md has them.
const EXIT_CODES: [(&str, &str); 3] = [
    ("0", "Done."),
    ("1", "Failed: the error says what happened, and what to do."),
    (
        "2",
        "Wrong usage: an unknown option or value, a name that several have, an unknown \
         conversation.",
    ),
];

pub(super) fn page(command: clap::Command) -> ManPage {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let after_help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let has_commands = command.has_subcommands();
    let source = format!("rechat {VERSION}");
    let man =
        Man::new(command).title(name.to_uppercase()).date(DATE).source(source).manual("rechat");
    let mut text = Vec::new();
    let mut sections = vec![
        man.render_title(&mut text),
        man.render_name_section(&mut text),
        man.render_synopsis_section(&mut text),
        man.render_description_section(&mut text),
        man.render_options_section(&mut text),
    ];
    if has_commands {
        sections.push(man.render_subcommands_section(&mut text));
    }
    sections.push(after(&after_help).to_writer(&mut text));
    debug_assert!(sections.iter().all(std::result::Result::is_ok), "memory takes everything");
    ManPage { name, section: 1, text: linted(&String::from_utf8_lossy(&text)) }
}

/// The part of a help text after the options: examples, then notes.
fn after(help: &str) -> Roff {
    let mut roff = Roff::new();
    let (examples, words) = help.split_once("\n\n").unwrap_or((help, ""));
    let (_, examples) = examples.split_once('\n').unwrap_or_default();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in examples.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    if !words.is_empty() {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(words)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("rechat(1), rechat.toml(5)")]);
    roff
}
