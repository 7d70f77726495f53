"""`precordia alarms test` against aiosmtpd, by STARTTLS with a login, by TLS and in the clear, and against
an HTTP server that verifies what docs/alarms.md says of signatures. Run by tests/alarms.sh."""

import hashlib
import hmac
import http.server
import json
import logging
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

BINARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
SECRET = b"a secret of at least sixteen bytes"
USER, PASSWORD = b"precordia", b"a word for mail"


class Mails:
    def __init__(self):
        self.seen = []

    async def handle_DATA(self, server, session, envelope):
        self.seen.append((session, envelope))
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=right)


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "certificate.pem", FOLDER / "key.pem")
    return context


class Hook(http.server.BaseHTTPRequestHandler):
    posts = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = dict(part.split("=", 1) for part in self.headers["Precordia-Signature"].split(","))
        signed = parts["t"].encode() + b"." + body
        right = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(parts["t"])) < 300
        good = hmac.compare_digest(right, parts["v1"]) and fresh
        Hook.posts.append((good, json.loads(body)))
        self.send_response(200 if good else 401)
        self.end_headers()

    def log_message(self, *words):
        pass


def start_mail(**how):
    mails = Mails()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mails, hostname="127.0.0.1", port=port, ready_timeout=60, **how)
    controller.start()
    return controller, mails, port


def configure(smtp, hook):
    (FOLDER / "secret").write_bytes(SECRET + b"\n")
    (FOLDER / "password").write_bytes(PASSWORD + b"\n")
    (FOLDER / "precordia.toml").write_text(f"""
data_dir = "{FOLDER}/data"
[alarms]
installation = "test-house"
[[alarms.webhook]]
name = "hook"
url = "http://127.0.0.1:{hook}/"
secret_file = "{FOLDER}/secret"
[alarms.smtp]
host = "localhost"
from = "Precordia <precordia@example.org>"
{smtp}
[[alarms.email]]
name = "on-call"
to = ["on-call@example.org", "Second <second@example.org>"]
severity_min = "critical"
""")


def run(*words):
    command = [BINARY, *words, "--config", str(FOLDER / "precordia.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


# A refused handshake is what some of these ask for.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
warnings.simplefilter("ignore")
passed = failed = 0


def check(what, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"error: {what}: {detail}", file=sys.stderr)


hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
port_of_hook = hook.server_address[1]

configure('security = "none"', port_of_hook)
(FOLDER / "house.toml").write_text('slug = "house"\nname = "House"\n')
code, said = run("org", "apply", str(FOLDER / "house.toml"))
check("an installation is made", code == 0, said)

ca = f'ca_file = "{FOLDER}/certificate.pem"\n'
right = f'user = "precordia"\npassword_file = "{FOLDER}/password"\n'
auth = {"authenticator": login, "auth_required": True}
ways = [
    ("STARTTLS with a login", 'security = "starttls"\n' + ca + right,
     {"tls_context": tls(), "require_starttls": True, **auth}, True),
    ("STARTTLS with a wrong login", 'security = "starttls"\n' + ca + right.replace("precordia", "other"),
     {"tls_context": tls(), "require_starttls": True, **auth}, False),
    ("a server without STARTTLS", 'security = "starttls"\n' + ca, {}, False),
    ("a certificate that nobody vouches for", 'security = "starttls"\n',
     {"tls_context": tls(), "require_starttls": True}, False),
    ("TLS from the first byte", 'security = "tls"\n' + ca, {"ssl_context": tls()}, True),
    ("this machine in the clear", 'security = "none"\n', {}, True),
]
for what, smtp, how, works in ways:
    controller, mails, port = start_mail(**how)
    configure(f"port = {port}\n{smtp}", port_of_hook)
    code, said = run("alarms", "test")
    controller.stop()
    told = "email on-call: told, SMTP 250" in said
    check(what, told == works and code == (0 if works else 1), said)
    check(f"{what}: mails", len(mails.seen) == int(works), f"{len(mails.seen)} mails")
    if not mails.seen:
        continue
    session, envelope = mails.seen[0]
    text = envelope.content.decode()
    check(f"{what}: recipients", envelope.rcpt_tos == ["on-call@example.org", "second@example.org"], envelope.rcpt_tos)
    check(f"{what}: subject", "Subject: [test-house] test: alarm.test (installation)" in text, text)
    check(f"{what}: id", ".test.1@example.org>" in text, text)
    check(f"{what}: TLS", (session.ssl is not None) == ("starttls" in smtp), "not as configured")
check("the webhook", Hook.posts and all(good for good, _ in Hook.posts), Hook.posts)
body = Hook.posts[0][1] if Hook.posts else {}
check("its form", (body.get("version"), body.get("kind"), body.get("installation")) == (1, "test", "test-house"), body)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
