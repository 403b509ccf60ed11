//! The commands, a file for each.

mod backup;
mod bots;
mod check;
mod cluster;
mod completions;
mod context;
mod conversation;
mod conversations;
mod cursor_file;
mod doctor;
mod edit;
mod export;
mod get;
mod ids;
mod import;
mod list;
mod listed;
mod listing;
mod login;
mod man;
mod mcp;
mod media;
mod names;
mod open;
mod output;
mod pager;
mod platforms;
mod printed_errors;
mod progress;
mod read;
mod requests;
mod rows;
mod run_request;
mod search;
mod segments;
mod send;
mod serve;
mod source;
mod stats;
mod status;
mod status_change;
mod suggestions;
mod target;
mod token;
mod tui;
mod version;
mod watch;

use crate::cli::{self, Cli, CliCommand};
use crate::config::Sources;
use crate::error::{Result, tell};
use run_request::briefly;

/// Carries out the command line of this process, or completes it where a shell asks for that.
///
/// # Errors
///
/// The command failed; the error has the exit code and what to do.
pub fn run_process() -> Result<()> {
    completions::answer_shell();
    run(cli::parse()?)
}

fn run(cli: Cli) -> Result<()> {
    let globals = &cli.globals;
    // The server writes them to its log.
    if !matches!(cli.command, CliCommand::Serve(_)) {
        Sources::of_process(globals.config.clone())?.warnings().for_each(tell);
        // A line would tear the terminal client's screen, and agents have a log.
        if !matches!(cli.command, CliCommand::Tui(_) | CliCommand::Mcp(_)) {
            printed_errors::print_errors();
        }
    }
    match cli.command {
        CliCommand::Serve(serve) => serve::run(serve, globals),
        CliCommand::Send(send) => briefly(send::run(send, globals)),
        CliCommand::Reply(reply) => briefly(send::reply(reply, globals)),
        CliCommand::List(list) => briefly(list::run(list, globals)),
        CliCommand::Search(search) => briefly(search::run(search, globals)),
        CliCommand::Get(one) => briefly(get::run(one, globals)),
        CliCommand::Edit(edit) => briefly(edit::edit(edit, globals)),
        CliCommand::Recall(many) => briefly(edit::recall(many, globals)),
        CliCommand::React(react) => briefly(edit::react(react, globals)),
        CliCommand::Requests(asked) => briefly(requests::run(asked, globals)),
        CliCommand::Watch(watch) => briefly(watch::run(watch, globals)),
        CliCommand::SetStatus(set) => briefly(status_change::set_status(set, globals)),
        CliCommand::Cancel(many) => briefly(status_change::cancel(many, globals)),
        CliCommand::Retry(many) => briefly(status_change::retry(many, globals)),
        CliCommand::Delete(delete) => briefly(status_change::delete(delete, globals)),
        CliCommand::Conversations(which) => briefly(conversations::run(which, globals)),
        CliCommand::Bots(bots) => briefly(bots::run(bots, globals)),
        CliCommand::Read(read) => briefly(read::run(read, globals)),
        CliCommand::Platforms(platforms) => briefly(platforms::run(platforms, globals)),
        CliCommand::Status(status) => briefly(status::run(status, globals)),
        CliCommand::Version => version::run(globals),
        CliCommand::Stats(stats) => briefly(stats::run(stats, globals)),
        CliCommand::Open(open) => briefly(open::run(open, globals)),
        CliCommand::Tui(tui) => briefly(tui::run(tui, globals)),
        CliCommand::Mcp(agent) => mcp::run(agent, globals),
        CliCommand::Login(login) => briefly(login::log_in(login, globals)),
        CliCommand::Logout(logout) => briefly(login::log_out(logout, globals)),
        CliCommand::Check(check) => briefly(check::run(check, globals)),
        CliCommand::Doctor(doctor) => briefly(doctor::run(doctor, globals)),
        CliCommand::Export(export) => briefly(export::run(export, globals)),
        CliCommand::Import(import) => briefly(import::run(import, globals)),
        CliCommand::Backup(backup) => briefly(backup::backup(backup, globals)),
        CliCommand::Media(media) => briefly(media::run(media, globals)),
        CliCommand::Cluster(args) => cluster::run(args, globals),
        CliCommand::Compact(compact) => backup::compact(compact, globals),
        CliCommand::Token => token::run(globals),
        CliCommand::Completions(completions) => completions::run(&completions),
        CliCommand::Man(man) => man::run(&man),
    }
}
