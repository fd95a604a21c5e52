"""Cases about who signs, and who pays."""

import json
import shlex

import probes
from botocore.exceptions import ClientError
from night import Skip
from server import code

SECONDS = 8


def program(night, server, name):
    """A program that prints the server's keys, for some seconds each time; its command."""
    path, log = night.folder / f"{name} keys", night.folder / f"{name}.log"
    keys = {"Version": 1, "AccessKeyId": server.access_key_id,
            "SecretAccessKey": server.secret_access_key, "Expiration": "@"}
    text = json.dumps(keys).replace("@", "$until")
    path.write_text("#!/bin/sh\n" f"echo \"$*\" >>{shlex.quote(str(log))}\n"
                    f"until=$(date -u -d '{SECONDS} seconds' +%Y-%m-%dT%H:%M:%SZ)\n"
                    f"cat <<JSON\n{text}\nJSON\n")
    path.chmod(0o700)
    return f"'{path}' --for 'two words'", log


def credential_process(case):
    """Both sides' keys come from a program, again and again in a night, and are told nowhere."""
    night = case.night()
    logs = []
    for side, server in (("source", case.source), ("destination", case.destination)):
        command, log = program(night, server, side)
        logs.append(log)
        options = {"credential_process": command, "access_key_id": None, "secret_access_key": None}
        getattr(night, f"{side}_options").update(options)
    night.options["bandwidth"] = "1MB/s"
    night.write_config()
    night.put_all({f"object {number}": bytes([number]) * 500_000 for number in range(24)})
    night.ask(night.expected)
    ended = night.run(synced=24)
    night.assert_arrived()
    for log in logs:
        runs = log.read_text().splitlines()
        assert set(runs) == {"--for two words"}, runs
        assert len(runs) >= 2, f"{log.name}: run {len(runs)} times in {SECONDS} seconds and more"
        case.remark(f"{log.stem}: {len(runs)} times")
    said = ended.stdout + ended.stderr + (night.data / "ledger.sqlite").read_bytes().decode("latin-1")
    for server in (case.source, case.destination):
        assert server.secret_access_key not in said


def credential_process_fails(case):
    """A program that fails: exit 9, credentials_refused, nothing lost."""
    options = {"credential_process": "false", "access_key_id": None, "secret_access_key": None}
    night = case.night(source_options=options)
    night.put_all({"a": b"a"})
    night.ask(["a"])
    night.run(code=9, synced=0, failed=0)
    night.source_options.clear()
    night.write_config()
    night.run(synced=1)
    night.assert_arrived()


def pays_alone(server, bucket, key):
    """Whether the bucket answers a stranger only who says that he pays."""
    client = server.second().client
    try:
        client.get_object(Bucket=bucket, Key=key)
        return False
    except ClientError as error:
        if code(error) != "AccessDenied":
            raise
    client.get_object(Bucket=bucket, Key=key, RequestPayer="requester")
    return True


def requester_pays(case):
    """A source whose readers pay: refused without the word, carried with it."""
    if not probes.knows_policies(case.source):
        raise Skip("has no users or no bucket policies")
    key, secret = case.source.stranger
    night = case.night(source_options={"access_key_id": key, "secret_access_key": secret})
    night.put_all({"a": b"a", "in parts": bytes(9_000_000)})
    probes.allow_stranger(case.source, night.source_bucket)
    payer = {"Payer": "Requester"}
    try:
        case.source.client.put_bucket_request_payment(
            Bucket=night.source_bucket, RequestPaymentConfiguration=payer)
    except ClientError as error:
        raise Skip(f"has no request payment: {code(error)}") from None
    if not pays_alone(case.source, night.source_bucket, "a"):
        raise Skip("answers who does not pay")
    night.ask(night.expected)
    night.run(code=9, synced=0, failed=0)
    night.source_options["requester_pays"] = True
    night.write_config()
    night.run(synced=2)
    night.assert_arrived()


def requester_pays_unasked(case):
    """A server that asks for no payment takes the word, signed as it is."""
    night = case.night(source_options={"requester_pays": True})
    night.put_all({"a": b"a", "in parts": bytes(9_000_000)})
    night.ask(night.expected)
    night.run(synced=2)
    night.assert_arrived()


CASES = [credential_process, credential_process_fails, requester_pays, requester_pays_unasked]
