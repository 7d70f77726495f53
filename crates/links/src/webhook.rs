//! An alarm as a signed HTTP POST.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use precordia_app::port::{Notice, NotifyError};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use zeroize::Zeroizing;

use crate::address::WebhookAddress;
use crate::message;

/// From looking up the name to the last byte of the answer.
const ANSWER: Duration = Duration::from_secs(10);

pub(crate) struct Webhook {
    address: WebhookAddress,
    secret: Zeroizing<Vec<u8>>,
    agent: Agent,
}

impl Webhook {
    pub(crate) fn new(
        address: WebhookAddress,
        secret: Zeroizing<Vec<u8>>,
        roots: &[Vec<u8>],
    ) -> Self {
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        // A redirect would send what is signed for one receiver to another, and a proxy of the environment
        // is nobody that the configuration names.
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(ANSWER))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("precordia/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { address, secret, agent: config.new_agent() }
    }

    /// Blocks for [`ANSWER`] at most.
    pub(crate) fn post(&self, installation: &str, notice: &Notice) -> Result<String, NotifyError> {
        let body = message::json(installation, notice).to_string();
        let seconds = notice.at.micros().div_euclid(1_000_000);
        let sent = self
            .agent
            .post(&self.address.0)
            .header("Content-Type", "application/json")
            .header("Precordia-Notice", &notice.id)
            .header("Precordia-Signature", signature(&self.secret, seconds, &body))
            .send(&body);
        let status = match sent {
            Ok(response) => response.status(),
            Err(cause) => return Err(NotifyError::Failed(in_words(&cause))),
        };
        let answer = format!("HTTP {}", status.as_u16());
        match status.is_success() {
            true => Ok(answer),
            false => Err(NotifyError::Failed(answer)),
        }
    }
}

/// `t=<seconds>,v1=<hex>`: HMAC-SHA256 over the seconds, a full stop and the body.
fn signature(secret: &[u8], seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// What failed, without the address.
fn in_words(cause: &ureq::Error) -> String {
    match cause {
        ureq::Error::Timeout(what) => format!("timed out ({what})"),
        ureq::Error::HostNotFound => String::from("the host's name is not known"),
        ureq::Error::ConnectionFailed => String::from("nobody answers there"),
        ureq::Error::Io(cause) => format!("the connection failed ({})", cause.kind()),
        ureq::Error::Rustls(cause) => format!("TLS failed ({cause})"),
        ureq::Error::Tls(what) => format!("TLS failed ({what})"),
        _ => String::from("the request failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked with `printf '1700000000.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn the_signature_is_what_another_program_makes_of_it() {
        let expected = concat!(
            "t=1700000000,v1=",
            "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
        );
        assert_eq!(signature(b"key", 1_700_000_000, "{}"), expected);
    }
}
