//! Beside `ilink-hub`, an implementation of the interface that nobody here wrote: it polls the fake
//! as if that were WeChat, and rechat logs in at the hub.

use crate::bench::{ANN, Bench, WITH_ANN};
use crate::fake::Fake;
use crate::server::{Home, TestServer, agent, eventually};
use crate::tools::program;
use serde_json::json;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::Arc;

/// A hub, ended when dropped.
struct Hub {
    process: Child,
    url: String,
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that is free now; the hub wants to know its own beforehand.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Hub {
    fn start(home: &Home, upstream: &Fake) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        let token = upstream.state().bots[0].token.clone();
        let database = format!("sqlite://{}?mode=rwc", home.path("hub.db").display());
        let binary = program("ilink-hub");
        let arguments = ["serve", "--addr", &address, "--ilink-base-url", &upstream.url()];
        let process = home
            .program(binary.to_str().unwrap(), &arguments)
            .env("HOME", home.path(""))
            .current_dir(home.path(""))
            .env("ILINK_TOKEN", token)
            .env("DATABASE_URL", database)
            .env("ILINK_HUB_MASTER_KEY", "0".repeat(64))
            .env("ILINKHUB_RELAY", "0")
            .env("HUB_PAIR_URL", &url)
            .env("HUB_CLIENT_URL", &url)
            .env("ILINK_ADMIN_INSECURE_NO_AUTH", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let hub = Self { process, url };
        eventually("the hub serves", || {
            agent().get(&format!("{}/health", hub.url)).call().ok().map(drop)
        });
        hub
    }

    /// Confirms a pairing, as a person does on the page that the code leads to.
    fn confirm(&self, page: &str) {
        let text = agent().get(page).call().unwrap().body_mut().read_to_string().unwrap();
        let csrf = text.split_once("const csrf = \"").unwrap().1.split('"').next().unwrap();
        let answer = agent()
            .post(&format!("{page}/confirm"))
            .header("origin", &self.url)
            .header("x-pair-csrf", csrf)
            .header("content-type", "application/json")
            .send(json!({"name": "rechat"}).to_string())
            .unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// Takes the pairing back, though it is in use.
    fn revoke(&self) {
        let url = format!("{}/hub/clients/rechat?force=true", self.url);
        let answer = agent().delete(&url).header("origin", &self.url).call().unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[test]
#[ignore = "needs ilink-hub: tests/run"]
fn a_hub_that_others_wrote_is_logged_in_at_and_chatted_over() {
    let (fake, home) = (Fake::start(), Arc::new(Home::new()));
    fake.new_bot(ANN);
    let hub = Hub::start(&home, &fake);
    home.configure(&format!("[[adapter]]\nkind = 'ilink'\nurl = '{}'\n", hub.url));
    let bench = Bench { fake, server: TestServer::start_in(home, &[]) };
    let (status, login) = bench.server.ask("POST", "/api/login/wechat", None);
    assert_eq!(status, 201, "{login}");
    hub.confirm(login["qrcode"].as_str().unwrap());
    let done = bench.until_login(login["id"].as_str().unwrap(), "done");
    bench.until_account(done["account"].as_str().unwrap(), "Connected");
    let early = bench.make("too early");
    bench.until_waiting(&early, "not written");
    bench.fake.write(0, "hello over the hub");
    assert_eq!(bench.until_inbound(1), ["hello over the hub"]);
    assert_eq!(bench.inbound()[0]["recipient"], WITH_ANN);
    bench.server.until(&early, "Sent");
    eventually("it came to the person", || {
        bench.fake.texts(0).iter().any(|text| text.contains("too early")).then_some(())
    });
    // The hub has no notices, and answers a token that it revoked with an error of HTTP.
    hub.revoke();
    let later = bench.make("later");
    let account = done["account"].as_str().unwrap();
    let shown = bench.until_account(account, "Error");
    assert!(shown["reason"].as_str().unwrap().contains("rechat login wechat"), "{shown}");
    let waits = bench.until_waiting(&later, "log in again");
    assert_eq!((&waits["retry_count"], waits.get("last_error")), (&json!(0), None));
}
