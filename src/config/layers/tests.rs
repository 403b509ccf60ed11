use super::*;
use crate::config::Secret;

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    (folder, Sources { file, file_was_named: true, ..Sources::default() })
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let (_folder, mut sources) =
        with_file("default_platform = 'a'\nlisten = '127.0.0.1:1'\n[limits]\nbody_bytes = 5\n");
    sources.environment = vec![
        ("RECHAT_LISTEN".into(), "127.0.0.1:2".into()),
        ("RECHAT_LIMITS__HEAD_SECONDS".into(), "7".into()),
        ("RECHAT_TOKEN".into(), "12345".into()),
        ("RECHAT_DB".into(), "/x".into()),
    ];
    sources.flags = vec![("listen", "--listen", Value::String("127.0.0.1:3".into()))];
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!(loaded.config.limits.head_seconds, 7);
    assert_eq!(loaded.config.limits.body_bytes, 5);
    assert_eq!(loaded.config.token, Some(Secret::new("12345")));
    let described = loaded.describe().unwrap();
    assert!(described.contains("# --listen"), "{described}");
    assert!(described.contains("# RECHAT_LIMITS__HEAD_SECONDS"), "{described}");
    assert!(!described.contains("12345"), "{described}");
}

#[test]
fn secrets_of_bots_and_adapters_are_not_printed() {
    let (_folder, sources) = with_file(
        "[[bot]]\nname = 'a'\nkind = 'onebot11'\ntoken = 'hidden'\n\
         url = 'ws://me:hidden@127.0.0.1:1/ws?access_token=hidden'\n\
         [[adapter]]\nkind = 'onebot11'\nplatform = 'qq'\ntoken = 'hidden'\n\
         url = 'ws://127.0.0.1:2/?access_token=hidden'\n\
         [media]\nurl = 'http://me:hidden@127.0.0.1:3'\n",
    );
    let printed = load(&sources).unwrap().describe().unwrap();
    assert!(!printed.contains("hidden"), "{printed}");
    let shown = "bot[0].url = \"ws://***@127.0.0.1:1/ws?access_token=***\"";
    assert!(printed.contains(shown), "{printed}");
}

#[test]
fn mistakes_are_told_by_name_and_place() {
    for (text, wanted) in [
        ("listen = '127.0.0.1:1'\nlisten_on = 3", ["line 2", "listen_on"]),
        ("\n\nlisten = 5", ["line 3: `listen`: ", "invalid type"]),
        ("listen = 'x'", ["`listen`: ", "for example `listen = \"0.0.0.0:8080\"`"]),
        ("[limits]\nbody_bytes = 'x'", ["line 2", "`body_bytes`"]),
        ("[limits]\nbody_bytes = 'x'", ["line 2", "expected a whole number"]),
        ("[limits", ["line 1", "unclosed"]),
        ("log = ['warn']", ["line 1: `log`", "expected a table"]),
        ("\ncluster = ['a', 'b']", ["line 2: `cluster`", "expected a table"]),
        ("[retention]\ndays = -1", ["line 2: `retention.days`", "0 or more"]),
        ("\nprefix = 'rechat'", ["line 2: `prefix`", "begin with"]),
        ("log.level = 'verbose'", ["line 1: `log.level`", "no level"]),
        ("[[adapter]]\nkind = 'icq'", ["line 2: `kind` is `icq`", "onebot11"]),
        ("[[bot]]\nname = 'a'\nkind = 'x'", ["line 3", "`kind`"]),
        ("cors_origins = ['https://app.example/']", ["cors_origins", "app.example/"]),
        ("cors_origins = ['app.example']", ["cors_origins", "not an origin"]),
    ] {
        let (_folder, sources) = with_file(text);
        let error = load(&sources).unwrap_err().to_string();
        assert!(wanted.iter().all(|w| error.contains(w)), "{error}");
    }
    let (_folder, mut sources) = with_file("");
    for (variable, value) in [("RECHAT_LISTEN", "x"), ("RECHAT_RETENTION__DAYS", "-1")] {
        sources.environment = vec![(variable.into(), value.into())];
        let error = load(&sources).unwrap_err().to_string();
        assert!(error.contains(variable), "{error}");
    }
}

#[test]
fn variables_that_are_no_keys_are_warned_of_by_name() {
    let (_folder, mut sources) = with_file("");
    let names = ["RECHAT_PORT", "RECHAT_SERVICE_HOST", "RECHAT_PORT_8080_TCP", "RECHAT_LISTN"];
    sources.environment = names.map(|name| (name.into(), "tcp://10.0.0.1:8080".into())).into();
    sources.environment.push(("RECHAT_LIMITS__EXPORTS".into(), "3".into()));
    assert_eq!(load(&sources).unwrap().config.limits.exports, 3);
    let warnings: Vec<_> = sources.warnings().collect();
    assert_eq!(warnings.len(), names.len(), "{warnings:?}");
    assert!(warnings.iter().zip(names).all(|(warning, name)| warning.contains(name)));
}
