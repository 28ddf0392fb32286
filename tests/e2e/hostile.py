#!/usr/bin/env python3
"""Sends the requests of make_hostile to a running instance and compares the answers with its manifest.

usage: hostile.py rows MANIFEST ROW      every file of that row of security-cases.md
       hostile.py cuts|flips FILE        a good request cut off at, or with a bit changed in, each octet: 400

The environment says where: URL, TRUST, PASSWORD, LOG; WORKERS are process ids; SANITIZED, if not empty, leaves out
what is about time and memory; DENIED is the port of 127.0.0.1 that D4's URLs name and nobody may connect to.
Prints what is wrong, then one line "ROW: N requests, M certificates, the dearest X ms". Exit status 1 if something
is wrong.
"""

import base64
import http.client
import json
import os
import re
import socket
import ssl
import sys
import time
import urllib.parse

CPU_LIMIT = 0.005  # seconds a request may cost the workers
# A revocationChallenge is kept as a slow hash (D5).
CPU_LIMITS = {"A18": 0.050, "D5": 0.100}
CPU_TRIES = 3  # the least of these counts: the machine may be busy
MEMORY_LIMIT = 8192  # KiB that the workers may grow by in a row's requests
LOG_WAIT = 2.0  # seconds for a line of the log to appear
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Connection:
    """Requests over one TLS connection, opened again where the server closed it."""

    def __init__(self):
        url = urllib.parse.urlsplit(os.environ["URL"])
        context = ssl.create_default_context(cafile=os.environ["TRUST"])
        self.prefix = url.path
        # A bare machine may have no /etc/hosts to find localhost in.
        self.https = http.client.HTTPSConnection(
            "127.0.0.1", url.port, context=context, timeout=20
        )

    def send(self, method, path, headers, body):
        for attempt in (1, 2):
            try:
                self.https.putrequest(
                    method, self.prefix + path, skip_accept_encoding=True
                )
                for name, value in headers:
                    self.https.putheader(name, value)
                self.https.endheaders(body)
                answer = self.https.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.https.close()
                if attempt == 2:
                    raise
        return None


class Log:
    """The lines that the workers write from here on."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.file.seek(0, os.SEEK_END)
        self.rest = b""

    def lines(self, wanted):
        """Waits for so many lines; gives what there is then."""
        found = []
        deadline = time.monotonic() + LOG_WAIT
        while True:
            self.rest += self.file.read()
            *whole, self.rest = self.rest.split(b"\n")
            found += whole
            if len(found) >= wanted or time.monotonic() > deadline:
                return found
            time.sleep(0.001)


class Workers:
    def __init__(self):
        self.pids = [int(pid) for pid in os.environ["WORKERS"].split()]

    def cpu(self):
        total = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self):
        total = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                total += int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))
        return total


class Entry:
    """A line of the manifest."""

    def __init__(self, directory, line):
        file, self.row, self.name, self.status, self.code, how, without = line
        self.how = dict(urllib.parse.parse_qsl(how, keep_blank_values=True))
        self.without = bytes.fromhex(without)
        with open(os.path.join(directory, file), "rb") as content:
            self.body = content.read()
        if self.how.get("body") != "raw":
            self.body = base64.encodebytes(self.body)

    def request(self):
        user = self.how.get("user", "any") + ":" + os.environ["PASSWORD"]
        headers = [
            ("Authorization", "Basic " + base64.b64encode(user.encode()).decode()),
            ("Content-Length", str(len(self.body))),
        ]
        kind = self.how.get("type", "application/pkcs10")
        if kind:
            headers.append(("Content-Type", kind))
        if "header" in self.how:
            headers.append(tuple(self.how["header"].split(":", 1)))
        label = self.how.get("label", "")
        path = ("/" + label if label else "") + "/"
        path += self.how.get("operation", "simpleenroll")
        return self.how.get("method", "POST"), path, headers, self.body


class Check:
    """Sends and compares; counts."""

    def __init__(self):
        self.connection = Connection()
        self.log = Log(os.environ["LOG"])
        self.workers = Workers()
        self.is_timed = not os.environ.get("SANITIZED")
        self.faults = 0
        self.requests = 0
        self.certificates = set()
        self.dearest = (0, "")

    def fault(self, what):
        self.faults += 1
        print(what)

    def exchange(self, entry):
        """Status, body, and the CPU seconds of one request."""
        before = self.workers.cpu()
        status, body = self.connection.send(*entry.request())
        lines = self.log.lines(0 if entry.code == "" and status != 200 else 1)
        self.requests += 1
        return status, body, lines, self.workers.cpu() - before

    def check_log(self, entry, status, lines):
        if entry.code == "" and status != 200 and not lines:
            return  # the web server may have answered by itself
        if len(lines) != 1:
            self.fault(f"{entry.name}: {len(lines)} lines in the log")
            return
        try:
            text = lines[0].decode("utf-8")
            line = json.loads(text)
        except ValueError as error:
            self.fault(f"{entry.name}: a line of the log is no JSON: {error}")
            return
        if FORBIDDEN.search(text) or len(lines[0]) > 8192:
            self.fault(f"{entry.name}: a line of the log has controls or is too long")
        code = "ok" if status == 200 else entry.code
        if line.get("status") != status:
            self.fault(f"{entry.name}: the log has status {line.get('status')}")
        if code and not re.fullmatch(code, str(line.get("code"))):
            self.fault(f"{entry.name}: the log has code {line.get('code')}")

    def check_refusal(self, entry, status, body):
        text = body.decode("utf-8", "replace")
        if FORBIDDEN.search(text):
            self.fault(f"{entry.name}: the reason has controls: {text!r}")
        if entry.code and not re.match(f"({entry.code}): .", text):
            self.fault(f"{entry.name}: {status}, not {entry.code}: {text[:150]!r}")

    def check_certificate(self, entry, body):
        der = base64.b64decode(body)
        self.certificates.add(der)
        if entry.without and entry.without in der:
            self.fault(f"{entry.name}: a certificate holds what it must not")

    def check_cpu(self, entry, spent):
        limit = CPU_LIMITS.get(entry.row, CPU_LIMIT)
        tries = 1
        while spent > limit and tries < CPU_TRIES:
            spent = min(spent, self.exchange(entry)[3])
            tries += 1
        self.dearest = max(self.dearest, (spent, entry.name))
        if spent > limit:
            self.fault(f"{entry.name}: costs {1000 * spent:.1f} ms of CPU")

    def entry(self, entry):
        status, body, lines, spent = self.exchange(entry)
        if not re.fullmatch(entry.status, str(status)):
            self.fault(
                f"{entry.name}: {status}, not {entry.status} {entry.code}: {body[:150]!r}"
            )
        elif status == 200:
            self.check_certificate(entry, body)
        else:
            self.check_refusal(entry, status, body)
        self.check_log(entry, status, lines)
        if self.is_timed:
            self.check_cpu(entry, spent)


def denied_listener(arguments):
    """Listens where the URLs of D4 lead to, while those are sent."""
    if arguments[-1] != "D4":
        return None
    listener = socket.create_server(("127.0.0.1", int(os.environ["DENIED"])))
    listener.settimeout(0.3)
    return listener


def is_visited(listener):
    try:
        listener.accept()[0].close()
        return True
    except TimeoutError:
        return False


def read_manifest(path, row):
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    directory = os.path.dirname(path)
    return [Entry(directory, line) for line in lines if line[1] == row]


def run_rows(check, path, row):
    entries = read_manifest(path, row)
    if not entries:
        check.fault(f"{row}: make_hostile has no request for it")
    for entry in entries:
        check.entry(entry)


def run_changed(check, path, change):
    """A changed request is never granted, whatever the change."""
    with open(path, "rb") as file:
        good = file.read()
    for at in range(1, len(good)):
        line = ["/dev/null", "", f"octet {at}", "400", "bad(CSR|Request):[a-z0-9-]+", "", ""]
        entry = Entry("/", line)
        entry.body = base64.encodebytes(change(good, at))
        check.entry(entry)


def cut(good, at):
    return good[:at]


def flip(good, at):
    return good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :]


def main():
    what, *arguments = sys.argv[1:]
    check = Check()
    listener = denied_listener(arguments)
    memory = check.workers.memory()
    if what == "rows":
        run_rows(check, *arguments)
    else:
        run_changed(check, arguments[0], {"cuts": cut, "flips": flip}[what])
    grown = check.workers.memory() - memory
    if check.is_timed and grown > MEMORY_LIMIT:
        check.fault(f"the workers grew by {grown} KiB")
    if listener and is_visited(listener):
        check.fault("somebody fetched a URL of a request")
    extra = check.log.lines(0)
    if extra:
        check.fault(f"the log has {len(extra)} lines more: {extra[:3]}")
    print(
        f"{arguments[-1] if what == 'rows' else what}: {check.requests} requests, "
        f"{len(check.certificates)} certificates, "
        f"the dearest {1000 * check.dearest[0]:.2f} ms ({check.dearest[1]})"
    )
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
