//! An alarm as a mail, by SMTP.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use precordia_app::port::{Notice, NotifyError};
use zeroize::Zeroizing;

use crate::address::{MailServer, Security};
use crate::channels::LinkError;
use crate::message;

/// For each answer of the mail server.
const ANSWER: Duration = Duration::from_secs(10);

/// `address@host` or `Name <address@host>`.
pub fn mailbox(text: &str) -> Option<Mailbox> {
    text.parse().ok()
}

pub(crate) struct Mail {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    pub(crate) fn new(
        server: &MailServer,
        roots: Option<&[Vec<u8>]>,
        login: Option<(String, Zeroizing<String>)>,
        from: Mailbox,
        to: Vec<Mailbox>,
    ) -> Result<Self, LinkError> {
        let tls = match server.security {
            Security::None => Tls::None,
            Security::Tls => Tls::Wrapper(tls(&server.host, roots)?),
            Security::StartTls => Tls::Required(tls(&server.host, roots)?),
        };
        let mut transport = SmtpTransport::builder_dangerous(&server.host)
            .port(server.port)
            .timeout(Some(ANSWER))
            .tls(tls);
        if let Some((user, password)) = login {
            transport = transport.credentials(Credentials::new(user, (*password).clone()));
        }
        Ok(Self { transport: transport.build(), from, to })
    }

    /// Blocks for a few times [`ANSWER`] at most.
    pub(crate) fn send(&self, installation: &str, notice: &Notice) -> Result<String, NotifyError> {
        let mut mail = Message::builder()
            .from(self.from.clone())
            .subject(message::subject(installation, notice))
            // Equal in every try: mail programs show a repetition once.
            .message_id(Some(format!("<{}@{}>", notice.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mail = mail.body(message::text(installation, notice));
        let mail =
            mail.map_err(|_| NotifyError::Failed(String::from("no mail can be made of it")))?;
        match self.transport.send(&mail) {
            Ok(response) => Ok(format!("SMTP {}", response.code())),
            Err(cause) => Err(NotifyError::Failed(in_words(&cause))),
        }
    }
}

fn tls(host: &str, roots: Option<&[Vec<u8>]>) -> Result<TlsParameters, LinkError> {
    let unusable = |_| LinkError::Tls;
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(roots) = roots {
        builder = builder.certificate_store(CertificateStore::None);
        for der in roots {
            let certificate = Certificate::from_der(der.clone()).map_err(unusable)?;
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build_rustls().map_err(unusable)
}

/// What failed, without what the server wrote, which may quote an address.
fn in_words(cause: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = cause.status() {
        return format!("SMTP {code}");
    }
    match () {
        () if cause.is_timeout() => String::from("timed out"),
        () if cause.is_tls() => String::from("TLS failed"),
        () if cause.is_client() => String::from("the mail server cannot do what is configured"),
        () => String::from("the connection failed"),
    }
}
