//! Sign-in: the idps as links, the e-mail field that finds one, and the form of local accounts.

use maud::{Markup, html};

use super::{Forms, Look, Page, alert};

/// One idp that the person can choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// As the operator named it.
    pub label: String,
    /// A link, never a form: Chrome holds `form-action` against the redirect that follows a form.
    pub href: String,
}

/// User name and password.
#[derive(Clone, Copy, Debug)]
pub struct LocalForm<'a> {
    /// Ties the form to the browser that it was made for.
    pub token: &'a str,
    /// What was typed before; the password is always typed anew.
    pub user_name: &'a str,
}

/// The page.
#[derive(Debug)]
pub struct SignIn<'a> {
    /// Idps, in the order of the settings.
    pub choices: Vec<Choice>,
    /// Whether an e-mail address can find one of them.
    pub by_email: bool,
    /// What was typed there before.
    pub email: &'a str,
    /// Whether there are local accounts.
    pub local: Option<LocalForm<'a>>,
    /// Why it is shown again.
    pub error: Option<&'a str>,
    /// A path of ours (R17), carried through.
    pub return_to: &'a str,
    /// The person has a session and must prove again who they are, or wants to be somebody else.
    pub again: bool,
}

impl SignIn<'_> {
    /// With a look.
    pub fn page(&self, look: &Look) -> Page {
        let lead = match (self.local, self.choices.as_slice()) {
            (None, []) => "Nobody can sign in here yet. Please ask your administrator.",
            (None, _) => "Choose how you sign in.",
            (Some(_), _) => "",
        };
        let body = html! {
            h1 { (look.named("Sign in", "to")) }
            @if !lead.is_empty() { p.quiet { (lead) } }
            @if let Some(error) = self.error { (alert(error)) }
            @if !self.choices.is_empty() { (self.idps()) }
            @if self.by_email { (self.email(look)) }
            @if let Some(form) = self.local {
                @if !self.choices.is_empty() { div.or { "or with a password" } }
                (self.form(look, form))
            }
        };
        let page = Page::new("Sign in", body);
        match self.local {
            Some(_) => page.with_forms(Forms::App),
            None if self.by_email => page.with_forms(Forms::Own),
            None => page,
        }
    }

    fn idps(&self) -> Markup {
        let main = self.local.is_none() && self.choices.len() == 1;
        html! {
            ul.choices {
                @for choice in &self.choices {
                    li { a.button.main[main] href=(choice.href) { "Continue with " (choice.label) } }
                }
            }
        }
    }

    fn email(&self, look: &Look) -> Markup {
        let unknown = self.error.is_some() && !self.email.is_empty();
        html! {
            div.or { "or find your sign-in" }
            form method="get" action=(look.at("login")) {
                label for="email" { "Work e-mail address" }
                div.row {
                input #email type="email" name="email" value=(self.email) autocomplete="email" maxlength="254"
                    autocapitalize="none" spellcheck="false" required
                    autofocus[unknown] aria-invalid=[unknown.then_some("true")];
                button.button { "Continue" }
                }
                (self.carried())
            }
        }
    }

    fn form(&self, look: &Look, form: LocalForm<'_>) -> Markup {
        let failed = self.error.is_some() && !form.user_name.is_empty();
        // Where it is the only thing on the page, the person can type at once.
        let alone = self.choices.is_empty();
        let focus_name = alone && form.user_name.is_empty();
        let focus_password = !form.user_name.is_empty();
        html! {
            form method="post" action=(look.at("login")) {
                div.field {
                    label for="username" { "User name" }
                    input #username type="text" name="username" value=(form.user_name) autocomplete="username"
                        autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="320" required
                        autofocus[focus_name] aria-invalid=[failed.then_some("true")];
                }
                div.field {
                    label for="password" { "Password" }
                    input #password type="password" name="password" autocomplete="current-password"
                        required autofocus[focus_password] aria-invalid=[failed.then_some("true")];
                }
                input type="hidden" name="token" value=(form.token);
                (self.carried())
                button.button.main { "Sign in" }
            }
        }
    }

    fn carried(&self) -> Markup {
        html! {
            input type="hidden" name="return_to" value=(self.return_to);
            @if self.again { input type="hidden" name="again" value="1"; }
        }
    }
}
