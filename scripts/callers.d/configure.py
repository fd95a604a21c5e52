"""Writes what a `serve` for foreign callers needs into a folder: its configuration,
the token of one who may do all, and the OpenAPI description with the tasks that
there are."""

import hashlib
import json
import pathlib
import secrets
import sys

FOLDER = pathlib.Path(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
END = ('endpoint = "http://127.0.0.1:1"\nbucket = "{}"\n'
       'access_key_id = "unused"\nsecret_access_key = "unused"\n')


def write(name, text):
    path = FOLDER / name
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def main():
    token, secret = secrets.token_hex(32), secrets.token_hex(20)
    write("token", token)
    write("secret", secret)
    write("secrets", f"{token}\n{secret}\n")
    tasks = "".join(
        f'[[task]]\nid = "{task}"\n[task.source]\n{END.format(task)}'
        f'[task.destination]\n{END.format(task + "-copy")}' for task in ("photos", "films"))
    write("nightferry.toml",
          'data_dir = "data"\n[serve]\nlisten = "127.0.0.1:0"\nproject_id = "p1"\n'
          f'[[serve.token]]\nid = "all"\nsha256 = "{hashlib.sha256(token.encode()).hexdigest()}"\n'
          'send = "all"\nread = true\ncontrol = true\n'
          '[[serve.token]]\nid = "sdk"\naccess_key_id = "AKSENDER"\n'
          f'secret_access_key = "{secret}"\nsend = ["photos"]\nread = true\ncontrol = true\n' + tasks)
    schema = json.loads((ROOT / "src/serve/openapi.json").read_text(encoding="utf-8"))
    # Else next to every call is for a task or a project that there is not.
    parameters = schema["components"]["parameters"]
    parameters["task"]["schema"] = {"type": "string", "enum": ["photos", "films"]}
    parameters["project"]["schema"] = {"type": "string", "enum": ["p1"]}
    # The token alone: a made-up Authorization would count before it.
    schemes = schema["components"]["securitySchemes"]
    for scheme in set(schemes) - {"token"}:
        del schemes[scheme]
    schema["security"] = [{"token": []}]
    write("openapi.json", json.dumps(schema))


main()
