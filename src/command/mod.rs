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
mod printed_messages;
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
use run_request::on_one_thread;

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
        CliCommand::Send(send) => on_one_thread(send::run(send, globals)),
        CliCommand::Reply(reply) => on_one_thread(send::reply(reply, globals)),
        CliCommand::List(list) => on_one_thread(list::run(list, globals)),
        CliCommand::Search(search) => on_one_thread(search::run(search, globals)),
        CliCommand::Get(one) => on_one_thread(get::run(one, globals)),
        CliCommand::Edit(edit) => on_one_thread(edit::edit(edit, globals)),
        CliCommand::Recall(many) => on_one_thread(edit::recall(many, globals)),
        CliCommand::React(react) => on_one_thread(edit::react(react, globals)),
        CliCommand::Requests(asked) => on_one_thread(requests::run(asked, globals)),
        CliCommand::Watch(watch) => on_one_thread(watch::run(watch, globals)),
        CliCommand::SetStatus(set) => on_one_thread(status_change::set_status(set, globals)),
        CliCommand::Cancel(many) => on_one_thread(status_change::cancel(many, globals)),
        CliCommand::Retry(many) => on_one_thread(status_change::retry(many, globals)),
        CliCommand::Delete(delete) => on_one_thread(status_change::delete(delete, globals)),
        CliCommand::Conversations(which) => on_one_thread(conversations::run(which, globals)),
        CliCommand::Bots(bots) => on_one_thread(bots::run(bots, globals)),
        CliCommand::Read(read) => on_one_thread(read::run(read, globals)),
        CliCommand::Platforms(platforms) => on_one_thread(platforms::run(platforms, globals)),
        CliCommand::Status(status) => on_one_thread(status::run(status, globals)),
        CliCommand::Version => version::run(globals),
        CliCommand::Stats(stats) => on_one_thread(stats::run(stats, globals)),
        CliCommand::Open(open) => on_one_thread(open::run(open, globals)),
        CliCommand::Tui(tui) => on_one_thread(tui::run(tui, globals)),
        CliCommand::Mcp(agent) => mcp::run(agent, globals),
        CliCommand::Login(login) => on_one_thread(login::log_in(login, globals)),
        CliCommand::Logout(logout) => on_one_thread(login::log_out(logout, globals)),
        CliCommand::Check(check) => on_one_thread(check::run(check, globals)),
        CliCommand::Doctor(doctor) => on_one_thread(doctor::run(doctor, globals)),
        CliCommand::Export(export) => on_one_thread(export::run(export, globals)),
        CliCommand::Import(import) => on_one_thread(import::run(import, globals)),
        CliCommand::Backup(backup) => on_one_thread(backup::backup(backup, globals)),
        CliCommand::Media(media) => on_one_thread(media::run(media, globals)),
        CliCommand::Cluster(args) => cluster::run(args, globals),
        CliCommand::Compact(compact) => backup::compact(compact, globals),
        CliCommand::Token => token::run(globals),
        CliCommand::Completions(completions) => completions::run(&completions),
        CliCommand::Man(man) => man::run(&man),
    }
}
