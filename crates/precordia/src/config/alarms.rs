//! `[alarms]`: who is told of alarms of operation, and how.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use precordia_app::Settings;
use precordia_links::{
    AlarmChannels, MailServer, MailSpec, Mailbox, Security, WebhookAddress, WebhookSpec, mailbox,
};
use precordia_model::AlarmSeverity;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A shared secret for a signature is not shorter.
const SECRET_BYTES_MIN: usize = 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alarms {
    pub installation: String,
    pub remind_seconds: i64,
    pub disk_free_percent_min: u8,
    #[serde(rename = "webhook")]
    pub webhooks: Vec<Webhook>,
    pub smtp: Option<Smtp>,
    #[serde(rename = "email")]
    pub emails: Vec<Email>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub name: String,
    pub url: String,
    pub secret_file: Option<PathBuf>,
    pub secret_env: Option<String>,
    #[serde(default)]
    pub severity_min: AlarmSeverity,
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    pub host: String,
    pub port: Option<u16>,
    #[serde(default)]
    pub security: SmtpSecurity,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub password_env: Option<String>,
    pub from: String,
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    Tls,
    #[default]
    StartTls,
    None,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub name: String,
    pub to: Vec<String>,
    #[serde(default)]
    pub severity_min: AlarmSeverity,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            installation: String::from("precordia"),
            remind_seconds: Settings::default().alarm_remind_seconds,
            disk_free_percent_min: 10,
            webhooks: Vec::new(),
            smtp: None,
            emails: Vec::new(),
        }
    }
}

impl Alarms {
    /// Everything that can be told without reading a secret.
    pub fn check(&self) -> Result<()> {
        ensure!(
            is_name(&self.installation),
            "alarms.installation: give 1 to 60 letters, digits, dots, hyphens"
        );
        ensure!(self.remind_seconds >= 0, "alarms.remind_seconds must not be below zero");
        ensure!(self.disk_free_percent_min < 100, "alarms.disk_free_percent_min must be below 100");
        let mut names = BTreeSet::new();
        let all = self.webhooks.iter().map(|one| &one.name);
        for name in all.chain(self.emails.iter().map(|one| &one.name)) {
            ensure!(
                is_name(name),
                "alarms: the name `{name}` of a channel is not 1 to 60 letters, digits, dots, hyphens"
            );
            ensure!(names.insert(name), "alarms: two channels are called `{name}`");
        }
        for webhook in &self.webhooks {
            webhook.address()?;
            one_of("alarms.webhook.secret", &webhook.secret_file, &webhook.secret_env)?;
        }
        for email in &self.emails {
            ensure!(!email.to.is_empty(), "alarms.email `{}` has nobody in `to`", email.name);
            email.recipients()?;
        }
        match &self.smtp {
            Some(smtp) => smtp.check(),
            None if self.emails.is_empty() => Ok(()),
            None => bail!("alarms.email needs [alarms.smtp]"),
        }
    }

    /// The channels, with their secrets and certificates.
    pub fn open(&self) -> Result<AlarmChannels> {
        let webhooks = self.webhooks.iter().map(Webhook::open).collect::<Result<_>>()?;
        let mut mails = Vec::new();
        if let Some(smtp) = &self.smtp {
            for email in &self.emails {
                mails.push(smtp.open(email)?);
            }
        }
        Ok(AlarmChannels::open(self.installation.clone(), webhooks, mails)?)
    }
}

impl Webhook {
    fn address(&self) -> Result<WebhookAddress> {
        let name = &self.name;
        WebhookAddress::parse(&self.url).with_context(|| format!("alarms.webhook `{name}`: url"))
    }

    fn open(&self) -> Result<WebhookSpec> {
        let name = || format!("alarms.webhook `{}`", self.name);
        let secret = secret(self.secret_file.as_deref(), self.secret_env.as_deref());
        let secret = secret.with_context(name)?;
        ensure!(
            secret.len() >= SECRET_BYTES_MIN,
            "{}: the secret is shorter than {SECRET_BYTES_MIN} bytes",
            name()
        );
        Ok(WebhookSpec {
            name: self.name.clone(),
            severity_min: self.severity_min,
            address: self.address()?,
            secret: Zeroizing::new(secret.as_bytes().to_vec()),
            ca_file: self.ca_file.clone(),
        })
    }
}

impl Smtp {
    fn check(&self) -> Result<()> {
        self.server()?;
        ensure!(mailbox(&self.from).is_some(), "alarms.smtp.from is not a mail address");
        match &self.user {
            Some(_) => one_of("alarms.smtp.password", &self.password_file, &self.password_env),
            None if self.password_file.is_some() || self.password_env.is_some() => {
                bail!("alarms.smtp has a password and no user")
            }
            None => Ok(()),
        }
    }

    fn server(&self) -> Result<MailServer> {
        let security = match self.security {
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::StartTls => Security::StartTls,
            SmtpSecurity::None => Security::None,
        };
        MailServer::new(&self.host, self.port, security).context("alarms.smtp.host")
    }

    fn open(&self, email: &Email) -> Result<MailSpec> {
        let login = match &self.user {
            None => None,
            Some(user) => {
                let password = secret(self.password_file.as_deref(), self.password_env.as_deref());
                Some((user.clone(), password.context("alarms.smtp: password")?))
            }
        };
        Ok(MailSpec {
            name: email.name.clone(),
            severity_min: email.severity_min,
            server: self.server()?,
            login,
            ca_file: self.ca_file.clone(),
            from: mailbox(&self.from).context("alarms.smtp.from is not a mail address")?,
            to: email.recipients()?,
        })
    }
}

impl Email {
    fn recipients(&self) -> Result<Vec<Mailbox>> {
        let name = &self.name;
        let parse = |to: &String| {
            mailbox(to)
                .with_context(|| format!("alarms.email `{name}`: `{to}` is not a mail address"))
        };
        self.to.iter().map(parse).collect()
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=60).contains(&name.len()) && name.chars().all(plain)
}

fn one_of(what: &str, file: &Option<PathBuf>, env: &Option<String>) -> Result<()> {
    ensure!(file.is_some() != env.is_some(), "set {what}_file or {what}_env, and not both");
    Ok(())
}

/// Of a file without its last line's end, or of the environment.
fn secret(file: Option<&Path>, env: Option<&str>) -> Result<Zeroizing<String>> {
    let text = match (file, env) {
        (Some(file), _) => std::fs::read_to_string(file)
            .with_context(|| format!("could not read `{}`", file.display()))?,
        (None, Some(name)) => {
            std::env::var(name).with_context(|| format!("the variable `{name}` is not set"))?
        }
        (None, None) => bail!("no secret is configured"),
    };
    let text = Zeroizing::new(text);
    let secret = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(!secret.is_empty(), "the secret is empty");
    Ok(secret)
}
