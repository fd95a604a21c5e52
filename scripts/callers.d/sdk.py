"""Every call of the official SDK of OMS, with nothing changed but its endpoint.

    sdk.py URL FOLDER BINARY

Writes a line for each: `ok` or `FAILED`, what was done, how it went.
"""

import json
import pathlib
import subprocess
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkoms import v2 as oms

URL, FOLDER, BINARY = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
SECRET = (FOLDER / "secret").read_text(encoding="utf-8")
NAMES = ["2026/a.jpg", "ü b+c", "100%", "a\nb"]


def client(access="AKSENDER", secret=SECRET, project="p1"):
    credentials = BasicCredentials(access, secret, project)
    return oms.OmsClient.new_builder().with_credentials(credentials).with_endpoint(URL).build()


def status(call):
    """What a call is answered: its status, and the error's code if it is one."""
    try:
        return str(call().status_code)
    except ServiceResponseException as error:
        return f"{error.status_code} {error.error_code}"


def check(what, found, expected):
    verdict = "ok" if found == expected else "FAILED"
    how = str(found) if found == expected else f"{found}, not {expected}"
    print(verdict, what, how.replace("\n", " "), sep="\t", flush=True)


def send(names, task="photos", **who):
    body = oms.SyncObjectReq(object_keys=names)
    return client(**who).create_sync_events(oms.CreateSyncEventsRequest(sync_task_id=task, body=body))


def encoded(name):
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in name)


def month():
    now = int(time.time() * 1000)
    return client().show_sync_task(oms.ShowSyncTaskRequest(sync_task_id="photos", query_time=str(now)))


def wait_until(done, seconds=30):
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)


def events():
    check("events are taken", status(lambda: send([encoded(name) for name in NAMES])), "200")
    wait_until(lambda: month().monthly_acceptance_request >= len(NAMES))
    check("what was sent is in the month", month().monthly_acceptance_request, len(NAMES))
    query = subprocess.run(
        [BINARY, "--config", str(FOLDER / "nightferry.toml"), "why", "--task", "photos", "--json", NAMES[3]],
        capture_output=True, text=True, check=False)
    check("a name with a line end is requested", query.returncode, 0)
    check("a name that cannot be requested", status(lambda: send(["a%zz"])), "400 OMS.0064")
    check("no names", status(lambda: send([])), "400 OMS.0064")
    check("another one's task", status(lambda: send(["a"], task="films")), "403 APIGW.0302")
    check("a task that there is not", status(lambda: send(["a"], task="nope")), "404 OMS.0054")
    check("another project", status(lambda: send(["a"], project="p2")), "404 NIGHTFERRY.0404")
    check("a wrong secret key", status(lambda: send(["a"], secret="0" * 40)), "401 APIGW.0301")
    check("an unknown access key", status(lambda: send(["a"], access="NOBODY")), "401 APIGW.0301")


def reading():
    tasks = client().list_sync_tasks(oms.ListSyncTasksRequest(limit=10, offset=0))
    check("tasks are listed", [task.sync_task_id for task in tasks.tasks], ["photos", "films"])
    shown = month()
    check("a task is shown", (shown.src_bucket, shown.dst_bucket, shown.status),
          ("photos", "photos-copy", "SYNCHRONIZING"))
    now = int(time.time() * 1000)
    for days, step in ((1, "FIVE_MINUTES"), (30, "ONE_HOUR")):
        asked = oms.ListSyncTaskStatisticRequest(
            sync_task_id="photos", data_type="REQUEST,SUCCESS", start_time=str(now - days * 86_400_000),
            end_time=str(now + 1_000))
        said = json.loads(str(client().list_sync_task_statistic(asked)))
        counts = {series["data_type"]: sum(int(place["statistic_num"]) for place in series["data"])
                  for series in said["statistic_datas"]}
        check(f"series of {days} days", (said["statistic_time_type"], counts),
              (step, {"REQUEST": len(NAMES), "SUCCESS": 0}))


def control():
    stop = oms.StopSyncTaskRequest(sync_task_id="photos")
    start = oms.StartSyncTaskRequest(sync_task_id="photos", body=oms.StartSyncTaskReq(
        src_ak="unused", src_sk="unused", dst_ak="unused", dst_sk="unused"))
    check("a task is stopped", status(lambda: client().stop_sync_task(stop)), "200")
    check("it is seen to be", month().status, "STOPPED")
    check("it is stopped again", status(lambda: client().stop_sync_task(stop)), "400 NIGHTFERRY.0400")
    check("it is started", status(lambda: client().start_sync_task(start)), "200")
    check("it is started again", status(lambda: client().start_sync_task(start)), "400 NIGHTFERRY.0400")
    new = oms.CreateSyncTaskRequest(body=oms.CreateSyncTaskReq(
        src_cloud_type="AWS", src_region="r", src_bucket="s", src_ak="unused", src_sk="unused",
        dst_ak="unused", dst_sk="unused", dst_region="r", dst_bucket="d"))
    check("no task is made", status(lambda: client().create_sync_task(new)), "403 NIGHTFERRY.0403")
    gone = oms.DeleteSyncTaskRequest(sync_task_id="photos")
    check("no task is deleted", status(lambda: client().delete_sync_task(gone)), "403 NIGHTFERRY.0403")


for part in (events, reading, control):
    part()
