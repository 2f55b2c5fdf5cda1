"""The apps, asked directly: who has an account, who is in which group, and, through Sidegate, whom the app takes a browser for.

Each class tells in `cannot` what the app has no means for, and why; everything else is expected to work.
"""

import html
import json
import re

from web import call

DEACTIVATE = "its API cannot; Sidegate keeps the person out"
GROUPS = "it has no groups"


class App:
    # Of name, email, active, groups, rename, rename_group, letters.
    cannot = {}
    # A delete leaves the account, inactive.
    soft = False
    # Packed by its makers or by Debian. What others packed runs when it is asked for by name.
    official = True

    def __init__(self, ready):
        self.ready, self.url = ready, ready["url"]

    def ask(self, method, path, body=None, headers=None):
        status, _, text = call(method, self.url + path, body, {**self.headers(), **(headers or {})})
        assert status < 300, f"{method} {path} is answered {status}: {text[:200]}"
        return json.loads(text) if text.strip() else None

    def name(self, login):
        """The user name that the idp is told to send for this app."""
        return login

    def people(self):
        """Everybody: {"id", "login", "name", "email", "active"}, as far as the app has it."""
        raise NotImplementedError

    def groups(self):
        """Logins of the members, by the group's name."""
        return {}

    def headers(self):
        """What its API wants with every call."""
        raise NotImplementedError

    def make(self, login, given, family, email):
        """An account that nobody told Sidegate of."""
        raise NotImplementedError

    def whom(self, browser):
        """The login whom the app takes this browser for; none when it is not let in."""
        raise NotImplementedError


def found(pattern, text):
    match = re.search(pattern, text, re.S)
    return html.unescape(match.group(1)) if match else None


class Miniflux(App):
    cannot = {"active": DEACTIVATE, "name": "it keeps none", "email": "it keeps none", "groups": GROUPS}

    def headers(self):
        return {"Authorization": "Basic " + self.ready["MINIFLUX_BASIC"]}

    def people(self):
        return [{"id": one["id"], "login": one["username"]} for one in self.ask("GET", "/v1/users")]

    def make(self, login, given, family, email):
        self.ask("POST", "/v1/users", {"username": login, "password": "secret-of-nobody"})

    def whom(self, browser):
        browser.get("/")
        status, _, page = browser.get("/settings")
        return found(r'name="username"[^>]*value="([^"]*)"', page) if status == 200 else None


class Kanboard(App):
    def headers(self):
        return {"Authorization": "Basic " + self.ready["KANBOARD_BASIC"]}

    def rpc(self, method, **params):
        return self.ask("POST", "/jsonrpc.php", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})["result"]

    def people(self):
        return [
            {"id": one["id"], "login": one["username"], "name": one["name"], "email": one["email"], "active": one["is_active"] == 1}
            for one in self.rpc("getAllUsers")
        ]

    def groups(self):
        return {
            group["name"]: {one["username"] for one in self.rpc("getGroupMembers", group_id=group["id"])}
            for group in self.rpc("getAllGroups")
        }

    def make(self, login, given, family, email):
        assert self.rpc("createUser", username=login.lower(), password="secret-of-nobody", name=f"{given} {family}", email=email)

    def whom(self, browser):
        browser.get("/")  # a session of another name ends here
        status, _, page = browser.get("/?controller=UserViewController&action=show")
        return found(r"Login: <strong>([^<]*)", page) if status == 200 else None


class Keystone(App):
    token = None

    def headers(self):
        if not self.token:
            user = {"name": "admin", "domain": {"id": "default"}, "password": self.ready["KEYSTONE_PASSWORD"]}
            scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
            body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
            self.token = call("POST", self.url + "/v3/auth/tokens", body)[1]["X-Subject-Token"]
        return {"X-Auth-Token": self.token}

    def people(self):
        return [
            {"id": one["id"], "login": one["name"], "name": one.get("description"), "email": one.get("email"), "active": one["enabled"]}
            for one in self.ask("GET", "/v3/users")["users"]
        ]

    def groups(self):
        return {
            group["name"]: {one["name"] for one in self.ask("GET", f"/v3/groups/{group['id']}/users")["users"]}
            for group in self.ask("GET", "/v3/groups")["groups"]
        }

    def make(self, login, given, family, email):
        self.ask("POST", "/v3/users", {"user": {"name": login.lower(), "email": email, "description": f"{given} {family}"}})

    def whom(self, browser):
        body = json.dumps({"auth": {"identity": {"methods": ["external"], "external": {}}}})
        status, _, text = browser.send("POST", "/v3/auth/tokens", body, {"Content-Type": "application/json", "Accept": "application/json"})
        return json.loads(text)["token"]["user"]["name"] if status == 201 else None


class Jupyterhub(App):
    cannot = {
        "active": DEACTIVATE, "name": "it keeps none", "email": "it keeps none",
        "rename_group": "its API cannot rename a group",
    }

    def headers(self):
        return {"Authorization": "token " + self.ready["JUPYTERHUB_TOKEN"]}

    def people(self):
        return [{"id": one["name"], "login": one["name"]} for one in self.ask("GET", "/hub/api/users")]

    def groups(self):
        return {group["name"]: set(group["users"]) for group in self.ask("GET", "/hub/api/groups")}

    def make(self, login, given, family, email):
        self.ask("POST", "/hub/api/users/" + login.lower())

    def whom(self, browser):
        browser.get("/hub/login")
        status, _, text = browser.get("/hub/api/user", {"Accept": "application/json", "Referer": browser.origin + "/hub/home"})
        return json.loads(text)["name"] if status == 200 and text.startswith("{") else None


class Airflow(App):
    cannot = {"active": DEACTIVATE, "groups": GROUPS}

    def headers(self):
        return {"Authorization": "Basic " + self.ready["AIRFLOW_BASIC"]}

    def people(self):
        return [
            {"id": one["username"], "login": one["username"], "name": f"{one['first_name']} {one['last_name']}", "email": one["email"]}
            for one in self.ask("GET", "/auth/fab/v1/users?limit=100")["users"]
        ]

    def make(self, login, given, family, email):
        self.ask("POST", "/auth/fab/v1/users", {
            "username": login, "email": email, "first_name": given, "last_name": family,
            "roles": [{"name": "Viewer"}], "password": "secret-of-nobody",
        })

    def whom(self, browser):
        browser.get("/login/")
        _, _, page = browser.get("/users/userinfo/")
        return found(r"User Name</th>\s*<td><span[^>]*>([^<]*)", page)


class Rt(App):
    soft = True

    def headers(self):
        return {"Authorization": "token " + self.ready["RT_TOKEN"]}

    def people(self):
        listed = self.ask("GET", "/REST/2.0/users?find_disabled_rows=1&fields=id&per_page=100")["items"]
        everybody = [self.ask("GET", f"/REST/2.0/user/{one['id']}") for one in listed]
        return [
            {"id": one["id"], "login": one["Name"], "name": one.get("RealName"), "email": one.get("EmailAddress"),
             "active": str(one["Disabled"]) != "1"}
            for one in everybody
        ]

    def groups(self):
        mine = [{"field": "Domain", "operator": "=", "value": "UserDefined"}]
        listed = self.ask("POST", "/REST/2.0/groups?fields=Name,Disabled&per_page=100", mine)["items"]
        members = {group["Name"]: self.ask("GET", f"/REST/2.0/group/{group['id']}/members?groups=0")["items"] for group in listed}
        return {name: {self.ask("GET", f"/REST/2.0/user/{one['id']}")["Name"] for one in its} for name, its in members.items()}

    def make(self, login, given, family, email):
        self.ask("POST", "/REST/2.0/user", {"Name": login, "EmailAddress": email, "RealName": f"{given} {family}", "Privileged": 1})

    def whom(self, browser):
        _, _, page = browser.get("/")
        return found(r'class="current-user">([^<]*)', page)


class Wordpress(App):
    cannot = {
        "rename": "its API cannot; the account and its login stay", "groups": GROUPS,
        "letters": "its names are ASCII only",
    }

    def headers(self):
        return {"Authorization": "Basic " + self.ready["WORDPRESS_BASIC"]}

    def people(self):
        return [
            {"id": one["id"], "login": one["username"], "name": one["name"], "email": one["email"], "active": bool(one["roles"])}
            for one in self.ask("GET", "/wp-json/wp/v2/users?context=edit&per_page=100")
        ]

    def make(self, login, given, family, email):
        self.ask("POST", "/wp-json/wp/v2/users", {
            "username": login, "email": email, "first_name": given, "last_name": family, "name": f"{given} {family}",
            "roles": ["subscriber"], "password": "secret-of-nobody",
        })

    def whom(self, browser):
        status, _, text = browser.get("/wp-json/wp/v2/users/me?context=edit", {"Accept": "application/json"})
        return json.loads(text)["username"] if status == 200 and text.startswith("{") else None


class Nautobot(App):
    def headers(self):
        return {"Authorization": "Token " + self.ready["NAUTOBOT_TOKEN"]}

    def people(self):
        return [
            {"id": one["id"], "login": one["username"], "name": f"{one['first_name']} {one['last_name']}",
             "email": one["email"], "active": one["is_active"]}
            for one in self.ask("GET", "/api/users/users/?limit=100")["results"]
        ]

    def groups(self):
        people = self.ask("GET", "/api/users/users/?limit=100&depth=1")["results"]
        return {
            group["name"]: {one["username"] for one in people if group["id"] in [its["id"] for its in one["groups"]]}
            for group in self.ask("GET", "/api/users/groups/?limit=100")["results"]
        }

    def make(self, login, given, family, email):
        self.ask("POST", "/api/users/users/", {
            "username": login, "email": email, "first_name": given, "last_name": family, "password": "secret-of-nobody",
        })

    def whom(self, browser):
        _, _, page = browser.get("/user/profile/")
        return found(r"User login</small>\s*<h5>([^<]*)", page)


class Zabbix(App):
    def headers(self):
        return {"Content-Type": "application/json-rpc"}

    def rpc(self, method, params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, "auth": self.ready["ZABBIX_TOKEN"]}
        answer = self.ask("POST", "/api_jsonrpc.php", body)
        assert "result" in answer, f"{method}: {answer}"
        return answer["result"]

    def people(self):
        everybody = self.rpc("user.get", {"output": "extend", "selectMedias": ["sendto"], "getAccess": True})
        return [
            {"id": one["userid"], "login": one["username"], "name": f"{one['name']} {one['surname']}",
             "email": one["medias"][0]["sendto"][0] if one["medias"] else None, "active": one["users_status"] == "0"}
            for one in everybody
        ]

    def groups(self):
        listed = self.rpc("usergroup.get", {"output": ["name"], "selectUsers": ["username"]})
        return {group["name"]: {one["username"] for one in group["users"]} for group in listed}

    def make(self, login, given, family, email):
        self.rpc("user.create", {
            "username": login, "name": given, "surname": family, "roleid": "1", "usrgrps": [{"usrgrpid": "8"}],
            "passwd": "Secret-of-nobody-1", "medias": [{"mediatypeid": "1", "sendto": [email]}],
        })

    def whom(self, browser):
        browser.get("/index_http.php")
        _, _, page = browser.get("/zabbix.php?action=userprofile.edit")
        return found(r'icon-profile" title="([^" ]*)', page)


class Gitea(App):
    cannot = {
        "rename": "by a call of its own, which no preset can say; the account and its login stay",
        "groups": "its teams belong to one organisation each", "letters": "its names are ASCII only",
    }
    official = False

    def headers(self):
        return {"Authorization": "token " + self.ready["GITEA_TOKEN"]}

    def name(self, login):
        return login.split("@")[0]  # it takes no address

    def people(self):
        return [
            {"id": one["id"], "login": one["login"], "name": one["full_name"], "email": one["email"], "active": not one["prohibit_login"]}
            for one in self.ask("GET", "/api/v1/admin/users?limit=50")
        ]

    def make(self, login, given, family, email):
        self.ask("POST", "/api/v1/admin/users", {
            "username": login, "email": email, "full_name": f"{given} {family}", "password": "Secret-of-nobody-1", "must_change_password": False,
        })

    def whom(self, browser):
        _, _, page = browser.get("/user/settings")
        return found(r"Signed in as <strong>([^<]*)", page)


class Redmine(App):
    cannot = {"letters": "its names are ASCII only"}

    def headers(self):
        return {"X-Redmine-API-Key": self.ready["REDMINE_API_KEY"]}

    def people(self):
        # The list does not tell who is locked.
        listed = self.ask("GET", "/users.json?status=&limit=100")["users"]
        everybody = [self.ask("GET", f"/users/{one['id']}.json")["user"] for one in listed]
        return [
            {"id": one["id"], "login": one["login"], "name": f"{one['firstname']} {one['lastname']}", "email": one["mail"],
             "active": one["status"] == 1}
            for one in everybody
        ]

    def groups(self):
        logins = {one["id"]: one["login"] for one in self.ask("GET", "/users.json?status=&limit=100")["users"]}
        listed = [self.ask("GET", f"/groups/{one['id']}.json?include=users")["group"] for one in self.ask("GET", "/groups.json")["groups"]]
        return {group["name"]: {logins[one["id"]] for one in group["users"]} for group in listed}

    def make(self, login, given, family, email):
        self.ask("POST", "/users.json", {
            "user": {"login": login, "mail": email, "firstname": given, "lastname": family, "generate_password": True},
        })

    def whom(self, browser):
        _, _, page = browser.get("/my/account")
        return found(r'id="loggedas">[^<]*<a [^>]*>([^<]*)', page)


class Superset(App):
    token = None

    def headers(self):
        if not self.token:
            body = {"username": self.ready["SUPERSET_USER"], "password": self.ready["SUPERSET_PASSWORD"], "provider": "db"}
            self.token = json.loads(call("POST", self.url + "/api/v1/security/login", body)[2])["access_token"]
        return {"Authorization": "Bearer " + self.token}

    def people(self):
        return [
            {"id": one["id"], "login": one["username"], "name": f"{one['first_name']} {one['last_name']}", "email": one["email"], "active": one["active"]}
            for one in self.ask("GET", "/api/v1/security/users/?q=(page_size:100)")["result"]
        ]

    def groups(self):
        logins = {one["id"]: one["login"] for one in self.people()}
        return {
            group["name"]: {logins[one["id"]] for one in group["users"]}
            for group in self.ask("GET", "/api/v1/security/groups/?q=(page_size:100)")["result"]
        }

    def make(self, login, given, family, email):
        self.ask("POST", "/api/v1/security/users/", {
            "username": login, "email": email, "first_name": given, "last_name": family, "active": True, "roles": [4],
            "password": "secret-of-nobody",
        })

    def whom(self, browser):
        status, _, text = browser.get("/api/v1/me/", {"Accept": "application/json"})
        return json.loads(text)["result"]["username"] if status == 200 and text.startswith("{") else None


APPS = {
    "miniflux": Miniflux, "kanboard": Kanboard, "keystone": Keystone, "jupyterhub": Jupyterhub, "airflow": Airflow,
    "rt": Rt, "wordpress": Wordpress, "zabbix": Zabbix, "nautobot": Nautobot, "gitea": Gitea,
    "redmine": Redmine, "superset": Superset,
}
