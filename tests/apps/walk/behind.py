"""An app, and Sidegate in front of it; both end with the walk."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent


def program():
    """SIDEGATE, else this checkout's, built."""
    if os.environ.get("SIDEGATE"):
        return os.environ["SIDEGATE"]
    subprocess.run(["cargo", "build", "--locked", "--profile", "ci", "--bin", "sidegate"], cwd=ROOT, check=True)
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "ci" / "sidegate")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Behind:
    """with Behind(program, "miniflux") as it: it.app, it.url, it.sidegate(…)."""

    def __init__(self, binary, name):
        self.binary, self.name = binary, name
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="sidegate-walk-"))
        self.config = self.state / "sidegate.toml"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.started = self.server = None

    def __enter__(self):
        try:
            environment = {**os.environ, "PORT": "0", "BASE_URL": self.url}
            script = [str(HERE / f"start-{self.name}.sh")]
            # The app ends when our end of its pipe closes.
            self.started = subprocess.Popen(script, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
            line = self.started.stdout.readline()
            assert line, f"{self.name} did not start"
            self.app = json.loads(line)
            self.serve("filter")
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.stop_sidegate()
        if self.started:
            self.started.stdin.close()
            self.started.wait()
        shutil.rmtree(self.state)

    def serve(self, adopt):
        """Starts Sidegate, anew when it runs."""
        self.stop_sidegate()
        self.config.write_text(f"""\
public_url = "{self.url}"
server.listen = "127.0.0.1:{self.port}"
server.ops.listen = "127.0.0.1:0"
server.control.socket = "{self.state}/control.sock"
storage.url = "redb://{self.state}/sidegate.redb"
upstream.url = "{self.app['url']}"
local.enabled = true
provisioning.adopt = "{adopt}"
connector.preset = "{self.name}"
""")
        # What the preset takes from the environment is what the app's script told in capitals.
        environment = {**os.environ, **{name: value for name, value in self.app.items() if name.isupper()}}
        with (self.state / "log").open("ab") as log:
            self.server = subprocess.Popen(
                [self.binary, "--config", str(self.config), "serve"], env=environment, stdout=log, stderr=log
            )
        for _ in range(300):
            assert self.server.poll() is None, "Sidegate ended:\n" + self.log()
            if self.sidegate("user", "list", check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError("Sidegate does not answer:\n" + self.log())

    def stop_sidegate(self):
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait()
            self.server = None

    def sidegate(self, *arguments, text="", check=True):
        command = [self.binary, "--config", str(self.config), *arguments]
        done = subprocess.run(command, input=text, text=True, capture_output=True)
        assert not check or done.returncode == 0, f"sidegate {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def log(self):
        return (self.state / "log").read_text(errors="replace")[-4000:]
