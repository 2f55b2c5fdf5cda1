"""The people of the identity provider. Everybody's password is "password"."""


def person(given_name, family_name, mail, groups):
    return {
        "givenName": given_name,
        "sn": family_name,
        "displayName": f"{given_name} {family_name}",
        "mail": mail,
        "isMemberOf": groups,
    }


# By user name, which is also the attribute `uid`. Attributes by pysaml2's names; those that it knows travel under their
# object identifiers (`mail` as urn:oid:0.9.2342.19200300.100.1.3), others as they are.
people = {
    "alice": person("Alice", "Archer", "alice@example.com", ["staff", "admins"]),
    "bob": person("Bob", "Baker", "bob@example.com", ["staff"]),
    "carol": person("Carol", "Çelik", "carol@example.com", []),
    "zoë.o’neil@例え.jp": person("Zoë", "O’Neil <&>\"", "zoe@example.com", ['équipe, "quoted"', "staff"]),
}


def attributes_of(name):
    """What the assertion says; None and empty lists are left out."""
    every = {"uid": name, **people[name]}
    return {key: value for key, value in every.items() if value not in (None, [])}


def persistent_id(name):
    """Says nothing to a reader, but can be turned back into the name."""
    return f"p-{name.encode().hex()}"


def name_of(name_id):
    """Whom a NameID of ours means; None for nobody."""
    if name_id.startswith("p-"):
        found = bytes.fromhex(name_id[2:]).decode()
    else:
        found = next((name for name in people if name_id in (name, people[name]["mail"])), None)
    return found if found in people else None
