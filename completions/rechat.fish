complete --keep-order --exclusive --command rechat --arguments "(COMPLETE=fish rechat -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
