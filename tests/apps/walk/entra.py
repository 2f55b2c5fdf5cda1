"""Requests in the shapes of Entra ID's provisioning service, its default dialect (tests/scim/traces has where each is documented)."""

import json
import urllib.parse
import uuid

from web import call

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTRA_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Entra:
    def __init__(self, base, token):
        self.base = base
        self.headers = {"Authorization": "Bearer " + token, "Content-Type": "application/scim+json; charset=utf-8"}

    def call(self, method, path, body=None):
        """Gives (status, what was answered)."""
        status, _, text = call(method, self.base + path, json.dumps(body) if body else None, self.headers)
        return status, json.loads(text) if text.strip() else {}

    def look_up(self, user_name):
        """Each cycle begins with it: the resources of this name."""
        status, answer = self.call("GET", "/Users?filter=" + urllib.parse.quote(f'userName eq "{user_name}"'))
        assert status == 200, f"the look-up is answered {status}: {answer.get('detail')}"
        return answer["Resources"]

    def look_up_group(self, name):
        query = "?excludedAttributes=members&filter=" + urllib.parse.quote(f'displayName eq "{name}"')
        status, answer = self.call("GET", "/Groups" + query)
        assert status == 200, f"the look-up is answered {status}: {answer.get('detail')}"
        return answer["Resources"]

    def create(self, user_name, given, family, email):
        return self.call("POST", "/Users", {
            "schemas": [USER, ENTERPRISE],
            "externalId": str(uuid.uuid4()),
            "userName": user_name,
            "active": True,
            "displayName": f"{given} {family}",
            "emails": [{"primary": True, "type": "work", "value": email}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": f"{given} {family}", "familyName": family, "givenName": given},
            "roles": [],
        })

    def patch(self, path, *operations):
        """(op, path, value) each."""
        operations = [{"op": op, "path": where, "value": value} for op, where, value in operations]
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": operations})

    def replace(self, user_id, **values):
        """What changed, an operation each; booleans are texts."""
        paths = {"email": 'emails[type eq "work"].value', "given": "name.givenName", "family": "name.familyName", "formatted": "name.formatted"}
        return self.patch(f"/Users/{user_id}", *(("Replace", paths.get(name, name), value) for name, value in values.items()))

    def delete(self, path):
        return self.call("DELETE", path)

    def create_group(self, name):
        return self.call("POST", "/Groups", {
            "schemas": [GROUP, ENTRA_GROUP],
            "externalId": str(uuid.uuid4()),
            "displayName": name,
            "meta": {"resourceType": "Group"},
        })

    def members(self, op, group_id, *user_ids):
        return self.patch(f"/Groups/{group_id}", (op, "members", [{"$ref": None, "value": user_id} for user_id in user_ids]))
