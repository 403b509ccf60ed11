//! Recipients that are bare IDs, without the prefix of a conversation.

/// The conversation that is known of a bare ID, as a group or as a user. The error tells what to write;
/// `channel` is the form of a channel's name, where the version has channels.
pub(in crate::adapter::onebot) fn resolve_bare(
    recipient: &str,
    is_known: &dyn Fn(&str) -> bool,
    channel: Option<&str>,
) -> Result<String, String> {
    let (group, private) = (format!("group_{recipient}"), format!("private_{recipient}"));
    match (is_known(&group), is_known(&private)) {
        (true, false) => Ok(group),
        (false, true) => Ok(private),
        (true, true) => Err(format!(
            "`{recipient}` is known as a group and as a user; write {group} or {private}"
        )),
        (false, false) => Err(match channel {
            None => format!("nothing is known of `{recipient}`; write {group} or {private}"),
            Some(channel) => {
                format!("nothing is known of `{recipient}`; write {group}, {private} or {channel}")
            }
        }),
    }
}
