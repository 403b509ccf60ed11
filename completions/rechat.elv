
use builtin;
use str;

set edit:completion:arg-completer[rechat] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'rechat'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'rechat'= {
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Run the server'
            cand send 'Store a message and have it sent'
            cand list 'List messages, the newest first'
            cand get 'Show one message'
            cand set-status 'Set the status of a message by hand'
            cand cancel 'Take messages back before they are sent'
            cand retry 'Send failed or canceled messages again'
            cand delete 'Delete messages for good'
            cand stats 'Count the messages in each state'
            cand tui 'Watch and answer from the terminal'
            cand check 'Verify a store: indexes and counts against the messages'
            cand doctor 'Look at everything a server needs, and say what to mend'
            cand export 'Write messages as lines of JSON, the oldest first'
            cand import 'Take in messages that were exported, without doubles'
            cand backup 'Copy the store, also while the server runs'
            cand compact 'Make the store''s file as small as it can be'
            cand token 'Make a strong token'
            cand completions 'Print the completion script of a shell'
            cand man 'Print a manual page, or write all of them to a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'rechat;serve'= {
            cand --listen 'Address to serve on [env: RECHAT_LISTEN] [default: 127.0.0.1:8080]'
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --token 'Token that clients must show [env: RECHAT_TOKEN]'
            cand --token-file 'File that the token is in [env: RECHAT_TOKEN_FILE]'
            cand --log 'What to log: error, warn, info, debug, trace, or a filter [env: RECHAT_LOG__LEVEL]'
            cand --log-format 'How to log [env: RECHAT_LOG__FORMAT]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --allow-no-token 'Serve an address that others can reach without a token'
            cand --loopback 'Also start an adapter `loopback` that accepts everything, to try things out'
            cand --print-config 'Print every setting in force and where it comes from, and end'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;send'= {
            cand -r 'Receiver: group_<id>, private_<id>, or another conversation'
            cand --recipient 'Receiver: group_<id>, private_<id>, or another conversation'
            cand -p 'Platform, such as qq; found by the conversation where left out'
            cand --platform 'Platform, such as qq; found by the conversation where left out'
            cand -t 'Type of the message'
            cand --type 'Type of the message'
            cand --wait 'Wait until it is sent or has failed, at most SECS seconds [default: 30]'
            cand --idempotency-key 'Send once, however often this is run within 24 h with the same key'
            cand --batch 'Read messages as JSON lines from FILE (`-`: standard input)'
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --json 'Print the message as JSON'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;list'= {
            cand --status 'Only messages in this state'
            cand --platform 'Only messages of this platform'
            cand --conversation 'Only messages of this conversation'
            cand --direction 'Only messages that went out, or came in'
            cand --limit 'How many at most'
            cand --offset 'How many of the newest to pass over'
            cand --before 'Only messages older than this one'
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -f 'Go on with new messages as they come; needs a server'
            cand --follow 'Go on with new messages as they come; needs a server'
            cand --json 'Print the messages as JSON lines'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;get'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --json 'Print the message as JSON'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;set-status'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --json 'Print the message as JSON'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;cancel'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;retry'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;delete'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;stats'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --json 'Print the counts as JSON'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;tui'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;check'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --retry 'First try again to store the events of platforms that were set aside'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;doctor'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --full 'Also read every message and compare the indexes, where no server has the store open'
            cand --json 'Print what was found as JSON lines'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;export'= {
            cand --status 'Only messages in this state'
            cand --platform 'Only messages of this platform'
            cand --conversation 'Only messages of this conversation'
            cand --direction 'Only messages that went out, or came in'
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;import'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;backup'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --server 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]'
            cand --token 'The token of that server [env: RECHAT_TOKEN]'
            cand --ca 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand --force 'Replace the file if it is there'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;compact'= {
            cand --db 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;token'= {
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;completions'= {
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;man'= {
            cand --out 'Write all pages below this folder, to man1 and man5'
            cand --config 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'rechat;help'= {
            cand serve 'Run the server'
            cand send 'Store a message and have it sent'
            cand list 'List messages, the newest first'
            cand get 'Show one message'
            cand set-status 'Set the status of a message by hand'
            cand cancel 'Take messages back before they are sent'
            cand retry 'Send failed or canceled messages again'
            cand delete 'Delete messages for good'
            cand stats 'Count the messages in each state'
            cand tui 'Watch and answer from the terminal'
            cand check 'Verify a store: indexes and counts against the messages'
            cand doctor 'Look at everything a server needs, and say what to mend'
            cand export 'Write messages as lines of JSON, the oldest first'
            cand import 'Take in messages that were exported, without doubles'
            cand backup 'Copy the store, also while the server runs'
            cand compact 'Make the store''s file as small as it can be'
            cand token 'Make a strong token'
            cand completions 'Print the completion script of a shell'
            cand man 'Print a manual page, or write all of them to a folder'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'rechat;help;serve'= {
        }
        &'rechat;help;send'= {
        }
        &'rechat;help;list'= {
        }
        &'rechat;help;get'= {
        }
        &'rechat;help;set-status'= {
        }
        &'rechat;help;cancel'= {
        }
        &'rechat;help;retry'= {
        }
        &'rechat;help;delete'= {
        }
        &'rechat;help;stats'= {
        }
        &'rechat;help;tui'= {
        }
        &'rechat;help;check'= {
        }
        &'rechat;help;doctor'= {
        }
        &'rechat;help;export'= {
        }
        &'rechat;help;import'= {
        }
        &'rechat;help;backup'= {
        }
        &'rechat;help;compact'= {
        }
        &'rechat;help;token'= {
        }
        &'rechat;help;completions'= {
        }
        &'rechat;help;man'= {
        }
        &'rechat;help;help'= {
        }
    ]
    $completions[$command]
}
