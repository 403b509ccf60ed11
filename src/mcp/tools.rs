//! The tools: their descriptions, and the calls of their code.

use super::answers::{
    ConversationPage, FoundMessages, MessagePage, NewMessages, OneMessage, SentMessage,
    ShownMessage, ShownPlatforms,
};
use super::arguments::{
    GetMessage, ListConversations, ReadMessages, Reply, SearchMessages, SendMessage,
    WaitForMessages, parse,
};
use super::audit::{Audited, AuditedAnswer};
use super::context::AgentContext;
use super::data::{MarkedData, marked};
use super::source::Source;
use super::{media, reading, sending, waiting};
use crate::config::AgentSending;
use crate::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::handler::server::common::schema_for_type;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Resource, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most links to files in one answer; its value has the addresses of all of them.
const MAX_LINKS: usize = 30;

/// The most pictures in the answer of `get_message`.
const MAX_PICTURES: usize = 4;

/// Arguments of a tool that takes none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The tools for agents.
pub(super) fn tools(send: AgentSending) -> Vec<Tool> {
    let mut tools = vec![
        reading::<ListConversations, ConversationPage>(
            "list_conversations",
            "List conversations",
            "Lists the person's chats, the latest first: groups and private conversations of all \
             platforms, with what is unread and the last message.",
        ),
        reading::<ReadMessages, MessagePage>(
            "read_messages",
            "Read messages",
            "Reads messages of one conversation, the oldest first: the latest ones, or those \
             around, before or after a message.",
        ),
        reading::<GetMessage, OneMessage>(
            "get_message",
            "Get a message",
            "Gets one message by its ID, with its whole text, its pictures, its status and its later changes.",
        ),
        reading::<SearchMessages, FoundMessages>(
            "search_messages",
            "Search messages",
            "Finds messages in the whole history by text, sender, type and time, the newest first.",
        ),
        reading::<WaitForMessages, NewMessages>(
            "wait_for_messages",
            "Wait for messages",
            "Waits until a message comes, for a bounded time. Give `cursor` of the answer as \
             `since` of the next call: then none is missed and none comes twice.",
        ),
        reading::<Nothing, ShownPlatforms>(
            "list_platforms",
            "List platforms",
            "Lists the chat platforms, and how they are connected.",
        ),
    ];
    if send == AgentSending::Allow {
        tools.extend([
            writing::<SendMessage>(
                "send_message",
                "Send a message",
                "Sends a text to a conversation in the person's name; it cannot be taken back. \
                 `status` tells the truth: `Sent` is sent; `Pending` is stored and not sent yet, \
                 and `waiting` says why. It goes out by itself: do not send it again.",
            ),
            writing::<Reply>(
                "reply",
                "Reply to a message",
                "Answers a message in its conversation, in the person's name; otherwise as \
                 send_message.",
            ),
        ]);
    }
    tools
}

fn reading<Arguments: JsonSchema + 'static, Answer: JsonSchema + 'static>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
) -> Tool {
    let hints = ToolAnnotations::new().read_only(true).destructive(false).idempotent(true);
    described::<Arguments, Answer>(name, title, description, hints)
}

fn writing<Arguments: JsonSchema + 'static>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
) -> Tool {
    let hints = ToolAnnotations::new().read_only(false).destructive(true).idempotent(true);
    described::<Arguments, SentMessage>(name, title, description, hints)
}

/// Each tool deals with other people, who are not under our control, so its `open_world_hint` is
/// set.
fn described<Arguments: JsonSchema + 'static, Answer: JsonSchema + 'static>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    hints: ToolAnnotations,
) -> Tool {
    Tool::new(name, description, schema_for_type::<Arguments>())
        .with_title(title)
        .with_raw_output_schema(schema_for_type::<Answer>())
        .with_annotations(hints.open_world(true))
}

/// Whether there is a tool with this name.
pub(super) fn is_tool(send: AgentSending, name: &str) -> bool {
    tools(send).iter().any(|tool| tool.name == name)
}

/// Calls an existing tool.
pub(super) async fn call<S: Source>(
    context: &AgentContext<S>,
    name: &str,
    arguments: Option<JsonObject>,
) -> Result<AuditedAnswer<CallToolResult>> {
    match name {
        "list_conversations" => {
            answer(&reading::list_conversations(context, parse(arguments)?).await?)
        }
        "read_messages" => {
            let page = reading::read_messages(context, parse(arguments)?).await?;
            Ok(with_links(answer(&page)?, &page.messages))
        }
        "get_message" => get_message(context, parse(arguments)?).await,
        "search_messages" => {
            let found = reading::search_messages(context, parse(arguments)?).await?;
            Ok(with_links(answer(&found)?, &found.messages))
        }
        "wait_for_messages" => {
            let new = waiting::wait_for_messages(context, parse(arguments)?).await?;
            Ok(with_links(answer(&new)?, &new.messages))
        }
        "list_platforms" => {
            parse::<Nothing>(arguments)?;
            answer(&reading::list_platforms(context).await?)
        }
        "send_message" => answer(&sending::send_message(context, parse(arguments)?).await?),
        "reply" => answer(&sending::reply(context, parse(arguments)?).await?),
        _ => Err(Error::failed(format!("there is no tool {name}"))),
    }
}

/// `get_message`: with its pictures.
async fn get_message<S: Source>(
    context: &AgentContext<S>,
    arguments: GetMessage,
) -> Result<AuditedAnswer<CallToolResult>> {
    let mut chats = context.read().await?;
    let message = context.message(&mut chats, arguments.id()?).await?;
    let shown = OneMessage { message: ShownMessage::whole(&message) };
    let mut answered = answer(&shown)?;
    for picture in media::pictures(&mut chats, &message, MAX_PICTURES).await {
        let data = STANDARD.encode(&picture.bytes);
        answered.answer.content.push(ContentBlock::image(data, picture.mime));
    }
    Ok(with_links(answered, std::slice::from_ref(&shown.message)))
}

/// Adds links to the files of messages. The links have names of our own, because a file's name is
/// data of other people.
fn with_links(
    mut answered: AuditedAnswer<CallToolResult>,
    messages: &[ShownMessage],
) -> AuditedAnswer<CallToolResult> {
    let files = messages.iter().flat_map(|message| {
        let numbered = message.attachments.iter().enumerate();
        numbered.filter_map(|(at, file)| {
            let name = format!("{} {} of message {}", file.kind, at + 1, message.id);
            Some(Resource::new(file.resource.clone()?, name))
        })
    });
    answered.answer.content.extend(files.take(MAX_LINKS).map(ContentBlock::resource_link));
    answered
}

/// The answer as a value for programs, and as marked text for models.
fn answer<T: Serialize + Audited>(shown: &T) -> Result<AuditedAnswer<CallToolResult>> {
    let MarkedData { value, text } = marked(shown)?;
    let mut answer = CallToolResult::structured(value);
    answer.content = vec![ContentBlock::text(text)];
    Ok(AuditedAnswer { answer, note: shown.note() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::answers::{ShownConversation, ShownMessage};
    use crate::mcp::context::SeenMessage;
    use crate::model::content::Content;
    use crate::model::message::Message;
    use crate::protocol::http::Conversation;
    use serde_json::{Value, json};

    /// Fails if a value does not fit the schema of a tool's answer.
    fn check(tool: &str, value: &impl Serialize) {
        let all = tools(AgentSending::Allow);
        let tool = all.into_iter().find(|one| one.name == tool).unwrap();
        let schema = Value::Object((*tool.output_schema.unwrap()).clone());
        let value = serde_json::to_value(value).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong = validator.validate(&value).err().map(|error| error.to_string());
        assert!(wrong.is_none(), "{wrong:?}: {value}");
    }

    #[test]
    fn answers_are_what_their_schemas_say() {
        let text = Content::text("hello");
        let message = Message::new(1, uuid::Uuid::nil(), text, "group_1".into(), 1);
        check("send_message", &SentMessage::of(&message));
        let message = SeenMessage::of_test(message);
        check("get_message", &OneMessage { message: ShownMessage::whole(&message) });
        let messages = vec![ShownMessage::listed(&message)];
        let page = MessagePage { messages, before: None, after: None, more_after: false };
        check("read_messages", &page);
        let conversations = vec![ShownConversation::of(&Conversation::default())];
        check("list_conversations", &ConversationPage { conversations, next: None });
    }

    #[test]
    fn writing_tools_exist_only_where_sending_is_allowed() {
        let names = |send| -> Vec<_> { tools(send).into_iter().map(|tool| tool.name).collect() };
        let off = names(AgentSending::Off);
        assert!(off.iter().all(|name| *name != "send_message" && *name != "reply"), "{off:?}");
        assert_eq!(names(AgentSending::Allow).len(), off.len() + 2);
        assert!(!is_tool(AgentSending::Off, "reply") && is_tool(AgentSending::Allow, "reply"));
    }

    #[test]
    fn every_tool_is_described_and_takes_no_path_and_no_address() {
        for tool in tools(AgentSending::Allow) {
            let json = serde_json::to_value(&tool).unwrap();
            let name = json["name"].as_str().unwrap();
            let writes = matches!(name, "send_message" | "reply");
            assert_eq!(json["annotations"]["readOnlyHint"], json!(!writes), "{name}");
            assert_eq!(json["annotations"]["destructiveHint"], json!(writes), "{name}");
            assert_eq!(json["inputSchema"]["additionalProperties"], json!(false), "{name}");
            assert_eq!(json["outputSchema"]["type"], "object", "{name}");
            jsonschema::validator_for(&json["inputSchema"]).unwrap();
            jsonschema::validator_for(&json["outputSchema"]).unwrap();
            let no_properties = serde_json::Map::new();
            let properties = json["inputSchema"]["properties"].as_object();
            for (field, schema) in properties.unwrap_or(&no_properties) {
                assert!(schema["description"].is_string(), "{name}: {field}");
                let is_foreign = ["path", "file", "url"].iter().any(|word| field.contains(word));
                assert!(!is_foreign, "{name}: {field}");
            }
        }
    }
}
