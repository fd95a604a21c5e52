"""Sends mails with Nightferry to aiosmtpd, and reads what has arrived.

    send.py FOLDER NIGHTFERRY

FOLDER is one that `examples/show-mail` has made.
"""

import datetime
import email
import email.policy
import pathlib
import socket
import ssl
import subprocess
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "nightferry", "correct horse 7!"


def certificate(folder):
    """A certificate for localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    place, key_place = folder / "mail.pem", folder / "mail-key.pem"
    place.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_place.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return place, key_place


class Inbox:
    """Keeps what is taken."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.authenticated, session.ssl is not None, envelope))
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


def configure(folder, port, password, ca_file):
    end = (
        'endpoint = "http://127.0.0.1:9"\nbucket = "{}"\n'
        'access_key_id = "none"\nsecret_access_key = "none"\n'
    )
    path = folder / "nightferry.toml"
    path.write_text(
        f'data_dir = "data"\n[mail]\nserver = "localhost"\nport = {port}\nuser = "{USER}"\n'
        f'password = "{password}"\nca_file = "{ca_file}"\n'
        'from = "Nightferry <nightferry@example.com>"\nto = ["Ops <ops@example.com>"]\n'
        '[[task]]\nid = "photos"\ntime_zone = "Asia/Shanghai"\n'
        f'[task.source]\n{end.format("camera")}[task.destination]\n{end.format("archive")}'
    )
    path.chmod(0o600)
    return path


def main():
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    place, key = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place, key)
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    server.start()

    def nightferry(*arguments, password=PASSWORD):
        config = configure(folder, port, password, place)
        command = [program, "--config", config, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if PASSWORD in done.stdout + done.stderr:
            sys.exit("the password was shown")
        print("$ nightferry", *arguments, "->", done.returncode)
        print(done.stderr, end="")
        return done.returncode, done.stdout

    code, said = nightferry("doctor")
    print(said.splitlines()[-1])
    code, _ = nightferry("summary", "--mail", "--month", "2026-10", password="wrong")
    assert code == 7, code
    code, _ = nightferry("run")
    assert code == 9, code
    server.stop()

    subjects = []
    for authenticated, secured, envelope in inbox.mails:
        assert authenticated and secured
        assert envelope.rcpt_tos == ["ops@example.com"]
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_body(("plain",)).get_content()
        html = mail.get_body(("html",)).get_content()
        assert "photos" in text and "<!DOCTYPE html>" in html
        assert not mail.defects, mail.defects
        subjects.append(mail["subject"])
        print(mail["message-id"], mail["date"], mail["subject"], sep=" | ")
    assert len(subjects) == 2, subjects
    assert subjects[0].startswith("photos, 2026-10: "), subjects
    assert subjects[1].startswith("photos: could not begin: endpoint_unreachable"), subjects
    print("both mails were taken, the owed one first")


main()
