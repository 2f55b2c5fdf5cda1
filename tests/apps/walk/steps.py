"""The walk itself: what Entra sends over the life of a few people and a group, and after each step what the app's own API says."""

import json
import secrets

from entra import Entra
from web import Browser


class Cannot(Exception):
    """The app has no means for this. What Sidegate owes all the same was looked at."""


class Walk:
    """One walk through one app. `steps` gives each step's name, verdict and words, in order."""

    def __init__(self, behind, app):
        self.behind, self.app = behind, app
        made = behind.sidegate("token", "create", "--name", "entra", "--json")
        self.entra = Entra(behind.url + "/scim/v2", json.loads(made.stdout)["token"])
        self.ids = {}
        self.password = secrets.token_urlsafe(12)
        self.browser = Browser(behind.url)
        # Capitals, an apostrophe, and letters beyond ASCII: as directories have them.
        self.zoe = self.person("Zoe.ONeil@Contoso.example", "Zoë", "O’Neil", "zoe.oneil@contoso.example")

    def person(self, login, *rest):
        """Somebody whose name the app can take."""
        return Person(self.app.name(login), *rest)

    def steps(self):
        for step in STEPS:
            try:
                yield step.__doc__, "ok", step(self)
            except Cannot as reason:
                yield step.__doc__, "cannot", str(reason)
            except Exception as failed:  # a walk goes on: each step is told
                yield step.__doc__, "FAILED", f"{failed}" if isinstance(failed, AssertionError) else repr(failed)

    # What is looked at.

    def account(self, login):
        """The one account of this login, whatever its case."""
        every = [one for one in self.app.people() if one["login"].casefold() == login.casefold()]
        assert len(every) == 1, f"the app has {len(every)} accounts {login}: {[one['login'] for one in self.app.people()]}"
        return every[0]

    def same(self, person, active=True):
        """The app holds what Entra sent, as far as it holds such a thing; gives the words of it."""
        account = self.account(person.there)
        wanted = {"name": f"{person.given} {person.family}", "email": person.email, "active": active}
        wanted = {key: value for key, value in wanted.items() if key not in self.app.cannot}
        for key, value in wanted.items():
            assert account[key] == value, f"the app says {key} {account[key]!r}, not {value!r}"
        told = [account["login"], *(str(value) for key, value in wanted.items() if key != "active")]
        return ", ".join(told) + ("" if active or "active" in self.app.cannot else ", inactive")

    def unless(self, what):
        if what in self.app.cannot:
            raise Cannot(self.app.cannot[what])

    def in_group(self, *people):
        its = self.app.groups()
        assert self.group in its, f"the app has no group {self.group!r}: {sorted(its)}"
        logins = {login.casefold() for login in its[self.group]}
        wanted = {person.there.casefold() for person in people}
        assert logins == wanted, f"in the group are {sorted(logins)}, not {sorted(wanted)}"
        return f"{self.group}: {', '.join(sorted(its[self.group])) or 'nobody'}"

    def let_in(self, person):
        """A local password for somebody whom SCIM made: the shortest way to sign in without an identity provider."""
        self.behind.sidegate("user", "set-login", person.login, "local")
        self.behind.sidegate("user", "set-password", person.login, "--password-file", "-", text=self.password)

    def signed_in(self, browser, person):
        whom = self.app.whom(browser)
        assert whom and whom.casefold() == person.there.casefold(), f"the app takes the browser for {whom!r}, not {person.there}"
        return f"the app says {whom}"

    def refused(self, person):
        """At the gate: the session that was open, and a new sign-in."""
        status, path, _ = self.browser.get("/")
        assert path.startswith("/.sidegate/login"), f"the open session still reaches the app: {status} {path}"
        again = Browser(self.behind.url).sign_in(person.login, self.password)
        assert again != 303, "the person can sign in"
        return "the open session ended, a sign-in is refused"


class Person:
    """Somebody as Entra knows them; `there` is the login in the app."""

    def __init__(self, login, given, family, email):
        self.login, self.given, self.family, self.email = login, given, family, email
        self.id, self.there = None, login


def answered(answer, *wanted):
    status, body = answer
    assert status in wanted, f"SCIM answers {status} {body.get('scimType', '')}: {body.get('detail', body)}"
    return body


def create(walk, person):
    assert not walk.entra.look_up(person.login), "the look-up finds somebody before"
    person.id = answered(walk.entra.create(person.login, person.given, person.family, person.email), 201)["id"]


def step_create(walk):
    """create"""
    create(walk, walk.zoe)
    return "201; " + walk.same(walk.zoe)


def step_twice(walk):
    """create once more"""
    zoe = walk.zoe
    body = answered(walk.entra.create(zoe.login, zoe.given, zoe.family, zoe.email), 409)
    assert body.get("scimType") == "uniqueness", body
    walk.account(zoe.login)
    return "409 uniqueness; one account"


def step_sign_in(walk):
    """sign in by header"""
    walk.let_in(walk.zoe)
    status = walk.browser.sign_in(walk.zoe.login, walk.password)
    assert status == 303, f"the sign-in is answered {status}"
    return walk.signed_in(walk.browser, walk.zoe)


def step_match(walk):
    """match one who was there"""
    bob = walk.bob = walk.person("bob@contoso.example", "Bob", "Before", "bob@contoso.example")
    walk.app.make(bob.login, bob.given, bob.family, bob.email)
    before = walk.account(bob.login)["id"]
    met = walk.entra.look_up(bob.login)
    assert len(met) == 1, f"the look-up finds {len(met)}"
    bob.id, bob.family = met[0]["id"], "Bergström"
    values = {"displayName": "Bob Bergström", "family": "Bergström", "formatted": "Bob Bergström"}
    answered(walk.entra.replace(bob.id, **values), 200)
    told = walk.same(bob)
    assert walk.account(bob.login)["id"] == before, "it is another account"
    return "found by the look-up, changed by PATCH; " + told


def step_adopt(walk):
    """POST over one who was there"""
    eve = walk.eve = walk.person("eve@contoso.example", "Eve", "Earlier", "eve@contoso.example")
    walk.app.make(eve.login, eve.given, eve.family, eve.email)
    before, eve.family = walk.account(eve.login)["id"], "Early"
    answered(walk.entra.create(eve.login, eve.given, eve.family, eve.email), 409)
    walk.behind.serve("post")
    eve.id = answered(walk.entra.create(eve.login, eve.given, eve.family, eve.email), 201)["id"]
    told = walk.same(eve)
    assert walk.account(eve.login)["id"] == before, "it is another account"
    walk.behind.serve("filter")
    return '409; with adopt = "post" 201; ' + told


def step_rename(walk):
    """rename"""
    zoe, before = walk.zoe, walk.account(walk.zoe.login)
    was, zoe.login = zoe.login, walk.app.name("zoe.ray@contoso.example")
    answered(walk.entra.replace(zoe.id, userName=zoe.login), 200)
    if "rename" in walk.app.cannot:
        walk.same(zoe)
        raise Cannot(walk.app.cannot["rename"])
    zoe.there = zoe.login
    told = walk.same(zoe)
    after = walk.account(zoe.login)["id"]
    assert after == before["id"] or str(before["id"]).casefold() == was.casefold(), "it is another account"
    assert not [one for one in walk.app.people() if one["login"].casefold() == was.casefold()], "the old name is still there"
    return told


def step_still_in(walk):
    """still signed in after the rename"""
    return walk.signed_in(walk.browser, walk.zoe)


def step_email(walk):
    """change the e-mail address"""
    walk.zoe.email = "zoe.ray@contoso.example"
    answered(walk.entra.replace(walk.zoe.id, email=walk.zoe.email), 200)
    told = walk.same(walk.zoe)
    walk.unless("email")
    return told


def step_name(walk):
    """change the name"""
    zoe = walk.zoe
    zoe.family = "Ray-Ørsted"
    values = {"displayName": f"{zoe.given} {zoe.family}", "family": zoe.family, "formatted": f"{zoe.given} {zoe.family}"}
    answered(walk.entra.replace(zoe.id, **values), 200)
    told = walk.same(zoe)
    walk.unless("name")
    return told


def step_group(walk):
    """create a group"""
    walk.group = "Café Crew"
    assert not walk.entra.look_up_group(walk.group)
    walk.group_id = answered(walk.entra.create_group(walk.group), 201)["id"]
    walk.unless("groups")
    return "201; " + walk.in_group()


def step_add(walk):
    """add two members"""
    answered(walk.entra.members("Add", walk.group_id, walk.zoe.id, walk.bob.id), 200, 204)
    walk.unless("groups")
    return walk.in_group(walk.zoe, walk.bob)


def step_rename_group(walk):
    """rename the group"""
    answer = walk.entra.patch(f"/Groups/{walk.group_id}", ("Replace", "displayName", "Crème & Café"))
    walk.unless("groups")
    if "rename_group" in walk.app.cannot:
        answered(answer, 501)
        walk.in_group(walk.zoe, walk.bob)
        raise Cannot(f"{walk.app.cannot['rename_group']}; 501")
    answered(answer, 200, 204)
    walk.group = "Crème & Café"
    return walk.in_group(walk.zoe, walk.bob)


def step_remove(walk):
    """remove a member"""
    answered(walk.entra.members("Remove", walk.group_id, walk.bob.id), 200, 204)
    walk.unless("groups")
    return walk.in_group(walk.zoe)


def step_deactivate(walk):
    """deactivate"""
    body = answered(walk.entra.replace(walk.zoe.id, active="False"), 200)
    assert body["active"] is False, body
    told = walk.same(walk.zoe, active=False)
    walk.unless("active")
    return told


def step_refused(walk):
    """refused at the gate"""
    return walk.refused(walk.zoe)


def step_reactivate(walk):
    """reactivate"""
    body = answered(walk.entra.replace(walk.zoe.id, active="True"), 200)
    assert body["active"] is True, body
    told = walk.same(walk.zoe)
    if "groups" not in walk.app.cannot:
        told += "; " + walk.in_group(walk.zoe)
    walk.browser = Browser(walk.behind.url)
    assert walk.browser.sign_in(walk.zoe.login, walk.password) == 303, "the sign-in is refused"
    told = f"{told}; signed in, {walk.signed_in(walk.browser, walk.zoe)}"
    walk.unless("active")
    return told


def step_delete_group(walk):
    """delete the group"""
    answered(walk.entra.delete(f"/Groups/{walk.group_id}"), 204)
    walk.unless("groups")
    assert walk.group not in walk.app.groups(), "the app still has it"
    return "204; the app has it no more"


def step_delete(walk):
    """delete"""
    answered(walk.entra.delete(f"/Users/{walk.zoe.id}"), 204)
    refused = walk.refused(walk.zoe)
    still = [one for one in walk.app.people() if one["login"].casefold() == walk.zoe.there.casefold()]
    if walk.app.soft:
        assert [one["active"] for one in still] == [False], still
        return f"204; disabled in the app, which cannot delete; {refused}"
    assert not still, f"the app still has {still}"
    return f"204; the app has nobody of this name; {refused}"


def step_anew(walk):
    """create again after the delete"""
    walk.zoe.there = walk.zoe.login
    create(walk, walk.zoe)
    return "201; " + walk.same(walk.zoe)


def step_letters(walk):
    """a user name beyond ASCII"""
    soren = walk.person("søren.å@contoso.example", "Søren", "Åberg", "soren@contoso.example")
    if "letters" in walk.app.cannot:
        status, body = walk.entra.create(soren.login, soren.given, soren.family, soren.email)
        assert (status, body.get("scimType")) == (400, "invalidValue"), f"SCIM answers {status}: {body}"
        raise Cannot(f"{walk.app.cannot['letters']}; 400 invalidValue")
    create(walk, soren)
    told = walk.same(soren)
    walk.let_in(soren)
    browser = Browser(walk.behind.url)
    assert browser.sign_in(soren.login, walk.password) == 303, "the sign-in is refused"
    return f"{told}; {walk.signed_in(browser, soren)}"


def step_end(walk):
    """nothing owed, nothing astray"""
    owed = walk.behind.sidegate("connector", "owed").stdout.strip()
    drift = walk.behind.sidegate("connector", "drift", "--json", check=False).stdout
    astray = [one for one in json.loads(drift) if one["kind"] != "added" or one["login"].casefold() in known(walk)]
    assert not astray, f"sidegate connector drift: {astray}"
    return f"owed: {owed.splitlines()[0] if owed else 'nothing'}; drift: none"


def known(walk):
    return {person.there.casefold() for person in (walk.zoe, walk.bob, walk.eve)}


STEPS = [
    step_create, step_twice, step_sign_in, step_match, step_adopt, step_rename, step_still_in, step_email, step_name, step_group, step_add,
    step_rename_group, step_remove, step_deactivate, step_refused, step_reactivate, step_delete_group, step_delete, step_anew, step_letters,
    step_end,
]
