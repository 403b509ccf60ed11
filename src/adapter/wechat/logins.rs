//! Logins that are under way, and those that ended lately.

use super::login::LoginEnd;
use crate::adapter::api::LoginError;
use crate::health::log_panic;
use crate::protocol::login::{LoginState, LoginStatus};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

/// Logins that may be under way at a time.
const MAX_LOGINS: usize = 8;

/// How long a login that ended can be asked about.
const ENDED_LOGINS_KEPT: Duration = Duration::from_mins(10);

/// The logins of one configured adapter.
#[derive(Default)]
pub(super) struct Logins {
    by_id: HashMap<String, LoginUnderWay>,
    attempts: JoinSet<LoginEnd>,
    /// The login that each attempt is of.
    login_of_task: HashMap<Id, String>,
}

struct LoginUnderWay {
    status: watch::Sender<LoginStatus>,
    digits: mpsc::Sender<String>,
    /// When it ended.
    ended: Option<Instant>,
}

impl Logins {
    /// Begins a login; `attempt` tells its status, and is given the digits that a person typed. So many others
    /// are `unsaved` that have ended and are not on the disk.
    pub(super) fn begin<F>(
        &mut self,
        unsaved: usize,
        attempt: impl FnOnce(watch::Sender<LoginStatus>, mpsc::Receiver<String>) -> F,
    ) -> Result<watch::Receiver<LoginStatus>, LoginError>
    where
        F: Future<Output = LoginEnd> + Send + 'static,
    {
        self.by_id
            .retain(|_, login| login.ended.is_none_or(|ended| ended.elapsed() < ENDED_LOGINS_KEPT));
        let under_way = self.by_id.values().filter(|login| login.ended.is_none()).count();
        if under_way + unsaved >= MAX_LOGINS {
            let text = "too many logins are under way; end one first";
            return Err(LoginError::Conflict(text.into()));
        }
        let id = Uuid::new_v4().to_string();
        let (status, watched) = watch::channel(status_of(&id));
        let (digits, given) = mpsc::channel(1);
        let task = self.attempts.spawn(attempt(status.clone(), given));
        self.login_of_task.insert(task.id(), id.clone());
        self.by_id.insert(id, LoginUnderWay { status, digits, ended: None });
        Ok(watched)
    }

    pub(super) fn status(&self, id: &str) -> Result<LoginStatus, LoginError> {
        let login = self.by_id.get(id).ok_or_else(|| no_login(id))?;
        let status = login.status.borrow().clone();
        Ok(status)
    }

    /// Gives a login the digits that the phone shows.
    pub(super) fn give_digits(&self, id: &str, digits: String) -> Result<LoginStatus, LoginError> {
        let login = self.by_id.get(id).ok_or_else(|| no_login(id))?;
        let status = login.status.borrow().clone();
        let is_asked = status.state == LoginState::Digits;
        if !is_asked || login.digits.try_send(digits).is_err() {
            return Err(LoginError::Conflict("no digits are asked for now".into()));
        }
        Ok(status)
    }

    /// The end of the login that ends next; `None` where none is under way.
    pub(super) async fn next_end(&mut self) -> Option<LoginEnd> {
        loop {
            let ended = self.attempts.join_next_with_id().await?;
            let task = ended.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
            let id = self.login_of_task.remove(&task);
            let Some(login) = id.and_then(|id| self.by_id.get_mut(&id)) else { continue };
            login.ended = Some(Instant::now());
            return Some(match ended {
                Ok((_, end)) => end,
                Err(error) => Err(login.broke_off(&error)),
            });
        }
    }
}

impl LoginUnderWay {
    /// One whose task panicked has failed; gives the reason.
    fn broke_off(&self, error: &JoinError) -> String {
        log_panic("wechat login", error);
        let reason = "the login failed because of an error in rechat; start it again";
        self.status.send_modify(|status| {
            status.set(LoginState::Failed, Some(reason));
            (status.qrcode, status.modules) = (None, Vec::new());
        });
        reason.to_owned()
    }
}

/// The status of a login that begins.
fn status_of(id: &str) -> LoginStatus {
    LoginStatus {
        id: id.to_owned(),
        state: LoginState::Wait,
        qrcode: None,
        modules: Vec::new(),
        account: None,
        reason: None,
        reason_code: None,
        reason_detail: None,
    }
}

fn no_login(id: &str) -> LoginError {
    LoginError::Unknown(format!("there is no login `{id}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn logins_that_panicked_have_failed_and_take_no_place() {
        let mut logins = Logins::default();
        let begin = |logins: &mut Logins| {
            let broken = |_, _| async { panic!("as the test wants") };
            logins.begin(0, broken).map(|status| status.borrow().id.clone())
        };
        let first = begin(&mut logins).unwrap();
        for _ in 1..MAX_LOGINS {
            begin(&mut logins).unwrap();
        }
        assert!(matches!(begin(&mut logins), Err(LoginError::Conflict(_))));
        while let Some(end) = logins.next_end().await {
            assert!(end.is_err());
        }
        let told = logins.status(&first).unwrap();
        assert_eq!(told.state, LoginState::Failed);
        assert!(told.reason.unwrap().contains("start it again"));
        begin(&mut logins).expect("there is room for another");
    }
}
