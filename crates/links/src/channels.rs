//! The channels of a configuration as the application's notifier.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lettre::message::Mailbox;
use precordia_app::port::{Channel, Notice, Notifier, NotifyError};
use precordia_model::AlarmSeverity;
use zeroize::Zeroizing;

use crate::address::{MailServer, WebhookAddress};
use crate::email::Mail;
use crate::roots;
use crate::webhook::Webhook;

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("certificates of `{file}` are not usable: {detail}")]
    Certificates { file: String, detail: String },
    #[error("TLS to the mail server cannot be prepared")]
    Tls,
}

pub struct WebhookSpec {
    pub name: String,
    pub severity_min: AlarmSeverity,
    pub address: WebhookAddress,
    pub secret: Zeroizing<Vec<u8>>,
    /// PEM; the machine's own without.
    pub ca_file: Option<PathBuf>,
}

pub struct MailSpec {
    pub name: String,
    pub severity_min: AlarmSeverity,
    pub server: MailServer,
    pub login: Option<(String, Zeroizing<String>)>,
    pub ca_file: Option<PathBuf>,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
}

enum Way {
    Webhook(Webhook),
    Mail(Mail),
}

/// Tells people of alarms in the ways that the configuration names.
pub struct AlarmChannels {
    /// How this installation calls itself.
    installation: String,
    channels: Vec<Channel>,
    ways: Vec<Arc<Way>>,
}

impl AlarmChannels {
    /// Reads certificates; connects to nobody.
    pub fn open(
        installation: String,
        webhooks: Vec<WebhookSpec>,
        mails: Vec<MailSpec>,
    ) -> Result<Self, LinkError> {
        let mut all = Self { installation, channels: Vec::new(), ways: Vec::new() };
        for spec in webhooks {
            let roots = match &spec.ca_file {
                Some(file) => roots::of_file(file)?,
                None => roots::of_machine(),
            };
            let way = Way::Webhook(Webhook::new(spec.address, spec.secret, &roots));
            all.add(spec.name, "webhook", spec.severity_min, way);
        }
        for spec in mails {
            let roots = spec.ca_file.as_deref().map(roots::of_file).transpose()?;
            let mail = Mail::new(&spec.server, roots.as_deref(), spec.login, spec.from, spec.to)?;
            all.add(spec.name, "email", spec.severity_min, Way::Mail(mail));
        }
        Ok(all)
    }

    fn add(&mut self, name: String, kind: &'static str, severity_min: AlarmSeverity, way: Way) {
        self.channels.push(Channel { name, kind, severity_min });
        self.ways.push(Arc::new(way));
    }
}

#[async_trait]
impl Notifier for AlarmChannels {
    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    async fn tell(&self, channel: &str, notice: &Notice) -> Result<String, NotifyError> {
        let known = self.channels.iter().position(|one| one.name == channel);
        let index = known.ok_or_else(|| NotifyError::Unknown(channel.to_owned()))?;
        let (way, installation) = (Arc::clone(&self.ways[index]), self.installation.clone());
        let notice = notice.clone();
        let told = tokio::task::spawn_blocking(move || match &*way {
            Way::Webhook(webhook) => webhook.post(&installation, &notice),
            Way::Mail(mail) => mail.send(&installation, &notice),
        });
        told.await.unwrap_or_else(|_| Err(NotifyError::Failed(String::from("the link broke"))))
    }
}
