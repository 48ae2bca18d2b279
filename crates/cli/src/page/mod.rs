//! Pages to look at and to hand on: one HTML file each, with its style and its plots in it. No network, and no script but
//! one that is known by its hash: the page's own policy forbids both, so that not even a flaw in our escaping could bring
//! them in.

pub(crate) mod bench;
pub(crate) mod check;
mod disk;
mod disk_tables;
mod findings;
pub(crate) mod judged;
mod parts;
mod plot;
mod scale;

pub(crate) use disk::pieces_of_each;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::terminal::shown;
use crate::words::time::utc;

const STYLE: &str = include_str!("style.css");
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'";

/// What a page has beyond the frame that all have. It is complete without its script.
pub(crate) struct Extra {
    style: &'static str,
    script: &'static str,
    /// The SHA-256 of the script in Base64, by which the page's policy knows it.
    script_hash: &'static str,
}

/// What the frame of a page needs.
pub(crate) struct Page<'a> {
    /// The headline, and the name of the window.
    pub(crate) title: &'a str,
    /// A sentence below the headline.
    pub(crate) lead: &'a str,
    /// The sections.
    pub(crate) body: Markup,
    /// When it was made, in Unix seconds.
    pub(crate) made: u64,
    pub(crate) extra: Option<&'static Extra>,
}

impl Page<'_> {
    /// The whole document.
    pub(crate) fn into_html(self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let made = utc(self.made);
        let policy = match self.extra {
            Some(extra) => format!("{POLICY}; script-src 'sha256-{}'", extra.script_hash),
            None => POLICY.to_owned(),
        };
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    title { (text(self.title)) }
                    style {
                        (PreEscaped(STYLE))
                        @if let Some(extra) = self.extra { (PreEscaped(extra.style)) }
                    }
                }
                body {
                    a class="skip" href="#main" { "Skip to the content" }
                    header {
                        h1 { (text(self.title)) }
                        p class="lead" { (text(self.lead)) }
                    }
                    main id="main" tabindex="-1" { (self.body) }
                    footer { p { "Made by imsprep " (version) " at " time datetime=(made) { (made) } "." } }
                    @if let Some(extra) = self.extra {
                        script { (PreEscaped(extra.script)) }
                    }
                }
            }
        };
        document.into_string()
    }
}

/// Text from outside as it may stand in a page: control characters are visible, and maud escapes what is markup.
fn text(text: &str) -> String {
    shown(text).to_string()
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    /// Reads a page as strictly as XML is read. All that is not XML in one of ours: the empty elements of its head.
    pub(super) fn as_xml(page: &str) -> String {
        let (head, rest) = page.split_once("</head>").unwrap();
        let head = head.strip_prefix("<!DOCTYPE html>").unwrap();
        let closed = head.split_inclusive('>').map(|tag| match tag.trim_start().starts_with("<meta ") {
            true => tag.replace('>', "/>"),
            false => tag.to_owned(),
        });
        closed.collect::<String>() + "</head>" + rest
    }

    fn page(title: &str) -> String {
        Page { title, lead: title, body: html! { p { (text(title)) } }, made: 1_709_208_000, extra: None }
            .into_html()
    }

    #[test]
    fn a_page_is_well_formed_and_has_its_landmarks() {
        let page = as_xml(&page("a title"));
        let document = roxmltree::Document::parse(&page).unwrap();
        assert_eq!(document.root_element().attribute("lang"), Some("en"));
        for name in ["title", "header", "h1", "main", "footer"] {
            assert_eq!(document.descendants().filter(|node| node.has_tag_name(name)).count(), 1, "{name}");
        }
        assert!(page.contains("2024-02-29T12:00:00Z"));
    }

    #[test]
    fn what_comes_from_outside_stays_text() {
        for evil in ["</title><script>alert(1)</script>", "<!-- ", "a & b &lt;", "\u{1b}[2J\u{202e}", "\"'"] {
            let page = as_xml(&page(evil));
            let document = roxmltree::Document::parse(&page).unwrap();
            for name in ["title", "h1", "p"] {
                let found = document.descendants().find(|node| node.has_tag_name(name)).unwrap();
                assert_eq!(found.text(), Some(text(evil).as_str()), "{name}");
            }
            assert!(!page.contains("<script"));
        }
    }

    #[test]
    fn styles_need_no_network_and_can_not_end_their_element() {
        for style in [STYLE, disk::EXTRA.style] {
            for word in ["url(", "@import", "</", "<!--", "&", "http:", "https:"] {
                assert!(!style.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn the_script_asks_nobody_and_can_not_end_its_element_and_the_policy_has_its_hash() {
        let Extra { script, script_hash, .. } = disk::EXTRA;
        for word in
            ["</", "<!--", "http:", "https:", "fetch", "eval", "innerHTML", "import", "WebSocket", "XMLHttp"]
        {
            assert!(!script.contains(word), "{word}");
        }
        let hash = imsprep_testdata::base64(&sha2::Sha256::digest(script));
        assert_eq!(hash, script_hash, "the script was changed: this is its new hash");
    }
}
