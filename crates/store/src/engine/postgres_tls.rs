//! How a PostgreSQL server is reached: on this machine in the clear, elsewhere by TLS only.
//!
//! Payloads are sealed before they come here, but ids, times, login tokens and password hashes are not;
//! they never cross a network unencrypted, and there is no setting that lets them.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use precordia_app::port::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

#[derive(Clone)]
pub(crate) enum Connector {
    ThisMachine,
    Tls(MakeRustlsConnect),
}

impl Connector {
    /// TLS against the certificates of `ca_file`, or a server on this machine.
    pub(crate) fn new(config: &mut Config, ca_file: Option<&Path>) -> Result<Self, StoreError> {
        let Some(ca_file) = ca_file else {
            if is_this_machine(config) {
                config.ssl_mode(SslMode::Disable);
                return Ok(Self::ThisMachine);
            }
            return Err(refused("a server on another machine needs a file of TLS certificates"));
        };
        config.ssl_mode(SslMode::Require);
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(ca_file)
            .map_err(|_| refused("the file of TLS certificates cannot be read"))?;
        for certificate in certificates {
            let certificate =
                certificate.map_err(|_| refused("the file of TLS certificates is not PEM"))?;
            roots.add(certificate).map_err(|_| refused("a TLS certificate is not usable"))?;
        }
        if roots.is_empty() {
            return Err(refused("the file of TLS certificates holds none"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| refused("no common TLS version"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::Tls(MakeRustlsConnect::new(config)))
    }

    pub(crate) async fn connect(&self, config: &Config) -> Result<Client, tokio_postgres::Error> {
        // The connection's own task ends when the client is dropped; an error reaches the client's calls.
        match self {
            Connector::ThisMachine => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            Connector::Tls(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

/// True when every way that the configuration names ends on this machine.
fn is_this_machine(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    };
    config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn refused(message: &str) -> StoreError {
    StoreError::Failed { context: "configuring PostgreSQL", message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_never_reached_in_the_clear() {
        let cases = [
            ("host=localhost user=a", true),
            ("host=127.0.0.1 user=a", true),
            ("host=/run/postgresql user=a", true),
            ("postgresql://a@[::1]/b", true),
            ("host=db.example.org user=a", false),
            ("host=localhost,db.example.org user=a", false),
            ("host=localhost hostaddr=10.0.0.1 user=a", false),
            ("host=10.0.0.1 user=a sslmode=require", false),
        ];
        for (text, accepted) in cases {
            let mut config: Config = text.parse().unwrap();
            assert_eq!(Connector::new(&mut config, None).is_ok(), accepted, "{text}");
        }
    }
}
