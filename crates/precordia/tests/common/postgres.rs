//! A database of a test's own on the server that the storage's contract suite starts.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, Once};

#[path = "../../../store/tests/contract/server.rs"]
mod server;

use server::Server;

/// A new database, and the address of a login that may do what the product needs and no more. `None` where
/// no PostgreSQL is installed; says so once, past the harness, which keeps what a passing test prints.
pub fn database() -> Option<Database> {
    static SAID: Once = Once::new();
    static MADE: Mutex<usize> = Mutex::new(0);
    let Some(server) = Server::get() else {
        SAID.call_once(|| {
            let _ = writeln!(std::io::stderr(), "skipped: no PostgreSQL for the whole program");
        });
        return None;
    };
    let mut made = MADE.lock().unwrap();
    *made += 1;
    let admin = Database { server, name: String::from("postgres") };
    if *made == 1 {
        admin.sql("CREATE ROLE product LOGIN CREATEROLE NOINHERIT");
    }
    let name = format!("test_{made}");
    admin.sql(&format!("CREATE DATABASE {name} OWNER product"));
    Some(Database { server, name })
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
