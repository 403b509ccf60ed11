
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'rechat' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'rechat'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'rechat' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the server')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Store a message and have it sent')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List messages, the newest first')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show one message')
            [CompletionResult]::new('set-status', 'set-status', [CompletionResultType]::ParameterValue, 'Set the status of a message by hand')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Take messages back before they are sent')
            [CompletionResult]::new('retry', 'retry', [CompletionResultType]::ParameterValue, 'Send failed or canceled messages again')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete messages for good')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count the messages in each state')
            [CompletionResult]::new('tui', 'tui', [CompletionResultType]::ParameterValue, 'Watch and answer from the terminal')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Verify a store: indexes and counts against the messages')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look at everything a server needs, and say what to mend')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write messages as lines of JSON, the oldest first')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in messages that were exported, without doubles')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the store, also while the server runs')
            [CompletionResult]::new('compact', 'compact', [CompletionResultType]::ParameterValue, 'Make the store''s file as small as it can be')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make a strong token')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a manual page, or write all of them to a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'rechat;serve' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address to serve on [env: RECHAT_LISTEN] [default: 127.0.0.1:8080]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Token that clients must show [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'File that the token is in [env: RECHAT_TOKEN_FILE]')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'What to log: error, warn, info, debug, trace, or a filter [env: RECHAT_LOG__LEVEL]')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How to log [env: RECHAT_LOG__FORMAT]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--allow-no-token', '--allow-no-token', [CompletionResultType]::ParameterName, 'Serve an address that others can reach without a token')
            [CompletionResult]::new('--loopback', '--loopback', [CompletionResultType]::ParameterName, 'Also start an adapter `loopback` that accepts everything, to try things out')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every setting in force and where it comes from, and end')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;send' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Receiver: group_<id>, private_<id>, or another conversation')
            [CompletionResult]::new('--recipient', '--recipient', [CompletionResultType]::ParameterName, 'Receiver: group_<id>, private_<id>, or another conversation')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Platform, such as qq; found by the conversation where left out')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Platform, such as qq; found by the conversation where left out')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Type of the message')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Type of the message')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until it is sent or has failed, at most SECS seconds [default: 30]')
            [CompletionResult]::new('--idempotency-key', '--idempotency-key', [CompletionResultType]::ParameterName, 'Send once, however often this is run within 24 h with the same key')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Read messages as JSON lines from FILE (`-`: standard input)')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the message as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;list' {
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only messages in this state')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Only messages of this platform')
            [CompletionResult]::new('--conversation', '--conversation', [CompletionResultType]::ParameterName, 'Only messages of this conversation')
            [CompletionResult]::new('--direction', '--direction', [CompletionResultType]::ParameterName, 'Only messages that went out, or came in')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'How many at most')
            [CompletionResult]::new('--offset', '--offset', [CompletionResultType]::ParameterName, 'How many of the newest to pass over')
            [CompletionResult]::new('--before', '--before', [CompletionResultType]::ParameterName, 'Only messages older than this one')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with new messages as they come; needs a server')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with new messages as they come; needs a server')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the messages as JSON lines')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;get' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the message as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;set-status' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the message as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;cancel' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;retry' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;delete' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;stats' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the counts as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;tui' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;check' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'First try again to store the events of platforms that were set aside')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;doctor' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--full', '--full', [CompletionResultType]::ParameterName, 'Also read every message and compare the indexes, where no server has the store open')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what was found as JSON lines')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;export' {
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only messages in this state')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Only messages of this platform')
            [CompletionResult]::new('--conversation', '--conversation', [CompletionResultType]::ParameterName, 'Only messages of this conversation')
            [CompletionResult]::new('--direction', '--direction', [CompletionResultType]::ParameterName, 'Only messages that went out, or came in')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;import' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;backup' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of that server [env: RECHAT_TOKEN]')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Certificate to trust over HTTPS beside the system''s, as PEM [env: RECHAT_CA]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace the file if it is there')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;compact' {
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'The store''s file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;token' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;completions' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;man' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write all pages below this folder, to man1 and man5')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'rechat;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the server')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Store a message and have it sent')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List messages, the newest first')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Show one message')
            [CompletionResult]::new('set-status', 'set-status', [CompletionResultType]::ParameterValue, 'Set the status of a message by hand')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Take messages back before they are sent')
            [CompletionResult]::new('retry', 'retry', [CompletionResultType]::ParameterValue, 'Send failed or canceled messages again')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete messages for good')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Count the messages in each state')
            [CompletionResult]::new('tui', 'tui', [CompletionResultType]::ParameterValue, 'Watch and answer from the terminal')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Verify a store: indexes and counts against the messages')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look at everything a server needs, and say what to mend')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write messages as lines of JSON, the oldest first')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in messages that were exported, without doubles')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the store, also while the server runs')
            [CompletionResult]::new('compact', 'compact', [CompletionResultType]::ParameterValue, 'Make the store''s file as small as it can be')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Make a strong token')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a manual page, or write all of them to a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'rechat;help;serve' {
            break
        }
        'rechat;help;send' {
            break
        }
        'rechat;help;list' {
            break
        }
        'rechat;help;get' {
            break
        }
        'rechat;help;set-status' {
            break
        }
        'rechat;help;cancel' {
            break
        }
        'rechat;help;retry' {
            break
        }
        'rechat;help;delete' {
            break
        }
        'rechat;help;stats' {
            break
        }
        'rechat;help;tui' {
            break
        }
        'rechat;help;check' {
            break
        }
        'rechat;help;doctor' {
            break
        }
        'rechat;help;export' {
            break
        }
        'rechat;help;import' {
            break
        }
        'rechat;help;backup' {
            break
        }
        'rechat;help;compact' {
            break
        }
        'rechat;help;token' {
            break
        }
        'rechat;help;completions' {
            break
        }
        'rechat;help;man' {
            break
        }
        'rechat;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
