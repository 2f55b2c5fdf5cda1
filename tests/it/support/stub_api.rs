//! What the stub app's API does.

use http::Method;
use serde_json::{Value, json};

use super::stub_app::{Account, State, Team};

/// Its API as an operator would write it down; `{upstream}` is the app.
pub const CONNECTOR: &str = r#"
[connector.api]
name       = "stub"
base       = "{upstream}/api"
headers    = { Authorization = "Bearer stub-token" }
timeout    = "1s"
per_second = 10000
[connector.users]
ignore = ["root"]
[connector.users.administrator]
at     = "/admin"
equals = true
[connector.users.fields]
login  = "userName"
name   = "displayName"
email  = "emails.value"
active = "active"
[connector.users.list]
call  = "GET /people?offset={offset}&limit={limit}"
items = "/people"
page  = { style = "offset", size = 100, total = "/total" }
[connector.users.find.userName]
call  = "GET /people?login={value}"
items = "/people"
[connector.users.get]
call = "GET /people/{id}"
[connector.users.create]
call   = "POST /people"
body   = "{fields}"
new_id = "/id"
[connector.users.update]
call = "PATCH /people/{id}"
body = "{fields}"
[connector.users.delete]
call = "DELETE /people/{id}"
[connector.groups.fields]
name = "displayName"
[connector.groups.list]
call  = "GET /teams"
items = "/teams"
[connector.groups.get]
call = "GET /teams/{id}"
[connector.groups.create]
call   = "POST /teams"
body   = "{fields}"
new_id = "/id"
[connector.groups.update]
call = "PATCH /teams/{id}"
body = "{fields}"
[connector.groups.delete]
call = "DELETE /teams/{id}"
[connector.groups.members]
mode   = "calls"
read   = "/members"
add    = { call = "PUT /teams/{group}/people/{user}" }
remove = { call = "DELETE /teams/{group}/people/{user}" }
"#;

/// Status and document.
type Answered = (u16, Value);

pub(super) fn route(state: &mut State, method: &Method, target: &str, body: &Value) -> Answered {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let asked = |name: &str| {
        let pair = query.iter().find(|(its, _)| its == name);
        pair.map(|(_, value)| value.to_string())
    };
    let pieces: Vec<_> = path.trim_start_matches('/').split('/').collect();
    // By number or by login name.
    let named = |piece: &str| {
        let mut its = state.people.iter();
        its.find(|(_, its)| its.login == piece).map(|(id, _)| *id)
    };
    let id = |piece: &str| {
        piece
            .parse()
            .ok()
            .or_else(|| named(piece))
            .unwrap_or_default()
    };
    match (method.as_str(), pieces.as_slice()) {
        ("GET", ["people"]) => {
            if let Some(login) = asked("login") {
                // A piece of the name, without case: look-ups of apps are seldom exact.
                let login = login.to_lowercase();
                let its = state.people.iter();
                let its = its.filter(|(_, its)| its.login.to_lowercase().contains(&login));
                let its: Vec<_> = its.map(|(id, its)| shown(*id, its)).collect();
                (200, json!({ "people": its, "total": its.len() }))
            } else {
                let number = |name: &str| asked(name).unwrap().parse::<usize>().unwrap();
                let page = state.people.iter();
                let page = page.skip(number("offset")).take(number("limit"));
                let page: Vec<_> = page.map(|(id, its)| shown(*id, its)).collect();
                let total = state.people.len();
                (200, json!({ "people": page, "total": total }))
            }
        }
        ("POST", ["people"]) => {
            let new = Account {
                login: String::new(),
                name: String::new(),
                email: String::new(),
                active: true,
                admin: false,
            };
            let next = state.last_id + 1;
            let answer = put(state, next, new, body, 201);
            state.last_id = if answer.0 == 201 { next } else { next - 1 };
            answer
        }
        (method, ["people", person]) => {
            let id = id(person);
            let Some(account) = state.people.get(&id).cloned() else {
                return missing();
            };
            match method {
                "GET" => (200, shown(id, &account)),
                "PATCH" => put(state, id, account, body, 200),
                "DELETE" => {
                    state.people.remove(&id);
                    for team in state.teams.values_mut() {
                        team.members.remove(&id);
                    }
                    (204, Value::Null)
                }
                _ => (405, json!({ "error": "method" })),
            }
        }
        (method, ["teams", ..]) => teams(state, method, &pieces, body),
        _ => missing(),
    }
}

fn put(state: &mut State, id: u64, mut account: Account, body: &Value, status: u16) -> Answered {
    let text = |name: &str, into: &mut String| {
        if let Some(value) = body[name].as_str() {
            value.clone_into(into);
        }
    };
    text("login", &mut account.login);
    text("name", &mut account.name);
    text("email", &mut account.email);
    account.active = body["active"].as_bool().unwrap_or(account.active);
    let taken = |(other, its): (&u64, &Account)| *other != id && its.login == account.login;
    if state.people.iter().any(taken) {
        return (409, json!({ "error": "login is taken" }));
    }
    if account.login.is_empty() || (!account.email.is_empty() && !account.email.contains('@')) {
        return (
            422,
            json!({ "errors": { "email": ["is not an address of ours"] } }),
        );
    }
    let shown = shown(id, &account);
    state.people.insert(id, account);
    (status, shown)
}

fn teams(state: &mut State, method: &str, pieces: &[&str], body: &Value) -> Answered {
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let taken = state.teams.values().any(|team| team.name == name);
    let number = |at: usize| pieces.get(at).and_then(|it| it.parse::<u64>().ok());
    let show = |id: u64, team: &Team| {
        let members: Vec<_> = team.members.iter().collect();
        json!({ "id": id, "name": team.name, "members": members })
    };
    let (Some(id), person) = (number(1), number(3)) else {
        return match method {
            "GET" => {
                let all: Vec<_> = state.teams.iter().map(|(id, its)| show(*id, its)).collect();
                (200, json!({ "teams": all }))
            }
            "POST" if taken => (409, json!({ "error": "name is taken" })),
            _ => {
                state.last_id += 1;
                let team = Team {
                    name,
                    ..Team::default()
                };
                let id = state.last_id;
                state.teams.insert(id, team);
                (201, json!({ "id": id }))
            }
        };
    };
    let known = person.is_none_or(|person| state.people.contains_key(&person));
    let Some(team) = state.teams.get_mut(&id).filter(|_| known) else {
        return missing();
    };
    match (method, person) {
        ("GET", None) => (200, show(id, team)),
        ("PATCH", None) if taken => (409, json!({ "error": "name is taken" })),
        ("PATCH", None) => {
            team.name = name;
            (200, show(id, team))
        }
        ("DELETE", None) => {
            state.teams.remove(&id);
            (204, Value::Null)
        }
        ("PUT", Some(person)) => {
            team.members.insert(person);
            (204, Value::Null)
        }
        ("DELETE", Some(person)) => {
            team.members.remove(&person);
            (204, Value::Null)
        }
        _ => (405, json!({ "error": "method" })),
    }
}

fn shown(id: u64, account: &Account) -> Value {
    let Account {
        login,
        name,
        email,
        active,
        admin,
    } = account;
    json!({
        "id": id, "login": login, "name": name, "email": email, "active": active, "admin": admin,
        "password_hash": "$2y$canary",
    })
}

fn missing() -> Answered {
    (404, json!({ "error": "not here" }))
}
