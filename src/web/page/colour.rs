//! A configured colour made readable: black or white text on it, and shades of it that stand out as links.

/// Text must stand out this much (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;
/// What links stand on in light and in dark, the harder of card and ground, as in `style.css`; and where to go
/// for more contrast.
const CARDS: [(Colour, Colour); 2] = [
    (Colour([243, 245, 248]), Colour([0, 0, 0])),
    (Colour([23, 27, 34]), Colour([255, 255, 255])),
];

/// sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 3]);

impl Colour {
    /// Reads `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        // `from_str_radix` takes a sign.
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// How much one stands out on the other, 1 to 21 (WCAG 2.2, contrast ratio).
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        let [red, green, blue] = linear;
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Goes towards `end` in small steps until it can be read on `ground`.
    fn readable_on(self, ground: Self, end: Self) -> Self {
        (0..=20)
            .map(|step| self.mixed(end, f64::from(step) / 20.0))
            .find(|shade| shade.contrast(ground) >= READABLE)
            .unwrap_or(end)
    }

    fn mixed(self, end: Self, share: f64) -> Self {
        let mut parts = self.0;
        for (part, goal) in parts.iter_mut().zip(end.0) {
            let mixed = f64::from(*part) * (1.0 - share) + f64::from(goal) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes, so a byte"
            )]
            let mixed = mixed.round() as u8;
            *part = mixed;
        }
        Self(parts)
    }

    fn to_hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The style that puts a configured colour in place of the default; none when it is no colour.
pub(super) fn theme(colour: &str) -> Option<String> {
    let colour = Colour::parse(colour)?;
    let (white, black) = (Colour([255, 255, 255]), Colour([0, 0, 0]));
    let on = if colour.contrast(white) >= READABLE {
        white
    } else {
        black
    };
    let [light, dark] = CARDS.map(|(card, end)| colour.readable_on(card, end).to_hex());
    let (accent, on) = (colour.to_hex(), on.to_hex());
    Some(format!(
        ":root{{--accent:{accent};--on-accent:{on};--link:{light}}}\
         @media (prefers-color-scheme:dark){{:root{{--accent:{accent};--on-accent:{on};--link:{dark}}}}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_is_readable() {
        let steps = || (0..=255).step_by(15);
        let pairs = steps().flat_map(|red| steps().map(move |green| (red, green)));
        for (red, green) in pairs {
            for blue in steps() {
                let colour = Colour([red, green, blue]);
                readable(colour);
            }
        }
    }

    fn readable(colour: Colour) {
        let style = theme(&colour.to_hex()).unwrap();
        let of = |name: &str, nth: usize| {
            let rest = style.split(name).skip(1).nth(nth).unwrap();
            Colour::parse(rest.get(..7).unwrap()).unwrap()
        };
        let text = of("--on-accent:", 0).contrast(colour);
        assert!(text >= READABLE, "text on {colour:?}: {text}");
        for (nth, (card, _)) in CARDS.into_iter().enumerate() {
            let link = of("--link:", nth).contrast(card);
            assert!(link >= READABLE, "link {nth} of {colour:?}: {link}");
        }
    }

    #[test]
    fn only_whole_hex_is_a_colour() {
        for text in [
            "", "red", "#fff", "#12345g", "#1234567", "1d5fd1", "#é234", "#+12345",
        ] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
        assert_eq!(Colour::parse("#1D5fd1"), Some(Colour([0x1d, 0x5f, 0xd1])));
    }
}
