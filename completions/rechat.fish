# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_rechat_global_optspecs
    string join \n config= h/help V/version
end

function __fish_rechat_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_rechat_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_rechat_using_subcommand
    set -l cmd (__fish_rechat_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c rechat -n "__fish_rechat_needs_command" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_needs_command" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_needs_command" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "serve" -d 'Run the server'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "send" -d 'Store a message and have it sent'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "list" -d 'List messages, the newest first'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "get" -d 'Show one message'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "set-status" -d 'Set the status of a message by hand'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "cancel" -d 'Take messages back before they are sent'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "retry" -d 'Send failed or canceled messages again'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "delete" -d 'Delete messages for good'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "stats" -d 'Count the messages in each state'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "tui" -d 'Watch and answer from the terminal'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "check" -d 'Verify a store: indexes and counts against the messages'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "doctor" -d 'Look at everything a server needs, and say what to mend'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "export" -d 'Write messages as lines of JSON, the oldest first'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "import" -d 'Take in messages that were exported, without doubles'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "backup" -d 'Copy the store, also while the server runs'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "compact" -d 'Make the store\'s file as small as it can be'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "token" -d 'Make a strong token'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "man" -d 'Print a manual page, or write all of them to a folder'
complete -c rechat -n "__fish_rechat_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l listen -d 'Address to serve on [env: RECHAT_LISTEN] [default: 127.0.0.1:8080]' -r
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l token -d 'Token that clients must show [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l token-file -d 'File that the token is in [env: RECHAT_TOKEN_FILE]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l log -d 'What to log: error, warn, info, debug, trace, or a filter [env: RECHAT_LOG__LEVEL]' -r
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l log-format -d 'How to log [env: RECHAT_LOG__FORMAT]' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l allow-no-token -d 'Serve an address that others can reach without a token'
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l loopback -d 'Also start an adapter `loopback` that accepts everything, to try things out'
complete -c rechat -n "__fish_rechat_using_subcommand serve" -l print-config -d 'Print every setting in force and where it comes from, and end'
complete -c rechat -n "__fish_rechat_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rechat -n "__fish_rechat_using_subcommand serve" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand send" -s r -l recipient -d 'Receiver: group_<id>, private_<id>, or another conversation' -r
complete -c rechat -n "__fish_rechat_using_subcommand send" -s p -l platform -d 'Platform, such as qq; found by the conversation where left out' -r
complete -c rechat -n "__fish_rechat_using_subcommand send" -s t -l type -d 'Type of the message' -r -f -a "Text\t''
Image\t''
File\t''
Video\t''
Audio\t''"
complete -c rechat -n "__fish_rechat_using_subcommand send" -l wait -d 'Wait until it is sent or has failed, at most SECS seconds [default: 30]' -r
complete -c rechat -n "__fish_rechat_using_subcommand send" -l idempotency-key -d 'Send once, however often this is run within 24 h with the same key' -r
complete -c rechat -n "__fish_rechat_using_subcommand send" -l batch -d 'Read messages as JSON lines from FILE (`-`: standard input)' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand send" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand send" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand send" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand send" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand send" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand send" -l json -d 'Print the message as JSON'
complete -c rechat -n "__fish_rechat_using_subcommand send" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand send" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand list" -l status -d 'Only messages in this state' -r -f -a "Pending\t'Stored, and waits to be sent'
Sending\t'Claimed by the outbox: an attempt is under way'
Sent\t'Confirmed by the platform, or received from it'
Failed\t'Given up; `last_error` says why'
Canceled\t'Taken back before it was sent'"
complete -c rechat -n "__fish_rechat_using_subcommand list" -l platform -d 'Only messages of this platform' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l conversation -d 'Only messages of this conversation' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l direction -d 'Only messages that went out, or came in' -r -f -a "Outbound\t''
Inbound\t''"
complete -c rechat -n "__fish_rechat_using_subcommand list" -l limit -d 'How many at most' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l offset -d 'How many of the newest to pass over' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l before -d 'Only messages older than this one' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand list" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand list" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand list" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand list" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand list" -s f -l follow -d 'Go on with new messages as they come; needs a server'
complete -c rechat -n "__fish_rechat_using_subcommand list" -l json -d 'Print the messages as JSON lines'
complete -c rechat -n "__fish_rechat_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rechat -n "__fish_rechat_using_subcommand list" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand get" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand get" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand get" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand get" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand get" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand get" -l json -d 'Print the message as JSON'
complete -c rechat -n "__fish_rechat_using_subcommand get" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand get" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -l json -d 'Print the message as JSON'
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rechat -n "__fish_rechat_using_subcommand set-status" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand cancel" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand retry" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand retry" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand retry" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand retry" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand retry" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand retry" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand retry" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand delete" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand delete" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand delete" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand delete" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand delete" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand delete" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand delete" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand stats" -l json -d 'Print the counts as JSON'
complete -c rechat -n "__fish_rechat_using_subcommand stats" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand stats" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand tui" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand tui" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand tui" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand tui" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand tui" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand tui" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand tui" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand check" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand check" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand check" -l retry -d 'First try again to store the events of platforms that were set aside'
complete -c rechat -n "__fish_rechat_using_subcommand check" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand check" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -l full -d 'Also read every message and compare the indexes, where no server has the store open'
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -l json -d 'Print what was found as JSON lines'
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand export" -l status -d 'Only messages in this state' -r -f -a "Pending\t'Stored, and waits to be sent'
Sending\t'Claimed by the outbox: an attempt is under way'
Sent\t'Confirmed by the platform, or received from it'
Failed\t'Given up; `last_error` says why'
Canceled\t'Taken back before it was sent'"
complete -c rechat -n "__fish_rechat_using_subcommand export" -l platform -d 'Only messages of this platform' -r
complete -c rechat -n "__fish_rechat_using_subcommand export" -l conversation -d 'Only messages of this conversation' -r
complete -c rechat -n "__fish_rechat_using_subcommand export" -l direction -d 'Only messages that went out, or came in' -r -f -a "Outbound\t''
Inbound\t''"
complete -c rechat -n "__fish_rechat_using_subcommand export" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand export" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand export" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand export" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand export" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rechat -n "__fish_rechat_using_subcommand export" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand import" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand import" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand import" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand import" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand import" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand import" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand import" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l server -d 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]' -r -f
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l token -d 'The token of that server [env: RECHAT_TOKEN]' -r
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l ca -d 'Certificate to trust over HTTPS beside the system\'s, as PEM [env: RECHAT_CA]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand backup" -l force -d 'Replace the file if it is there'
complete -c rechat -n "__fish_rechat_using_subcommand backup" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand backup" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand compact" -l db -d 'The store\'s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand compact" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand compact" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand compact" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand token" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand token" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand token" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand completions" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand completions" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand completions" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand man" -l out -d 'Write all pages below this folder, to man1 and man5' -r -f -a "(__fish_complete_directories)"
complete -c rechat -n "__fish_rechat_using_subcommand man" -l config -d 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]' -r -F
complete -c rechat -n "__fish_rechat_using_subcommand man" -s h -l help -d 'Print help'
complete -c rechat -n "__fish_rechat_using_subcommand man" -s V -l version -d 'Print version'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "serve" -d 'Run the server'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "send" -d 'Store a message and have it sent'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "list" -d 'List messages, the newest first'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "get" -d 'Show one message'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "set-status" -d 'Set the status of a message by hand'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "cancel" -d 'Take messages back before they are sent'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "retry" -d 'Send failed or canceled messages again'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "delete" -d 'Delete messages for good'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "stats" -d 'Count the messages in each state'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "tui" -d 'Watch and answer from the terminal'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "check" -d 'Verify a store: indexes and counts against the messages'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "doctor" -d 'Look at everything a server needs, and say what to mend'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "export" -d 'Write messages as lines of JSON, the oldest first'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "import" -d 'Take in messages that were exported, without doubles'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "backup" -d 'Copy the store, also while the server runs'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "compact" -d 'Make the store\'s file as small as it can be'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "token" -d 'Make a strong token'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "man" -d 'Print a manual page, or write all of them to a folder'
complete -c rechat -n "__fish_rechat_using_subcommand help; and not __fish_seen_subcommand_from serve send list get set-status cancel retry delete stats tui check doctor export import backup compact token completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
