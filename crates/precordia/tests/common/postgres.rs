//! A PostgreSQL server of this test's own, started as the storage's contract suite does.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, Once, OnceLock};

/// One server for the whole run. It ends when this process does.
pub struct Server {
    dir: PathBuf,
    port: u16,
    /// Its standard input is open as long as this process lives.
    _script: Child,
}

impl Server {
    /// `None` where no PostgreSQL is installed; says so once, past the harness, which keeps what a passing
    /// test prints.
    pub fn get() -> Option<&'static Server> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        static SAID: Once = Once::new();
        let server = SERVER.get_or_init(Server::start).as_ref();
        if server.is_none() {
            SAID.call_once(|| {
                let _ = writeln!(std::io::stderr(), "skipped: no PostgreSQL for the whole program");
            });
        }
        server
    }

    fn start() -> Option<Server> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/contract/postgres.sh");
        let mut script = Command::new("sh")
            .arg(script)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut dir = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut dir).unwrap();
        if dir.trim().is_empty() || dir.trim() == "none" {
            let _ = script.wait();
            assert!(!dir.is_empty(), "PostgreSQL is installed and does not start");
            return None;
        }
        Some(Server { dir: dir.trim().into(), port, _script: script })
    }

    /// A new database, and the address of a login that may do what the product needs and no more.
    pub fn database(&'static self) -> Database {
        static MADE: Mutex<usize> = Mutex::new(0);
        let mut made = MADE.lock().unwrap();
        *made += 1;
        let server = Database { server: self, name: String::from("postgres") };
        if *made == 1 {
            server.sql("CREATE ROLE product LOGIN CREATEROLE NOINHERIT");
        }
        let name = format!("test_{made}");
        server.sql(&format!("CREATE DATABASE {name} OWNER product"));
        Database { server: self, name }
    }
}

/// A database, seen by the server's superuser, whom the product never is.
pub struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    /// The `storage.url` of the product.
    pub fn url(&self) -> String {
        let Server { dir, port, .. } = self.server;
        format!("host={} port={port} user=product dbname={}", dir.display(), self.name)
    }

    /// The server's files: tables, journal, logs.
    pub fn files(&self) -> PathBuf {
        self.server.dir.clone()
    }

    /// Runs statements one by one, each in a transaction of its own; answers what they print.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        let output = self.psql().arg("-c").arg(sql).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{sql}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn psql(&self) -> Command {
        let mut psql = Command::new(self.server.dir.join("bin/psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        psql.arg("-h").arg(&self.server.dir).arg("-p").arg(self.server.port.to_string());
        psql.arg("-d").arg(&self.name);
        psql
    }
}
