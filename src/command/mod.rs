//! The commands, a file for each.

mod action;
mod backup;
mod bots;
mod brief;
mod check;
mod completions;
mod conversation;
mod conversations;
mod doctor;
mod edit;
mod export;
mod get;
mod grid;
mod ids;
mod import;
mod list;
mod listing;
mod login;
mod man;
mod mcp;
mod media;
mod names;
mod nearest;
mod open;
mod output;
mod page;
mod pager;
mod platforms;
mod progress;
mod read;
mod requests;
mod search;
mod segments;
mod send;
mod serve;
mod stats;
mod status;
mod token;
mod tui;
mod version;
mod watch;

use crate::cli::{self, Cli, Command};
use crate::config::Sources;
use crate::error::{Result, tell};
use brief::briefly;

/// Carries out the command line of this process, or completes it where a shell asks for that.
pub fn run_process() -> Result<()> {
    completions::answer_shell();
    run(cli::parse()?)
}

fn run(cli: Cli) -> Result<()> {
    let globals = &cli.globals;
    // The server writes them to its log.
    if !matches!(cli.command, Command::Serve(_)) {
        Sources::of_process(globals.config.clone())?.warnings().for_each(tell);
    }
    match cli.command {
        Command::Serve(serve) => serve::run(serve, globals),
        Command::Send(send) => briefly(send::run(send, globals)),
        Command::Reply(reply) => briefly(send::reply(reply, globals)),
        Command::List(list) => briefly(list::run(list, globals)),
        Command::Search(search) => briefly(search::run(search, globals)),
        Command::Get(one) => briefly(get::run(one, globals)),
        Command::Edit(edit) => briefly(action::edit(edit, globals)),
        Command::Recall(many) => briefly(action::recall(many, globals)),
        Command::React(react) => briefly(action::react(react, globals)),
        Command::Requests(asked) => briefly(requests::run(asked, globals)),
        Command::Watch(watch) => briefly(watch::run(watch, globals)),
        Command::SetStatus(set) => briefly(edit::set_status(set, globals)),
        Command::Cancel(many) => briefly(edit::cancel(many, globals)),
        Command::Retry(many) => briefly(edit::retry(many, globals)),
        Command::Delete(delete) => briefly(edit::delete(delete, globals)),
        Command::Conversations(which) => briefly(conversations::run(which, globals)),
        Command::Bots(bots) => briefly(bots::run(bots, globals)),
        Command::Read(read) => briefly(read::run(read, globals)),
        Command::Platforms(platforms) => briefly(platforms::run(platforms, globals)),
        Command::Status(status) => briefly(status::run(status, globals)),
        Command::Version => version::run(globals),
        Command::Stats(stats) => briefly(stats::run(stats, globals)),
        Command::Open(open) => briefly(page::run(open, globals)),
        Command::Tui(tui) => briefly(tui::run(tui, globals)),
        Command::Mcp(agent) => mcp::run(agent, globals),
        Command::Login(login) => briefly(login::log_in(login, globals)),
        Command::Logout(logout) => briefly(login::log_out(logout, globals)),
        Command::Check(check) => briefly(check::run(check, globals)),
        Command::Doctor(doctor) => briefly(doctor::run(doctor, globals)),
        Command::Export(export) => briefly(export::run(export, globals)),
        Command::Import(import) => briefly(import::run(import, globals)),
        Command::Backup(backup) => briefly(backup::backup(backup, globals)),
        Command::Media(media) => briefly(media::run(media, globals)),
        Command::Compact(compact) => backup::compact(compact, globals),
        Command::Token => token::run(globals),
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
    }
}
