//! The commands, a file for each.

mod backup;
mod brief;
mod check;
mod completions;
mod doctor;
mod edit;
mod export;
mod get;
mod import;
mod known;
mod list;
mod listing;
mod login;
mod man;
mod media;
mod open;
mod output;
mod progress;
mod search;
mod send;
mod serve;
mod stats;
mod token;
mod tui;

use crate::cli::{self, Cli, Command};
use crate::config::Sources;
use crate::error::{Result, tell};
use brief::briefly;

/// Carries out the command line of this process, or completes it where a shell asks for that.
pub fn run_process() -> Result<()> {
    completions::answer_shell();
    run(cli::parse())
}

fn run(cli: Cli) -> Result<()> {
    let config = cli.config;
    // The server writes them to its log.
    if !matches!(cli.command, Command::Serve(_)) {
        Sources::of_process(config.clone())?.warnings().for_each(tell);
    }
    match cli.command {
        Command::Serve(serve) => serve::run(serve, config),
        Command::Send(send) => briefly(send::run(send, config)),
        Command::List(list) => briefly(list::run(list, config)),
        Command::Search(search) => briefly(search::run(search, config)),
        Command::Get(one) => briefly(get::run(one, config)),
        Command::SetStatus(set) => briefly(edit::set_status(set, config)),
        Command::Cancel(many) => briefly(edit::cancel(many, config)),
        Command::Retry(many) => briefly(edit::retry(many, config)),
        Command::Delete(many) => briefly(edit::delete(many, config)),
        Command::Stats(stats) => briefly(stats::run(stats, config)),
        Command::Tui(tui) => briefly(tui::run(tui, config)),
        Command::Login(login) => briefly(login::log_in(login, config)),
        Command::Logout(logout) => briefly(login::log_out(logout, config)),
        Command::Check(check) => briefly(check::run(check, config)),
        Command::Doctor(doctor) => briefly(doctor::run(doctor, config)),
        Command::Export(export) => briefly(export::run(export, config)),
        Command::Import(import) => briefly(import::run(import, config)),
        Command::Backup(backup) => briefly(backup::backup(backup, config)),
        Command::Media(media) => briefly(media::run(media, config)),
        Command::Compact(compact) => backup::compact(compact, config),
        Command::Token => token::run(),
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
    }
}
