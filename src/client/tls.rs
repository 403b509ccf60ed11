//! TLS of the client: the trusted certificates, and advice on others.

use crate::error::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;

/// The TLS settings: the certificates of the system and those of a PEM file are trusted.
pub(super) fn client_config(file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let named = file.map(|file| read(file, &mut roots)).transpose()?.unwrap_or_default();
    if roots.is_empty() {
        return Err(Error::failed("cannot use HTTPS: this system trusts no certificate")
            .hint("install the package `ca-certificates`, or name a certificate with --ca FILE"));
    }
    let wrong = |error: &dyn std::fmt::Display| Error::failed(format!("cannot use HTTPS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| wrong(&error))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { chains, named }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a file, which are also added to the trusted issuers.
fn read(file: &Path, roots: &mut RootCertStore) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::failed(format!("cannot read a certificate from {}: {why}", file.display()))
            .hint("--ca names a PEM file: the certificate of the server, or of its issuer")
    };
    let named = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| wrong(&error))?;
    for certificate in &named {
        roots.add(certificate.clone()).map_err(|error| wrong(&error))?;
    }
    if named.is_empty() { Err(wrong(&"there is none in it")) } else { Ok(named) }
}

/// Checks certificates as browsers do, and also accepts a server's certificate from the file
/// itself.
#[derive(Debug)]
struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        match self.chains.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // A certificate of `openssl req -x509` is marked as an issuer, which a server's
            // certificate must not be.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.named.iter().any(|named| named == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// The error of a TLS handshake with the server at `url`, with advice.
pub(super) fn explain(url: &str, error: &rustls::Error) -> Error {
    use CertificateError as Bad;
    let (what, hint) = match error {
        rustls::Error::InvalidMessage(_) => (
            "the server does not speak HTTPS".into(),
            "write http:// for a server nearby, or give the server a certificate",
        ),
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer | Bad::Other(_)) => (
            "the issuer of its certificate is not trusted".into(),
            "trust it with --ca FILE: the certificate, or that of its issuer, as PEM",
        ),
        rustls::Error::InvalidCertificate(
            error @ (Bad::NotValidForName | Bad::NotValidForNameContext { .. }),
        ) => (error.to_string(), "use a name that the certificate is for"),
        rustls::Error::InvalidCertificate(
            error @ (Bad::Expired
            | Bad::ExpiredContext { .. }
            | Bad::NotValidYet
            | Bad::NotValidYetContext { .. }),
        ) => (
            error.to_string(),
            "renew the certificate; or set the clock of this host, if it is wrong",
        ),
        error => (error.to_string(), "check the address, and that it serves HTTPS"),
    };
    Error::failed(format!("{url}: {what}")).hint(hint)
}
