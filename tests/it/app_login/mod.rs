//! Apps that read no header: we sign in there on the person's behalf.

mod accounts;
mod attacks;
mod failures;
mod first;
mod kanboard;
mod keys;
mod sessions;
mod sockets;
mod ways;

/// The stub's user API; `PASSWORD` is how its password field is written.
const CONNECTOR: &str = r#"
[connector.api]
base = "{upstream}/users-api"
headers = { X-Api-Key = "k" }
[connector.users]
active = "none"
list.call = "GET /"
get.call = "GET /{id}"
create = { call = "POST /", body = "{fields}", new_id = "/id" }
update = { call = "PUT /{id}", body = "{fields}" }
delete.call = "DELETE /{id}"
[connector.users.fields]
name = "userName"
password = { scim = "userName", write = "{password}", only = "create" }
[local]
enabled = true
bcrypt_cost = 4
[[rule]]
path = "/open/**"
access = "public"
"#;

/// By its form.
const FORM: &str = r#"
[upstream.login]
path = "/signin"
csrf = "input:csrf"
cookies = ["SID"]
fields = { name = "{login}", password = "{password}", csrf = "{csrf}" }
"#;

/// By its API.
const JSON: &str = r#"
[upstream.login]
kind = "json"
path = "/signin"
action = "/login-api"
csrf = "cookie:XSRF"
cookies = ["SID"]
ended = ["status:401", "redirect:/signin"]
fields = { user = { name = "{login}", password = "{password}" } }
headers = { X-XSRF = "{csrf}" }
"#;

fn settings(login: &str) -> String {
    format!("{login}{CONNECTOR}")
}

/// For apps whose API can set passwords of people that are there.
fn changing(login: &str) -> String {
    settings(login).replace(", only = \"create\"", "")
}
