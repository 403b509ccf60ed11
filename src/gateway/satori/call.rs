//! Calls over HTTP (protocol/api.md).

use super::implementation::data_of;
use super::login;
use super::request::{RefusedCall, SatoriCall, bad_request, no_method};
use super::{history, media, message_methods, people, roles};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::onebot11;
use crate::gateway::raw_object::RawObject;
use crate::media::Hash;
use crate::text::error_of_json;
use hyper::StatusCode;
use serde::Serializer;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Prefix of the method of an internal call that returns what a function would return
/// (advanced/resource.md, "_api").
const FUNCTION: &str = "_api/";

/// A call to be carried out.
pub struct CallOpening {
    pub(super) bot: Arc<ConfiguredBot>,
    pub(super) target: CallTarget,
}

/// The method that is called.
pub(super) enum CallTarget {
    /// A method without an account (advanced/meta.md).
    Meta,
    /// A method of the standard.
    Method(Arc<ServedAccount>, &'static str),
    /// A method of the account's OneBot implementation, and the pairs of the query (advanced/internal.md).
    Internal(Arc<ServedAccount>, String, Vec<(String, String)>),
}

/// A stored file of `upload.create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedFile {
    /// The name of its field in the form, which the answer repeats.
    pub field: String,
    /// The file's own name.
    pub name: Option<String>,
    /// The SHA-256 by which it is stored.
    pub hash: Hash,
}

impl CallOpening {
    /// Whether its body is a form with files (advanced/resource.md, "文件上传").
    pub fn takes_files(&self) -> bool {
        matches!(self.target, CallTarget::Method(_, "upload.create"))
    }

    /// Answers a call whose files were stored.
    pub fn uploaded(&self, files: &[UploadedFile]) -> String {
        let CallTarget::Method(account, _) = &self.target else { return "{}".into() };
        let signer = &self.bot.shared.core.signer;
        let links = files.iter().map(|UploadedFile { field, name, hash }| {
            (field, media::link(signer, account, *hash, name.as_deref()))
        });
        let mut text = Vec::new();
        // In the order of the form, because some frameworks rely on it. Writing into a vector
        // cannot fail.
        let _ = serde_json::Serializer::new(&mut text).collect_map(links);
        String::from_utf8(text).unwrap_or_default()
    }

    /// Carries out the call with its body, and returns the answer as JSON; the error is the status
    /// and a text for people.
    ///
    /// # Errors
    ///
    /// The request is refused, with this status and text.
    pub async fn carry_out(self, body: &[u8]) -> Result<String, (StatusCode, String)> {
        let Self { bot, target } = self;
        match target {
            CallTarget::Meta => {
                let whole = |account: Arc<ServedAccount>| {
                    login::whole(&bot, &account, login::is_online(&bot, &account))
                };
                let logins: Vec<_> = bot.accounts().into_iter().map(whole).collect();
                Ok(login::meta(&logins).to_string())
            }
            CallTarget::Method(account, method) => {
                let params = object(body)?;
                let asked = SatoriCall { bot: &bot, account: &account, params };
                Ok(call(&asked, method).await?.to_string())
            }
            CallTarget::Internal(account, method, query) => {
                internal(&bot, &account, &method, &query, body).await
            }
        }
    }
}

async fn call(asked: &SatoriCall<'_>, method: &str) -> Result<Value, RefusedCall> {
    match method {
        "message.create" => message_methods::create(asked).await,
        "message.get" => message_methods::get(asked),
        "message.list" => history::list(asked),
        "message.delete" => message_methods::delete(asked).await,
        "message.update" => message_methods::update(asked).await,
        "reaction.create" => message_methods::react(asked, true).await,
        "reaction.delete" => message_methods::react(asked, false).await,
        "reaction.clear" => message_methods::clear(asked).await,
        "reaction.list" => message_methods::reactors(asked),
        "login.get" => people::login(asked).await,
        "channel.get" => people::get_channel(asked).await,
        "channel.list" => people::list_channels(asked).await,
        "user.channel.create" => people::private_channel(asked),
        "guild.get" => people::get_guild(asked).await,
        "guild.list" => people::list_guilds(asked).await,
        "guild.member.get" => people::get_member(asked).await,
        "guild.member.list" => people::list_members(asked).await,
        "friend.list" => people::list_friends(asked).await,
        "user.get" => people::get_user(asked).await,
        "friend.approve" | "guild.approve" | "guild.member.approve" => {
            people::answer_request(asked).await
        }
        "guild.member.kick" | "guild.member.mute" | "channel.mute" | "friend.delete" => {
            people::administer(asked, method).await
        }
        "guild.role.list" => roles::list(asked),
        "guild.member.role.set" => roles::set(asked, true).await,
        "guild.member.role.unset" => roles::set(asked, false).await,
        _ => Err(no_method(method)),
    }
}

/// A body that is an object, or empty: some frameworks send none if there are no parameters.
fn object(body: &[u8]) -> Result<RawObject<'_>, RefusedCall> {
    let text = std::str::from_utf8(body).map_err(|_| bad_request("the body is no UTF-8"))?;
    if matches!(text.trim_ascii(), "" | "null") {
        return Ok(RawObject::default());
    }
    RawObject::parse(text).ok_or_else(|| bad_request("the body must be a JSON object"))
}

/// Calls the account's OneBot implementation; messages that it sends are handled like all others.
async fn internal(
    bot: &Arc<ConfiguredBot>,
    account: &Arc<ServedAccount>,
    method: &str,
    query: &[(String, String)],
    body: &[u8],
) -> Result<String, RefusedCall> {
    let written = || -> Result<Option<Box<RawValue>>, RefusedCall> {
        if body.trim_ascii().is_empty() {
            return Ok(onebot11::params_of(query));
        }
        serde_json::from_slice(body).map(Some).map_err(|error| {
            bad_request(format!("the body is not valid: {}", error_of_json(&error)))
        })
    };
    let params = written()?;
    let Some(function) = method.strip_prefix(FUNCTION) else {
        let answer = onebot11::carry_out(bot, account, method, params.as_deref()).await;
        return Ok(answer.write(None));
    };
    // The arguments are a list.
    let arguments = params.as_deref().map_or("[]", RawValue::get);
    let arguments: Vec<Box<RawValue>> = serde_json::from_str(arguments)
        .map_err(|error| bad_request(format!("the arguments must be a list: {error}")))?;
    let params = arguments.first().map(|first| &**first);
    let answer = onebot11::carry_out(bot, account, function, params).await;
    Ok(data_of(answer)?.to_string())
}
