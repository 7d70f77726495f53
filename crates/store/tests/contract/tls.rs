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
