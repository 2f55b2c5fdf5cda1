"""scim2-server in memory, filled beforehand, for benches/run scim: `python rival.py PORT PEOPLE PERSON`.

Its own command serves one request a connection; here waitress, which keeps them, runs its WSGI application.
"""

import json
import logging
import sys

import waitress
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider


def main():
    port, people, person = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    storage, provider = InMemoryStorage(), load_default_provider()
    users = next(kind for kind in provider.resource_types if kind.name == "User")
    model = provider.model_for(users)
    for number in range(people):
        scattered = number * 0x9E3779B97F4A7C15 % 2**64 >> 32
        resource = json.loads(person.replace("{n}", str(number)).replace("{h}", f"{scattered:08x}"))
        storage.create(users, model.model_validate(resource))
    # That requests wait is what is measured.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(WSGIApplication(storage, provider), listen=f"127.0.0.1:{port}", threads=8, ident=None)


if __name__ == "__main__":
    main()
