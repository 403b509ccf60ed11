//! HTTPS: the certificate, which is read again when its files change.

use crate::config::Tls;
use crate::error::{Error, Result};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio_rustls::TlsAcceptor;

/// The shortest pause between checks of the files, which are made only when a client connects.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A certificate in use.
pub struct Certificate {
    files: Tls,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    changed: FileTimes,
    looked: Instant,
}

/// Modification times of the certificate and the key.
type FileTimes = [Option<SystemTime>; 2];

impl Certificate {
    /// Reads the files.
    pub fn open(files: Tls) -> Result<Self> {
        let state = Mutex::new(State {
            changed: changed(&files),
            config: read(&files)?,
            looked: Instant::now(),
        });
        Ok(Self { files, state })
    }

    /// Settings for the next connection, from the present files, or from the last ones that could
    /// be read.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= CHECK_INTERVAL {
            state.looked = Instant::now();
            let changed = changed(&self.files);
            if changed != state.changed {
                state.changed = changed;
                match read(&self.files) {
                    Ok(config) => {
                        state.config = config;
                        tracing::info!("the certificate was changed");
                    }
                    Err(error) => tracing::error!(
                        "the new certificate cannot be read, and the old one stays in use: {error}"
                    ),
                }
            }
        }
        state.config.clone().into()
    }
}

/// Whether the certificate is valid for a host name or address.
pub fn certificate_is_for(files: &Tls, host: &str) -> bool {
    let Ok(leaf) = CertificateDer::from_pem_file(&files.certificate) else { return false };
    let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']'));
    let certificate = ParsedCertificate::try_from(&leaf);
    certificate.is_ok_and(|it| name.is_ok_and(|name| verify_server_name(&it, &name).is_ok()))
}

fn changed(files: &Tls) -> FileTimes {
    [&files.certificate, &files.key].map(|path| path.metadata().ok()?.modified().ok())
}

fn read(files: &Tls) -> Result<Arc<ServerConfig>> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        Error::failed(format!("{} cannot be used for HTTPS: {error}", path.display()))
            .hint("`tls.certificate` and `tls.key` name PEM files: the chain, and its private key")
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.certificate, &error))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
