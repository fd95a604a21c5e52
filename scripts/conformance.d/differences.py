"""What each server does differently, measured, as a Markdown table for the README."""

import argparse
from collections import defaultdict

import probes
from server import Server

# Row of the table -> how its cell is found.
ROWS = {
    "version": lambda s: s.software,
    "credentials": lambda s: "checked" if probes.checks_credentials(s) else "any pass",
    "awkward names that are not taken": lambda s: awkward(s),
    "headers and metadata that are not kept": lambda s: altered(s),
    "raw UTF-8 in metadata": lambda s: probes.keeps_utf8_metadata(s) or "kept",
    "4 KiB of metadata": probes.metadata_limit,
    "tags on PUT": probes.tags,
    "ETag of a single PUT": probes.single_etag,
    "ETag of a multipart upload": probes.multipart_etag,
    "ETag in the answer to CompleteMultipartUpload": probes.completed_etag,
    "bucket policies": lambda s: "yes" if probes.knows_policies(s) else "no",
    "wrong Content-MD5": probes.md5_mismatch,
    "wrong CRC32C": probes.crc32c_mismatch,
    "wrong SHA-256": probes.sha256_mismatch,
    "CRC32C sent along": probes.echoed_checksum,
    "PUT `If-None-Match: *`, name is there": probes.conditional_put,
    "GET `If-Match`, other ETag": probes.conditional_get,
    "copy, the source has another ETag": probes.conditional_copy,
    "copy with `If-None-Match: *`, name is there": probes.conditional_copy_onto,
    "listing order": probes.listing_order,
    "listing `encoding-type=url`": probes.listing_encoding,
    "Last-Modified in listings": probes.listing_times,
    "GET: no such name / no such bucket": probes.missing_object,
}


def awkward(server):
    by_verdict = defaultdict(list)
    for label, verdict in probes.awkward_names(server).items():
        if verdict:
            by_verdict[verdict].append(label)
    return "; ".join(f"{', '.join(labels)}: {verdict}"
                     for verdict, labels in by_verdict.items()) or "none"


def altered(server):
    found = probes.kept_headers(server)["altered"]
    return "; ".join(f"{key} ({_short(value)})" for key, value in found.items()) or "none"


def _short(value):
    text = "lost" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", action="append", required=True, type=Server.read)
    servers = parser.parse_known_args()[0].server  # what is for the cases is passed over
    print("| | " + " | ".join(server.name for server in servers) + " |")
    print("|--" * (len(servers) + 1) + "|")
    for title, find in ROWS.items():
        cells = [str(find(server)).replace("|", "\\|") for server in servers]
        print(f"| {title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
