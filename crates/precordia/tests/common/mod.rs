//! The real program on a loopback port with a directory of its own, and a client that signs in.

#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

pub mod forge;
pub mod postgres;
pub mod search;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use precordia_formats::dicom::{self, ObjectIds};
use precordia_synth::{Pattern, Person, Spec, synthesize};
use serde_json::{Value, json};

pub const PASSWORD: &str = "only-for-this-test";

/// Each case as a test on either engine. Without PostgreSQL its half is skipped, aloud.
#[macro_export]
macro_rules! on_both_engines {
    ($($case:ident at $level:literal;)+) => {
        mod on_sqlite {
            $(#[test]
            fn $case() {
                super::$case(&super::common::Site::new($level));
            })+
        }

        mod on_postgres {
            $(#[test]
            fn $case() {
                if let Some(site) = super::common::Site::on_postgres($level) {
                    super::$case(&site);
                }
            })+
        }
    };
}

/// A directory with a configuration and everything that the program writes.
pub struct Site {
    dir: tempfile::TempDir,
    /// Environment of the program, besides its configuration.
    pub environment: Vec<(&'static str, PathBuf)>,
    pub postgres: Option<postgres::Database>,
}

impl Site {
    /// On the embedded storage.
    pub fn new(log_level: &str) -> Self {
        Self::with(log_level, None)
    }

    /// `None` where no PostgreSQL is installed.
    pub fn on_postgres(log_level: &str) -> Option<Self> {
        Some(Self::with(log_level, Some(postgres::database()?)))
    }

    fn with(log_level: &str, postgres: Option<postgres::Database>) -> Self {
        let storage = postgres.as_ref().map_or(String::new(), |database| {
            format!("[storage]\nengine = \"postgres\"\nurl = {:?}\n", database.url())
        });
        let site = Self { dir: tempfile::tempdir().unwrap(), environment: Vec::new(), postgres };
        // A piece of work whose tries never end is given up: it may be what kills the program. Here somebody
        // else does, and much more often than anywhere.
        let tries = 1_000;
        let config = format!(
            "data_dir = {data:?}\n[listen]\naddress = \"127.0.0.1:0\"\n[log]\nlevel = \"{log_level}\"\nformat = \"json\"\n[limits]\ncheckpoint_seconds = 1\nlease_seconds = 2\nupload_bytes_max = 4000000\nwork_attempts_max = {tries}\n{storage}",
            data = site.path("data"),
        );
        std::fs::write(site.path("precordia.toml"), config).unwrap();
        site
    }

    /// From its next start the program makes backups all the time, into `vaults` of a directory.
    pub fn keep_backups(&self, of: &Path) {
        use std::io::Write;
        let config = std::fs::OpenOptions::new().append(true).open(self.path("precordia.toml"));
        let (data, keys) = (of.join("backup-data"), of.join("backup-keys"));
        let text =
            format!("\n[backup]\ndata_dir = {data:?}\nkeys_dir = {keys:?}\nevery_seconds = 1\n");
        config.unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// One column of the first organization's tables, as stored.
    pub fn column(&self, sql: &str) -> Vec<Vec<u8>> {
        let Some(postgres) = &self.postgres else {
            let database = search::files(&self.path("data"))
                .into_iter()
                .find(|path| path.ends_with("ledger.db"))
                .expect("an organization's database");
            let open = rusqlite::Connection::open(database).unwrap();
            let mut query = open.prepare(sql).unwrap();
            let bytes = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.as_bytes().unwrap().to_vec());
            return query.query_map([], bytes).unwrap().map(Result::unwrap).collect();
        };
        let of_organizations = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'org\\_%'";
        let schema = postgres.sql(of_organizations);
        let printed = postgres.sql(&format!("SET search_path TO {}; {sql}", schema.trim()));
        let bytes = |line: &str| match line.strip_prefix("\\x") {
            Some(hex) => (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
                .collect(),
            None => line.as_bytes().to_vec(),
        };
        printed.lines().map(bytes).collect()
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.program().args(words).output().unwrap()
    }

    pub fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_precordia"));
        program.env("PRECORDIA_CONFIG", self.path("precordia.toml"));
        program.envs(self.environment.iter().map(|(name, value)| (name, value)));
        program
    }

    /// Makes an organization; answers the one-time code.
    pub fn apply(&self, slug: &str, name: &str) -> String {
        let file = self.path(&format!("{slug}.toml"));
        let text = format!(
            "slug = \"{slug}\"\nname = \"{name}\"\n[[site]]\nname = \"Ward\"\ntime_zone = \"UTC\"\n"
        );
        std::fs::write(&file, text).unwrap();
        let output = self.run(&["org", "apply", file.to_str().unwrap()]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "org apply: {}", String::from_utf8_lossy(&output.stderr));
        stdout
            .lines()
            .find_map(|line| line.strip_prefix("setup-code "))
            .expect("a set-up code")
            .to_owned()
    }

    pub fn serve(&self) -> Server {
        self.try_serve().unwrap_or_else(|cause| panic!("the server did not start: {cause}"))
    }

    pub fn try_serve(&self) -> Result<Server, String> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("server.log"))
            .unwrap();
        let mut child =
            self.program().arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("ready ") else {
            let _ = child.wait();
            let log = std::fs::read_to_string(self.path("server.log")).unwrap_or_default();
            return Err(format!("{line} {log}"));
        };
        Ok(Server { child, url: url.to_owned() })
    }
}

pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The exit code, when it ends by itself.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// SIGTERM, and the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        self.child.wait().unwrap().code()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A signed-in user, or a program with a token.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    pub url: String,
    headers: Vec<(String, String)>,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            panic!("{} is not JSON: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into()
}

impl Client {
    pub fn anonymous(url: &str) -> Self {
        Self { agent: agent(), url: url.to_owned(), headers: Vec::new() }
    }

    pub fn with_token(url: &str, token: &str) -> Self {
        let mut client = Self::anonymous(url);
        client.headers.push(("authorization".into(), format!("Bearer {token}")));
        client
    }

    fn with_session(url: &str, answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
        let mut client = Self::anonymous(url);
        client.headers.push(("cookie".into(), cookie));
        client.headers.push(("x-csrf-token".into(), csrf));
        client
    }

    /// The first administrator.
    pub fn set_up(url: &str, slug: &str, code: &str) -> Self {
        let body = json!({"organization": slug, "code": code, "user_name": "root-admin", "display_name": "Admin", "password": PASSWORD});
        let answer = Self::anonymous(url).post("/api/setup", &body);
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        Self::with_session(url, &answer)
    }

    pub fn sign_in(url: &str, slug: &str, user_name: &str) -> Self {
        let body = json!({"organization": slug, "user_name": user_name, "password": PASSWORD});
        let answer = Self::anonymous(url).post("/api/session", &body);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        Self::with_session(url, &answer)
    }

    /// A user with a role, signed in.
    pub fn user(&self, slug: &str, user_name: &str, role: &str) -> Self {
        let body = json!({"user_name": user_name, "display_name": user_name, "roles": [role], "password": PASSWORD});
        self.post("/api/users", &body).ok();
        Self::sign_in(&self.url, slug, user_name)
    }

    pub fn service(&self) -> Self {
        let body = json!({"label": "test", "roles": ["service"]});
        let answer = self.post("/api/tokens", &body).ok();
        Self::with_token(&self.url, answer["token"].as_str().unwrap())
    }

    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), agent: agent(), headers: self.headers.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, "accept", "*/*")
    }

    pub fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url)).header(name, value);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.call()).unwrap_or_else(|cause| panic!("GET {path}: {cause}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", body.to_string().as_bytes(), &[])
            .unwrap_or_else(|cause| panic!("POST {path}: {cause}"))
    }

    pub fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
        more: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        let url = format!("{}{path}", self.url);
        let mut request = match method {
            "PUT" => self.agent.put(url),
            "DELETE" => self.agent.delete(url).force_send_body(),
            _ => self.agent.post(url),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        answer(request.header("content-type", content_type).send(body))
    }

    /// Uploads and waits for the outcome.
    pub fn upload(&self, file: &[u8]) -> Value {
        self.try_upload(file, 20).unwrap().ok()
    }

    pub fn try_upload(&self, file: &[u8], wait_seconds: u32) -> Result<Answer, ureq::Error> {
        let mut body =
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cart.dcm\"\r\n\r\n"
                .to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let wait = format!("wait={wait_seconds}");
        let more: &[(&str, &str)] = if wait_seconds > 0 { &[("prefer", &wait)] } else { &[] };
        self.send("POST", "/api/uploads", "multipart/form-data; boundary=b", &body, more)
    }
}

fn answer(
    result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Answer, ureq::Error> {
    let mut response = result?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let mut body = Vec::new();
    response.body_mut().as_reader().read_to_end(&mut body).map_err(ureq::Error::Io)?;
    Ok(Answer { status: response.status().as_u16(), body, headers })
}

/// A file of a made-up person.
pub fn file_of(pattern: Pattern, person: &Person, number: usize) -> Vec<u8> {
    let spec = Spec {
        person: person.clone(),
        seed: number as u64,
        acquired_at: Some(precordia_synth::device_time(2026, 3, 4, 10, 20, 30, Some(0))),
        device_serial: format!("SERIAL-{number:06}"),
        ..Spec::pattern(pattern)
    };
    let base = format!("2.25.990011{number}");
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthesize(&spec).recording, &ids).unwrap()
}

/// Tries until it holds or the time is over.
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    eventually_within(Duration::from_secs(120), what, holds);
}

pub fn eventually_within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
