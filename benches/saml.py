"""SAML: what verifying a response costs, beside python3-saml, the xmlsec1 command and the least; and the worst responses."""

import json
import os
import subprocess
import sys
import time
import venv

from figures import ROOT, median, rounds, table, times

PEER = ["python3-saml==1.16.0"]
CARGO = ["cargo", "bench", "--quiet", "--locked", "--bench", "saml"]
OURS, LIBRARY, BARE, PYTHON, COMMAND = "Sidegate", "xmlsec in this process, nothing else", "RSA and SHA-256 alone", "python3-saml", "xmlsec1 command"
# What one anonymous POST may take.
MOST_MS, MOST_MIB = 50, 20
WORK = """
import base64, pathlib, resource, sys, time
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils as utils
folder, name, millis = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
field = base64.b64encode((folder / (name + ".xml")).read_bytes())
certificate, key = (folder / "idp1.pem").read_text(), (folder / "sp.key").read_text()
def once():
    document = etree.fromstring(base64.b64decode(field))
    if name == "encrypted":
        utils.decrypt_element(document.find(".//{*}EncryptedData"), key, inplace=True)
        place = "/samlp:Response/saml:EncryptedAssertion/saml:Assertion/ds:Signature"
        assert utils.validate_sign(document, certificate, xpath=place)
    else:
        assert utils.validate_sign(document, certificate)
once()
u = resource.getrusage(resource.RUSAGE_SELF)
began, count, until = u.ru_utime + u.ru_stime, 0, time.monotonic() + millis / 1e3
while time.monotonic() < until:
    once()
    count += 1
u = resource.getrusage(resource.RUSAGE_SELF)
print(count, int((u.ru_utime + u.ru_stime - began) * 1e9))
"""


class Way:
    """One way to verify: gives how many came in the time, and the CPU."""

    def __init__(self, name, argv):
        self.name, self.argv = name, argv

    def run(self, folder, document, threads, seconds):
        began = time.monotonic()
        words = [*self.argv, folder, document, *([str(threads)] if threads else []), str(int(seconds * 1e3))]
        done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
        count, cpu = map(int, done.stdout.split()[-2:])
        return {"rate": count / seconds, "cpu": cpu / 1e3 / count, "took": time.monotonic() - began}


class Saml:
    def __init__(self, stand, options):
        self.options, self.folder = options, stand.folder / "saml"
        lines = subprocess.run([*CARGO, "--no-run", "--message-format=json"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
        made = (json.loads(line) for line in lines.splitlines())
        self.bench = next(it["executable"] for it in made if it.get("executable") and it["target"]["name"] == "saml")
        subprocess.run([self.bench, "write", self.folder], check=True, cwd=ROOT)

    def everything(self):
        self.rates()
        self.worst()

    def rates(self):
        """Genuine responses, beside others that check them."""
        python = ROOT / "target/benches/saml/bin/python"
        if not python.exists():
            venv.create(python.parent.parent, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEER], check=True)
        work = self.folder / "work.py"
        work.write_text(WORK)
        ours = [Way(name, [self.bench, how]) for name, how in ((OURS, "rate"), (LIBRARY, "library"), (BARE, "bare"))]
        peer = Way(PYTHON, [python, work])
        rows = []
        for document, what, ways in (("entra", "signed assertion", [*ours, peer]), ("both", "response and assertion signed", [*ours, peer]),
                                     ("encrypted", "encrypted assertion", [ours[0], ours[2], peer])):
            one = rounds(self.options.rounds, ways, lambda it: it.run(self.folder, document, None if it is peer else 1, self.options.seconds))
            two = rounds(self.options.rounds, ours[:1], lambda it: it.run(self.folder, document, 2, self.options.seconds))
            for way in ways:
                rows.append([f"{what}: {way.name}", f"{median(one, way.name, 'cpu'):.0f}", times(one, way.name, OURS, "cpu"),
                             f"{median(one, way.name, 'rate'):.0f}", f"{median(two, OURS, 'rate'):.0f}" if way is ours[0] else "–"])
            if document == "entra":
                rows.append(self.command(document, what, median(one, OURS, "cpu")))
        print("### SAML: genuine responses\n")
        table(["", "CPU µs", "CPU × Sidegate", "per second, 1 thread", "2 threads"], rows)

    def command(self, document, what, ours):
        """A process for each, as pysaml2 does it."""
        argv = ["xmlsec1", "--verify", "--pubkey-cert-pem", self.folder / "idp1.pem", "--id-attr:ID",
                "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", self.folder / f"{document}.xml"]
        before, began, count = os_times(), time.monotonic(), 20
        for _turn in range(count):
            subprocess.run(argv, check=True, capture_output=True)
        cpu = (os_times() - before) / count * 1e6
        return [f"{what}: {COMMAND}", f"{cpu:.0f}", f"{cpu / ours:.2f}", f"{count / (time.monotonic() - began):.0f}", "–"]

    def worst(self):
        """What fills the limits, each in a process of its own."""
        rows, most = [], [0, 0]
        for path in sorted(self.folder.glob("*.xml")):
            words = subprocess.run([self.bench, "once", self.folder, path.stem], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
            micros, grown, became, size = int(words[0]), int(words[1]), words[2], int(words[3])
            most = [max(most[0], micros / 1e3), max(most[1], grown / 1024)]
            rows.append([path.stem, became.split(":")[0], f"{size / 1024:.0f}", f"{micros / 1e3:.1f}", f"{grown / 1024:.1f}"])
        print("### SAML: the worst responses\n")
        table(["", "", "KiB posted", "CPU ms", "memory MiB"], rows)
        print(f"most: {most[0]:.1f} ms of {MOST_MS}, {most[1]:.1f} MiB of {MOST_MIB}\n", flush=True)
        if most[0] > MOST_MS or most[1] > MOST_MIB:
            sys.exit("a response takes more than it may")


def os_times():
    spent = os.times()
    return spent.children_user + spent.children_system
