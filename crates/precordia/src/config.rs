//! One commented TOML file. Unknown keys are refused, so that a slip of the pen is not a silent default.

mod alarms;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use precordia_app::Settings;
use precordia_server::Network;
use serde::{Deserialize, Serialize};

pub use alarms::Alarms;

/// The file that `config show --default` prints: every key with its default and its reason.
pub const COMMENTED: &str = include_str!("precordia.toml");

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub data_dir: PathBuf,
    pub listen: Listen,
    pub tls: Option<Tls>,
    pub keys: Keys,
    pub witness: Witness,
    pub storage: Storage,
    pub backup: Backup,
    pub limits: Limits,
    pub alarms: Alarms,
    pub log: Log,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    pub address: SocketAddr,
    pub public_url: Option<String>,
    pub trusted_proxies: Vec<String>,
    pub metrics_token: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    pub master_file: Option<PathBuf>,
    pub master_env: Option<String>,
    pub master_env_retired: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Witness {
    pub dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    pub engine: Engine,
    pub url: Option<String>,
    pub tls_ca_file: Option<PathBuf>,
    pub organizations_open_max: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    pub data_dir: Option<PathBuf>,
    pub keys_dir: Option<PathBuf>,
    pub every_seconds: i64,
    pub drill_every_seconds: i64,
    pub drill_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    #[default]
    Sqlite,
    Postgres,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub upload_bytes_max: u64,
    pub idle_seconds: i64,
    pub session_seconds: i64,
    pub work_attempts_max: i64,
    pub lease_seconds: i64,
    pub work_kept_seconds: i64,
    pub checkpoint_seconds: u64,
    pub workers: Option<usize>,
    pub in_flight_seconds_max: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("precordia-data"),
            listen: Listen::default(),
            tls: None,
            keys: Keys::default(),
            witness: Witness::default(),
            storage: Storage::default(),
            backup: Backup::default(),
            limits: Limits::default(),
            alarms: Alarms::default(),
            log: Log::default(),
        }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            data_dir: None,
            keys_dir: None,
            every_seconds: Settings::default().backup_seconds,
            drill_every_seconds: 7 * 24 * 60 * 60,
            drill_dir: None,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: Vec::new(),
            metrics_token: None,
        }
    }
}

impl Listen {
    pub fn trusted_proxies(&self) -> Result<Vec<Network>> {
        let parse = |text: &String| {
            text.parse().with_context(|| format!("listen.trusted_proxies: `{text}` is not valid"))
        };
        self.trusted_proxies.iter().map(parse).collect()
    }
}

impl Default for Limits {
    fn default() -> Self {
        let s = Settings::default();
        Self {
            upload_bytes_max: s.upload_bytes_max,
            idle_seconds: s.idle_seconds,
            session_seconds: s.session_seconds,
            work_attempts_max: s.work_attempts_max,
            lease_seconds: s.lease_seconds,
            work_kept_seconds: s.work_kept_seconds,
            checkpoint_seconds: s.checkpoint_seconds,
            workers: s.workers,
            in_flight_seconds_max: s.in_flight_seconds_max,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: String::from("info"), format: LogFormat::Text }
    }
}

impl Config {
    /// The defaults, or the file; then what the whole must fulfil is checked.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let config = match path {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("could not read configuration `{}`", path.display())
                })?;
                toml::from_str(&text)
                    .with_context(|| format!("configuration `{}` is not valid", path.display()))?
            }
        };
        config.check()?;
        Ok(config)
    }

    pub fn check(&self) -> Result<()> {
        if !self.listen.address.ip().is_loopback() && self.tls.is_none() {
            bail!(
                "listen.address {} is not loopback and [tls] is not set; patient data does not travel in the clear",
                self.listen.address
            );
        }
        self.listen.trusted_proxies()?;
        self.alarms.check()?;
        if let Some(url) = &self.listen.public_url {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
                bail!("listen.public_url must begin with https:// or http:// and a host name");
            }
        }
        if self.keys.master_file.is_some() && self.keys.master_env.is_some() {
            bail!("set keys.master_file or keys.master_env, not both");
        }
        if self.keys.master_env_retired.is_some() && self.keys.master_env.is_none() {
            bail!("keys.master_env_retired needs keys.master_env");
        }
        if self.backup.data_dir.is_some() != self.backup.keys_dir.is_some() {
            bail!(
                "set backup.data_dir and backup.keys_dir, or neither: one is of no use without the other"
            );
        }
        if self.storage.engine == Engine::Postgres && self.storage.url.is_none() {
            bail!("storage.engine is postgres and storage.url is not set");
        }
        if self.storage.engine == Engine::Sqlite && self.storage.url.is_some() {
            bail!(
                "storage.url is set and storage.engine is sqlite; set engine = \"postgres\" or remove the url"
            );
        }
        let positive = [
            (
                "limits.upload_bytes_max",
                i64::try_from(self.limits.upload_bytes_max).unwrap_or(i64::MAX),
            ),
            ("limits.idle_seconds", self.limits.idle_seconds),
            ("limits.session_seconds", self.limits.session_seconds),
            ("limits.work_attempts_max", self.limits.work_attempts_max),
            ("limits.lease_seconds", self.limits.lease_seconds),
            ("limits.work_kept_seconds", self.limits.work_kept_seconds),
            ("backup.every_seconds", self.backup.every_seconds),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value <= 0) {
            bail!("{name} must be above zero");
        }
        if self.witness_dir().starts_with(&self.data_dir) {
            bail!(
                "witness.dir lies inside data_dir; a witness in the same directory proves nothing"
            );
        }
        if self.keys.master_env.is_none() && self.master_file().starts_with(&self.data_dir) {
            bail!(
                "keys.master_file lies inside data_dir; a copy of the data would carry its own key"
            );
        }
        Ok(())
    }

    /// Beside the data directory unless set.
    pub fn witness_dir(&self) -> PathBuf {
        self.witness.dir.clone().unwrap_or_else(|| beside(&self.data_dir, "witness"))
    }

    pub fn master_file(&self) -> PathBuf {
        self.keys
            .master_file
            .clone()
            .unwrap_or_else(|| beside(&self.data_dir, "keys").join("master.key"))
    }

    /// Where a drill restores to, and removes again.
    pub fn drill_dir(&self) -> PathBuf {
        self.backup.drill_dir.clone().unwrap_or_else(|| beside(&self.data_dir, "drill"))
    }

    pub fn settings(&self) -> Settings {
        let l = &self.limits;
        Settings {
            upload_bytes_max: l.upload_bytes_max,
            idle_seconds: l.idle_seconds,
            session_seconds: l.session_seconds,
            work_attempts_max: l.work_attempts_max,
            lease_seconds: l.lease_seconds,
            work_kept_seconds: l.work_kept_seconds,
            checkpoint_seconds: l.checkpoint_seconds,
            backup_seconds: self.backup.every_seconds,
            workers: l.workers,
            in_flight_seconds_max: l.in_flight_seconds_max,
            alarm_remind_seconds: self.alarms.remind_seconds,
        }
    }

    /// The configuration in force, as TOML; it holds no secret but the metrics token, which is masked.
    pub fn show(&self) -> Result<String> {
        let mut shown = self.clone();
        shown.witness.dir = Some(self.witness_dir());
        if shown.keys.master_env.is_none() {
            shown.keys.master_file = Some(self.master_file());
        }
        if shown.listen.metrics_token.is_some() {
            shown.listen.metrics_token = Some(String::from("(set)"));
        }
        if let Some(url) = &mut shown.storage.url {
            *url = mask_password(url);
        }
        Ok(toml::to_string_pretty(&shown)?)
    }
}

/// `/var/lib/precordia` → `/var/lib/precordia-witness`.
fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let name = dir
        .file_name()
        .map_or_else(|| "precordia".into(), |name| name.to_string_lossy().into_owned());
    dir.with_file_name(format!("{name}-{suffix}"))
}

fn mask_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::from("(set)") };
    match rest.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:(set)@{host}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_is_the_defaults() {
        let commented: Config = toml::from_str(COMMENTED).expect("the commented file is valid");
        let defaults = toml::to_string_pretty(&Config::default()).expect("defaults print");
        assert_eq!(toml::to_string_pretty(&commented).expect("prints"), defaults);
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let outcome =
            toml::from_str::<Config>(text).map_err(anyhow::Error::from).and_then(|c| c.check());
        let message = format!("{:#}", outcome.expect_err("must be refused"));
        assert!(message.contains(why), "{message}");
    }

    #[test]
    fn what_would_be_unsafe_or_misspelt_is_refused() {
        refused("data_dirr = \"x\"", "data_dirr");
        refused("[listen]\naddress = \"0.0.0.0:80\"", "loopback");
        refused("[listen]\npublic_url = \"ecg.example.org\"", "public_url");
        refused("[listen]\ntrusted_proxies = [\"10.0.0.1/8\"]", "trusted_proxies");
        refused("data_dir = \"d\"\n[witness]\ndir = \"d/w\"", "proves nothing");
        refused("data_dir = \"d\"\n[keys]\nmaster_file = \"d/k\"", "its own key");
        refused("[keys]\nmaster_file = \"a\"\nmaster_env = \"B\"", "not both");
        refused("[keys]\nmaster_env_retired = \"B\"", "needs keys.master_env");
        refused("[storage]\nengine = \"postgres\"", "storage.url");
        refused("[limits]\nlease_seconds = 0", "above zero");
        refused("[backup]\ndata_dir = \"b\"", "neither");
        refused("[backup]\nevery_seconds = 0", "above zero");
        refused("[alarms]\nremind = 3", "unknown field `remind`");
        let webhook = |rest: &str| format!("[[alarms.webhook]]\nname = \"ops\"\n{rest}");
        refused(&webhook("url = \"http://example.org/\"\nsecret_env = \"A\""), "only https");
        refused(&webhook("url = \"https://example.org/\""), "secret_file or");
        let twice = webhook("url = \"https://example.org/\"\nsecret_env = \"A\"\n");
        refused(&twice.repeat(2), "two channels");
        let email = "[[alarms.email]]\nname = \"m\"\nto = [\"a@example.org\"]\n";
        refused(email, "needs [alarms.smtp]");
        let smtp = "[alarms.smtp]\nhost = \"h.example.org\"\nfrom = \"p@example.org\"\n";
        refused(&format!("{smtp}security = \"none\""), "only https");
        refused(&format!("{smtp}user = \"p\""), "password_file or");
        refused(&format!("{smtp}{}", email.replace("a@", "a b@")), "not a mail address");
    }

    #[test]
    fn a_shown_configuration_hides_secrets() {
        assert_eq!(mask_password("postgres://app:secret@db/x"), "postgres://app:(set)@db/x");
        assert_eq!(mask_password("postgres://db/x"), "postgres://db/x");
    }
}
