"""A headless Chromium, driven over a pipe by the DevTools protocol."""

import json
import os
import shutil
import subprocess
import tempfile
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
]  # fmt: skip

# A wait for the page ends after so many seconds.
PATIENCE = 120


class Chromium:
    """One tab; closed at the end of `with`."""

    def __init__(self, width=1280, height=800, language="en"):
        self.profile = tempfile.mkdtemp(prefix="rechat-chromium-")
        ours, theirs = os.pipe(), os.pipe()
        command = [shutil.which("chromium") or "google-chrome", *FLAGS, f"--user-data-dir={self.profile}"]
        command.append(f"--accept-lang={language}")

        def as_descriptors_3_and_4():
            read, write = os.dup(ours[0]), os.dup(theirs[1])
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=as_descriptors_3_and_4,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self.writing, self.reading = os.fdopen(ours[1], "wb"), theirs[0]
        self.rest, self.count, self.events, self.session = b"", 0, [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime"]:
            self.ask(f"{domain}.enable")
        self.becomes(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def becomes(self, width, height, dark=False):
        """Another screen, or another taste."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.writing.write(json.dumps(message).encode() + b"\0")
        self.writing.flush()
        while True:
            told = self.receive()
            if told.get("id") != self.count:
                self.events.append(told)
            elif "error" in told:
                raise RuntimeError(f"{method}: {told['error']}")
            else:
                return told["result"]

    def receive(self):
        while b"\0" not in self.rest:
            part = os.read(self.reading, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def event(self, method):
        """The next event of this name."""
        while True:
            for place, told in enumerate(self.events):
                if told.get("method") == method:
                    del self.events[place]
                    return told["params"]
            self.events.append(self.receive())

    def go(self, url):
        self.ask("Page.navigate", url=url)

    def run(self, script):
        """Runs a script of statements; the value that it returns."""
        code = f"(async () => {{ {script} }})()"
        told = self.ask("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{script}: {told['exceptionDetails']['exception'].get('description')}")
        return told["result"].get("value")

    def until(self, script):
        """Waits until a script returns something; gives it."""
        began = time.monotonic()
        while not (value := self.run(script)):
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"never came about: {script}\n{self.run('return document.body.innerText')[:2000]}")
            time.sleep(0.01)
        return value
