//! The page that an app shows to people who are not signed in.

use super::tags::Tags;

/// Hidden fields of one form; more are not sent.
const MAX_HIDDEN: usize = 64;

/// What signing in needs of it.
#[derive(Debug, Default)]
pub(super) struct SignInPage {
    forms: Vec<Form>,
    metas: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Form {
    hidden: Vec<(String, String)>,
    inputs: Vec<(String, String)>,
    asks_password: bool,
}

impl SignInPage {
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self::default();
        // What stands outside of all forms.
        let mut current = Form::default();
        let mut outside = Form::default();
        let mut within = false;
        for tag in Tags::of(html) {
            let value = |name: &str| tag.attribute(name).unwrap_or_default().to_owned();
            match (tag.name.as_str(), tag.closes) {
                // A form within a form is none (HTML 13.2.6.4.7).
                ("form", false) if !within => within = true,
                ("form", true) if within => {
                    within = false;
                    page.forms.push(std::mem::take(&mut current));
                }
                ("input", false) => {
                    let form = if within { &mut current } else { &mut outside };
                    form.input(&value("type"), value("name"), value("value"));
                }
                ("meta", false) if tag.attribute("name").is_some() => {
                    page.metas.push((value("name"), value("content")));
                }
                _ => {}
            }
        }
        page.forms.push(current);
        page.forms.push(outside);
        page
    }

    /// The form that asks for a password.
    fn form(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.asks_password)
    }

    /// Its hidden fields, which a browser sends along.
    pub(super) fn hidden(&self) -> &[(String, String)] {
        self.form().map_or(&[], |form| form.hidden.as_slice())
    }

    /// The value of a field: of the form that asks for a password before others.
    pub(super) fn input(&self, name: &str) -> Option<&str> {
        let inputs = self.form().into_iter().chain(&self.forms);
        let mut inputs = inputs.flat_map(|form| &form.inputs);
        inputs
            .find(|(its, value)| its == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// What `<meta name=… content=…>` says.
    pub(super) fn meta(&self, name: &str) -> Option<&str> {
        let found = self
            .metas
            .iter()
            .find(|(its, _)| its.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Form {
    fn input(&mut self, kind: &str, name: String, value: String) {
        self.asks_password |= kind.eq_ignore_ascii_case("password");
        if name.is_empty() || self.inputs.len() >= MAX_HIDDEN {
            return;
        }
        if kind.eq_ignore_ascii_case("hidden") {
            self.hidden.push((name.clone(), value.clone()));
        }
        self.inputs.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn fields_are_found_as_browsers_find_them() {
        for (name, html, want) in [
            (
                "plain",
                r#"<input type="hidden" name="t" value="1">"#,
                Some("1"),
            ),
            (
                "self-closing",
                "<input type=hidden name=t value=1/>",
                Some("1/"),
            ),
            (
                "another order",
                "<input value='1' name='t' type='hidden'/>",
                Some("1"),
            ),
            (
                "capitals",
                r#"<INPUT TYPE="HIDDEN" NAME="t" VALUE="1">"#,
                Some("1"),
            ),
            (
                "lines",
                "<input\n\ttype = \"hidden\"\n name\n=\n\"t\" value=\"1\"\n>",
                Some("1"),
            ),
            (
                "references",
                r#"<input name=t value="a&amp;b&#43;&#x3D;&quot;&zz;&">"#,
                Some("a&b+=\"&zz;&"),
            ),
            (
                "a sign inside",
                r#"<input data-x="a>b" name="t" value="1">"#,
                Some("1"),
            ),
            (
                "the first attribute counts",
                r#"<input name="t" value="1" value="2">"#,
                Some("1"),
            ),
            (
                "a comment",
                r#"<!-- <input name="t" value="2"> --><input name="t" value="1">"#,
                Some("1"),
            ),
            (
                "an empty comment",
                r#"<!--><input name="t" value="1">"#,
                Some("1"),
            ),
            (
                "a script",
                r#"<script>"<input name='t' value='2'>"</script ><input name="t" value="1">"#,
                Some("1"),
            ),
            (
                "a text field",
                r#"<textarea><input name="t" value="2"></TEXTAREA><input name="t" value="1">"#,
                Some("1"),
            ),
            (
                "less than",
                r#"1 < 2 <3 <input name="t" value="1">"#,
                Some("1"),
            ),
            ("another name", r#"<input name="tt" value="1">"#, None),
            ("a name in a value", r#"<input value="name=t">"#, None),
            ("no end", r#"<input name="t" value="1"#, Some("1")),
            ("no value", r#"<input name="t">"#, None),
            (
                "a script without an end",
                r#"<script><input name="t" value="1">"#,
                None,
            ),
            ("an umlaut", "</ß><input name=t value=ä>", Some("ä")),
            ("nothing", "", None),
        ] {
            assert_eq!(SignInPage::read(html).input("t"), want, "{name}");
        }
    }

    #[test]
    fn a_page_is_read_in_proportion_to_its_size() {
        // Each would take minutes, were any of it looked at again and again.
        for piece in [
            "&",
            "<",
            "<!--",
            "<form><input type=password name=",
            "\"",
            "<a '",
            "</",
            "<script>",
            "&#1",
        ] {
            let page = piece.repeat((1 << 20) / piece.len());
            for page in [format!("<input name=t value=1 other=\"{page}"), page] {
                let begun = tokio::time::Instant::now();
                let _read = SignInPage::read(&page);
                assert!(begun.elapsed().as_secs() < 5, "{piece}");
            }
        }
    }

    #[test]
    fn the_form_that_asks_for_a_password_counts() {
        let page = SignInPage::read(
            r#"<meta name="csrf-token" content="m"><input type=hidden name=t value=outside>
            <form action=/search><input type=hidden name=t value=search><input name=q></form>
            <form method=post><input type=hidden name=t value=login><input type=hidden name=next value="/">
            <input name=user value=x><input type=Password name=pw></form>
            <form><input type=hidden name=t value=lost></form>"#,
        );
        assert_eq!(page.input("t"), Some("login"));
        assert_eq!(page.meta("CSRF-Token"), Some("m"));
        let hidden = [("t", "login"), ("next", "/")];
        let hidden = hidden.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(page.hidden(), hidden);
    }
}
