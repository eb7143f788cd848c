//! TLS, and who is trusted.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fmt, fs};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// Which certificate authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootCertificates {
    /// Mozilla's list, as it was when this program was built.
    #[default]
    Bundled,
    /// Those in PEM files and in directories of such files, which are read when a connection first
    /// needs them.
    Files(Vec<PathBuf>),
    /// Those that the operating system trusts.
    #[cfg(feature = "platform-verifier")]
    Platform,
}

/// Makes connections to https URLs secure.
#[derive(Clone)]
pub(super) struct Tls(Arc<Trust>);

/// Who is trusted, found out when a connection first needs it.
struct Trust {
    roots: RootCertificates,
    /// Texts of PEM files with more certificates.
    given: Vec<String>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    pub(super) fn new(roots: RootCertificates, given: Vec<String>) -> Self {
        Self(Arc::new(Trust { roots, given, config: OnceLock::new() }))
    }
}

impl Trust {
    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(ring::default_provider());
        let mut given = Vec::new();
        for text in &self.given {
            let certificates = certificates(text.as_bytes());
            if certificates.is_empty() {
                return Err("a file of certificates to trust has none in PEM form".into());
            }
            given.extend(certificates);
        }
        let verifier = verifier(&self.roots, given, &provider)?;
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// The certificates in a PEM file.
fn certificates(file: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(file).filter_map(Result::ok).collect()
}

/// The certificates in a PEM file, or in all files of a directory.
fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: io::Error| format!("cannot read {}, the certificates to trust: {error}", path.display());
    if path.is_dir() {
        // Others than certificates may be there as well.
        let files = fs::read_dir(path).map_err(failed)?.filter_map(|entry| fs::read(entry.ok()?.path()).ok());
        return Ok(files.flat_map(|file| certificates(&file)).collect());
    }
    match certificates(&fs::read(path).map_err(failed)?) {
        none if none.is_empty() => Err(format!("{} has no certificates in PEM form", path.display())),
        found => Ok(found),
    }
}

fn verifier(
    roots: &RootCertificates,
    mut given: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut store = RootCertStore::empty();
    match roots {
        RootCertificates::Bundled => {
            store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        }
        RootCertificates::Files(paths) => {
            for path in paths {
                given.extend(read(path)?);
            }
        }
        #[cfg(feature = "platform-verifier")]
        RootCertificates::Platform if given.is_empty() => {
            let verifier = rustls_platform_verifier::Verifier::new(provider.clone());
            return Ok(Arc::new(verifier.map_err(|error| error.to_string())?));
        }
        #[cfg(feature = "platform-verifier")]
        RootCertificates::Platform => {
            return Err(
                "certificates to trust can be added to the bundled ones only; give them to the operating system".into(),
            );
        }
    }
    store.add_parsable_certificates(given.iter().cloned());
    let authorities = WebPkiServerVerifier::builder_with_provider(store.into(), provider.clone()).build();
    let authorities = authorities.map_err(|_| "there is no certificate of an authority to trust".to_owned())?;
    Ok(Arc::new(Verifier { authorities, given }))
}

/// Trusts those for whom an authority vouches, and those that were given themselves: a
/// certificate that is its own authority, as small servers have it, is no authority for others.
#[derive(Debug)]
struct Verifier {
    authorities: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.authorities.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match verified {
            // Who vouches for it is looked at after its dates.
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)))
                if self.given.iter().any(|given| given == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(inner) = chained else { return Ok(None) };
        if !details.needs_tls() || inner.is_tls() {
            return Ok(Some(inner.boxed()));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::HostNotFound)?;
        let config = self.0.config.get_or_init(|| self.0.config());
        let config = config.clone().map_err(|words| io::Error::new(io::ErrorKind::InvalidData, words))?;
        let connection = ClientConnection::new(config, name).map_err(insecure)?;
        let mut stream = TransportAdapter::new(inner.boxed(), details.current_time.clone());
        stream.set_timeout(details.timeout);
        let mut stream = StreamOwned::new(connection, stream);
        stream.conn.complete_io(&mut stream.sock).map_err(in_words)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Secured { stream, buffers }.boxed()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

/// The trouble that rustls has, which comes wrapped.
fn in_words(error: io::Error) -> io::Error {
    let told = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).cloned();
    told.map_or(error, insecure)
}

fn insecure(error: rustls::Error) -> io::Error {
    let words = match &error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is from an authority that is not trusted".into()
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(_)) => {
            "its certificate is its own authority's, which is not trusted".into()
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })
            if presented.is_empty() =>
        {
            "its certificate names no host in a subjectAltName, and a common name (CN) counts for nothing any more \
             (RFC 9110, section 4.3.4); have one made with it, as with -addext subjectAltName=DNS:HOST of openssl req"
                .into()
        }
        error => error.to_string(),
    };
    io::Error::new(io::ErrorKind::InvalidData, words)
}

struct Secured {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secured")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// For nas.example, from 2026-11-30 to 2036-11-27, its own authority. Made with `openssl req -x509
    /// -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=nas -days 3650 -addext
    /// subjectAltName=DNS:nas.example`.
    const OWN: &str = "\
-----BEGIN CERTIFICATE-----
MIIBiDCCAS+gAwIBAgIUeTEfLFcyGQBCro/E2Hyaf/+xypIwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDbmFzMB4XDTI2MTEzMDIyNTMzMFoXDTM2MTEyNzIyNTMzMFow
DjEMMAoGA1UEAwwDbmFzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEx88FMcoU
SrSnfG1BG8YoQfB5/YmDZEVSCatgB2X/8NiRIW4g9K0z/ZCwRnBcVV/5eQDjYTMx
jAWkGl9LUjgHKaNrMGkwHQYDVR0OBBYEFPs+pyZAJyupfgvgs5FCAstK6y27MB8G
A1UdIwQYMBaAFPs+pyZAJyupfgvgs5FCAstK6y27MA8GA1UdEwEB/wQFMAMBAf8w
FgYDVR0RBA8wDYILbmFzLmV4YW1wbGUwCgYIKoZIzj0EAwIDRwAwRAIgTRw16zoN
o/u9EDcVV93V1Pb9tB6xv7LFxprjfOspgzUCIFAf9H7ElrAzgVyRWiPfKTb8kpHp
OQdLn1qSrz9RjkQE
-----END CERTIFICATE-----
";

    /// The same, but of nas.example in its common name alone.
    const COMMON: &str = "\
-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUK+fuPqBKsXEKQI5KuEnEO/wVsMkwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLbmFzLmV4YW1wbGUwHhcNMjYxMjAxMDIwMTExWhcNMzYxMTI4
MDIwMTExWjAWMRQwEgYDVQQDDAtuYXMuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABALKa+DWrxlz+5ai204IJnVepRjy82efe42DKCyJNthpAen1y8Lt
sDnGmEsWl68fSnrw9W00AauB319L5f5HYdWjUzBRMB0GA1UdDgQWBBSFoFrr/N1R
j2Jsh/aqLaepwdRtDTAfBgNVHSMEGDAWgBSFoFrr/N1Rj2Jsh/aqLaepwdRtDTAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDKzzaJBfv/2HeMJCBF
2UEOuaqmAyoHajrE1tRmGjTiZAIhAOQIGbsDwtwPykdDereH+fiXYfPhawb1fxpH
+PofisnA
-----END CERTIFICATE-----
";

    #[test]
    fn a_certificate_without_names_is_refused_with_a_remedy() {
        let common = certificates(COMMON.as_bytes());
        let provider = Arc::new(ring::default_provider());
        let name = ServerName::try_from("nas.example").unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000));
        let verifier = verifier(&RootCertificates::Bundled, common.clone(), &provider).unwrap();
        let told = insecure(verifier.verify_server_cert(&common[0], &[], &name, &[], at).unwrap_err()).to_string();
        assert!(["common name (CN)", "subjectAltName=DNS:"].iter().all(|words| told.contains(words)), "{told}");
    }

    #[test]
    fn a_certificate_that_was_given_is_trusted_for_what_it_is() {
        let own = certificates(OWN.as_bytes());
        let (before, between, after) = (1_767_225_600, 1_893_456_000, 2_145_916_800);
        for (given, name, at, expected) in [
            (&own[..], "nas.example", between, Ok(())),
            (&own, "other.example", between, Err("not valid for name")),
            (&own, "nas.example", before, Err("not valid yet")),
            (&own, "nas.example", after, Err("expired")),
            (&[], "nas.example", between, Err("is its own authority's, which is not trusted")),
        ] {
            let provider = Arc::new(ring::default_provider());
            let verifier = verifier(&RootCertificates::Bundled, given.to_vec(), &provider).unwrap();
            let name = ServerName::try_from(name).unwrap();
            let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
            let verified = verifier.verify_server_cert(&own[0], &[], &name, &[], at);
            match (verified.map_err(|error| insecure(error).to_string()), expected) {
                (Ok(_), Ok(())) => {}
                (Err(told), Err(words)) if told.contains(words) => {}
                (verified, _) => panic!("{name:?} at {at:?}: {verified:?}"),
            }
        }
    }
}
