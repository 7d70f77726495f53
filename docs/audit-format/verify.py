#!/usr/bin/env python3
"""Verifies an audit export, or the proof of one row, without any key and without the program that made it.

    verify.py EXPORT_DIR [--public-key HEX] [--witness DIR]
    verify.py PROOF.json [--public-key HEX]

Needs Python 3.9 and nothing else. README.md beside this file describes every byte that is checked here.

Exit 0: everything holds.
Exit 3: nothing contradicts, but less is proven than could be: nobody said which key signs
        (--public-key), there is no checkpoint, or the clock ran backwards.
Exit 4: tampered; the first wrong position of each log is named.
"""

import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import sys
import uuid

CLEAN, UNPROVEN, TAMPERED = 0, 3, 4
CLOCK_SKEW_US = 60_000_000
LATE_ROW_US = 600_000_000
WITNESS_LAG_US = 600_000_000
GENESIS = bytes(32)
FILES = ["access.ndjson", "audit-events.ndjson", "checkpoints.ndjson", "events.ndjson", "proofs.ndjson"]


# ---- Ed25519, verification only (RFC 8032 section 5.1) -------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def point_of(data):
    y = int.from_bytes(data, "little")
    x = x_of(y & (1 << 255) - 1, y >> 255)
    return None if x is None else (x, y & (1 << 255) - 1, 1, x * (y & (1 << 255) - 1) % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y, 1, x_of(BASE_Y, 0) * BASE_Y % P)


def signature_holds(public_key, message, signature):
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r = point_of(public_key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left, right = times(s, BASE), add(r, times(int.from_bytes(digest, "little") % ORDER, key))
    same = lambda i: (left[i] * right[2] - right[i] * left[2]) % P == 0
    return same(0) and same(1)


# ---- Hashes of rows ------------------------------------------------------------------------------


def field(data):
    return len(data).to_bytes(8, "big") + data


def text(value):
    if not isinstance(value, str):
        raise ValueError("not text")
    return field(value.encode())


def number(value):
    if type(value) is not int:
        raise ValueError("not a number")
    return field(value.to_bytes(8, "big", signed=True))


ABSENT = b"\xff" * 8


def unhex(value, size=32):
    data = bytes.fromhex(value)
    if len(data) != size or data.hex() != value:
        raise ValueError(f"not {size} bytes in lower-case hexadecimal")
    return data


def unbase64(value):
    return base64.b64decode(value, validate=True)


def exactly(line, names):
    if not isinstance(line, dict) or set(line) != set(names.split()):
        raise ValueError("other fields than the format has")


def event_hash(realm, row):
    exactly(row, "position stream version kind schema actor at_us cause request payload resources previous hash")
    return hashlib.sha256(
        text("precordia.event.1") + field(realm) + number(row["position"]) + field(unhex(row["previous"]))
        + text(row["stream"]) + number(row["version"]) + text(row["kind"]) + number(row["schema"])
        + text(row["actor"]) + number(row["at_us"])
        + (ABSENT if row["cause"] is None else number(row["cause"]))
        + text(row["request"]) + field(unbase64(row["payload"])) + field(unhex(row["resources"]))
    ).digest()


def access_hash(realm, row):
    exactly(row, "position at_us actor roles action target purpose outcome request detail previous hash")
    return hashlib.sha256(
        text("precordia.access.1") + field(realm) + number(row["position"]) + field(unhex(row["previous"]))
        + number(row["at_us"]) + text(row["actor"]) + text(row["roles"]) + text(row["action"])
        + text(row["target"]) + text(row["purpose"]) + text(row["outcome"]) + text(row["request"])
        + (ABSENT if row["detail"] is None else field(unbase64(row["detail"])))
    ).digest()


ROW_HASH = {"events": event_hash, "access": access_hash}


# ---- Merkle tree (RFC 9162 section 2.1) ----------------------------------------------------------


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(row):
    return hashlib.sha256(b"\x00" + row).digest()


class Tree:
    """Only the peaks of the perfect trees are kept."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def push(self, row):
        hash, size = leaf(row), self.size
        while size & 1:
            hash, size = node(self.peaks.pop(), hash), size >> 1
        self.peaks.append(hash)
        self.size += 1

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def inclusion_holds(row, index, size, path, root):
    if not 0 <= index < size:
        return False
    at, last, hash = index, size - 1, leaf(row)
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            hash = node(sibling, hash)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hash = node(hash, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and hash == root


def consistency_holds(first, first_root, size, root, path):
    if not 0 < first <= size:
        return False
    if first == size:
        return not path and first_root == root
    if first & (first - 1) == 0:
        path = [first_root] + path
    if not path:
        return False
    at, last = first - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    small = large = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            small, large = node(sibling, small), node(sibling, large)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            large = node(large, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and small == first_root and large == root


# ---- Checkpoints ---------------------------------------------------------------------------------


class Checkpoint:
    def __init__(self, line, realm):
        exactly(line, "number realm log position hash root at_us public_key signature")
        if line["realm"] != realm or line["log"] not in ROW_HASH:
            raise ValueError("of another realm or log")
        self.number, self.log, self.position = line["number"], line["log"], line["position"]
        self.hash, self.root, self.at_us = unhex(line["hash"]), unhex(line["root"]), line["at_us"]
        self.public_key, self.signature = unhex(line["public_key"]), unhex(line["signature"], 64)
        self.signed = (
            b"precordia.checkpoint.1" + realm_bytes(realm) + self.log.encode() + b"\x00"
            + self.position.to_bytes(8, "big", signed=True) + self.hash + self.root
            + self.at_us.to_bytes(8, "big", signed=True)
        )

    def is_signed_by(self, key):
        return self.public_key == key and self.position > 0 and signature_holds(key, self.signed, self.signature)


def realm_bytes(realm):
    if realm == "platform":
        return bytes(16)
    parsed = uuid.UUID(realm)
    if str(parsed) != realm:
        raise ValueError("not a realm")
    return parsed.bytes


# ---- What is found -------------------------------------------------------------------------------


class Findings:
    def __init__(self):
        self.wrong, self.weak = [], []

    def find(self, log, position, kind):
        self.wrong.append((log, position, kind))

    def warn(self, log, position, kind):
        self.weak.append((log, position, kind))

    def tell(self):
        for log in sorted({log for log, _, _ in self.wrong}):
            of_log = sorted((position, kind) for other, position, kind in self.wrong if other == log)
            print(f"{log}: WRONG, first at {of_log[0][0]}: {of_log[0][1]}" + f" ({len(of_log)} in all)")
        for log, position, kind in self.weak:
            print(f"{log}: position {position}: {kind}")
        if self.wrong:
            print("TAMPERED")
            return TAMPERED
        if self.weak:
            print("nothing contradicts, but less is proven than could be")
            return UNPROVEN
        print("clean")
        return CLEAN


def signer_of(given, checkpoints):
    """All checkpoints must be signed by one key; only somebody else can say that it is the right one."""
    if given is not None:
        return given
    return checkpoints[0].public_key if checkpoints else None


# ---- An export -----------------------------------------------------------------------------------


class Export:
    def __init__(self, folder, given, found):
        self.folder, self.found = folder, found
        raw = (folder / "manifest.json").read_bytes()
        self.manifest = json.loads(raw)
        if self.manifest.get("format") != "precordia.audit.export.1":
            raise SystemExit("error: not an export of format precordia.audit.export.1")
        exactly(self.manifest, "format realm organization exported_at_us with_details logs files")
        self.realm = self.manifest["realm"]
        self.bytes = realm_bytes(self.realm)
        try:
            signature = json.loads((folder / "signature.json").read_bytes())
            exactly(signature, "public_key signature")
            self.key = unhex(signature["public_key"])
            message = b"precordia.export.1" + hashlib.sha256(raw).digest()
            good = signature_holds(self.key, message, unhex(signature["signature"], 64))
        except (ValueError, KeyError, TypeError, OSError):
            good = False
        if not good or given not in (None, self.key):
            found.find("signature.json", 0, "the manifest is not signed by the key")

    def lines(self, name):
        """Every line as it is read, then the digest of all bytes."""
        digest, readable = hashlib.sha256(), True
        with open(self.folder / name, "rb") as file:
            for place, line in enumerate(file, 1):
                digest.update(line)
                if not readable:
                    continue
                try:
                    if not line.endswith(b"\n"):
                        raise ValueError("the last line does not end")
                    yield json.loads(line)
                except (ValueError, KeyError, TypeError, OverflowError) as cause:
                    self.found.find(name, place, f"unreadable: {cause}")
                    readable = False
        if digest.hexdigest() != self.manifest["files"].get(name):
            self.found.find(name, 0, "the file does not have the digest of the manifest")

    def checkpoints(self):
        result = []
        for line in self.lines("checkpoints.ndjson"):
            try:
                result.append(Checkpoint(line, self.realm))
                good = line["number"] == len(result)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                good = False
            if not good:
                self.found.find("checkpoints.ndjson", len(result), "not the checkpoint that comes here")
        return result

    def check_proofs(self, checkpoints):
        roots = {(c.log, c.position): c.root for c in checkpoints}
        proven = set()
        for line in self.lines("proofs.ndjson"):
            try:
                exactly(line, "log first size path")
                log, first, size = line["log"], line["first"], line["size"]
                path = [unhex(part) for part in line["path"]]
                if consistency_holds(first, roots[log, first], size, roots[log, size], path):
                    proven.add((log, first, size))
            except (ValueError, KeyError, TypeError):
                pass
        for log in ROW_HASH:
            sizes = sorted({c.position for c in checkpoints if c.log == log})
            for first, size in zip(sizes, sizes[1:]):
                if (log, first, size) not in proven:
                    self.found.find(log, size, "proof-fails")

    def check_log(self, log, checkpoints, key, witnessed):
        found, walk = self.found, Walk(log, checkpoints, key, self.found)
        access_times = []
        for row in self.lines(f"{log}.ndjson"):
            try:
                computed = ROW_HASH[log](self.bytes, row)
                walk.row(row, computed)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as cause:
                found.find(log, walk.position + 1, f"unreadable: {cause}")
                break
            if log == "access":
                access_times.append(row["at_us"])
        end = self.manifest["logs"].get(log, {"rows": 0})
        if walk.position < end["rows"]:
            found.find(log, walk.position + 1, "cut-off")
        elif (walk.previous.hex(), walk.tree.root().hex()) != (end.get("hash"), end.get("root")):
            found.find(log, walk.position, "head-changed")
        walk.finish()
        if walk.position and not witnessed:
            found.warn(log, walk.position, "no checkpoint: whoever can rewrite the log can rewrite its chain")
        print(f"{log}: {walk.position} rows, proven by checkpoints to {walk.proven}")
        return access_times

    def check_audit_events(self, times):
        """One FHIR AuditEvent a row of the access log, in order and at its time. The rest is in the digest."""
        count = 0
        for event in self.lines("audit-events.ndjson"):
            count += 1
            good = isinstance(event, dict) and count <= len(times)
            good = good and event.get("resourceType") == "AuditEvent" and event.get("id") == f"access-{count}"
            if not good or micros_of(event.get("recorded")) != times[count - 1]:
                self.found.find("audit-events.ndjson", count, "not the access of this place")
        if count < len(times):
            self.found.find("audit-events.ndjson", count + 1, "an access is missing")


def micros_of(instant):
    try:
        when = datetime.datetime.fromisoformat(instant.replace("Z", "+00:00"))
        return (when - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
    except (ValueError, AttributeError, TypeError):
        return None


class Walk:
    """Follows one log from its first row."""

    def __init__(self, log, checkpoints, key, found):
        self.log, self.found, self.tree = log, found, Tree()
        self.position, self.previous, self.proven = 0, GENESIS, 0
        self.versions = {}
        self.wrong = False
        self.youngest, self.passed_us, self.warned = (None, 0), None, False
        self.unwitnessed = None
        self.ahead, last_us = [], None
        for checkpoint in checkpoints:
            if checkpoint.log != log:
                continue
            if not checkpoint.is_signed_by(key):
                self.find(checkpoint.position, "witness-unsigned")
                continue
            if last_us is not None and checkpoint.at_us < last_us:
                found.warn(log, checkpoint.position, "clock: the checkpoint is older than the one before it")
            last_us = checkpoint.at_us
            self.ahead.append(checkpoint)
        self.ahead.sort(key=lambda checkpoint: checkpoint.position)

    def find(self, position, kind):
        self.wrong = True
        self.found.find(self.log, position, kind)

    def row(self, row, computed):
        position, previous, hash = row["position"], unhex(row["previous"]), unhex(row["hash"])
        if position != self.position + 1:
            self.find(self.position + 1, "removed")
        elif previous != self.previous:
            self.find(position, "unchained")
        if hash != computed:
            self.find(position, "changed")
        if self.log == "events":
            if row["version"] != self.versions.get(row["stream"], 0) + 1:
                self.find(position, "version-out-of-order")
            self.versions[row["stream"]] = row["version"]
        self.position, self.previous = position, hash
        self.tree.push(hash)
        self.look_at_clock(position, row["at_us"])
        while self.ahead and self.ahead[0].position <= position:
            self.compare(self.ahead.pop(0))

    def look_at_clock(self, position, at_us):
        if self.youngest[0] is None or at_us > self.youngest[0]:
            self.youngest = (at_us, position)
        if self.unwitnessed is None:
            self.unwitnessed = (at_us, position)
        self.unwitnessed = (min(at_us, self.unwitnessed[0]), self.unwitnessed[1])
        if self.passed_us is not None and not self.warned and at_us < self.passed_us - LATE_ROW_US:
            self.found.warn(self.log, position, "clock: the row is older than a checkpoint before it")
            self.warned = True

    def compare(self, checkpoint):
        here = checkpoint.position == self.position
        if here and checkpoint.hash == self.previous and checkpoint.root == self.tree.root():
            self.proven = self.position if not self.wrong else self.proven
        else:
            self.find(checkpoint.position, "differs-from-witness")
            self.ahead.clear()
        if self.youngest[0] is not None and self.youngest[0] > checkpoint.at_us + CLOCK_SKEW_US:
            self.found.warn(self.log, self.youngest[1], "clock: the row is younger than a checkpoint that saw it")
            self.youngest = (None, 0)
        self.passed_us, self.warned, self.unwitnessed = checkpoint.at_us, False, None

    def finish(self):
        if self.ahead:
            self.find(self.position + 1, "cut-off-before-witness" if self.wrong else "old-copy")
        if self.unwitnessed and self.passed_us is not None and self.youngest[0] is not None:
            if self.youngest[0] - self.unwitnessed[0] > WITNESS_LAG_US:
                self.found.warn(self.log, self.unwitnessed[1], "witness-behind: rows went on without a checkpoint")


def from_witness(folder, realm, found):
    """A witness directory of one's own. A line that a crash cut short has no number and is none."""
    result, expected = [], 1
    path = folder / f"{realm}.jsonl"
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            checkpoint = Checkpoint(json.loads(line), realm)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            continue
        if checkpoint.number != expected:
            found.find("witness", expected, "a line is missing, repeated or damaged")
        expected = checkpoint.number + 1
        result.append(checkpoint)
    return result


def verify_export(folder, given, witness, found):
    export = Export(folder, given, found)
    own = export.checkpoints()
    export.check_proofs(own)
    seen = own if witness is None else from_witness(witness, export.realm, found)
    key = signer_of(given, seen)
    times = []
    for log in ROW_HASH:
        times = export.check_log(log, seen, key, bool(seen))
    export.check_audit_events(times)
    if key is not None:
        print(f"signed by {key.hex()}")


# ---- A proof -------------------------------------------------------------------------------------


def verify_proof(path, given, found):
    proof = json.loads(path.read_bytes())
    if proof.get("format") != "precordia.audit.proof.1":
        raise SystemExit("error: not a proof of format precordia.audit.proof.1")
    try:
        exactly(proof, "format realm log row checkpoint inclusion newest consistency")
        log, row, position = proof["log"], proof["row"], proof["row"]["position"]
        first, newest = (Checkpoint(proof[name], proof["realm"]) for name in ("checkpoint", "newest"))
        key = signer_of(given, [first])
        hash = ROW_HASH[log](realm_bytes(proof["realm"]), row)
        if hash != unhex(row["hash"]):
            found.find(log, position, "changed")
        if not all(c.log == log and c.is_signed_by(key) for c in (first, newest)):
            found.find(log, first.position, "witness-unsigned")
        path = [unhex(part) for part in proof["inclusion"]]
        if not inclusion_holds(hash, position - 1, first.position, path, first.root):
            found.find(log, position, "proof-fails")
        path = [unhex(part) for part in proof["consistency"]]
        if not consistency_holds(first.position, first.root, newest.position, newest.root, path):
            found.find(log, newest.position, "proof-fails")
        print(f"{log}: row {position}, signed for by {key.hex()}")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as cause:
        found.find("proof", 0, f"unreadable: {cause}")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("path", type=pathlib.Path)
    words.add_argument("--public-key", type=unhex, metavar="HEX")
    words.add_argument("--witness", type=pathlib.Path, metavar="DIR")
    words = words.parse_args()
    found = Findings()
    if words.path.is_dir():
        verify_export(words.path, words.public_key, words.witness, found)
    else:
        verify_proof(words.path, words.public_key, found)
    if words.public_key is None:
        found.warn("key", 0, "nobody said which key signs; compare it with what the operator published")
    return found.tell()


if __name__ == "__main__":
    sys.exit(main())
