//! A PostgreSQL server reached by TLS. Only that engine has a network in between.

use precordia_store::{PostgresOptions, open_postgres};

use crate::engines::{Opened, Server};

pub async fn a_server_is_trusted_by_its_certificate_only(opened: &Opened) {
    if opened.raw_postgres().await.is_none() {
        return;
    }
    let server = Server::get().unwrap();
    let ca = server.dir.join("ca.pem");
    if !ca.exists() {
        eprintln!("skipped: openssl not found (1 case)");
        return;
    }
    let database = server.database().await;
    let name = database.rsplit("dbname=").next().unwrap();
    let by_network = |host: &str| {
        let port = server.port;
        let connection =
            format!("host={host} hostaddr=127.0.0.1 port={port} user=product dbname={name}");
        PostgresOptions::new(connection, opened.dir().join("tls"))
    };
    // The certificate is for `localhost`; another name is not it, nor is one that nobody vouches for.
    let stranger = opened.dir().join("stranger.pem");
    std::fs::copy(server.dir.join("server.pem"), &stranger).unwrap();
    let cases = [
        ("localhost", Some(ca.clone()), true),
        ("db.example.org", Some(ca), false),
        ("localhost", Some(stranger), false),
        ("db.example.org", None, false),
    ];
    for (host, tls_ca_file, accepted) in cases {
        let with_ca = tls_ca_file.is_some();
        let options = PostgresOptions { tls_ca_file, ..by_network(host) };
        let opened = open_postgres(options).await;
        assert_eq!(opened.is_ok(), accepted, "{host}, with certificates: {with_ca}");
    }
}

/// A port that takes connections and says nothing, as a machine does that hangs.
#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let connection = format!("host=127.0.0.1 port={port} user=a connect_timeout=1");
    let opened = open_postgres(PostgresOptions::new(connection, dir.path()));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), opened).await;
    let error = answer.expect("it waits for ever").err().unwrap().to_string();
    assert!(error.contains("did not answer in time"), "{error}");
    silent.abort();
}
