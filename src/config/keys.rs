//! Every key of the configuration file, for the manual page and the docs.

use crate::adapter::{self, ConfigKey};
use std::borrow::Cow;

const fn key(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> ConfigKey {
    ConfigKey::new(name, kind, default, example, meaning)
}

/// The keys outside the lists `[[tokens]]`, `[[adapter]]` and `[[bot]]`.
#[rustfmt::skip]
pub static KEYS: &[ConfigKey] = &[
    key("listen", "address and port", "\"127.0.0.1:8080\"", "\"0.0.0.0:8080\"",
        "the address for HTTP and the WebSocket"),
    key("db", "path", "`$XDG_DATA_HOME/rechat/rechat.redb`", "\"/var/lib/rechat/rechat.redb\"",
        "the store's file; its folder is created with mode 0700"),
    key("token", "string", "none", "\"what rechat token printed\"",
        "the token that clients over TCP must send; needed on every address but loopback"),
    key("token_file", "path", "none", "\"/run/secrets/rechat\"",
        "a file that contains the token, instead of `token`"),
    key("allow_no_token", "boolean", "false", "true",
        "serve without a token, also on an address that other hosts can reach"),
    key("public_hosts", "list of strings", "[]", "[\"chat.example.com\"]",
        "host names under which browsers and programs may reach the server: `chat.example.com` (at the default port), `chat.example.com:8443`, or with the scheme, `https://chat.example.com`"),
    key("cors_origins", "list of strings", "[]", "[\"https://app.example.com\"]",
        "origins of other web pages that may use the API"),
    key("prefix", "string", "none", "\"/rechat\"",
        "the path under which a reverse proxy serves rechat; the proxy may remove it from requests or not"),
    key("trusted_proxies", "list of addresses", "[]", "[\"127.0.0.1\"]",
        "addresses of reverse proxies (older files call it `proxies`): only their `X-Forwarded-For` is believed, and their connections do not count per address"),
    key("default_platform", "string", "none", "\"qq\"",
        "the platform of messages that name none, unless their conversation is known"),
    key("recalled", "string", "\"keep\"", "\"hide\"",
        "`keep` or `hide`: whether a message that was taken back on its platform keeps its content here"),
    key("tls.certificate", "path", "none", "\"/etc/rechat/certificate.pem\"",
        "PEM file with the certificate for HTTPS; needs `tls.key`; read again when it changes"),
    key("tls.key", "path", "none", "\"/etc/rechat/key.pem\"",
        "PEM file with the key of the certificate; read again when it changes"),
    key("cluster.nats", "list of strings", "[]", "[\"nats://10.0.0.1:4222\", \"nats://10.0.0.2:4222\"]",
        "NATS servers of the cluster that this server is a node of; docs/cluster.md"),
    key("cluster.name", "string", "", "\"home\"",
        "the name of the cluster; its NATS stream and buckets are named after it"),
    key("cluster.node", "string", "", "\"a\"", "the name of this node, which no other node has"),
    key("cluster.replicas", "number, 1 to 5", "3", "1",
        "how many NATS servers keep the log; counts when the cluster is made"),
    key("cluster.lease_seconds", "number, with a fraction", "3.0", "5.0",
        "seconds without a sign of the leader after which another node takes over; counts when the cluster is made"),
    key("cluster.snapshot_every", "number, at least 1", "100000", "1000000",
        "messages of the log after which the leader makes a snapshot and removes what is older"),
    key("cluster.log_bytes", "number", "0", "20000000000",
        "the most bytes of the log in NATS, or 0 for as many as its servers have room for; counts when the cluster is made"),
    key("cluster.credentials", "path", "none", "\"/etc/rechat/nats.creds\"",
        "a file with credentials for NATS"),
    key("cluster.token", "string", "none", "\"what the NATS servers have\"", "a token for NATS"),
    key("cluster.ca", "path", "none", "\"/etc/rechat/ca.pem\"",
        "PEM file with the CA certificates that are trusted for the NATS servers"),
    key("cluster.certificate", "path", "none", "\"/etc/rechat/node.pem\"",
        "PEM file with the certificate that this node shows to NATS; needs `cluster.key`"),
    key("cluster.key", "path", "none", "\"/etc/rechat/node-key.pem\"",
        "PEM file with the key of that certificate"),
    key("log.level", "string", "\"info\"", "\"info,tower_http=debug\"",
        "how much the server logs on standard error: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,tower_http=debug` (each request)"),
    key("log.format", "string", "\"text\"", "\"json\"", "the format of the log: `text` or `json`"),
    key("log.days", "number, with a fraction", "7.0", "30.0",
        "days for which events are kept, so that clients can resume after a lost connection"),
    key("log.events", "number, at least 1", "1000000", "100000", "the most of these events that are kept"),
    key("limits.body_bytes", "number", "1048576", "4194304",
        "bytes of a request's body and of a WebSocket frame"),
    key("limits.head_bytes", "number", "65536", "16384", "bytes of a request's head"),
    key("limits.head_seconds", "number", "10", "5", "seconds that the head of a request may take to arrive"),
    key("limits.body_seconds", "number", "30", "60", "seconds that the body of a request may take to arrive"),
    key("limits.answer_seconds", "number", "30", "10", "seconds that a request waits for the disk at most"),
    key("limits.connections", "number", "10000", "1000",
        "connections over TCP; the Unix socket is not counted"),
    key("limits.connections_per_address", "number", "1000", "100",
        "connections from one address, those of `trusted_proxies` not counted"),
    key("limits.sessions", "number", "10000", "1000", "WebSocket sessions and streams at one time"),
    key("limits.adapters", "number", "64", "8", "implementations that are connected to the server at one time"),
    key("limits.exports", "number", "8", "2", "exports at one time"),
    key("limits.uploads", "number", "16", "4", "uploads of media at one time"),
    key("limits.memory_bytes", "number", "268435456", "67108864",
        "bytes that bodies of requests and answers hold in memory at one time; beyond it the answer is 503; \
         events that clients read again hold at most a quarter of that in addition; beyond it \
         they are read in small pieces"),
    key("limits.wrong_tokens", "number, at least 1", "30", "10",
        "wrong tokens a minute from one address; further ones are answered with 429, the right token never is"),
    key("limits.session_commands", "number, at least 1", "20000", "100",
        "commands a second of one session"),
    key("limits.session_frames", "number", "256", "64",
        "frames that wait for a WebSocket session; beyond it the session reads from the store"),
    key("limits.session_bytes", "number", "1048576", "262144",
        "bytes that wait for a WebSocket session; beyond it the session reads from the store"),
    key("limits.session_pairs", "number", "1000", "100",
        "pairs of platform and conversation a session may be subscribed to"),
    key("limits.ping_seconds", "number", "30", "20", "seconds between pings to a session"),
    key("limits.idle_seconds", "number", "300", "120",
        "seconds after which a silent session, or a client that reads nothing, is closed"),
    key("limits.stop_seconds", "number", "4", "2",
        "seconds that running requests have to end when the server stops"),
    key("store.cache_bytes", "number", "134217728", "33554432", "bytes of the file kept in memory"),
    key("store.batch", "number, at least 1", "1024", "256", "changes that share a commit"),
    key("store.queue", "number, at least 1", "4096", "1024", "changes that wait for a commit"),
    key("store.reserve_bytes", "number", "4194304", "1073741824",
        "bytes the disk must have free; with less, nothing is written"),
    key("outbox.retries", "number", "5", "10",
        "number of further attempts before a message is `Failed`"),
    key("outbox.first_pause_seconds", "number, with a fraction", "1.0", "0.5",
        "seconds before the second attempt; each further pause doubles, with jitter"),
    key("outbox.longest_pause_seconds", "number, with a fraction", "300.0", "60.0",
        "seconds between attempts at most"),
    key("outbox.time_to_live_seconds", "number", "86400", "3600",
        "seconds that a message waits for an adapter before it is `Failed`"),
    key("outbox.ack_seconds", "number", "20", "10",
        "seconds that `send_message` waits for the answer of the platform"),
    key("retention.days", "number, with a fraction", "0.0", "365",
        "days after which a message is deleted; 0 keeps all"),
    key("retention.messages", "number", "0", "1000000",
        "number of messages to keep, the newest ones; 0 keeps all"),
    key("media.fetch", "list of strings", "[\"image\", \"expiring\"]", "[\"image\", \"audio\"]",
        "media that are fetched when they arrive: `image`, `audio`, `video`, `file`, and `expiring`: every type, for adapters whose links expire and cannot be asked for again; others when somebody asks"),
    key("media.max_bytes", "number, at least 1", "104857600", "20971520", "bytes of an uploaded or fetched file"),
    key("media.quota_bytes", "number", "21474836480", "0",
        "bytes of all media; with more, nothing is fetched or uploaded; 0 sets no bound"),
    key("media.reserve_bytes", "number", "268435456", "1073741824",
        "bytes of the disk that media leave free for messages"),
    key("media.days", "number, with a fraction", "0.0", "365",
        "days after which the file of a message is removed, and the message stays; 0 keeps it as long as the message"),
    key("media.allow_private", "list of strings", "[]", "[\"nas.lan\", \"127.0.0.1\"]",
        "hosts that media may be fetched from although they are in a private network or on this host"),
    key("media.url", "string", "none", "\"http://192.168.1.5:8080\"",
        "the address of this server for implementations, which fetch files there that are too large to be sent along"),
    key("media.fetch_seconds", "number, at least 1", "120", "30", "seconds that fetching a file may take"),
    key("media.fetches", "number, at least 1", "4", "16", "messages whose media are fetched at one time"),
    key("mcp.send", "string", "\"off\"", "\"allow\"",
        "whether agents may send messages: `off` or `allow`"),
    key("mcp.conversations", "list of patterns", "[\"*/*\"]", "[\"qq/group_*\", \"wechat/*\"]",
        "conversations that agents see and may write to, as `platform/conversation`; `*` stands for any text, `?` for one character"),
    key("mcp.hide", "list of patterns", "[]", "[\"*/private_*\"]",
        "conversations that agents do not see, though `mcp.conversations` has them"),
    key("mcp.calls_per_minute", "number, at least 1", "120", "30",
        "calls of tools and reads of resources a minute, of all agents together"),
    key("mcp.sends_per_minute", "number, at least 1", "10", "2",
        "messages a minute that all agents together may send"),
];

/// The keys of an entry in `[[tokens]]`.
#[rustfmt::skip]
pub static TOKEN_KEYS: &[ConfigKey] = &[
    key("name", "string", "", "\"napcat\"", "the name that the log and errors show"),
    key("scope", "string", "", "\"adapter\"", "`read`, `send`, `adapter`, `mcp` or `admin`"),
    key("token", "string", "none", "\"what rechat token printed\"", "the token itself"),
    key("file", "path", "none", "\"/run/secrets/napcat\"", "a file that contains the token, instead of `token`"),
];

/// The keys of an entry in `[[adapter]]` that every kind has.
#[rustfmt::skip]
static COMMON_ADAPTER_KEYS: &[ConfigKey] = &[
    key("kind", "string", "", "\"onebot11\"", "the kind of adapter"),
    key("platform", "string", "by kind", "\"qq2\"",
        "the platform of its messages; an implementation that connects for another platform is refused"),
    key("account", "string or list of strings", "not set: any account", "[\"10001000\"]",
        "the ID of the account that may connect, or a list of IDs; any other is refused"),
    key("url", "string", "none", "\"ws://127.0.0.1:3001/\"",
        "the address that rechat connects to; not together with `path`"),
    key("path", "string", "by kind", "\"/onebot/v11/second\"", "the path that the implementation connects to"),
    key("token", "string", "the server's", "\"what the implementation has\"", "the access token"),
    key("rate_limit", "number, with a fraction", "none", "0.5", "messages a second, above 0"),
    key("burst", "number, at least 1", "1", "3",
        "messages that may go out at once after a pause; needs `rate_limit`"),
    key("on_unknown", "string", "\"resend\"", "\"fail\"",
        "what happens after an attempt with an unknown outcome: `resend` or `fail`"),
    key("answer_timeout", "number, with a fraction", "15", "30",
        "seconds to wait for the answer to an action, and one more for each 128 KiB of it"),
    key("reconnect", "number, with a fraction", "1", "5",
        "seconds before connecting again; the pauses grow"),
    key("max_frame", "number", "16777216", "67108864",
        "bytes of a frame from the implementation at most"),
];

/// The keys of an entry in `[[adapter]]`: those of every kind, and behind them each kind's own.
pub fn adapter_keys() -> Vec<ConfigKey> {
    let mut keys = COMMON_ADAPTER_KEYS.to_vec();
    let names: Vec<_> = adapter::kinds().map(|kind| format!("`{}`", kind.name)).collect();
    if let (Some(key), [others @ .., last]) = (keys.first_mut(), &names[..]) {
        key.meaning = format!("{} or {last}", others.join(", ")).into();
    }
    for kind in adapter::kinds() {
        for own in kind.keys {
            add_own(&mut keys, kind.name, own);
        }
    }
    keys
}

/// Adds a kind's own key, or what it means there where others have it too.
fn add_own(keys: &mut Vec<ConfigKey>, kind: &str, own: &ConfigKey) {
    let here = format!("`{kind}`: {}", own.meaning);
    let Some(known) = keys.iter_mut().find(|known| known.name == own.name) else {
        keys.push(ConfigKey { meaning: here.into(), ..own.clone() });
        return;
    };
    let is_same = known.meaning.ends_with(&*own.meaning);
    known.meaning = Cow::Owned(if is_same {
        known.meaning.replacen(": ", &format!(", `{kind}`: "), 1)
    } else {
        format!("{}; {here}", known.meaning)
    });
}

/// The keys of an entry in `[[bot]]`.
#[rustfmt::skip]
pub static BOT_KEYS: &[ConfigKey] = &[
    key("name", "string", "", "\"nonebot\"",
        "the name of the bot, in its path and on its messages: small letters, digits and `-`"),
    key("kind", "string", "", "\"onebot11\"", "`onebot11` or `satori`"),
    key("url", "string", "none", "\"ws://127.0.0.1:8081/onebot/v11/ws\"",
        "the address of the framework: `onebot11`, which rechat connects to; `satori`, the webhook that rechat posts to; without it the framework connects to `/bots/<name>/onebot/v11` or `/bots/<name>/satori`"),
    key("token", "string", "the server's", "\"what the framework has\"", "the access token"),
    key("accounts", "list of strings", "not set: all accounts", "[\"qq/10001000\"]",
        "a list of the accounts that the bot uses, as `<platform>/<account>`; all accounts include `loopback/loopback` only if there is no other platform"),
    key("catch_up_seconds", "number", "300", "0",
        "the greatest age of missed events that the bot gets when it reconnects; 0 means none"),
    key("conversations", "list of strings", "not set: all conversations", "[\"qq/group_1\"]",
        "a list of the conversations whose events the bot gets, as `<platform>/<conversation>`"),
    key("senders", "list of strings", "not set: everybody", "[\"20002000\"]",
        "a list of the IDs of the people whose messages the bot gets"),
    key("prefixes", "list of strings", "not set: all messages", "[\"/\"]",
        "a list of the beginnings of messages that the bot gets; a message that mentions the account always passes"),
    key("exclude", "list of strings", "[]", "[\"qq/group_2\", \"30003000\"]",
        "a list of conversations and people whose events the bot does not get"),
];

#[cfg(test)]
mod tests {
    use super::super::{ClusterSettings, Config};
    use super::*;
    use std::collections::BTreeSet;
    use toml::{Table, Value};

    /// The keys a table of the configuration has, as the parser names them when it meets another.
    fn accepted(header: &str) -> BTreeSet<String> {
        accepted_beside(header, "")
    }

    fn accepted_beside(header: &str, lines: &str) -> BTreeSet<String> {
        let text = format!("{header}\n{lines}\nno_such_key = 1\n");
        let error = toml::from_str::<Config>(&text).unwrap_err().to_string();
        let (_, names) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn names(keys: &[ConfigKey]) -> BTreeSet<String> {
        keys.iter().map(|key| key.name.to_owned()).collect()
    }

    #[test]
    fn every_key_that_is_accepted_is_described_and_no_other() {
        let mut all = accepted("");
        for list in ["tokens", "adapter", "bot"] {
            assert!(all.remove(list), "{all:?}");
        }
        // The name that `trusted_proxies` had before.
        all.remove("proxies");
        for table in
            ["tls", "cluster", "log", "limits", "store", "outbox", "retention", "media", "mcp"]
        {
            assert!(all.remove(table), "{table}");
            all.extend(accepted(&format!("[{table}]")).iter().map(|key| format!("{table}.{key}")));
        }
        assert_eq!(names(KEYS), all);
        assert_eq!(names(TOKEN_KEYS), accepted("[[tokens]]"));
        assert_eq!(names(BOT_KEYS), accepted("[[bot]]"));
        for kind in adapter::kinds() {
            let described = [COMMON_ADAPTER_KEYS, kind.keys].concat();
            let accepted = accepted_beside("[[adapter]]", &format!("kind = '{}'", kind.name));
            assert_eq!(names(&described), accepted, "{kind:?}");
        }
    }

    #[test]
    fn defaults_are_those_in_force() {
        let cluster = Some(ClusterSettings::default());
        let table = Table::try_from(Config { cluster, ..Config::default() }).unwrap();
        for key in KEYS {
            let mut value = Some(&table);
            let mut parts = key.name.split('.').peekable();
            let found = loop {
                let inner = parts.next().and_then(|part| value?.get(part));
                if parts.peek().is_none() {
                    break inner;
                }
                value = inner.and_then(Value::as_table);
            };
            match found {
                None => assert_eq!(key.default, "none", "{}", key.name),
                Some(Value::String(empty)) if empty.is_empty() => {}
                Some(value) => assert_eq!(key.default, value.to_string(), "{}", key.name),
            }
        }
    }

    #[test]
    fn defaults_of_an_adapter_are_those_in_force() {
        let read = |text: &str| {
            let config = toml::from_str::<Config>(&format!("[[adapter]]\n{text}\n"));
            format!("{:?}", config.unwrap_or_else(|error| panic!("{text}: {error}")).adapter)
        };
        for kind in adapter::kinds() {
            let base = format!("kind = '{}'\nrate_limit = 2", kind.name);
            let all = COMMON_ADAPTER_KEYS.iter().chain(kind.keys);
            for key in all.filter(|key| key.default.parse::<f64>().is_ok()) {
                assert_eq!(read(&base), read(&format!("{base}\n{} = {}", key.name, key.default)));
            }
        }
    }

    #[test]
    fn each_kind_has_its_own_keys_and_says_which_those_are() {
        let keys = adapter_keys();
        let meaning = |name: &str| {
            let mut found = keys.iter().filter(|key| key.name == name);
            let only = found.next().unwrap();
            assert!(found.next().is_none(), "{name}");
            &*only.meaning
        };
        assert!(meaning("kind").ends_with(" or `loopback`"), "{}", meaning("kind"));
        assert!(meaning("history").starts_with("`onebot11`: messages"));
        assert!(meaning("media_folder").starts_with("`onebot11`, `onebot12`: where"));
        assert!(meaning("url").ends_with("; `ilink`: another address than the official one"));
    }

    #[test]
    fn examples_can_be_written() {
        let check = |text: String| {
            toml::from_str::<Config>(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        };
        // Tables of which some keys must be there.
        let is_of = |key: &ConfigKey, table: &str| key.name.starts_with(table);
        let stands_alone = |key: &&ConfigKey| !is_of(key, "tls.") && !is_of(key, "cluster.");
        for key in KEYS.iter().filter(stands_alone) {
            check(format!("{} = {}", key.name, key.example));
        }
        let together = |keys: &[ConfigKey], but: &str| -> String {
            let kept = keys.iter().filter(|key| key.name != but);
            let lines: Vec<_> = kept.map(|key| format!("{} = {}", key.name, key.example)).collect();
            lines.join("\n")
        };
        for table in ["tls.", "cluster."] {
            let keys: Vec<_> =
                KEYS.iter().filter(|key| key.name.starts_with(table)).cloned().collect();
            check(together(&keys, ""));
        }
        check(format!("[[tokens]]\n{}", together(TOKEN_KEYS, "")));
        check(format!("[[bot]]\n{}", together(BOT_KEYS, "")));
        for kind in adapter::kinds() {
            let own = together(kind.keys, "");
            check(format!("[[adapter]]\nkind = '{}'\n{own}", kind.name));
        }
        for one_way in ["url", "path"] {
            check(format!("[[adapter]]\n{}", together(COMMON_ADAPTER_KEYS, one_way)));
        }
    }
}
