//! Fetching media from the addresses that platforms give.
//!
//! Only http and https, only public hosts (at every redirect, and by the address that is really
//! connected to), with no cookies and no credentials, bounded in bytes, time and redirects.

use super::address::Allowed;
use super::blobs::Blobs;
use super::bounds::BlobRefused;
use super::decrypt::Decrypter;
use super::upload::Upload;
use crate::adapter::{Fragments, MediaSource};
use crate::model::content::MediaFailure;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// How long a host has to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a host may send nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes gathered before they go to the disk.
const CHUNK_BYTES: usize = 256 << 10;

/// Characters of a reason that a message tells; some of the words are those of hosts and platforms.
const MAX_REASON: usize = 300;

/// Why something was not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFailure {
    /// The reason, for people.
    pub reason: String,
    #[allow(missing_docs)]
    pub kind: FailureKind,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Another attempt does not help.
    Lasting,
    /// Another attempt may help.
    Passing,
    /// There is no address, and nobody who can be asked.
    Unsupported,
    /// The file is larger than may be kept.
    TooLarge,
    /// It is for somebody here to mend: there is no room, or the disk fails.
    Here,
}

impl FetchFailure {
    /// Another attempt does not help.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: FailureKind::Lasting }
    }

    /// Another attempt may help.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: FailureKind::Passing }
    }

    /// The failure of an attempt at `at` (Unix seconds), as a message tells it.
    pub fn at(&self, at: u64) -> MediaFailure {
        let reason = self.reason.chars().take(MAX_REASON).collect();
        MediaFailure { reason, retryable: self.is_passing(), at }
    }

    /// Whether another attempt may help.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, FailureKind::Passing | FailureKind::Here)
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<BlobRefused> for FetchFailure {
    fn from(refused: BlobRefused) -> Self {
        let kind = match refused {
            BlobRefused::Empty => FailureKind::Lasting,
            BlobRefused::TooLarge { .. } => FailureKind::TooLarge,
            BlobRefused::Full { .. } | BlobRefused::DiskFull { .. } | BlobRefused::Disk(_) => {
                FailureKind::Here
            }
        };
        Self { reason: refused.to_string(), kind }
    }
}

/// A client that fetches media.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Without one, the reason why nothing can be fetched.
    client: Result<Client, String>,
    /// For hosts that the configuration names, wherever they are. It follows no redirect.
    configured: Result<Client, String>,
    allowed: Arc<Allowed>,
    blobs: Blobs,
    /// How long one file may take.
    timeout: Duration,
}

impl Fetcher {
    /// A client that puts files into `blobs`, each within `timeout`.
    ///
    /// Where the system has no certificates to trust, everything but fetching goes on.
    pub fn new(allowed: Allowed, blobs: Blobs, timeout: Duration) -> Self {
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
        // Another part of the process may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = common(timeout)
            .redirect(redirects)
            .dns_resolver(Arc::new(PublicOnly { allowed: Arc::clone(&allowed) }));
        let client = built(client);
        if let Err(reason) = &client {
            tracing::warn!("media that come in as addresses are not kept: {reason}");
        }
        let configured = built(common(timeout).redirect(Policy::none()));
        Self { client, configured, allowed, blobs, timeout }
    }

    /// Fetches an address. The upload that comes back is all there and not kept yet.
    ///
    /// # Errors
    ///
    /// It cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which.
    pub async fn fetch(&self, address: &str) -> Result<Upload, FetchFailure> {
        let url = parsed(address)?;
        check(&url, &self.allowed)?;
        self.get(&self.client, url, None).await
    }

    /// Fetches what a platform told when it was asked; it may be encrypted.
    ///
    /// # Errors
    ///
    /// It cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which.
    pub async fn fetch_source(&self, source: MediaSource) -> Result<Upload, FetchFailure> {
        match source {
            MediaSource::Bytes(bytes) => {
                let blobs = self.blobs.clone();
                on_thread(move || {
                    let mut upload = Upload::begin(&blobs)?;
                    upload.write(&bytes).map(|()| upload)
                })
                .await
            }
            MediaSource::Fragments(fragments) => {
                let gathered = tokio::time::timeout(self.timeout, self.gather(&fragments));
                gathered.await.unwrap_or_else(|_| Err(FetchFailure::passing("it took too long")))
            }
            MediaSource::Address { url, key, is_configured: true } => {
                self.get(&self.configured, parsed(&url)?, key).await
            }
            MediaSource::Address { url, key, is_configured: false } => {
                let url = parsed(&url)?;
                check(&url, &self.allowed)?;
                self.get(&self.client, url, key).await
            }
        }
    }

    /// A file in fragments, which have to make the one that was told.
    async fn gather(&self, told: &Fragments) -> Result<Upload, FetchFailure> {
        let max_bytes = self.blobs.bounds().max_bytes;
        if told.size > max_bytes {
            return Err(BlobRefused::TooLarge { max_bytes }.into());
        }
        self.blobs.check_quota(1)?;
        let blobs = self.blobs.clone();
        let mut upload = on_thread(move || Upload::begin(&blobs)).await?;
        while upload.size() < told.size {
            let read = told.reader.read(upload.size(), told.size - upload.size()).await;
            let bytes = read.map_err(FetchFailure::passing)?;
            upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await?;
        }
        let hash = upload.hash().to_string();
        match &told.sha256 {
            Some(wanted) if !wanted.eq_ignore_ascii_case(&hash) => {
                Err(FetchFailure::passing("its fragments do not make the file that was told"))
            }
            _ => Ok(upload),
        }
    }

    async fn get(
        &self,
        client: &Result<Client, String>,
        url: Url,
        key: Option<[u8; 16]>,
    ) -> Result<Upload, FetchFailure> {
        let client = client.as_ref().map_err(|reason| FetchFailure::lasting(reason.as_str()))?;
        // A file that could not be kept is not fetched.
        self.blobs.check_quota(1)?;
        let answer = client.get(url).send().await.map_err(|error| failed(&error))?;
        self.check_answer(&answer)?;
        self.read(answer, key.map(Decrypter::new)).await
    }

    fn check_answer(&self, answer: &Response) -> Result<(), FetchFailure> {
        let status = answer.status();
        if let Some(to) = status.is_redirection().then(|| redirected(answer)).flatten() {
            // The client follows only to the web.
            check(&to, &self.allowed)?;
        }
        if !status.is_success() {
            let is_passing = status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT;
            let reason = format!("the host answered {status}");
            return Err(if is_passing {
                FetchFailure::passing(reason)
            } else {
                FetchFailure::lasting(reason)
            });
        }
        let max_bytes = self.blobs.bounds().max_bytes;
        match answer.content_length() {
            Some(bytes) if bytes > max_bytes => Err(BlobRefused::TooLarge { max_bytes }.into()),
            _ => Ok(()),
        }
    }

    async fn read(
        &self,
        mut answer: Response,
        mut decrypter: Option<Decrypter>,
    ) -> Result<Upload, FetchFailure> {
        let blobs = self.blobs.clone();
        let mut upload = on_thread(move || Upload::begin(&blobs)).await?;
        let mut gathered = Vec::new();
        loop {
            let chunk = answer.chunk().await.map_err(|error| failed(&error))?;
            let is_end = chunk.is_none();
            let chunk = chunk.unwrap_or_default();
            match &mut decrypter {
                Some(decrypter) => gathered.extend(decrypter.decrypt(&chunk)),
                None => gathered.extend_from_slice(&chunk),
            }
            if is_end && let Some(decrypter) = decrypter.take() {
                let wrong = || FetchFailure::lasting("the file cannot be decrypted");
                gathered.extend(decrypter.finish().ok_or_else(wrong)?);
            }
            if is_end || gathered.len() >= CHUNK_BYTES {
                let bytes = std::mem::take(&mut gathered);
                upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await?;
            }
            if is_end {
                return Ok(upload);
            }
        }
    }
}

/// The settings that every client has in common.
fn common(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(timeout)
        .referer(false)
        .no_proxy()
        .user_agent(concat!("rechat/", env!("CARGO_PKG_VERSION")))
}

fn built(client: ClientBuilder) -> Result<Client, String> {
    client.build().map_err(|error| format!("nothing can be fetched: {}", cause(&error)))
}

/// The address to which an answer sends.
fn redirected(answer: &Response) -> Option<Url> {
    let to = answer.headers().get(LOCATION)?.to_str().ok()?;
    answer.url().join(to).ok()
}

fn parsed(address: &str) -> Result<Url, FetchFailure> {
    Url::parse(address.trim())
        .map_err(|error| FetchFailure::lasting(format!("the address cannot be read: {error}")))
}

/// Works away from the threads that serve others.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobRefused> + Send + 'static,
) -> Result<T, FetchFailure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(FetchFailure::passing(format!("the file was not written: {error}"))),
    }
}

/// A failure for the cause of an error, without the address, which may hold a key.
fn failed(error: &reqwest::Error) -> FetchFailure {
    let reason = cause(error);
    let is_passing = !error.is_redirect() && !error.is_builder() && !is_refused(error);
    if is_passing { FetchFailure::passing(reason) } else { FetchFailure::lasting(reason) }
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
    let mut reason =
        if error.is_timeout() { "it took too long" } else { "the connection failed" }.to_owned();
    while let Some(error) = cause {
        reason = error.to_string();
        cause = error.source();
    }
    reason
}

/// Checks what an address says of itself; names are looked at once they are resolved.
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

/// A host that is not fetched from, wherever that is found out.
#[derive(Debug)]
struct PrivateHost(String);

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is in a private network; `[media] allow_private` can name it", self.0)
    }
}

impl std::error::Error for PrivateHost {}

/// Resolves names to addresses that may be fetched from, and to no others.
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

#[cfg(test)]
mod tests {
    use super::super::bounds::BlobBounds;
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A host that gives each connection the next answer.
    fn host(answers: Vec<String>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut socket, _) = listener.accept().unwrap();
                let _ = socket.read(&mut [0; 4096]);
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        port
    }

    fn ok(body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
    }

    fn redirect(to: &str) -> String {
        format!(
            "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    }

    async fn fetch(url: &str, allowed: &[&str]) -> Result<u64, FetchFailure> {
        let folder = tempfile::tempdir().unwrap();
        let allowed = Allowed::new(allowed.iter().map(|&host| host.to_owned()));
        let bounds = BlobBounds { max_bytes: 10, ..BlobBounds::NONE };
        let blobs = Blobs::open(folder.path(), bounds).unwrap();
        let fetcher = Fetcher::new(allowed, blobs, Duration::from_mins(1));
        let upload = fetcher.fetch(url).await?;
        let size = upload.size();
        upload.finish()?;
        Ok(size)
    }

    #[tokio::test]
    async fn a_host_that_is_allowed_is_fetched_from() {
        let port = host(vec![ok("hello")]);
        let url = format!(" HTTP://127.0.0.1:{port}/a.png ");
        assert_eq!(fetch(&url, &["127.0.0.1"]).await, Ok(5));
    }

    #[tokio::test]
    async fn private_hosts_are_refused_by_address_by_name_and_behind_a_redirect() {
        for url in
            ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/", "http://0x7f.1:1/"]
        {
            let failure = fetch(url, &[]).await.unwrap_err();
            assert!(failure.reason.contains("private network"), "{url}: {failure}");
            assert!(!failure.is_passing(), "{url}: another attempt would be refused too");
        }
        for (to, reason) in [
            ("http://127.0.0.2:1/", "private network"),
            ("http://localhost:1/", "private network"),
            ("file:///etc/passwd", "`file:` is not fetched"),
        ] {
            let port = host(vec![redirect(to)]);
            let url = format!("http://127.0.0.1:{port}/");
            let failure = fetch(&url, &["127.0.0.1"]).await.unwrap_err();
            assert!(failure.reason.contains(reason) && !failure.is_passing(), "{to}: {failure}");
        }
    }

    #[tokio::test]
    async fn schemes_and_passwords_are_refused() {
        for url in ["file:///etc/passwd", "ftp://example.org/", "base64://AAAA", "no address"] {
            assert!(!fetch(url, &[]).await.unwrap_err().is_passing(), "{url}");
        }
        assert!(
            fetch("http://a:b@example.org/", &[]).await.unwrap_err().reason.contains("password")
        );
    }

    #[tokio::test]
    async fn redirects_and_bytes_are_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let again = redirect(&format!("http://127.0.0.1:{port}/"));
        let first = host(vec![redirect(&format!("http://127.0.0.1:{port}/")), again]);
        let url = format!("http://127.0.0.1:{first}/");
        assert!(fetch(&url, &["127.0.0.1"]).await.is_err());
        for body in ["more than ten", "no length, and more than ten"] {
            let with_length = ok(body);
            let answer = if body.starts_with("no") {
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}")
            } else {
                with_length
            };
            let port = host(vec![answer]);
            let failure = fetch(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await;
            assert!(failure.unwrap_err().reason.contains("more than 10 bytes"));
        }
    }

    #[tokio::test]
    async fn what_a_host_answers_tells_whether_to_try_again() {
        for (status, is_passing) in [("404 Not Found", false), ("503 Busy", true)] {
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let port = host(vec![answer]);
            let failure = fetch(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await;
            assert_eq!(failure.unwrap_err().is_passing(), is_passing, "{status}");
        }
    }
}
