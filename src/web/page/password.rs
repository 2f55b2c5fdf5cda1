//! Change of password: wanted, or demanded at the first sign-in.

use maud::html;

use super::{Forms, Look, Page, alert, button};

/// The page.
#[derive(Clone, Copy, Debug)]
pub struct ChangePassword<'a> {
    /// Whose password; for password managers, and so that the person sees whose it is.
    pub user_name: &'a str,
    /// Handle of the proof that the old password was right; with it the old one is not asked again, and it must be changed.
    pub step: Option<&'a str>,
    /// Ties the form to the browser that it was made for.
    pub token: &'a str,
    /// Least number of characters.
    pub min_length: u32,
    /// Why it is shown again.
    pub error: Option<&'a str>,
}

impl ChangePassword<'_> {
    /// With a look.
    pub fn page(&self, look: &Look) -> Page {
        let title = match self.step {
            Some(_) => "Choose your own password",
            None => "Change your password",
        };
        let body = html! {
            h1 { (title) }
            @if self.step.is_some() {
                p.quiet { "The password you just used was only for the first time. You are signed in once you have chosen a new one." }
            } @else {
                p.quiet { "You stay signed in here. Everywhere else you are signed out." }
            }
            @if let Some(error) = self.error { (alert(error)) }
            form method="post" action=(look.at("password")) {
                div.field {
                    label for="username" { "User name" }
                    input #username type="text" name="username" value=(self.user_name) autocomplete="username" readonly;
                }
                @if self.step.is_none() {
                    div.field {
                        label for="password" { "Current password" }
                        input #password type="password" name="password" autocomplete="current-password" required autofocus;
                    }
                }
                div.field {
                    label for="new" { "New password" }
                    input #new type="password" name="new_password" autocomplete="new-password" required
                        minlength=(self.min_length) aria-describedby="rule" autofocus[self.step.is_some()];
                    span.hint #rule {
                        "At least " (self.min_length) " characters. A few words that only you would put together are better than odd signs."
                    }
                }
                div.field {
                    label for="repeat" { "New password again" }
                    input #repeat type="password" name="repeat_password" autocomplete="new-password" required
                        minlength=(self.min_length);
                }
                @if let Some(step) = self.step { input type="hidden" name="step" value=(step); }
                input type="hidden" name="token" value=(self.token);
                button.button.main { "Save new password" }
            }
        };
        let forms = match self.step {
            Some(_) => Forms::App,
            None => Forms::Own,
        };
        Page::new(title, body).with_forms(forms)
    }
}

/// The password was changed.
pub fn password_changed(look: &Look) -> Page {
    let body = html! {
        h1 { "Your password is changed" }
        p.quiet { "You stay signed in here. Sessions in other browsers have ended." }
        div.actions { (button("/", &look.named("Continue", "to"), true)) }
    };
    Page::new("Password changed", body)
}
