"""Names that servers and clients stumble over, and what a server does with each."""

from botocore.exceptions import BotoCoreError, ClientError

from server import code

AWKWARD = {
    "a space": "a b",
    "two spaces": "a  b",
    "nothing but a space": " ",
    "spaces at both ends": " a ",
    "plus": "a+b",
    "plus and space": "a+ b",
    "percent": "100%",
    "percent-encoded slash": "a%2Fb",
    "percent-encoded letter": "%41",
    "ampersand": "a&b=c",
    "hash": "a#b",
    "question mark": "a?b",
    "like a query": "a?versionId=1&uploads",
    "double quote": 'a"b',
    "single quote": "it's",
    "angle brackets": "<a>",
    "an XML entity": "&amp;&#10;",
    "pipe": "a|b",
    "backslash": "a\\b",
    "like an escape": "a\\nb\\t",
    "colon": "a:b",
    "semicolon and comma": "a;b,c",
    "at, dollar, star, bang": "@$*!",
    "brackets": "[a]{b}(c)",
    "caret, grave, tilde": "^`~",
    "equals": "=a",
    "emoji": "🚢🌙.txt",
    "emoji of several code points": "👩\u200d👩\u200d👧.txt",
    "combining accent": "cafe\u0301",
    "precomposed accent": "caf\u00e9",
    "right to left": "שלום/مرحبا",
    "Chinese": "照片/二〇二六年.jpg",
    "no-break space": "a\u00a0b",
    "line separator": "a\u2028b",
    "byte order mark": "\ufeffa",
    "replacement character": "a\ufffdb",
    "last code point": "a\U0010ffffb",
    "upper and lower case (1)": "Twin.TXT",
    "upper and lower case (2)": "twin.txt",
    "leading dot": ".hidden",
    "three dots": "a/.../b",
    "dots within a segment": "..a/b..",
    "leading slash": "/leading",
    "two leading slashes": "//leading2",
    "double slash within": "a//b",
    "nothing but slashes": "///",
    "trailing slash, no bytes": "folder/",
    "trailing slash, with bytes": "folder-with-bytes/",
    "two trailing slashes": "folder//",
    "beside our own prefix": "oms/sync_tasks",
    "file-like: list suffix": "x.success_list.txt",
    "471 bytes": "m" * 471,
    "1,024 bytes": "x" * 1024,
    "1,024 bytes of two-byte letters": "é" * 512,
    "1,024 bytes with many slashes": "s/" * 511 + "xx",
    "TAB": "a\tb",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "carriage return at the end": "a\r",
    "CR LF": "a\r\nb",
    "newline at the end": "end\n",
    "control character": "a\x01b",
    "escape": "a\x1b[1mb",
    "delete": "a\x7fb",
}

# Names that cannot stand as they are on a line of a plain list.
NEEDS_URL = {name for name in AWKWARD.values() if {"\n", "\r"} & set(name) or name[0] == "\ufeff"}
# Objects without bytes; all others have some.
WITHOUT_BYTES = {"folder/"}


def body_of(name):
    return b"" if name in WITHOUT_BYTES else b"bytes of " + name.encode()


def probe(server):
    """What the server does with each awkward name through boto3 alone:
    label -> "" if all is well, else what is different."""
    if "names" not in server.cache:
        bucket = server.make_bucket("cf-probe-names")
        verdicts = {label: _put_and_get(server, bucket, name) for label, name in AWKWARD.items()}
        listed = set(server.keys(bucket))
        for label, name in AWKWARD.items():
            if not verdicts[label] and name not in listed:
                verdicts[label] = "listed under another name"
        server.drop_bucket(bucket)
        server.cache["names"] = verdicts
    return server.cache["names"]


def _put_and_get(server, bucket, name):
    try:
        server.put(bucket, name, body_of(name))
    except (ClientError, BotoCoreError) as error:
        return f"refused ({_word(error)})"
    try:
        if server.bytes(bucket, name) != body_of(name):
            return "another object's bytes come back"
    except (ClientError, BotoCoreError) as error:
        return f"taken, but not found again ({_word(error)})"
    return ""


def _word(error):
    return code(error) if isinstance(error, ClientError) else type(error).__name__


def taken(server):
    """The awkward names that the server takes and gives back."""
    return [AWKWARD[label] for label, verdict in probe(server).items()
            if verdict in ("", "listed under another name")]


def refused(server):
    return {AWKWARD[label] for label, verdict in probe(server).items()
            if verdict not in ("", "listed under another name")}
