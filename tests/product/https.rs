//! Our own client over HTTPS: whom it trusts, and what it says where it cannot.

use crate::server::{DEADLINE, Home, TestServer, eventually};
use crate::tui::tui;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A server with a certificate for `localhost`, and what its clients may trust.
struct Secure {
    server: TestServer,
    /// The server's own certificate.
    own: PathBuf,
    /// That of who issued it, where that is somebody else.
    issuer: PathBuf,
    port: String,
}

/// A certificate that calls itself an issuer, and its key.
fn authority() -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params, KeyPair::generate().unwrap())
}

impl Secure {
    /// With a certificate that somebody issued.
    fn start(configuration: &str) -> Self {
        let (params, key) = authority();
        let issuer = rcgen::Issuer::from_params(&params, &key);
        let own_key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&own_key, &issuer).unwrap();
        let root = params.self_signed(&key).unwrap();
        Self::serve(configuration, &own.pem(), &own_key, &root.pem())
    }

    /// With one that issued itself and says so, as `openssl req -x509` makes it.
    fn start_self_signed() -> Self {
        let (params, key) = authority();
        let own = params.self_signed(&key).unwrap().pem();
        Self::serve("", &own, &key, &own)
    }

    fn serve(configuration: &str, own: &str, key: &KeyPair, issuer: &str) -> Self {
        let home = Arc::new(Home::new());
        let write = |name: &str, text: &str| {
            let file = home.path(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let own = write("own.pem", own);
        let issuer = write("issuer.pem", issuer);
        let key = write("key.pem", &key.serialize_pem());
        let files = format!("certificate = '{}'\nkey = '{}'", own.display(), key.display());
        home.configure(&format!("{configuration}\n[tls]\n{files}\n"));
        let server = TestServer::start_in(home, &["--token", "secret"]);
        let port = server.address.rsplit_once(':').unwrap().1.to_owned();
        Self { server, own, issuer, port }
    }

    /// A command of another host, which knows nothing but what the environment says.
    fn client(&self, elsewhere: &Home, arguments: &[&str]) -> Command {
        let mut command = elsewhere.command(arguments);
        command.env("RECHAT_SERVER", format!("https://localhost:{}", self.port));
        command.env("RECHAT_TOKEN", "secret").env("RECHAT_CA", &self.issuer);
        command
    }
}

/// Runs a command, which has to succeed.
fn ok(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command, which has to fail, and gives its words.
fn fails(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn commands_work_over_https_with_the_certificate_of_who_issued_it() {
    let secure = Secure::start("");
    let elsewhere = Home::new();
    ok(secure
        .client(&elsewhere, &["send", "-r", "group_1", "-p", "nowhere", "--new", "over HTTPS"]));
    let url = format!("https://localhost:{}/", secure.port);
    let ca = secure.issuer.to_str().unwrap();
    let all = ["list", "--json", "--server", &url, "--token", "secret", "--ca", ca];
    let listed: Value = serde_json::from_str(&elsewhere.ok(&all)).unwrap();
    assert_eq!(listed["content"], "over HTTPS");
    let mut by_the_system = secure.client(&elsewhere, &["stats", "--json"]);
    by_the_system.env_remove("RECHAT_CA").env("SSL_CERT_FILE", &secure.issuer);
    let stats: Value = serde_json::from_str(&ok(by_the_system)).unwrap();
    assert_eq!(stats["total"], 1);
}

#[test]
fn a_client_that_has_closed_its_side_of_tls_gets_its_answer() {
    let secure = Secure::start("");
    let issuer = CertificateDer::from_pem_file(&secure.issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(issuer).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    for shuts_tcp in [false, true] {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        let tcp = TcpStream::connect(&secure.server.address).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = StreamOwned::new(tls, tcp);
        let request =
            "GET /api/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n";
        client.write_all(request.as_bytes()).unwrap();
        client.conn.send_close_notify();
        client.flush().unwrap();
        if shuts_tcp {
            client.sock.shutdown(Shutdown::Write).unwrap();
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 ") && answer.contains("\"total\":"), "{answer}");
    }
}

#[test]
fn a_certificate_that_issued_itself_is_trusted_by_name() {
    let secure = Secure::start_self_signed();
    let elsewhere = Home::new();
    ok(secure.client(&elsewhere, &["stats"]));
    let mut wrong_name = secure.client(&elsewhere, &["stats"]);
    wrong_name.env("RECHAT_SERVER", format!("https://127.0.0.1:{}", secure.port));
    let error = fails(wrong_name);
    assert!(error.contains("not valid for name") && error.contains("localhost"), "{error}");
    let another = Secure::start_self_signed();
    let mut not_that_one = secure.client(&elsewhere, &["stats"]);
    not_that_one.env("RECHAT_CA", &another.own);
    fails(not_that_one);
}

#[test]
fn the_page_is_opened_by_a_name_that_the_certificate_has() {
    let secure = Secure::start("");
    let told = secure.server.home.ok(&["open", "--print"]);
    assert!(told.starts_with(&format!("https://localhost:{}/#", secure.port)), "{told}");
}

#[test]
fn a_proxys_path_is_kept() {
    let secure = Secure::start("prefix = '/rechat'");
    let elsewhere = Home::new();
    let mut below = secure.client(&elsewhere, &["stats", "--json"]);
    below.env("RECHAT_SERVER", format!("https://localhost:{}/rechat/", secure.port));
    ok(below);
    let mut elsewhere_below = secure.client(&elsewhere, &["stats"]);
    elsewhere_below.env("RECHAT_SERVER", format!("https://localhost:{}/other", secure.port));
    assert!(fails(elsewhere_below).contains("is it a rechat server"));
}

#[test]
fn what_is_wrong_is_said_and_what_to_do() {
    let secure = Secure::start("");
    let elsewhere = Home::new();
    let mut unknown = secure.client(&elsewhere, &["stats"]);
    unknown.env_remove("RECHAT_CA");
    let error = fails(unknown);
    assert!(error.contains("issuer of its certificate") && error.contains("--ca"), "{error}");

    let mut plain = secure.client(&elsewhere, &["stats"]);
    plain.env("RECHAT_SERVER", format!("http://localhost:{}", secure.port));
    let error = fails(plain);
    assert!(error.contains("write https://"), "{error}");

    let plain_server = TestServer::start();
    let mut too_secure = secure.client(&elsewhere, &["stats"]);
    too_secure.env("RECHAT_SERVER", format!("https://{}", plain_server.address));
    let error = fails(too_secure);
    assert!(error.contains("does not speak HTTPS") && error.contains("http://"), "{error}");

    for (text, says) in [(None, "No such file"), (Some("no PEM"), "there is none in it")] {
        let file = elsewhere.path("ca.pem");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let mut command = secure.client(&elsewhere, &["stats"]);
        command.env("RECHAT_CA", &file);
        let error = fails(command);
        assert!(error.contains(says) && error.contains("ca.pem"), "{error}");
    }
}

#[test]
fn who_follows_over_https_hears_what_comes() {
    let secure = Secure::start("");
    let elsewhere = Home::new();
    let heard = elsewhere.path("heard");
    let mut command = secure.client(&elsewhere, &["list", "--follow", "--json"]);
    command.stdout(std::fs::File::create(&heard).unwrap()).stderr(Stdio::null());
    let mut follower = command.spawn().unwrap();
    eventually("it is heard", || {
        // Again and again, for nobody says when the follower has begun to listen.
        ok(secure.client(&elsewhere, &["send", "-r", "g", "-p", "nowhere", "--new", "live"]));
        std::fs::read_to_string(&heard).unwrap().contains("live").then_some(())
    });
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn the_terminal_client_hears_and_sends_over_https() {
    let secure = Secure::start("");
    let elsewhere = Home::new();
    let url = format!("https://localhost:{}", secure.port);
    let refused = tui(&elsewhere, &["--server", &url, "--token", "secret"]);
    refused.sees("issuer of its certificate");
    let ca = secure.issuer.to_str().unwrap();
    let arguments = ["--server", &url, "--token", "secret", "--ca", ca];
    let mut screen = tui(&elsewhere, &arguments);
    ok(secure.client(
        &elsewhere,
        &["send", "-r", "group_1", "-p", "nowhere", "--new", "the first word"],
    ));
    screen.sees("the first word");
    screen.press("j\r");
    screen.sees("Enter: send");
    screen.press("an answer\r");
    eventually("the answer is there", || {
        let listed = ok(secure.client(&elsewhere, &["list", "--json"]));
        listed.contains("an answer").then_some(())
    });
    ok(secure
        .client(&elsewhere, &["send", "-r", "group_1", "-p", "nowhere", "--new", "came live"]));
    screen.sees("came live");
}
