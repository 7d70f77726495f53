//! A PostgreSQL server of a test run's own. The tests of the whole program use it, too.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// One server for the whole run. It ends when this process does.
pub struct Server {
    pub dir: PathBuf,
    pub port: u16,
    /// Its standard input is open as long as this process lives.
    _script: Child,
}

impl Server {
    /// `None` where no PostgreSQL is installed.
    pub fn get() -> Option<&'static Server> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(Server::start).as_ref()
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
}
