//! Routes of export, import and backup.

use super::route::{ADMIN, READ, Route, now};
use super::schema::name;
use crate::model::message::{Direction, Status};
use crate::protocol::http::{Backup, BackupDone, Imported};
use crate::server::body::LINES;
use crate::server::operation::Operation;
use crate::server::transfer;
use hyper::{Method, StatusCode};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::new("/api/export", [Operation::of(Method::GET, READ, |call| now(transfer::export(&call))).described(|d| {
            d.named("export_messages", "Every message that matches as a line of JSON, the oldest first")
                .query_of::<Status>("status", "Only those with this status")
                .query_of::<Direction>("direction", "Only those of this direction")
                .query("platform", &name(), "Only those of this platform")
                .query("conversation", &name(), "Only those of this conversation")
                .answers_text(&[LINES], "The messages as one commit had them")
                .error(400, "A parameter cannot be read")
        })]),
        Route::new("/api/import", [Operation::of(Method::POST, ADMIN, |call| Box::pin(transfer::import(call))).at_leader().described(|d| {
            d.named("import_messages", "Take in lines of an export, in one commit; known messages stay as they are")
                .takes_text(LINES)
                .answers::<Imported>(StatusCode::OK, "How many were new")
        })]),
        Route::new("/api/backup", [Operation::of(Method::POST, ADMIN, |call| Box::pin(transfer::backup(call))).described(|d| {
            d.named("backup_store", "Copy the store into a new file of the server's host; only over its Unix socket")
                .takes::<Backup>()
                .answers::<BackupDone>(StatusCode::OK, "The copy is there")
                .error(403, "It was asked over the network")
        })]),
    ]
}
