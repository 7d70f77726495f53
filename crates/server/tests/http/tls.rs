//! What changes when the server speaks TLS itself.

use std::path::Path;
use std::sync::Arc;

use precordia_server::{ServeError, TlsFiles};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::world::{PASSWORD, World, options};

// Made once for these tests and for nothing else; they protect nothing. Both pairs by:
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=localhost \
//   -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost -keyout KEY -out CERT
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/certificates");

fn files(certificates: &str, key: &str) -> TlsFiles {
    let file = |name: &str| Path::new(FOLDER).join(name);
    TlsFiles { certificates: file(certificates), key: file(key) }
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_it_and_the_browser_told_to_stay() {
    let world = World::new().await;
    let files = files("localhost.pem", "localhost.key.pem");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificates).unwrap()).unwrap();
    let mut options = options(&world.app, &world.stop);
    options.tls = true;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = precordia_server::router(options);
    let server =
        tokio::spawn(precordia_server::serve(listener, router, Some(files), world.stop.clone()));

    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, socket).await.unwrap();
    let body =
        json!({ "organization": "alpha", "user_name": "ada", "password": PASSWORD }).to_string();
    let head = format!(
        "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for expected in
        ["set-cookie: __Host-precordia_session=", "; Secure", "strict-transport-security: max-age="]
    {
        assert!(answer.contains(expected), "no `{expected}` in {answer}");
    }
    world.stop.now();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn files_that_make_no_tls_server_are_named() {
    let world = World::new().await;
    let missing = files("localhost.pem", "nowhere.pem");
    let swapped = files("localhost.key.pem", "localhost.key.pem");
    let strangers = files("localhost.pem", "other.key.pem");
    for (files, expected) in [
        (missing, "could not read the key from `"),
        (swapped, "there is no certificate in `"),
        (strangers, "the certificate and the key do not make a TLS server"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let served = precordia_server::serve(
            listener,
            world.router.clone(),
            Some(files),
            world.stop.clone(),
        )
        .await;
        let failed: ServeError = served.unwrap_err();
        assert!(failed.to_string().starts_with(expected), "{failed}");
    }
}
