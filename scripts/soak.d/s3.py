"""A small S3 client that signs (AWS Signature Version 4), with the standard library alone."""

import datetime
import hashlib
import hmac
import http.client
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

THREADS = 8
UNSIGNED = "UNSIGNED-PAYLOAD"


class Refused(Exception):
    """The server answered, but not with success."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status


@dataclass
class Endpoint:
    """Where a server is and the keys to it; `proxied` is where the program is sent instead."""
    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    proxied: str | None = None

    def __post_init__(self):
        self._kept = threading.local()

    def request(self, method, path, query=(), body=b"", headers=()):
        """One signed request, its `headers` (lower-case names) signed too; its status and body."""
        status, _, body = self.exchange(method, path, query, body, headers)
        return status, body

    def exchange(self, method, path, query=(), body=b"", headers=()):
        """The same; its status, the answer's headers, and its body."""
        host = urllib.parse.urlsplit(self.endpoint).netloc
        path = urllib.parse.quote(path, safe="/-._~")
        query = "&".join(f"{quoted(k)}={quoted(v)}" for k, v in sorted(query))
        headers = self._headers(method, host, path, query, headers)
        for attempt in (1, 2):
            connection = self._connection(host)
            try:
                connection.request(method, path + ("?" + query if query else ""), body, headers)
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()  # one that was kept may have been closed meanwhile
                if attempt == 2:
                    raise

    def _connection(self, host):
        if not hasattr(self._kept, "connection"):
            self._kept.connection = http.client.HTTPConnection(host, timeout=120)
        return self._kept.connection

    def _headers(self, method, host, path, query, more):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        signed = {"host": host, "x-amz-content-sha256": UNSIGNED, "x-amz-date": now} | dict(more)
        signed = dict(sorted(signed.items()))
        names = ";".join(signed)
        request = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in signed.items()), "",
                             names, UNSIGNED])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, sha256(request.encode())])
        key = ("AWS4" + self.secret_access_key).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        del signed["host"]  # is sent without being told
        return signed | {"Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/"
                                          f"{scope}, SignedHeaders={names}, Signature={signature}"}

    def _done(self, *request, **more):
        status, body = self.request(*request, **more)
        if status >= 300:
            raise Refused(status, body)
        return body

    def make_bucket(self, bucket):
        self._done("PUT", f"/{bucket}")

    def put(self, bucket, name, body, headers=()):
        self._done("PUT", f"/{bucket}/{name}", body=body, headers=headers)

    def get(self, bucket, name):
        """The object's bytes, or None if it is not there."""
        try:
            return self._done("GET", f"/{bucket}/{name}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def keys(self, bucket, prefix=""):
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        while True:
            page = xml(self._done("GET", f"/{bucket}", query=query.items()))
            encoded = page.findtext("EncodingType") == "url"
            for entry in page.findall("Contents"):
                name = entry.findtext("Key")
                yield urllib.parse.unquote(name) if encoded else name
            if page.findtext("IsTruncated") != "true":
                return
            query["continuation-token"] = page.findtext("NextContinuationToken")

    def uploads(self, bucket):
        """Key and id of the uploads in parts that are neither completed nor aborted."""
        page = xml(self._done("GET", f"/{bucket}", query={"uploads": ""}.items()))
        return [(u.findtext("Key"), u.findtext("UploadId")) for u in page.findall("Upload")]

    def holds_parts(self, bucket, name, upload_id):
        """Whether an upload holds anything that its owner pays for."""
        query = {"uploadId": upload_id, "max-parts": "1"}
        try:
            page = xml(self._done("GET", f"/{bucket}/{name}", query=query.items()))
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return page.find("Part") is not None


def quoted(text):
    return urllib.parse.quote(text, safe="-._~")


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def xml(body):
    """The document without its namespace."""
    root = ElementTree.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def each(items, work):
    """Does `work` for each item with a few threads; the results in the items' order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, items))
