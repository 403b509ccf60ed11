//! Requests to the hosts of media: only HTTP and HTTPS, only public hosts (checked at every
//! redirect, for the address that is really connected to), without cookies and credentials, with
//! limits of time and redirects.

use super::address::Allowed;
use super::failure::FetchFailure;
use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// The longest time until a host accepts a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time in which a host may send nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// HTTP clients for media.
#[derive(Clone, Debug)]
pub(super) struct WebClients {
    /// For addresses from messages and platforms.
    told: LazyClient,
    /// For hosts from the configuration, at any address. It follows no redirect.
    configured: LazyClient,
    allowed: Arc<Allowed>,
}

/// A client that is made when it is first needed, because it reads all certificates of the system. An
/// error is the reason why nothing can be fetched.
type LazyClient =
    Arc<LazyLock<Result<Client, String>, Box<dyn FnOnce() -> Result<Client, String> + Send>>>;

/// An answer whose body has not been read.
#[derive(Debug)]
pub(super) struct WebAnswer(Response);

impl WebClients {
    /// Clients with a `timeout` for each whole answer.
    ///
    /// Where the system has no certificates to trust, everything but fetching goes on.
    pub(super) fn new(allowed: Allowed, timeout: Duration) -> Self {
        let allowed = Arc::new(allowed);
        let redirects = {
            let allowed = Arc::clone(&allowed);
            Policy::custom(move |attempt| {
                if attempt.previous().len() > MAX_REDIRECTS {
                    return attempt.error(format!("more than {MAX_REDIRECTS} redirects"));
                }
                match check(attempt.url(), &allowed) {
                    Ok(()) => attempt.follow(),
                    Err(failure) => attempt.error(failure.reason),
                }
            })
        };
        // Another part of the process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = Arc::new(PublicOnly { allowed: Arc::clone(&allowed) });
        let told = lazy(common(timeout).redirect(redirects).dns_resolver(resolver));
        let configured = lazy(common(timeout).redirect(Policy::none()));
        Self { told, configured, allowed }
    }

    /// Requests an address from a message or a platform.
    pub(super) async fn get(&self, address: &str) -> Result<WebAnswer, FetchFailure> {
        let url = parsed(address)?;
        check(&url, &self.allowed)?;
        self.ask(&self.told, url).await
    }

    /// Requests an address at a host from the configuration.
    pub(super) async fn get_configured(&self, address: &str) -> Result<WebAnswer, FetchFailure> {
        self.ask(&self.configured, parsed(address)?).await
    }

    async fn ask(&self, client: &LazyClient, url: Url) -> Result<WebAnswer, FetchFailure> {
        let client = client.as_ref().as_ref();
        let client = client.map_err(|reason| FetchFailure::lasting(reason.as_str()))?;
        let answer = client.get(url).send().await.map_err(|error| failed(&error))?;
        let status = answer.status();
        if let Some(to) = status.is_redirection().then(|| redirected(&answer)).flatten() {
            // Redirects are followed only to HTTP and HTTPS.
            check(&to, &self.allowed)?;
        }
        if status.is_success() {
            return Ok(WebAnswer(answer));
        }
        let is_passing = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT;
        let reason = format!("the host answered {status}");
        Err(if is_passing { FetchFailure::passing(reason) } else { FetchFailure::lasting(reason) })
    }
}

impl WebAnswer {
    /// Bytes of the body, according to the host.
    pub(super) fn claimed_bytes(&self) -> Option<u64> {
        self.0.content_length()
    }

    /// The next bytes of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FetchFailure> {
        self.0.chunk().await.map_err(|error| failed(&error))
    }
}

/// Settings of all clients.
fn common(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(timeout)
        .referer(false)
        .no_proxy()
        .user_agent(concat!("rechat/", env!("CARGO_PKG_VERSION")))
}

fn lazy(client: ClientBuilder) -> LazyClient {
    let build = move || {
        let built = client.build();
        built.map_err(|error| format!("nothing can be fetched: {}", cause(&error))).inspect_err(
            |reason| tracing::warn!("media cannot be fetched from their addresses: {reason}"),
        )
    };
    Arc::new(LazyLock::new(Box::new(build)))
}

/// The target of a redirect.
fn redirected(answer: &Response) -> Option<Url> {
    let to = answer.headers().get(LOCATION)?.to_str().ok()?;
    answer.url().join(to).ok()
}

fn parsed(address: &str) -> Result<Url, FetchFailure> {
    Url::parse(address.trim())
        .map_err(|error| FetchFailure::lasting(format!("the address cannot be read: {error}")))
}

/// A failure with the cause of an error, but without the address, which may contain a key.
fn failed(error: &reqwest::Error) -> FetchFailure {
    let cause = cause(error);
    if error.is_redirect() || error.is_builder() || is_refused(error) {
        FetchFailure::lasting(cause)
    } else if error.is_timeout() {
        FetchFailure::passing("it took too long")
    } else {
        FetchFailure::passing(format!("the host cannot be reached: {cause}"))
    }
}

/// Whether this program itself refused the host.
fn is_refused(error: &reqwest::Error) -> bool {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |error| error.source())
        .any(|error| error.downcast_ref::<PrivateHost>().is_some())
}

/// The first cause of an error.
fn cause(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut reason = "the connection failed".to_owned();
    while let Some(error) = cause {
        reason = error.to_string();
        cause = error.source();
    }
    reason
}

/// Checks the address itself; host names are checked after they are resolved.
fn check(url: &Url, allowed: &Allowed) -> Result<(), FetchFailure> {
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme();
        return Err(FetchFailure::lasting(format!(
            "`{scheme}:` is not fetched; only http and https"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchFailure::lasting("an address with a password in it is not fetched"));
    }
    let host = url.host_str().unwrap_or_default();
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) if !allowed.allows(host, address) => {
            Err(FetchFailure::lasting(PrivateHost(host.to_owned()).to_string()))
        }
        _ => Ok(()),
    }
}

/// A private host, which is refused at any point.
#[derive(Debug)]
struct PrivateHost(String);

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is in a private network; `[media] allow_private` can name it", self.0)
    }
}

impl std::error::Error for PrivateHost {}

/// Resolves names only to allowed addresses. The client connects to one of these, so a later change
/// of the name has no effect.
#[derive(Debug)]
struct PublicOnly {
    allowed: Arc<Allowed>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let usable: Vec<_> =
                found.filter(|address| allowed.allows(host, address.ip())).collect();
            if usable.is_empty() {
                return Err(Box::new(PrivateHost(host.to_owned())) as _);
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}
