//! Two organizations on one server, and clients of them.

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::{Router, http};
use precordia_app::{App, OrganizationSpec, Settings, SiteSpec, Stop};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_server::{NoWeb, ServerOptions};
use precordia_synth::{Pattern, Person, Spec, synthesize};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const PASSWORD: &str = "four words make it long";
pub const HOST: &str = "localhost:8480";
pub const UPLOAD_BYTES_MAX: u64 = 1024 * 1024;

pub struct World {
    pub app: App,
    pub router: Router,
    pub stop: Stop,
    _dir: tempfile::TempDir,
}

impl World {
    /// Organizations `alpha` and `beta`, each with an administrator `ada` and no one else.
    pub async fn new() -> Self {
        Self::with(Settings { upload_bytes_max: UPLOAD_BYTES_MAX, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let app = open(dir.path(), settings).await;
        let stop = Stop::default();
        let router = precordia_server::router(options(&app, &stop));
        tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.work(&stop).await }
        });
        let world = Self { app, router, stop, _dir: dir };
        for slug in ["alpha", "beta"] {
            world.found(slug).await;
        }
        world
    }

    async fn found(&self, slug: &str) {
        let spec = OrganizationSpec {
            slug: slug.to_owned(),
            name: format!("Hospital {slug}"),
            sites: vec![SiteSpec {
                name: format!("Ward {slug}"),
                time_zone: "Europe/London".to_owned(),
            }],
        };
        let operator = self.app.local_operator();
        let applied = self.app.apply_organization(&operator, &spec).await.unwrap();
        let code = applied.setup_code.unwrap();
        let body = json!({
            "organization": slug, "code": &**code, "user_name": "ada", "display_name": "Ada Admin", "password": PASSWORD,
        });
        let answer = self.nobody().post("/api/setup", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    }

    pub fn nobody(&self) -> Client<'_> {
        Client { world: self, cookie: None, csrf: None, token: None }
    }

    pub async fn sign_in(&self, organization: &str, user_name: &str) -> Client<'_> {
        let body =
            json!({ "organization": organization, "user_name": user_name, "password": PASSWORD });
        let answer = self.nobody().post("/api/session", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Client { world: self, cookie: Some(cookie), csrf: Some(csrf), token: None }
    }

    /// A user of the organization with one role, signed in.
    pub async fn member(&self, organization: &str, role: &str) -> Client<'_> {
        let admin = self.sign_in(organization, "ada").await;
        let body = json!({ "user_name": role, "display_name": role, "roles": [role], "password": PASSWORD });
        let answer = admin.post("/api/users", &body).await;
        assert!(matches!(answer.status.as_u16(), 201 | 409), "{}", answer.text());
        self.sign_in(organization, role).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

pub async fn open(dir: &Path, settings: Settings) -> App {
    let store = precordia_store::open_sqlite(precordia_store::SqliteOptions::new(dir.join("data")))
        .await
        .unwrap();
    let ports = precordia_store::ports(
        &store,
        precordia_store::master_from_file(&dir.join("master.key"), true).unwrap(),
        precordia_store::witness_in(&dir.join("witness"), &dir.join("data")).await.unwrap(),
        Arc::new(precordia_store::SystemClock),
        Arc::new(precordia_store::SecureRandom),
    );
    App::new(ports, settings)
}

pub fn options(app: &App, stop: &Stop) -> ServerOptions {
    ServerOptions {
        app: app.clone(),
        tls: false,
        loopback: true,
        public_url: None,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        demo: None,
        software_version: "0.0.0",
        software_date: "2026-01-01",
        web: Arc::new(NoWeb),
        metrics: precordia_server::install_metrics(),
        metrics_token: Some(String::from("collector").into()),
        stop: stop.clone(),
    }
}

#[derive(Clone)]
pub struct Client<'a> {
    pub world: &'a World,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub token: Option<String>,
}

impl Client<'_> {
    /// A request with everything that this client always sends.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let mut builder = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        if let Some(cookie) = &self.cookie {
            builder = builder.header(header::COOKIE, cookie);
        }
        if let Some(csrf) = &self.csrf {
            builder = builder.header("x-csrf-token", csrf);
        }
        if let Some(token) = &self.token {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        builder
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let builder = self.request(method, path);
        let request = match body {
            Some(body) => builder
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .unwrap(),
            None => builder.body(Body::empty()).unwrap(),
        };
        self.world.send(request).await
    }

    pub async fn upload(&self, file: &[u8]) -> Answer {
        self.upload_parts(&[("file", Some("cart.dcm"), file)]).await
    }

    pub async fn upload_parts(&self, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
        let body = form(parts);
        let request = self
            .request("POST", "/api/uploads")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .header(header::CONTENT_LENGTH, body.len())
            .header("prefer", "wait=20")
            .body(Body::from(body))
            .unwrap();
        self.world.send(request).await
    }
}

pub fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, bytes) in parts {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// A refusal in the form that every refusal has.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
        answer
    }
}

/// A real ECG of one of the demo's people.
pub fn ecg(person: usize, number: usize) -> Vec<u8> {
    let spec = Spec {
        person: Person::demo(person),
        seed: number as u64,
        acquired_at: Some(precordia_synth::device_time(2026, 3, 14, 9, 26, 53, Some(0))),
        ..Spec::pattern(Pattern::ALL[number % Pattern::ALL.len()])
    };
    let base = format!("2.25.99{person}{number}");
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthesize(&spec).recording, &ids).unwrap()
}

/// An ECG that names nobody.
pub fn ecg_of_nobody(number: usize) -> Vec<u8> {
    let mut spec = Spec { person: Person::demo(77), ..Spec::pattern(Pattern::ALL[0]) };
    spec.person.id = String::new();
    let base = format!("2.25.98{number}");
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthesize(&spec).recording, &ids).unwrap()
}
