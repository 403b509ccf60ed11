//! A fake of WeChat's bot interface, written from the facts that are known of it: logins, the long
//! poll and its cursor, reply tokens, the quota, the window, ended sessions, the file servers; and
//! faults, at will.

use crate::http::{Answer, Request, serve};
use crate::server::eventually;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a poll is held.
const HOLD: Duration = Duration::from_secs(20);

/// The end of a connection is seen a little after it; polls that overlap for longer are two pollers.
const OVERLAP: Duration = Duration::from_secs(1);

/// The ID of the first message: one that no float holds.
const FIRST_ID: u64 = 7_497_484_083_968_569_737;

/// The fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// The connection ends before anything was done.
    DropBefore,
    /// Nothing is done, and nothing answered until the client has gone.
    HoldBefore,
    /// Nothing is done until the test takes it out of those that are held.
    Wait,
    /// It is done, and not answered until the client has gone.
    HoldAfter,
    /// It is done, and the connection ends.
    DropAfter,
    /// It is done, and half of the answer comes.
    Half,
    /// It is done, and the answer comes later.
    Slow(Duration),
    /// Nothing is done; this HTTP status.
    Status(u16),
    /// Nothing is done; this `ret`.
    Ret(i64),
    /// Nothing is done; this `errcode`.
    Errcode(i64),
    /// Nothing is done; this body, with the status of a success.
    Body(&'static str),
}

/// A bot of one person.
pub struct Bot {
    pub account: String,
    pub user: String,
    pub token: String,
    /// The session ended.
    pub is_ended: bool,
    /// Everything that its person wrote, in order; a cursor is a number of these.
    inbox: Vec<Value>,
    /// The token of each message; only the newest is good.
    tokens: u64,
    /// Sends since the person's last message.
    sends: usize,
    /// Sends that each message of the person allows.
    pub quota: usize,
    /// The 24 hours are over.
    pub is_closed: bool,
    /// Messages that were taken, as they came.
    pub taken: Vec<Value>,
    /// The ID of the newest that was taken.
    pub last_id: u64,
    /// Every send, refused ones too.
    pub attempts: usize,
    polls: usize,
    /// The most polls that were open at a time.
    pub most_polls: usize,
    /// Whether a poll has lasted so long that another beside it would have been counted.
    pub has_settled: bool,
    /// Notices that polling begins and ends.
    pub notices: Vec<&'static str>,
    /// Each status of typing that was shown: 1 begins, 2 ends.
    pub typing: Vec<Value>,
}

/// A code to log in with.
#[derive(Default)]
pub struct Code {
    /// States that are told, one for each look; the last stays.
    pub states: VecDeque<Value>,
    /// Looks that were answered, with the digits that came along.
    pub looks: Vec<Option<String>>,
}

#[derive(Default)]
pub struct State {
    pub bots: Vec<Bot>,
    /// Accounts whose polls are answered with something else than the interface answers.
    pub garbled: Vec<String>,
    /// Codes that were given out, by name.
    pub codes: Vec<Code>,
    /// The states of each new code.
    pub next_codes: VecDeque<Vec<Value>>,
    /// Tokens that came along when a code was asked for.
    pub held_tokens: Vec<Value>,
    /// Faults of the next calls, by the last part of their path.
    pub faults: HashMap<&'static str, VecDeque<Fault>>,
    /// A success tells no `message_id`.
    pub hides_ids: bool,
    /// The `message_id` of every success, whichever message it is.
    pub same_id: Option<u64>,
    /// A success has an empty body.
    pub is_silent: bool,
    next_id: u64,
    /// Files that were put: their bytes, by reference.
    pub files: HashMap<String, Vec<u8>>,
    /// Requests for an upload.
    pub uploads: Vec<Value>,
    /// How putting a file fails, and for how many times.
    pub file_faults: VecDeque<u16>,
    /// Calls that are held, by the last part of their path.
    pub held: Vec<String>,
    /// There are no notices that polling begins and ends, and a wrong token is an error of HTTP.
    pub is_plain: bool,
    /// Where files are to be put, other than the file servers of the configuration.
    pub upload_address: Option<String>,
    /// Errors in requests.
    pub complaints: Vec<String>,
}

/// The fake; one for each test.
#[derive(Clone)]
pub struct Fake {
    pub address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Fake {
    pub fn start() -> Self {
        let shared: Arc<Shared> = Arc::default();
        shared.lock().next_id = FIRST_ID;
        let serving = shared.clone();
        let address = serve(Arc::new(move |request| serving.answer(request)));
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `[[adapter]]` entry that leads here.
    pub fn entry(&self, more: &str) -> String {
        let url = self.url();
        format!("[[adapter]]\nkind = 'ilink'\nurl = '{url}'\ncdn = '{url}/c2c'\n{more}\n")
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Changes the state, and wakes who waits.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.shared.lock());
        self.shared.changed.notify_all();
        changed
    }

    /// Makes a bot for a person; gives the answer that confirms its login.
    pub fn new_bot(&self, user: &str) -> Value {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let (account, token) =
            (format!("{random}@im.bot"), format!("{random}@im.bot:secret-{random}"));
        let bot = Bot {
            account: account.clone(),
            user: user.to_owned(),
            token: token.clone(),
            is_ended: false,
            inbox: Vec::new(),
            tokens: 0,
            sends: 0,
            quota: 10,
            is_closed: false,
            taken: Vec::new(),
            last_id: 0,
            attempts: 0,
            polls: 0,
            most_polls: 0,
            has_settled: false,
            notices: Vec::new(),
            typing: Vec::new(),
        };
        self.change(|state| {
            for old in state.bots.iter_mut().filter(|old| old.user == user) {
                old.is_ended = true;
            }
            state.bots.push(bot);
        });
        json!({
            "status": "confirmed", "bot_token": token, "ilink_bot_id": account,
            "ilink_user_id": user, "baseurl": self.url(),
        })
    }

    /// The states of the next code, one for each request.
    pub fn next_code(&self, states: Vec<Value>) {
        self.change(|state| state.next_codes.push_back(states));
    }

    /// Lets the next calls of a kind fail.
    pub fn fail(&self, call: &'static str, faults: &[Fault]) {
        self.change(|state| state.faults.entry(call).or_default().extend(faults));
    }

    /// Waits until a call is held.
    pub fn until_held(&self, call: &str) {
        eventually(&format!("{call} is held"), || {
            self.state().held.iter().any(|held| held == call).then_some(())
        });
    }

    /// Whether faults are left.
    pub fn has_faults(&self) -> bool {
        self.state().faults.values().any(|faults| !faults.is_empty())
    }

    /// A person writes.
    pub fn write(&self, bot: usize, text: &str) -> Value {
        self.tell(bot, json!([{"type": 1, "text_item": {"text": text}}]))
    }

    /// A person sends items.
    #[allow(clippy::needless_pass_by_value, reason = "it reads better")]
    pub fn tell(&self, bot: usize, items: Value) -> Value {
        self.change(|state| {
            let id = state.new_id();
            let bot = &mut state.bots[bot];
            bot.tokens += 1;
            (bot.sends, bot.is_closed) = (0, false);
            let message = json!({
                "seq": bot.inbox.len(), "message_id": id,
                "from_user_id": bot.user, "to_user_id": bot.account,
                "create_time_ms": 1_790_000_000_000_u64 + id - FIRST_ID,
                "message_type": 1, "message_state": 2, "item_list": items,
                "context_token": format!("context {} {}", bot.account, bot.tokens),
            });
            bot.inbox.push(message.clone());
            message
        })
    }

    /// Tells a message once more, perhaps changed.
    pub fn tell_again(&self, bot: usize, message: Value) {
        self.change(|state| state.bots[bot].inbox.push(message));
    }

    /// The texts that a person got.
    pub fn texts(&self, bot: usize) -> Vec<String> {
        let state = self.state();
        let text = |message: &Value| {
            message["item_list"][0]["text_item"]["text"].as_str().map(str::to_owned)
        };
        state.bots[bot].taken.iter().filter_map(text).collect()
    }
}

impl State {
    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn fault(&mut self, call: &str) -> Option<Fault> {
        self.faults.get_mut(call)?.pop_front()
    }

    fn bot(&mut self, token: &str) -> Option<&mut Bot> {
        self.bots.iter_mut().find(|bot| bot.token == token && !bot.is_ended)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Answer {
        let call = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        let is_file = request.path.starts_with("/c2c/");
        if !is_file {
            self.check(request);
        }
        let fault = self.lock().fault(&call);
        match fault {
            Some(Fault::DropBefore) => return Answer::Drop,
            Some(Fault::HoldBefore) => return self.hold(&call, request),
            Some(Fault::Wait) => self.wait(&call, request),
            Some(Fault::Status(status)) => return Answer::status(status),
            Some(Fault::Ret(code)) => return Answer::Json(json!({"ret": code, "errmsg": "no"})),
            Some(Fault::Errcode(code)) => return Answer::Json(json!({"errcode": code})),
            Some(Fault::Body(body)) => {
                return Answer::Raw { status: 200, headers: Vec::new(), body: body.into() };
            }
            _ => {}
        }
        let answer = match &*call {
            _ if is_file => self.file(request),
            "notifystart" | "notifystop" if self.lock().is_plain => Answer::status(404),
            "get_bot_qrcode" => self.code(request),
            "get_qrcode_status" => self.code_status(request),
            "notifystart" | "notifystop" => self.notice(request, call == "notifystart"),
            "getupdates" => self.updates(request),
            "sendmessage" => self.take(request),
            "getuploadurl" => self.upload_url(request),
            "getconfig" => self.config(request),
            "sendtyping" => self.typing(request),
            _ => Answer::status(404),
        };
        match (fault, answer) {
            (Some(Fault::DropAfter), _) => Answer::Drop,
            (Some(Fault::HoldAfter), _) => self.hold(&call, request),
            (_, Answer::Json(told)) if told == ended() && self.lock().is_plain => {
                let body = json!({"ret": 401, "errmsg": "unknown token"}).to_string().into();
                Answer::Raw { status: 401, headers: Vec::new(), body }
            }
            (Some(Fault::Half), Answer::Json(value)) => Answer::Half(value),
            (Some(Fault::Slow(time)), answer) => {
                std::thread::sleep(time);
                answer
            }
            (_, answer) => answer,
        }
    }

    /// Tells the test of a call, and waits for its client to go.
    fn hold(&self, call: &str, request: &Request) -> Answer {
        self.lock().held.push(call.to_owned());
        while !request.is_gone() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Answer::Drop
    }

    /// Tells the test of a call, and waits until it may go on or its client has gone.
    fn wait(&self, call: &str, request: &Request) {
        self.lock().held.push(call.to_owned());
        while self.lock().held.iter().any(|held| held == call) && !request.is_gone() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Notes what a request lacks.
    fn check(&self, request: &Request) {
        let mut wrong = Vec::new();
        if request.header("ilink-app-id") != "bot"
            || request.header("ilink-app-clientversion").parse::<u32>().is_err()
        {
            wrong.push("the headers of the app");
        }
        if request.method == "POST" {
            let number = BASE64_STANDARD.decode(request.header("x-wechat-uin")).ok();
            let number = number.and_then(|bytes| String::from_utf8(bytes).ok());
            if number.is_none_or(|number| number.parse::<u32>().is_err()) {
                wrong.push("X-WECHAT-UIN");
            }
            if request.header("authorizationtype") != "ilink_bot_token" {
                wrong.push("AuthorizationType");
            }
            if request.header("content-type") != "application/json" {
                wrong.push("Content-Type");
            }
            if !request.path.ends_with("get_bot_qrcode")
                && request.json()["base_info"]["channel_version"].as_str().is_none()
            {
                wrong.push("base_info");
            }
        }
        let wrong = wrong.into_iter().map(|what| format!("{}: {what}", request.path));
        self.lock().complaints.extend(wrong);
    }

    fn code(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        state.held_tokens.push(request.json()["local_token_list"].clone());
        let states = state.next_codes.pop_front().unwrap_or_default().into();
        state.codes.push(Code { states, looks: Vec::new() });
        let name = format!("code {}", state.codes.len() - 1);
        let shown = format!("https://liteapp.weixin.qq.com/q/{}", state.codes.len() - 1);
        Answer::Json(json!({"ret": 0, "qrcode": name, "qrcode_img_content": shown}))
    }

    fn code_status(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        let name = &request.query["qrcode"];
        let place: usize = name.strip_prefix("code ").unwrap().parse().unwrap();
        let code = &mut state.codes[place];
        code.looks.push(request.query.get("verify_code").cloned());
        let told = if code.states.len() > 1 {
            code.states.pop_front()
        } else {
            code.states.front().cloned()
        };
        Answer::Json(told.unwrap_or(json!({"status": "wait"})))
    }

    fn notice(&self, request: &Request, begins: bool) -> Answer {
        let mut state = self.lock();
        let Some(bot) = state.bot(token(request)) else { return Answer::Json(ended()) };
        bot.notices.push(if begins { "start" } else { "stop" });
        Answer::Json(json!({"ret": 0}))
    }

    /// Holds a poll until something is there behind its cursor.
    fn updates(&self, request: &Request) -> Answer {
        let began = Instant::now();
        let cursor = request.json()["get_updates_buf"].as_str().unwrap_or_default().to_owned();
        let first = BASE64_STANDARD.decode(&cursor).unwrap();
        // A client may ask for an answer at once.
        let hold = if request.json()["timeout"] == 0 { Duration::ZERO } else { HOLD };
        let first: usize = String::from_utf8(first).unwrap().parse().unwrap_or(0);
        let mut state = self.lock();
        let Some(bot) = state.bot(token(request)) else { return Answer::Json(ended()) };
        bot.polls += 1;
        bot.most_polls = bot.most_polls.max(1);
        let account = bot.account.clone();
        let told = loop {
            let is_garbled = state.garbled.contains(&account);
            let bot = state.bots.iter_mut().find(|bot| bot.account == account).unwrap();
            if began.elapsed() > OVERLAP {
                bot.most_polls = bot.most_polls.max(bot.polls);
                bot.has_settled = true;
            }
            if bot.is_ended {
                break None;
            }
            if is_garbled {
                bot.polls -= 1;
                return Answer::Raw { status: 200, headers: Vec::new(), body: "<html>".into() };
            }
            if bot.inbox.len() > first || began.elapsed() > hold {
                break Some((bot.inbox[first..].to_vec(), bot.inbox.len()));
            }
            state = self.changed.wait_timeout(state, Duration::from_millis(20)).unwrap().0;
            if request.is_gone() {
                break Some((Vec::new(), first));
            }
        };
        let bot = state.bots.iter_mut().find(|bot| bot.account == account).unwrap();
        bot.polls -= 1;
        match told {
            None => Answer::Json(ended()),
            Some((messages, _)) if messages.is_empty() => Answer::Json(json!({"ret": 0})),
            Some((messages, next)) => Answer::Json(json!({
                "ret": 0, "msgs": messages,
                "get_updates_buf": BASE64_STANDARD.encode(next.to_string()),
                "longpolling_timeout_ms": 20_000,
            })),
        }
    }

    fn take(&self, request: &Request) -> Answer {
        let body = request.json();
        let message = &body["msg"];
        let mut state = self.lock();
        let (hides, is_silent) = (state.hides_ids, state.is_silent);
        let id = state.same_id.unwrap_or_else(|| state.new_id());
        if message["item_list"].as_array().map_or(0, Vec::len) != 1
            || message["message_type"] != 2
            || message["client_id"].as_str().is_none_or(str::is_empty)
        {
            state.complaints.push(format!("a message that is none: {message}"));
        }
        let Some(bot) = state.bot(token(request)) else { return Answer::Json(ended()) };
        bot.attempts += 1;
        let good = format!("context {} {}", bot.account, bot.tokens);
        let is_allowed = bot.sends < bot.quota
            && !bot.is_closed
            && message["context_token"] == json!(good)
            && message["to_user_id"] == json!(bot.user);
        if !is_allowed {
            return Answer::Json(json!({"ret": -2, "errmsg": "prepare failed"}));
        }
        bot.sends += 1;
        bot.taken.push(message.clone());
        bot.last_id = id;
        if is_silent {
            return Answer::status(200);
        }
        Answer::Json(if hides { json!({"ret": 0}) } else { json!({"ret": 0, "message_id": id}) })
    }

    fn config(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        let Some(bot) = state.bot(token(request)) else { return Answer::Json(ended()) };
        let user = &request.json()["ilink_user_id"];
        if *user != json!(bot.user) {
            return Answer::Json(json!({"ret": -2, "errmsg": "ilink_user_id required"}));
        }
        if bot.tokens == 0 {
            return Answer::Json(json!({"ret": -4, "errmsg": "GetTypingTicket rpc failed"}));
        }
        Answer::Json(json!({"ret": 0, "typing_ticket": "dGlja2V0"}))
    }

    fn typing(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        let body = request.json();
        if body["typing_ticket"] != "dGlja2V0" {
            state.complaints.push(format!("typing without its ticket: {body}"));
        }
        let Some(bot) = state.bot(token(request)) else { return Answer::Json(ended()) };
        bot.typing.push(body["status"].clone());
        Answer::Json(json!({"ret": 0}))
    }

    fn upload_url(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        if state.bot(token(request)).is_none() {
            return Answer::Json(ended());
        }
        state.uploads.push(request.json());
        if let Some(address) = &state.upload_address {
            return Answer::Json(json!({"ret": 0, "upload_full_url": address}));
        }
        Answer::Json(json!({"ret": 0, "upload_param": format!("put here {}", state.uploads.len())}))
    }

    fn file(&self, request: &Request) -> Answer {
        let mut state = self.lock();
        if let Some(status) = state.file_faults.pop_front() {
            let headers = vec![("x-error-message", "too much".to_owned())];
            return Answer::Raw { status, headers, body: Vec::new() };
        }
        if request.method == "GET" && request.path == "/c2c/download" {
            let file =
                request.query.get("encrypted_query_param").and_then(|name| state.files.get(name));
            return file.map_or_else(
                || Answer::status(404),
                |body| Answer::Raw { status: 200, headers: Vec::new(), body: body.clone() },
            );
        }
        let given = request.query.get("encrypted_query_param").cloned().unwrap_or_default();
        if request.method != "POST" || !given.starts_with("put here ") {
            return Answer::status(404);
        }
        let reference = format!("reference {}", state.files.len());
        state.files.insert(reference.clone(), request.body.clone());
        let headers = vec![("x-encrypted-param", reference)];
        Answer::Raw { status: 200, headers, body: Vec::new() }
    }
}

fn token(request: &Request) -> &str {
    request.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
}

fn ended() -> Value {
    json!({"errcode": -14, "errmsg": "session timeout"})
}
